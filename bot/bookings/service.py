"""Writes of offers and bookings. Transactions are the caller's.

Whoever changes places holds the rows of the student first and of the offers next, the smaller number first (SQLite
holds the whole file): two who want the last place come one after the other, and nobody waits in a circle.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bookings.models import ACTIVE, TAKES_A_PLACE, Booking, BookingState, Meeting, Offer, OfferKind
from bot.bookings.notes import tell_cancelled, tell_changed, tell_held, tell_hold_over
from bot.bookings.queries import booking_on, bookings_of, occupancy, offer_by_code, position, spans_of
from bot.bookings.rules import Fit, OfferData, Span, faults_of, held_until, is_over, level_fit, overlap
from bot.db.session import Database
from bot.i18n.languages import DEFAULT
from bot.i18n.translate import mark
from bot.students.findings import Finding
from bot.students.models import Student


class Reason(StrEnum):
    """Why there is no booking."""

    GONE = "gone"
    """No such offer, or no such booking of this student (any more)."""
    CANCELLED = "cancelled"
    OVER = "over"
    ALREADY = "already"
    LEVEL_NEAR = "level_near"
    """One level apart: the student may insist."""
    LEVEL_FAR = "level_far"
    CLASH = "clash"
    HAS_ONE = "has_one"
    """An appointment of this service is booked already: it can be moved."""
    FULL = "full"


@dataclass(frozen=True)
class Refused:
    reason: Reason
    offer: Offer | None = None
    other: Booking | None = None
    """What is in the way: the booking it clashes with, or the one that there is already."""


@dataclass(frozen=True)
class Booked:
    """`left`: what was given up for it, in the same transaction. `position`: in line, where it is not a place yet."""

    booking: Booking
    left: Offer | None = None
    position: int | None = None


@dataclass(frozen=True)
class Change:
    """`fields` that changed, and how many students were told."""

    fields: tuple[str, ...]
    told: int


class WrongOffer(ValueError):
    """An offer cannot be made or changed like this; `faults` says everything that is wrong."""

    def __init__(self, faults: Iterable[Finding]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{each.field}: {each.problem_words(DEFAULT)}" for each in self.faults))


def book(
    session: Session,
    student: Student,
    offer_id: int,
    now: datetime,
    *,
    level: str | None = None,
    insists: bool = False,
    may_wait: bool = False,
    instead_of: int | None = None,
) -> Booked | Refused:
    """A place for this student; or one in line, where that is asked for and the offer is full.

    Another French class takes the place of the present one, `instead_of` names a booking that this one is moved from:
    the old place is given up only once the new one is there. `level` is the student's own; `insists` takes a class one
    level apart.
    """
    _hold_student(session, student.id)
    wanted = session.get(Offer, offer_id)
    if wanted is None:
        return Refused(Reason.GONE)
    old = _old_booking(session, student.id, wanted, instead_of, now)
    if instead_of is not None and old is None:
        return Refused(Reason.GONE, wanted)
    held = _hold_offers(session, {offer_id} | ({old.offer_id} if old is not None else set()))
    if old is not None and not _is_still(session, old, BookingState.BOOKED):
        old = None
    if (offer := held.get(offer_id)) is None:
        return Refused(Reason.GONE)
    _expire(session, offer, now)
    own = booking_on(session, offer.id, student.id)
    refusal = _refusal(session, student.id, offer, own, old, now, level=level, insists=insists)
    if refusal is not None:
        return refusal
    if own is None and not _has_room(session, offer):
        if not may_wait or offer.kind == OfferKind.APPOINTMENT:
            return Refused(Reason.FULL, offer)
        waiting = _add(session, offer, student.id, BookingState.WAITING, now)
        return Booked(waiting, position=position(session, waiting))
    if own is None:
        own = _add(session, offer, student.id, BookingState.BOOKED, now)
    else:
        _set(own, BookingState.BOOKED, now)
    left = None
    if old is not None:
        _set(old, BookingState.CANCELLED, now)
        session.flush()
        left = held[old.offer_id]
        _fill(session, left, now)
    session.flush()
    return Booked(own, left)


def _old_booking(
    session: Session, student_id: int, wanted: Offer, instead_of: int | None, now: datetime
) -> Booking | None:
    """What would be given up for `wanted`."""
    for each in bookings_of(session, student_id):
        if each.state != BookingState.BOOKED or each.offer_id == wanted.id or is_over(spans_of(each.offer), now):
            continue
        if instead_of is not None and each.id == instead_of:
            is_alike = (each.offer.kind, each.offer.service) == (wanted.kind, wanted.service)
            return each if is_alike else None
        if instead_of is None and wanted.kind == each.offer.kind == OfferKind.FRENCH_CLASS:
            return each
    return None


def _refusal(
    session: Session,
    student_id: int,
    offer: Offer,
    own: Booking | None,
    old: Booking | None,
    now: datetime,
    *,
    level: str | None,
    insists: bool,
) -> Refused | None:
    spans = spans_of(offer)
    if offer.cancelled_at is not None:
        return Refused(Reason.CANCELLED, offer)
    if is_over(spans, now):
        return Refused(Reason.OVER, offer)
    if own is not None and own.state != BookingState.HELD:
        return Refused(Reason.ALREADY, offer, own)
    fit = level_fit(level, offer.level)
    if fit == Fit.FAR:
        return Refused(Reason.LEVEL_FAR, offer)
    if fit == Fit.NEAR and not insists:
        return Refused(Reason.LEVEL_NEAR, offer)
    others = [
        each
        for each in bookings_of(session, student_id, now)
        if each.state in TAKES_A_PLACE and each.offer_id != offer.id and each is not old
    ]
    to_come = [each for each in spans if each.ends_at > now]
    for each in others:
        # A class that is only kept takes the place of the present one: it cannot be in the way of another class.
        is_kept_class = each.state == BookingState.HELD and each.offer.kind == offer.kind == OfferKind.FRENCH_CLASS
        if not is_kept_class and overlap(to_come, spans_of(each.offer)):
            return Refused(Reason.CLASH, offer, each)
    if offer.kind == OfferKind.APPOINTMENT:
        for each in others:
            if each.offer.service == offer.service and not is_over(spans_of(each.offer), now):
                return Refused(Reason.HAS_ONE, offer, each)
    return None


def cancel(session: Session, student: Student, booking_id: int, now: datetime) -> Offer | Refused:
    """Give a place, or a place in line, back; possible until it starts for the last time. Returns what it was for."""
    _hold_student(session, student.id)
    booking = session.get(Booking, booking_id)
    if booking is None or booking.student_id != student.id:
        return Refused(Reason.GONE)
    offer = _hold_offers(session, {booking.offer_id})[booking.offer_id]
    session.refresh(booking, ["state", "held_until"])
    if booking.state not in ACTIVE:
        return Refused(Reason.GONE, offer)
    if offer.cancelled_at is None and is_over(spans_of(offer), now):
        return Refused(Reason.OVER, offer)
    _set(booking, BookingState.CANCELLED, now)
    session.flush()
    _fill(session, offer, now)
    return offer


def release_student(session: Session, student_id: int, now: datetime) -> int:
    """Give back everything that a student has, before the record goes; returns how many bookings that were."""
    _hold_student(session, student_id)
    bookings = bookings_of(session, student_id)
    offers = _hold_offers(session, {each.offer_id for each in bookings})
    for each in bookings_of(session, student_id):
        _set(each, BookingState.CANCELLED, now)
    session.flush()
    for offer_id in sorted(offers):
        _fill(session, offers[offer_id], now)
    return len(bookings)


def expire_holds(session: Session, now: datetime) -> int:
    """Places that were kept and not taken in time go to the next in line; returns how many were given up."""
    due = session.scalars(
        select(Booking.offer_id).where(Booking.state == BookingState.HELD, Booking.held_until <= now).distinct()
    ).all()
    offers = _hold_offers(session, set(due))
    return sum(_expire(session, offers[offer_id], now) for offer_id in sorted(offers))


def expire_due_holds(database: Database, now: datetime) -> int:
    """As `expire_holds`, in a transaction that is opened only where something is due.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with database.read() as session:
        due = session.scalar(
            select(Booking.id).where(Booking.state == BookingState.HELD, Booking.held_until <= now).limit(1)
        )
    if due is None:
        return 0
    with database.write() as session:
        return expire_holds(session, now)


