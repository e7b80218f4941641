"""What is booked is reminded of in the evening before, and an appointment two hours before as well."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bot.bookings.models import Booking, BookingState, Meeting, Offer, OfferKind
from bot.clock import PARIS
from bot.db.session import Database
from bot.reminders.models import ReminderChoice
from bot.reminders.sending import Content, Reminders
from tests.integration.reminders.conftest import mails, rows

Book = Callable[..., int]
NOON = datetime(2026, 12, 2, 12, 0, tzinfo=PARIS)
"""A Wednesday; nothing of the path is due around it."""


@pytest.fixture
def book(database: Database, amina: int) -> Book:
    def write(
        *starts: datetime,
        kind: OfferKind = OfferKind.APPOINTMENT,
        state: BookingState = BookingState.BOOKED,
        at: datetime = NOON - timedelta(days=10),
    ) -> int:
        with database.write() as session:
            offer = Offer(
                kind=kind,
                code=f"{kind}-{starts[0].isoformat()}",
                title={"en": "Help with papers"},
                places=1,
                room="Room 12",
                host="International office",
                is_demo=True,
                created_at=at,
                updated_at=at,
                meetings=[Meeting(starts_at=each, ends_at=each + timedelta(hours=1)) for each in starts],
            )
            session.add(offer)
            session.flush()
            booking = Booking(offer_id=offer.id, student_id=amina, state=state, created_at=at, changed_at=at)
            session.add(booking)
            session.flush()
            return booking.id

    return write


def walk(database: Database, content: Content, first: datetime, last: datetime) -> list[tuple[datetime, str]]:
    """(instant, subject) of what a desk that looks every hour sends."""
    reminders, sent = Reminders(database, content), []
    now = first
    while now <= last:
        sent += [(now, each.jobs[0].subject) for each in reminders.run(now).sent if each.jobs[0].kind == "booking"]
        now += timedelta(hours=1)
    return sent


def test_an_appointment_is_reminded_of_twice(database: Database, content: Content, book: Book):
    booking = book(datetime(2026, 12, 3, 14, 0, tzinfo=PARIS))

    sent = walk(database, content, NOON, NOON + timedelta(days=2))

    assert sent == [
        (datetime(2026, 12, 2, 17, 0, tzinfo=PARIS), f"booking:{booking}"),
        (datetime(2026, 12, 3, 12, 0, tzinfo=PARIS), f"booking:{booking}"),
    ]
    assert [(each["subject"], each["text"].partition("\n\nYou can answer")[0]) for each in mails(database)] == [
        (
            subject,
            "Hello Amina, you have a place: Help with papers.\n\n"
            "Thursday, 3 December 2026, 14:00 (French time).\n\n"
            "Where: Room 12\n\n"
            "With: International office\n\n"
            "This is demo data: nothing really takes place.\n\n"
            "If you cannot come, tell me in the chat: somebody else will be glad of the place.",
        )
        for subject in ("Thursday, 3 December 2026: Help with papers", "Today: Help with papers")
    ]


def test_a_class_that_meets_many_times_is_reminded_of_before_its_first_time(
    database: Database, content: Content, book: Book
):
    starts = [datetime(2026, 12, 3, 18, 0, tzinfo=PARIS) + timedelta(weeks=week) for week in range(2)]
    booking = book(*starts, kind=OfferKind.FRENCH_CLASS)

    sent = walk(database, content, NOON, NOON + timedelta(days=9))

    assert sent == [(datetime(2026, 12, 2, 17, 0, tzinfo=PARIS), f"booking:{booking}")]


@pytest.mark.parametrize("state", [BookingState.WAITING, BookingState.CANCELLED])
def test_what_is_not_booked_is_not_reminded_of(database: Database, content: Content, book: Book, state: BookingState):
    book(datetime(2026, 12, 3, 14, 0, tzinfo=PARIS), state=state)

    assert walk(database, content, NOON, NOON + timedelta(days=2)) == []


def test_a_booking_cancelled_after_the_evening_before_is_not_reminded_of_again(
    database: Database, content: Content, book: Book
):
    booking = book(datetime(2026, 12, 3, 14, 0, tzinfo=PARIS))
    evening = datetime(2026, 12, 2, 17, 0, tzinfo=PARIS)
    walk(database, content, NOON, evening)
    with database.write() as session:
        session.get_one(Booking, booking).state = BookingState.CANCELLED

    assert walk(database, content, evening, evening + timedelta(days=1)) == []
    assert len(rows(database)) == 1


def test_an_offer_cancelled_while_a_reminder_waits_for_the_morning_is_not_reminded_of(
    database: Database, content: Content, book: Book
):
    booking = book(datetime(2026, 12, 3, 14, 0, tzinfo=PARIS))
    night = datetime(2026, 12, 2, 21, 0, tzinfo=PARIS)
    # The desk was off in the evening.
    assert [each.why for each in Reminders(database, content).run(night).moved] == ["quiet"]
    with database.write() as session:
        session.get_one(Booking, booking).offer.cancelled_at = night

    assert walk(database, content, night, night + timedelta(days=1)) == []
    assert rows(database) == [(f"booking:{booking}", "skipped", "cancelled", None)]


def test_a_meeting_moved_to_another_day_is_reminded_of_for_that_day(database: Database, content: Content, book: Book):
    booking = book(datetime(2026, 12, 3, 14, 0, tzinfo=PARIS), kind=OfferKind.EVENT)
    walk(database, content, NOON, datetime(2026, 12, 2, 18, 0, tzinfo=PARIS))
    with database.write() as session:
        meeting = session.get_one(Booking, booking).offer.meetings[0]
        meeting.starts_at += timedelta(days=6)
        meeting.ends_at += timedelta(days=6)

    sent = walk(database, content, datetime(2026, 12, 3, 8, 0, tzinfo=PARIS), datetime(2026, 12, 10, tzinfo=PARIS))

    assert sent == [(datetime(2026, 12, 8, 17, 0, tzinfo=PARIS), f"booking:{booking}")]


def test_bookings_do_not_count_for_the_limit_of_messages_on_steps(
    database: Database, content: Content, book: Book, now: datetime
):
    # Three appointments in one week, and a step of the path due three days later.
    for day in (20, 21, 23):
        book(datetime(2026, 11, day, 14, 0, tzinfo=PARIS), at=now - timedelta(days=30))
    walk(database, content, now - timedelta(days=6), now - timedelta(hours=18))

    report = Reminders(database, content).run(now)

    assert [each.steps for each in report.sent] == [("validate_visa",)]


def test_who_wants_no_reminders_of_bookings_gets_none(database: Database, content: Content, book: Book, amina: int):
    booking = book(datetime(2026, 12, 3, 14, 0, tzinfo=PARIS))
    with database.write() as session:
        session.add(ReminderChoice(student_id=amina, kind="booking", chosen_at=NOON))

    assert walk(database, content, NOON, NOON + timedelta(days=2)) == []
    assert rows(database) == [(f"booking:{booking}", "skipped", "opted_out", None)] * 2


def test_a_reminder_that_could_only_come_after_the_start_is_not_sent(database: Database, content: Content, book: Book):
    booking = book(datetime(2026, 12, 3, 8, 30, tzinfo=PARIS))
    # The desk was off from before five in the evening until nine at night.
    Reminders(database, content).run(datetime(2026, 12, 2, 21, 0, tzinfo=PARIS))

    assert rows(database) == [(f"booking:{booking}", "skipped", "quiet", None)]
