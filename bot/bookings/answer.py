"""Answers about classes, appointments and events, with the buttons that go on from there."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.bookings.models import Booking, BookingState, Offer, OfferKind, Service
from bot.bookings.queries import booking_on, bookings_of, occupancy, open_offers, position, spans_of
from bot.bookings.rules import Fit, Span, When, is_over, level_fit, period
from bot.bookings.service import Booked, Reason, Refused
from bot.bookings.wording import (
    SERVICES,
    campus_words,
    clock_words,
    name_of,
    offer_words,
    places_words,
    service_words,
    slot_words,
    span_words,
    title_of,
    until_words,
    where_words,
    with_demo_note,
)
from bot.clock import day_in_france
from bot.conversations.deeds import deed_button
from bot.conversations.messages import Answer, Button, Understanding
from bot.i18n.formats import date_words
from bot.i18n.translate import mark, say, say_n
from bot.students.models import Student

MOST_SLOTS = 6
MOST_CLASSES = 4
MOST_EVENTS = 6
MOST_BOOKINGS = 8
GROUPS = {OfferKind.FRENCH_CLASS: "french_classes", OfferKind.EVENT: "associations"}
SERVICE_GROUPS = {
    Service.WELCOME_SESSION: "welcome_session",
    Service.MENTORING: "tutoring",
    Service.CAREER: "career",
    Service.PAPERWORK: "paperwork",
}
WHEN = {
    When.TODAY: mark("Today"),
    When.WEEK: mark("This week"),
    When.NEXT_WEEK: mark("Next week"),
    When.ALL: mark("All"),
}
NO_EVENTS = {
    When.TODAY: mark("Nothing more is planned for today."),
    When.WEEK: mark("Nothing more is planned for this week."),
    When.NEXT_WEEK: mark("Nothing is planned for next week yet."),
    When.ALL: mark("No events are planned at the moment."),
}


@dataclass(frozen=True)
class Reader:
    """Whom an answer is for and when; `student` None before a record is linked. `level`: their French, if known."""

    session: Session
    student: Student | None
    language: str
    now: datetime
    level: str | None = None

    @property
    def campus(self) -> str | None:
        return self.student.facts.get("campus") if self.student is not None else None


@dataclass(frozen=True)
class Said:
    """An answer that is not a turn yet. `group`: what it is about, for the statistics."""

    text: str
    buttons: tuple[Button, ...] = ()
    group: str = "small_talk"

    def as_answer(self, understanding: Understanding | None = None) -> Answer:
        pressed = Understanding(intent="button", confidence=1.0, action="chat", group=self.group)
        return Answer(self.text, understanding or pressed, self.buttons)


def bookings_answer(reader: Reader) -> Said:
    """Everything that the student has: what, when, where, and the place in line."""
    language = reader.language
    if reader.student is None:
        return link_first(reader)
    bookings = bookings_of(reader.session, reader.student.id, reader.now)
    if not bookings:
        text = say(language, "You have no bookings. What would you like to book?")
        return Said(text, kind_buttons(language))
    lines = [f"- {line_of(reader, each)}" for each in bookings[:MOST_BOOKINGS]]
    text = "\n".join((say(language, "Your bookings:"), *lines))
    offers = [each.offer for each in bookings]
    if len(bookings) == 1:
        buttons = booking_buttons(reader, bookings[0])
    else:
        shown = bookings[:MOST_BOOKINGS]
        labels = _distinct([(name_of(each.offer, language), _when(each.offer, reader)) for each in shown])
        buttons = tuple(
            deed_button(label, "show_offer", offer=each.offer_id) for label, each in zip(labels, shown, strict=True)
        )
    return Said(with_demo_note(text, offers, language), buttons)


def line_of(reader: Reader, booking: Booking) -> str:
    """One booking in a line, with what is special about it."""
    words = offer_words(booking.offer, spans_of(booking.offer), reader.language, reader.now)
    state = state_words(reader, booking)
    return f"{words}. {state}" if state else words


def state_words(reader: Reader, booking: Booking) -> str:
    language = reader.language
    if booking.state == BookingState.HELD and booking.held_until is not None:
        until = until_words(booking.held_until, language, reader.now)
        return say(
            language, "A place is kept for you until {until}: take it, or it goes to the next in line.", until=until
        )
    if booking.state == BookingState.WAITING:
        return say(
            language,
            "You are on the waiting list, number {position} in line.",
            position=position(reader.session, booking),
        )
    return ""


def booking_buttons(reader: Reader, booking: Booking) -> tuple[Button, ...]:
    """What can be done with a booking."""
    language, offer = reader.language, booking.offer
    match booking.state:
        case BookingState.HELD:
            return (
                deed_button(say(language, "Take the place"), "book_offer", offer=offer.id),
                deed_button(say(language, "I no longer want it"), "cancel_booking", booking=booking.id),
            )
        case BookingState.WAITING:
            return (deed_button(say(language, "Leave the waiting list"), "cancel_booking", booking=booking.id),)
    buttons = [
        deed_button(say(language, "Add to my calendar"), "booking_calendar"),
        deed_button(say(language, "Cancel"), "cancel_booking", booking=booking.id),
    ]
    if offer.kind == OfferKind.APPOINTMENT:
        buttons.append(deed_button(say(language, "Move"), "move_booking", booking=booking.id))
    if offer.kind == OfferKind.FRENCH_CLASS:
        buttons.append(deed_button(say(language, "Ask for a certificate"), "ask_certificate", offer=offer.id))
        buttons.append(deed_button(say(language, "Other French classes"), "show_classes"))
    return tuple(buttons)


def kind_buttons(language: str) -> tuple[Button, ...]:
    return (
        deed_button(say(language, "A French class"), "show_classes"),
        deed_button(say(language, "An appointment"), "pick_service"),
        deed_button(say(language, "An event"), "show_events"),
    )


def what_to_book(reader: Reader) -> Said:
    return Said(say(reader.language, "What would you like to book?"), kind_buttons(reader.language))


def link_first(reader: Reader) -> Said:
    text = say(
        reader.language,
        "Bookings belong to your student record. Link it to this conversation first; then I show, make, move and "
        "cancel them here.",
    )
    return Said(text, (_link_button(reader.language),))


def classes_answer(reader: Reader, offset: int = 0) -> Said:
    """The French classes that can be joined: those of the student's level and campus first."""
    language = reader.language
    offers = sorted(
        open_offers(reader.session, OfferKind.FRENCH_CLASS, reader.now, first=reader.campus),
        key=lambda each: list(Fit).index(level_fit(reader.level, each.level)),
    )
    if not offers:
        text = say(
            language, "No French class can be booked here at the moment. A person of the office can tell you more."
        )
        return Said(text, (person_button(language),), "french_classes")
    shown = offers[offset : offset + MOST_CLASSES] or offers[:MOST_CLASSES]
    counts = occupancy(reader.session, [each.id for each in shown])
    lines = []
    for each in shown:
        words = offer_words(each, spans_of(each), language, reader.now)
        places = places_words(each, counts[each.id], language)
        lines.append(f"- {words}. {places}" if places else f"- {words}")
    text = "\n".join((say(language, "French classes:"), *lines))
    labels = _distinct([(name_of(each, language), campus_words(each.campus, language)) for each in shown])
    buttons = [deed_button(label, "show_offer", offer=each.id) for label, each in zip(labels, shown, strict=True)]
    if offset + len(shown) < len(offers):
        buttons.append(deed_button(say(language, "More classes"), "show_classes", offset=offset + len(shown)))
    if reader.student is not None:
        text = f"{text}\n\n{_level_words(reader)}"
    return Said(with_demo_note(text, shown, language), tuple(buttons), "french_classes")