def create_offer(session: Session, data: OfferData, now: datetime, *, is_demo: bool = False) -> Offer:
    """Raises WrongOffer where it is none, or where its code is taken."""
    faults = faults_of(data)
    if data.code and offer_by_code(session, data.code) is not None:
        problem, fix = mark("Another offer has this code."), mark("Choose another one.")
        faults.append(Finding(None, "code", data.code, problem, fix))
    if faults:
        raise WrongOffer(faults)
    offer = Offer(code=data.code, is_demo=is_demo, created_at=now, updated_at=now, **_columns(data))
    offer.meetings = [Meeting(starts_at=each.starts_at, ends_at=each.ends_at) for each in sorted(data.meetings)]
    session.add(offer)
    session.flush()
    return offer


def change_offer(session: Session, offer_id: int, data: OfferData, now: datetime) -> Change:
    """Make the offer what `data` says; its code stays. Those who are booked or wait are told what concerns them.

    Raises:
        WrongOffer: it would be no offer, have fewer places than are taken, or be something else than was booked.
    """
    offer = _hold_offers(session, {offer_id})[offer_id]
    faults = faults_of(data) + _faults_of_change(session, offer, data)
    if faults:
        raise WrongOffer(faults)
    fields = changed_fields(offer, data)
    if not fields:
        return Change((), 0)
    for name, value in _columns(data).items():
        setattr(offer, name, value)
    _set_meetings(offer, data.meetings)
    offer.updated_at = now
    session.flush()
    _expire(session, offer, now)
    told = 0
    if offer.cancelled_at is None and set(fields) & {"meetings", "campus", "room", "host"}:
        for student in _concerned(session, offer):
            tell_changed(session, student, offer, spans_of(offer), now)
            told += 1
    _fill(session, offer, now)
    return Change(fields, told)


