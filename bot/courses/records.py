"""Reads of French classes."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.bookings.answer import Reader, booking_buttons, state_words
from bot.bookings.models import Booking, BookingState, OfferKind
from bot.bookings.queries import bookings_of, french_class_of, spans_of
from bot.bookings.rules import is_over
from bot.bookings.wording import name_of, times_words, where_words, with_demo_note
from bot.conversations.deeds import deed_button
from bot.conversations.messages import Button
from bot.courses.levels import level_of
from bot.courses.self_checks import check_button
from bot.i18n.translate import say
from bot.students.models import Student


def french_answer(session: Session, student: Student, language: str, now: datetime) -> tuple[str, tuple[Button, ...]]:
    """The French class of this student, when and where it meets; what is waited for; or what is missing for one."""
    level = level_of(session, student.id)
    reader = Reader(session, student, language, now, level)
    booked = french_class_of(session, student.id)
    waiting = [
        each
        for each in bookings_of(session, student.id, now)
        if each.offer.kind == OfferKind.FRENCH_CLASS and each.state in (BookingState.WAITING, BookingState.HELD)
    ]
    classes = deed_button(say(language, "French classes"), "show_classes")
    parts = [_class(booked, reader)] if booked is not None else [_no_class(level, language)]
    parts += [f"{name_of(each.offer, language)}: {state_words(reader, each)}" for each in waiting]
    offers = [each.offer for each in (*([booked] if booked is not None else []), *waiting)]
    text = with_demo_note("\n\n".join(parts), offers, language)
    if waiting:
        return text, booking_buttons(reader, waiting[0])
    if booked is not None:
        return text, booking_buttons(reader, booked)
    return text, (classes, check_button(language)) if level is None else (classes,)


def _no_class(level: str | None, language: str) -> str:
    if level is None:
        return say(
            language,
            "You have no French class yet, and your level is not in your record. You can see which classes there are, "
            "and check your level yourself.",
        )
    return say(language, "You have no French class yet; your level is {level}.", level=level)


def _class(booking: Booking, reader: Reader) -> str:
    language, offer = reader.language, booking.offer
    name, spans = name_of(offer, language), spans_of(offer)
    if not spans:
        return say(language, "Your French class is {name}. Its day and time are not set yet.", name=name)
    if is_over(spans, reader.now):
        return say(language, "Your last French class was {name}; it is over.", name=name)
    sentences = [
        say(language, "Your French class is {name}.", name=name)
        if reader.level is None
        else say(language, "Your French class is {name}, your level {level}.", name=name, level=reader.level),
        say(language, "It meets {times}.", times=times_words(spans, language, reader.now)),
    ]
    if where := where_words(offer, language):
        sentences.append(say(language, "Where: {where}.", where=where))
    return " ".join(sentences)