def _level_words(reader: Reader) -> str:
    if reader.level is None:
        return say(
            reader.language,
            "Your level is not in your record yet. You can book all the same; the office may move you to another "
            "class.",
        )
    return say(reader.language, "Your level in the record is {level}.", level=reader.level)


def offer_answer(reader: Reader, offer: Offer | None) -> Said:
    """One offer in full, with what this student can do about it."""
    language, session, student = reader.language, reader.session, reader.student
    if offer is None:
        return gone(reader)
    group = group_of(offer)
    own = booking_on(session, offer.id, student.id) if student is not None else None
    if own is not None:
        text = line_of(reader, own)
        if own.state == BookingState.BOOKED:
            text = say(language, "You are booked: {offer}.", offer=text)
        return Said(with_demo_note(text, [offer], language), booking_buttons(reader, own), group)
    spans, count = spans_of(offer), occupancy(session, [offer.id])[offer.id]
    if offer.cancelled_at is not None or is_over(spans, reader.now):
        return refused_answer(
            reader, Refused(Reason.CANCELLED if offer.cancelled_at is not None else Reason.OVER, offer)
        )
    parts = [f"{offer_words(offer, spans, language, reader.now)}."]
    if places := places_words(offer, count, language):
        parts.append(say(language, "Places: {places}.", places=places))
    if student is None:
        parts.append(say(language, "To book it, link your student record first."))
        return Said(with_demo_note("\n\n".join(parts), [offer], language), (_link_button(language),), group)
    label = say(language, "Book")
    current = _current_class(reader) if offer.kind == OfferKind.FRENCH_CLASS else None
    if current is not None:
        label = say(language, "Change to this class")
        parts.append(
            say(
                language,
                "You are in {name}. You keep that place until the new one is yours, and then give it up.",
                name=name_of(current.offer, language),
            )
        )
    if count.free(offer.places) == 0 and offer.kind != OfferKind.APPOINTMENT:
        button = deed_button(say(language, "Put me on the waiting list"), "book_offer", offer=offer.id, wait=True)
    else:
        button = deed_button(label, "book_offer", offer=offer.id)
    buttons = [button]
    if offer.kind == OfferKind.FRENCH_CLASS:
        buttons.append(deed_button(say(language, "Other French classes"), "show_classes"))
    return Said(with_demo_note("\n\n".join(parts), [offer], language), tuple(buttons), group)


