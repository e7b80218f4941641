"""Reads of offers and bookings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session

from bot.bookings.models import ACTIVE, TAKES_A_PLACE, Booking, BookingState, Meeting, Offer, OfferKind, Service
from bot.bookings.rules import Span


@dataclass(frozen=True)
class Occupancy:
    """`taken` counts the places that are booked or kept for somebody."""

    taken: int = 0
    waiting: int = 0

    def free(self, places: int | None) -> int | None:
        """None: no limit."""
        return None if places is None else max(0, places - self.taken)


def spans_of(offer: Offer) -> tuple[Span, ...]:
    return tuple(Span(each.starts_at, each.ends_at) for each in offer.meetings)


def occupancy(session: Session, offer_ids: Collection[int]) -> dict[int, Occupancy]:
    """How full these offers are; an offer that nobody wants is there as well."""
    rows = session.execute(
        select(
            Booking.offer_id,
            func.sum(case((Booking.state.in_(TAKES_A_PLACE), 1), else_=0)),
            func.sum(case((Booking.state == BookingState.WAITING, 1), else_=0)),
        )
        .where(Booking.offer_id.in_(offer_ids))
        .group_by(Booking.offer_id)
    )
    counted = {offer_id: Occupancy(int(taken), int(waiting)) for offer_id, taken, waiting in rows}
    return {offer_id: counted.get(offer_id, Occupancy()) for offer_id in offer_ids}


def open_offers(
    session: Session,
    kind: OfferKind,
    now: datetime,
    *,
    service: Service | None = None,
    first: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
    only_free: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> Sequence[Offer]:
    """Offers that still have a meeting to come; those of the campus `first` (or of every campus) before the others.

    `since`, `before`: with a meeting that is not over and starts in this time. The next to meet come first.
    """
    if since is None:
        in_time = Meeting.starts_at > now
    elif since <= now:
        # Asked for what is on: what has begun is still on.
        in_time = Meeting.ends_at > now
    else:
        in_time = Meeting.starts_at >= since
    wanted: list[ColumnElement[bool]] = [Meeting.offer_id == Offer.id, in_time]
    if before is not None:
        wanted.append(Meeting.starts_at < before)
    next_start = select(func.min(Meeting.starts_at)).where(*wanted).scalar_subquery()
    found = select(Offer).where(Offer.kind == kind, Offer.cancelled_at.is_(None), exists().where(*wanted))
    if service is not None:
        found = found.where(Offer.service == service)
    if only_free:
        taken = (
            select(func.count()).where(Booking.offer_id == Offer.id, Booking.state.in_(TAKES_A_PLACE)).scalar_subquery()
        )
        found = found.where(Offer.places.is_(None) | (Offer.places > taken))
    is_elsewhere = case((Offer.campus.is_(None) | (Offer.campus == first), 0), else_=1)
    order = (is_elsewhere,) if first is not None else ()
    return session.scalars(found.order_by(*order, next_start, Offer.id).limit(limit).offset(offset)).all()


def bookings_of(session: Session, student_id: int, now: datetime | None = None) -> list[Booking]:
    """Places and places in line of a student, the next to meet first; with `now` only those that are not over."""
    rows = session.scalars(
        select(Booking)
        .where(Booking.student_id == student_id, Booking.state.in_(ACTIVE))
        .execution_options(populate_existing=True)
    ).all()
    kept = [each for each in rows if now is None or any(meeting.ends_at > now for meeting in each.offer.meetings)]
    return sorted(kept, key=lambda each: (_next_start(each.offer, now), each.id))


def _next_start(offer: Offer, now: datetime | None) -> float:
    starts = [each.starts_at.timestamp() for each in offer.meetings if now is None or each.ends_at > now]
    return min(starts, default=0.0)


def booking_on(session: Session, offer_id: int, student_id: int) -> Booking | None:
    """The student's booking of this offer that is not cancelled."""
    return session.scalar(
        select(Booking)
        .where(Booking.offer_id == offer_id, Booking.student_id == student_id, Booking.state.in_(ACTIVE))
        .execution_options(populate_existing=True)
    )


def position(session: Session, booking: Booking) -> int | None:
    """1 for whoever is next in line; None for one who does not wait."""
    if booking.state != BookingState.WAITING:
        return None
    ahead = session.scalar(
        select(func.count()).where(
            Booking.offer_id == booking.offer_id, Booking.state == BookingState.WAITING, Booking.id < booking.id
        )
    )
    return 1 + (ahead or 0)


def french_class_of(session: Session, student_id: int) -> Booking | None:
    """The class a student is in: the booking that is not over, or the latest one."""
    rows = session.scalars(
        select(Booking)
        .join(Offer)
        .where(
            Booking.student_id == student_id,
            Booking.state == BookingState.BOOKED,
            Offer.kind == OfferKind.FRENCH_CLASS,
            Offer.cancelled_at.is_(None),
        )
        .execution_options(populate_existing=True)
    ).all()
    return max(rows, key=lambda each: _last_end(each.offer), default=None)


def _last_end(offer: Offer) -> float:
    return max((each.ends_at.timestamp() for each in offer.meetings), default=0.0)


def offer_by_code(session: Session, code: str) -> Offer | None:
    return session.scalar(select(Offer).where(Offer.code == code))
