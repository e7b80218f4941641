"""What students are told of their bookings when somebody else, or the clock, changed something."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot.bookings.models import Booking, Offer, OfferKind
from bot.bookings.rules import Span
from bot.bookings.telling import reader_language, tell
from bot.bookings.wording import name_of, offer_words, times_words, until_words, with_demo_note
from bot.conversations.deeds import deed_button
from bot.i18n.translate import say
from bot.students.models import Student


def tell_held(session: Session, student: Student, offer: Offer, booking: Booking, now: datetime) -> None:
    """A place became free and is kept for this student."""
    language = reader_language(session, student)
    until = until_words(booking.held_until or now, language, now)
    text = say(
        language,
        "A place is free for you: {name}. I keep it for you until {until}. If you do not take it by then, it goes to "
        "the next in line.",
        name=name_of(offer, language),
        until=until,
    )
    buttons = (
        deed_button(say(language, "Take the place"), "book_offer", offer=offer.id),
        deed_button(say(language, "I no longer want it"), "cancel_booking", booking=booking.id),
    )
    subject = say(language, "A place is free for you")
    tell(session, student, with_demo_note(text, [offer], language), buttons, now, subject=subject)


def tell_hold_over(session: Session, student: Student, offer: Offer, now: datetime) -> None:
    """The place that was kept went to the next in line."""
    language = reader_language(session, student)
    text = say(
        language,
        "The time to take your place in {name} is over, and the place goes to the next in line. You can put yourself "
        "on the waiting list again.",
        name=name_of(offer, language),
    )
    buttons = (deed_button(say(language, "Have another look"), "show_offer", offer=offer.id),)
    subject = say(language, "A place is no longer kept for you")
    tell(session, student, with_demo_note(text, [offer], language), buttons, now, subject=subject)


def tell_changed(session: Session, student: Student, offer: Offer, spans: Sequence[Span], now: datetime) -> None:
    """Day, hour, place or host are others than at the time of the booking."""
    language = reader_language(session, student)
    text = say(
        language,
        "Something you booked has changed. It is now: {offer}. Your place is still yours; if it no longer suits you, "
        "cancel it so that somebody else can have it.",
        offer=offer_words(offer, spans, language, now),
    )
    buttons = (deed_button(say(language, "My bookings"), "show_bookings"),)
    subject = say(language, "A booking has changed: {name}", name=name_of(offer, language))
    tell(session, student, with_demo_note(text, [offer], language), buttons, now, subject=subject)


def tell_cancelled(session: Session, student: Student, offer: Offer, spans: Sequence[Span], now: datetime) -> None:
    """The office cancelled the whole offer."""
    language = reader_language(session, student)
    text = say(
        language,
        "I am sorry: the international office cancelled {name} ({when}). Your booking of it is gone; you need not do "
        "anything.",
        name=name_of(offer, language),
        when=times_words(spans, language, now),
    )
    again = {
        OfferKind.FRENCH_CLASS: deed_button(say(language, "Other French classes"), "show_classes"),
        OfferKind.EVENT: deed_button(say(language, "Other events"), "show_events"),
        OfferKind.APPOINTMENT: deed_button(
            say(language, "Other appointments"), "show_slots", service=str(offer.service)
        ),
    }
    subject = say(language, "Cancelled: {name}", name=name_of(offer, language))
    tell(
        session, student, with_demo_note(text, [offer], language), (again[OfferKind(offer.kind)],), now, subject=subject
    )