def _current_class(reader: Reader) -> Booking | None:
    if reader.student is None:
        return None
    for each in bookings_of(reader.session, reader.student.id, reader.now):
        if each.state == BookingState.BOOKED and each.offer.kind == OfferKind.FRENCH_CLASS:
            return each
    return None


def services_answer(reader: Reader) -> Said:
    """Which appointment? Those services that have a free slot."""
    language = reader.language
    free = [
        service
        for service in SERVICES
        if open_offers(reader.session, OfferKind.APPOINTMENT, reader.now, service=service, only_free=True, limit=1)
    ]
    if not free:
        return _no_slots(reader, None)
    buttons = tuple(deed_button(service_words(each, language), "show_slots", service=str(each)) for each in free)
    return Said(say(language, "Which appointment would you like?"), buttons)


def slots_answer(reader: Reader, service: Service, *, moving: int | None = None, offset: int = 0) -> Said:
    """The next free slots, at most six; those of the student's campus first. `moving`: the booking to be moved."""
    language = reader.language
    offers = open_offers(
        reader.session,
        OfferKind.APPOINTMENT,
        reader.now,
        service=service,
        first=reader.campus,
        only_free=True,
        limit=MOST_SLOTS + 1,
        offset=offset,
    )
    if not offers:
        return _no_slots(reader, service)
    shown = offers[:MOST_SLOTS]
    lines = [f"- {slot_line(each, language)}" for each in shown]
    first = say(language, "{service}: these times are free (French time).", service=service_words(service, language))
    labels = _distinct(
        [(slot_words(each.meetings[0].starts_at, language), where_words(each, language)) for each in shown]
    )
    more = {} if moving is None else {"instead_of": moving}
    buttons = [
        deed_button(label, "book_offer", offer=each.id, **more) for label, each in zip(labels, shown, strict=True)
    ]
    if len(offers) > MOST_SLOTS:
        later: dict[str, object] = {"service": str(service), "offset": offset + MOST_SLOTS}
        if moving is not None:
            later["moving"] = moving
        buttons.append(deed_button(say(language, "Other times"), "show_slots", **later))
    text = "\n".join((first, *lines))
    return Said(with_demo_note(text, shown, language), tuple(buttons), SERVICE_GROUPS[service])


def service_answer(reader: Reader, service: Service) -> Said | None:
    """The student's next appointment of a service, or the way to one; None where none can be booked."""
    language, group = reader.language, SERVICE_GROUPS[service]
    if reader.student is not None:
        for each in bookings_of(reader.session, reader.student.id, reader.now):
            if each.offer.service == service:
                text = say(language, "You have an appointment: {offer}.", offer=line_of(reader, each))
                return Said(with_demo_note(text, [each.offer], language), booking_buttons(reader, each), group)
    free = open_offers(
        reader.session,
        OfferKind.APPOINTMENT,
        reader.now,
        service=service,
        first=reader.campus,
        only_free=True,
        limit=1,
    )
    if not free:
        return None
    text = say(
        language,
        "You can book an appointment here; the next free one is {slot}.",
        slot=slot_line(free[0], language),
    )
    button = deed_button(say(language, "Book an appointment"), "show_slots", service=str(service))
    return Said(with_demo_note(text, free, language), (button,), group)