def cancel_offer(session: Session, offer_id: int, now: datetime) -> int:
    """It does not take place; everybody who is booked or waits loses it and is told. Returns how many."""
    offer = _hold_offers(session, {offer_id})[offer_id]
    if offer.cancelled_at is not None:
        return 0
    offer.cancelled_at = offer.updated_at = now
    concerned = _concerned(session, offer)
    is_past = is_over(spans_of(offer), now)
    for booking in _active(session, offer):
        _set(booking, BookingState.CANCELLED, now)
    session.flush()
    if is_past:
        return 0
    for student in concerned:
        tell_cancelled(session, student, offer, spans_of(offer), now)
    return len(concerned)


def changed_fields(offer: Offer, data: OfferData) -> tuple[str, ...]:
    """Names of what `data` would change; its code is not among them."""
    now_is = {name: getattr(offer, name) for name in _columns(data)}
    fields = [name for name, value in _columns(data).items() if now_is[name] != value]
    if sorted(data.meetings) != sorted(spans_of(offer)):
        fields.append("meetings")
    return tuple(fields)


def _columns(data: OfferData) -> dict[str, object]:
    title = {"en": data.title_en} | ({"fr": data.title_fr} if data.title_fr else {})
    return {
        "kind": data.kind,
        "title": title,
        "service": data.service,
        "campus": data.campus,
        "level": data.level,
        "places": data.places,
        "room": data.room,
        "host": data.host,
    }


def _faults_of_change(session: Session, offer: Offer, data: OfferData) -> list[Finding]:
    taken = occupancy(session, [offer.id])[offer.id].taken
    faults = []
    if data.places is not None and data.places < taken:
        problem = mark("These are fewer places than the {taken} that are booked or kept.")
        fix = mark("Cancel bookings first, or write {taken} or more.")
        faults.append(Finding(None, "places", str(data.places), problem, fix, {"taken": taken}))
    has_bookings = bool(_active(session, offer))
    for name, before, after in (("kind", offer.kind, data.kind), ("service", offer.service, data.service)):
        if has_bookings and before != after:
            problem = mark("Students have booked something else under this code.")
            fix = mark("Leave it as it was, and make a new offer with another code.")
            faults.append(Finding(None, name, str(after or ""), problem, fix))
    return faults


