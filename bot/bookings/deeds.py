"""Booking as deeds of a turn: what the buttons show, book, move and cancel."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from bot.bookings.answer import (
    Reader,
    Said,
    booked_answer,
    bookings_answer,
    calendar_answer,
    cancelled_answer,
    classes_answer,
    events_answer,
    gone,
    link_first,
    offer_answer,
    refused_answer,
    services_answer,
    slots_answer,
    sure_answer,
)
from bot.bookings.models import Booking, BookingState, Offer, OfferKind, Service
from bot.bookings.rules import When
from bot.bookings.service import Refused, book, cancel
from bot.conversations.deeds import Context, Deeds, EffectFunction, Values
from bot.conversations.messages import Answer

LevelOf = Callable[[Session, int], str | None]
"""(session, student id) → the student's level of French, A1 … C2, or None."""


def bookings_deeds(level_of: LevelOf) -> Deeds:
    """Levels are known above this layer (bot.courses)."""

    def deed(say_it: Callable[[Reader, Values], Said]) -> EffectFunction:
        def run(context: Context, values: Values) -> Answer:
            student = context.student
            level = level_of(context.session, student.id) if student is not None else None
            return say_it(Reader(context.session, student, context.language, context.now, level), values).as_answer()

        return run

    return Deeds(
        effects={
            "show_bookings": deed(lambda reader, _: bookings_answer(reader)),
            "show_classes": deed(lambda reader, values: classes_answer(reader, _number(values, "offset") or 0)),
            "show_offer": deed(_show_offer),
            "pick_service": deed(lambda reader, _: services_answer(reader)),
            "show_slots": deed(_show_slots),
            "show_events": deed(_show_events),
            "book_offer": deed(_book),
            "cancel_booking": deed(_cancel),
            "move_booking": deed(_move),
            "booking_calendar": deed(lambda reader, _: calendar_answer(reader)),
        }
    )


def _number(values: Values, name: str) -> int | None:
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _show_offer(reader: Reader, values: Values) -> Said:
    return offer_answer(reader, reader.session.get(Offer, _number(values, "offer") or 0))


def _show_slots(reader: Reader, values: Values) -> Said:
    service = values.get("service")
    if service not in tuple(Service):
        return services_answer(reader)
    return slots_answer(
        reader, Service(service), moving=_number(values, "moving"), offset=_number(values, "offset") or 0
    )


def _show_events(reader: Reader, values: Values) -> Said:
    when = values.get("when", When.WEEK)
    return events_answer(reader, When(when) if when in tuple(When) else When.WEEK)


def _book(reader: Reader, values: Values) -> Said:
    if reader.student is None:
        return link_first(reader)
    insists, wait = bool(values.get("insists")), bool(values.get("wait"))
    instead_of = _number(values, "instead_of")
    done = book(
        reader.session,
        reader.student,
        _number(values, "offer") or 0,
        reader.now,
        level=reader.level,
        insists=insists,
        may_wait=wait,
        instead_of=instead_of,
    )
    if isinstance(done, Refused):
        return refused_answer(reader, done, instead_of=instead_of, wait=wait, insists=insists)
    return booked_answer(reader, done)


def _cancel(reader: Reader, values: Values) -> Said:
    if reader.student is None:
        return link_first(reader)
    booking = _own(reader, values)
    if booking is None:
        return gone(reader)
    if booking.state == BookingState.BOOKED and not values.get("sure"):
        return sure_answer(reader, booking)
    done = cancel(reader.session, reader.student, booking.id, reader.now)
    return refused_answer(reader, done) if isinstance(done, Refused) else cancelled_answer(reader, done)


def _move(reader: Reader, values: Values) -> Said:
    booking = _own(reader, values)
    if booking is None or booking.state != BookingState.BOOKED or booking.offer.kind != OfferKind.APPOINTMENT:
        return gone(reader)
    return slots_answer(reader, Service(str(booking.offer.service)), moving=booking.id)


def _own(reader: Reader, values: Values) -> Booking | None:
    booking = reader.session.get(Booking, _number(values, "booking") or 0)
    is_own = booking is not None and reader.student is not None and booking.student_id == reader.student.id
    return booking if is_own and booking is not None and booking.state != BookingState.CANCELLED else None