def this_week_answer(reader: Reader) -> Said | None:
    """How many events are on this week, with the way to them; None where no event is planned at all."""
    language = reader.language
    since, before = period(When.WEEK, reader.now)
    week = open_offers(reader.session, OfferKind.EVENT, reader.now, since=since, before=before)
    coming = week or open_offers(reader.session, OfferKind.EVENT, reader.now, limit=1)
    if not coming:
        return None
    text = (
        say_n(
            language,
            "{number} event is still to come this week.",
            "{number} events are still to come this week.",
            len(week),
        )
        if week
        else say(language, NO_EVENTS[When.WEEK])
    )
    shown = When.WEEK if week else When.ALL
    button = deed_button(say(language, "See the events"), "show_events", when=str(shown))
    return Said(with_demo_note(text, coming, language), (button,), "associations")


def slot_line(offer: Offer, language: str) -> str:
    """Day, hours, where and with whom."""
    words = span_words(spans_of(offer)[0], language)
    where = where_words(offer, language)
    return f"{words} ({where})" if where else words


def _no_slots(reader: Reader, service: Service | None) -> Said:
    text = say(
        reader.language, "No appointment is free here at the moment. A person of the office can look for one with you."
    )
    group = SERVICE_GROUPS[service] if service is not None else "small_talk"
    return Said(text, (person_button(reader.language),), group)


def events_answer(reader: Reader, when: When) -> Said:
    """What is on in a time; weeks begin on Monday."""
    language = reader.language
    since, before = period(when, reader.now)
    offers = open_offers(
        reader.session,
        OfferKind.EVENT,
        reader.now,
        first=reader.campus,
        since=since,
        before=before,
        limit=MOST_EVENTS + 1,
    )
    others = tuple(
        deed_button(say(language, WHEN[each]), "show_events", when=str(each))
        for each in (When.WEEK, When.NEXT_WEEK, When.ALL)
        if each != when
    )
    if not offers:
        return Said(say(language, NO_EVENTS[when]), others, "associations")
    shown = offers[:MOST_EVENTS]
    counts = occupancy(reader.session, [each.id for each in shown])
    lines = []
    for each in shown:
        words = offer_words(each, _within(each, since, before), language, reader.now)
        places = places_words(each, counts[each.id], language)
        lines.append(f"- {words}. {places}" if places else f"- {words}")
    heading = say(language, WHEN[when]) if when != When.ALL else say(language, "Events")
    parts = [f"{heading}:", *lines]
    if len(offers) > MOST_EVENTS:
        parts.append(say(language, "There is more; these are the first."))
    labels = _distinct([(title_of(each, language), _when(each, reader)) for each in shown])
    buttons = tuple(deed_button(label, "show_offer", offer=each.id) for label, each in zip(labels, shown, strict=True))
    return Said(with_demo_note("\n".join(parts), shown, language), (*buttons, *others), "associations")


def _within(offer: Offer, since: datetime, before: datetime | None) -> list[Span]:
    """Its meetings in the time that was asked for."""
    return [each for each in spans_of(offer) if each.ends_at > since and (before is None or each.starts_at < before)]


def booked_answer(reader: Reader, done: Booked) -> Said:
    """Reads back what is booked now."""
    language, booking = reader.language, done.booking
    offer = booking.offer
    words = offer_words(offer, spans_of(offer), language, reader.now)
    if booking.state == BookingState.WAITING:
        text = say(
            language,
            "You are on the waiting list: {offer}. You are number {position} in line. When a place becomes free I keep "
            "it for you for 24 hours and tell you.",
            offer=words,
            position=done.position,
        )
        if offer.kind == OfferKind.FRENCH_CLASS and (current := _current_class(reader)) is not None:
            kept = say(language, "Until then you keep your place in {name}.", name=name_of(current.offer, language))
            text = f"{text} {kept}"
    else:
        text = say(language, "Booked: {offer}.", offer=words)
        if done.left is not None:
            given = _given_up(done.left, reader)
            text = f"{text} {given}"
    return Said(with_demo_note(text, [offer], language), booking_buttons(reader, booking), group_of(offer))