def _set_meetings(offer: Offer, spans: Iterable[Span]) -> None:
    wanted = set(spans)
    kept = [each for each in offer.meetings if Span(each.starts_at, each.ends_at) in wanted]
    known = {Span(each.starts_at, each.ends_at) for each in kept}
    new = [Meeting(starts_at=each.starts_at, ends_at=each.ends_at) for each in sorted(wanted - known)]
    offer.meetings = sorted([*kept, *new], key=lambda each: each.starts_at)


def _expire(session: Session, offer: Offer, now: datetime) -> int:
    """Of an offer that is held: kept places whose time is over."""
    over = session.scalars(
        select(Booking)
        .where(Booking.offer_id == offer.id, Booking.state == BookingState.HELD, Booking.held_until <= now)
        .order_by(Booking.id)
        .execution_options(populate_existing=True)
    ).all()
    for booking in over:
        _set(booking, BookingState.CANCELLED, now)
    session.flush()
    if offer.cancelled_at is None and not is_over(spans_of(offer), now):
        for booking in over:
            tell_hold_over(session, session.get_one(Student, booking.student_id), offer, now)
    if over:
        _fill(session, offer, now)
    return len(over)


def _fill(session: Session, offer: Offer, now: datetime) -> None:
    """Keep what is free for those who wait, in the order of arrival, and tell them. The offer is held."""
    if offer.cancelled_at is not None or is_over(spans_of(offer), now):
        return
    while _has_room(session, offer):
        first = session.scalar(
            select(Booking)
            .where(Booking.offer_id == offer.id, Booking.state == BookingState.WAITING)
            .order_by(Booking.id)
            .limit(1)
            .execution_options(populate_existing=True)
        )
        if first is None:
            return
        first.held_until = held_until(spans_of(offer), now)
        first.state, first.changed_at = BookingState.HELD, now
        session.flush()
        tell_held(session, session.get_one(Student, first.student_id), offer, first, now)


def _has_room(session: Session, offer: Offer) -> bool:
    if offer.places is None:
        return True
    taken = session.scalar(select(func.count()).where(Booking.offer_id == offer.id, Booking.state.in_(TAKES_A_PLACE)))
    return (taken or 0) < offer.places


def _active(session: Session, offer: Offer) -> list[Booking]:
    return list(
        session.scalars(
            select(Booking)
            .where(Booking.offer_id == offer.id, Booking.state.in_(ACTIVE))
            .order_by(Booking.id)
            .execution_options(populate_existing=True)
        )
    )


def _concerned(session: Session, offer: Offer) -> list[Student]:
    return [session.get_one(Student, booking.student_id) for booking in _active(session, offer)]


def _is_still(session: Session, booking: Booking, state: BookingState) -> bool:
    session.refresh(booking, ["state", "held_until"])
    return booking.state == state


def _add(session: Session, offer: Offer, student_id: int, state: BookingState, now: datetime) -> Booking:
    booking = Booking(offer_id=offer.id, student_id=student_id, state=state, created_at=now, changed_at=now)
    booking.offer = offer
    session.add(booking)
    session.flush()
    return booking


def _set(booking: Booking, state: BookingState, now: datetime) -> None:
    booking.state, booking.held_until, booking.changed_at = state, None, now


def _hold_student(session: Session, student_id: int) -> None:
    session.execute(select(Student.id).where(Student.id == student_id).with_for_update(key_share=True))


def _hold_offers(session: Session, offer_ids: set[int]) -> dict[int, Offer]:
    held = session.scalars(
        select(Offer)
        .where(Offer.id.in_(offer_ids))
        .order_by(Offer.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {offer.id: offer for offer in held}
