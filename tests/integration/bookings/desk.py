"""Offers and students that the tests of bookings share."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.bookings.models import Booking, Meeting, Offer, OfferKind, Service
from bot.conversations.models import OutboxEntry
from bot.students.models import Student


def make_offer(
    session: Session, now: datetime, code: str, kind: OfferKind, *, hours: float = 48, **values: Any
) -> Offer:
    """One hour long, `hours` from now, unless `meetings` says otherwise."""
    starts_at = now + timedelta(hours=hours)
    meetings = values.pop("meetings", [(starts_at, starts_at + timedelta(hours=1))])
    offer = Offer(
        **{"code": code, "kind": kind, "title": {"en": code}, "created_at": now, "updated_at": now, **values},
        meetings=[Meeting(starts_at=start, ends_at=end) for start, end in meetings],
    )
    session.add(offer)
    session.flush()
    return offer


def make_class(session: Session, now: datetime, code: str = "French A2", **values: Any) -> Offer:
    return make_offer(
        session, now, code, OfferKind.FRENCH_CLASS, **{"level": "A2", "places": 1, "campus": "lille", **values}
    )


def make_slot(session: Session, now: datetime, code: str = "slot", **values: Any) -> Offer:
    return make_offer(session, now, code, OfferKind.APPOINTMENT, **{"service": Service.CAREER, "places": 1, **values})


def make_event(session: Session, now: datetime, code: str = "Quiz night", **values: Any) -> Offer:
    return make_offer(session, now, code, OfferKind.EVENT, **values)


def state_of(session: Session, student: Student, offer: Offer) -> str | None:
    """Of the latest booking."""
    return session.scalar(
        select(Booking.state)
        .where(Booking.student_id == student.id, Booking.offer_id == offer.id)
        .order_by(Booking.id.desc())
        .limit(1)
    )


def notes(session: Session) -> list[tuple[str, str]]:
    """(given name, text) of what is queued to be told, in order."""
    rows = session.scalars(select(OutboxEntry).where(OutboxEntry.channel == "note").order_by(OutboxEntry.id))
    return [(row.payload["name"], row.payload["text"]) for row in rows]