def _given_up(left: Offer, reader: Reader) -> str:
    name = name_of(left, reader.language)
    if left.kind == OfferKind.APPOINTMENT:
        moment = slot_words(left.meetings[0].starts_at, reader.language)
        return say(reader.language, "Your earlier time, {moment}, is given back.", moment=moment)
    return say(reader.language, "Your place in {name} is given back.", name=name)


def refused_answer(
    reader: Reader, refused: Refused, *, instead_of: int | None = None, wait: bool = False, insists: bool = False
) -> Said:
    """Why not, and what is possible instead. The rest says what was asked for, to ask it again."""
    language, offer = reader.language, refused.offer
    if offer is None or refused.reason == Reason.GONE:
        return gone(reader)
    name, group = name_of(offer, language), group_of(offer)
    again = {"offer": offer.id} | ({"wait": True} if wait else {}) | ({"insists": True} if insists else {})
    classes = deed_button(say(language, "Other French classes"), "show_classes")
    match refused.reason:
        case Reason.ALREADY if refused.other is not None:
            text = say(
                language, "You have this already: {booking}.", booking=line_of(reader, refused.other).rstrip(".")
            )
            buttons: tuple[Button, ...] = booking_buttons(reader, refused.other)
        case Reason.LEVEL_NEAR:
            text = say(
                language,
                "{name} is for level {wanted}, and your level in the record is {own}: one level apart. It may be too "
                "easy or too hard. Do you want it all the same?",
                name=name,
                wanted=offer.level,
                own=reader.level,
            )
            insist = deed_button(say(language, "Yes, book it"), "book_offer", **(again | {"insists": True}))
            buttons = (insist, classes)
        case Reason.LEVEL_FAR:
            text = say(
                language,
                "{name} is for level {wanted}, and your level in the record is {own}. That is too far apart to book it "
                "here. If you think that your level is wrong, a person of the office can look at it.",
                name=name,
                wanted=offer.level,
                own=reader.level,
            )
            buttons = (person_button(language), classes)
        case Reason.CLASH if refused.other is not None:
            text = say(
                language,
                "{name} overlaps with something you have already: {other}. Cancel that first, or choose another time.",
                name=name,
                other=line_of(reader, refused.other).rstrip("."),
            )
            buttons = (deed_button(say(language, "My bookings"), "show_bookings"), *_others(offer, language))
        case Reason.HAS_ONE if refused.other is not None:
            text = say(
                language,
                "You have an appointment of this kind already: {other}. You can move it.",
                other=line_of(reader, refused.other).rstrip("."),
            )
            move = deed_button(
                say(language, "Move it to this time"), "book_offer", offer=offer.id, instead_of=refused.other.id
            )
            buttons = (move, deed_button(say(language, "Keep it"), "show_bookings"))
        case Reason.FULL if offer.kind == OfferKind.APPOINTMENT and offer.service is not None:
            next_free = slots_answer(reader, Service(offer.service), moving=instead_of)
            taken = say(
                language,
                "{moment} has just been taken by somebody else.",
                moment=slot_words(offer.meetings[0].starts_at, language),
            )
            text, buttons = f"{taken}\n\n{next_free.text}", next_free.buttons
        case Reason.FULL:
            count = occupancy(reader.session, [offer.id])[offer.id]
            places = places_words(offer, count, language)
            text = say(language, "{name} is {places}. Shall I put you on the waiting list?", name=name, places=places)
            waiting = deed_button(say(language, "Put me on the waiting list"), "book_offer", **(again | {"wait": True}))
            buttons = (waiting, *_others(offer, language))
        case Reason.CANCELLED:
            text = say(language, "{name} was cancelled by the office and cannot be booked.", name=name)
            buttons = _others(offer, language)
        case _:
            text = say(language, "{name} is over: it can no longer be booked, moved or cancelled.", name=name)
            buttons = _others(offer, language)
    return Said(text if refused.reason == Reason.FULL else with_demo_note(text, [offer], language), buttons, group)


def sure_answer(reader: Reader, booking: Booking) -> Said:
    """Before a place is given back."""
    language, offer = reader.language, booking.offer
    text = say(
        language,
        "Give this back? {offer}. Somebody else may get the place at once.",
        offer=offer_words(offer, spans_of(offer), language, reader.now),
    )
    buttons = (
        deed_button(say(language, "Yes, cancel it"), "cancel_booking", booking=booking.id, sure=True),
        deed_button(say(language, "Keep it"), "show_bookings"),
    )
    return Said(text, buttons, group_of(offer))


def cancelled_answer(reader: Reader, offer: Offer) -> Said:
    text = say(reader.language, "Done: {name} is cancelled.", name=_name_with_day(offer, reader))
    return Said(text, _others(offer, reader.language), group_of(offer))


def cancel_which(reader: Reader, *, move: bool = False) -> Said:
    """Which booking is to be cancelled or moved? The only one is asked about at once."""
    language = reader.language
    if reader.student is None:
        return link_first(reader)
    bookings = [
        each
        for each in bookings_of(reader.session, reader.student.id, reader.now)
        if not is_over(spans_of(each.offer), reader.now)
        and (not move or (each.offer.kind == OfferKind.APPOINTMENT and each.state == BookingState.BOOKED))
    ]
    if not bookings:
        text = (
            say(language, "You have no appointment that could be moved.")
            if move
            else say(language, "You have no booking that could be cancelled.")
        )
        return Said(text, kind_buttons(language))
    if len(bookings) == 1 and not move:
        return sure_answer(reader, bookings[0])
    shown = bookings[:MOST_BOOKINGS]
    labels = _distinct([(name_of(each.offer, language), _when(each.offer, reader)) for each in shown])
    effect = "move_booking" if move else "cancel_booking"
    buttons = tuple(deed_button(label, effect, booking=each.id) for label, each in zip(labels, shown, strict=True))
    text = say(language, "Which one shall I move?") if move else say(language, "Which one shall I cancel?")
    lines = [f"- {line_of(reader, each)}" for each in shown]
    return Said(with_demo_note("\n".join((text, *lines)), [each.offer for each in shown], language), buttons)


def calendar_answer(reader: Reader) -> Said:
    """Bookings are in the student's private calendar by themselves."""
    text = say(
        reader.language,
        "Everything you book is in your private calendar by itself, and leaves it when it is cancelled. If your phone "
        "or computer does not follow that calendar yet, ask me for its address.",
    )
    return Said(text, (deed_button(say(reader.language, "My calendar address"), "give_calendar"),))


def gone(reader: Reader) -> Said:
    text = say(reader.language, "This is no longer there: it was changed or taken out since this button was shown.")
    return Said(text, (deed_button(say(reader.language, "My bookings"), "show_bookings"),))


def group_of(offer: Offer) -> str:
    if offer.kind == OfferKind.APPOINTMENT and offer.service is not None:
        return SERVICE_GROUPS[Service(offer.service)]
    return GROUPS.get(OfferKind(offer.kind), "small_talk")


def person_button(language: str) -> Button:
    return deed_button(say(language, "Talk to a person"), "request_person")


def _link_button(language: str) -> Button:
    return deed_button(say(language, "Link my record"), "start_link")


def _others(offer: Offer, language: str) -> tuple[Button, ...]:
    match offer.kind:
        case OfferKind.FRENCH_CLASS:
            return (deed_button(say(language, "Other French classes"), "show_classes"),)
        case OfferKind.EVENT:
            return (deed_button(say(language, "Other events"), "show_events"),)
    return (deed_button(say(language, "Other times"), "show_slots", service=str(offer.service)),)


def _when(offer: Offer, reader: Reader) -> str:
    """The day of the next meeting, to tell two offers of one name apart."""
    ahead = [each for each in offer.meetings if each.ends_at > reader.now] or offer.meetings[-1:]
    starts = ahead[0].starts_at
    day = date_words(day_in_france(starts), reader.language)
    return say(reader.language, "{day}, {time}", day=day, time=clock_words(starts, reader.language))


def _name_with_day(offer: Offer, reader: Reader) -> str:
    if offer.kind == OfferKind.FRENCH_CLASS:
        return name_of(offer, reader.language)
    return f"{name_of(offer, reader.language)}, {_when(offer, reader)}"


def _distinct(labels: Sequence[tuple[str, str]]) -> list[str]:
    """Labels that differ: the second part is added where the first stands twice, a number where both do."""
    firsts = Counter(first for first, _ in labels)
    wanted = [f"{first}, {second}" if firsts[first] > 1 and second else first for first, second in labels]
    seen: Counter[str] = Counter()
    distinct = []
    for label in wanted:
        seen[label] += 1
        distinct.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return distinct
