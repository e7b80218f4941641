"""What students read and press: every button goes on, every promise of an answer is kept."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.bookings.deeds import bookings_deeds
from bot.bookings.models import Service
from bot.bookings.service import book, cancel, cancel_offer
from bot.clock import PARIS
from bot.conversations.deeds import Context
from bot.conversations.messages import Answer
from bot.courses.certificates import certificate_deeds
from bot.courses.levels import confirm_level, level_of
from bot.courses.models import CertificateRequest
from bot.i18n.languages import CODES
from tests.factories import make_conversation, make_staff, make_student
from tests.integration.bookings.desk import make_class, make_event, make_slot, notes, state_of

DEEDS = bookings_deeds(level_of) | certificate_deeds()


class Desk:
    """One linked conversation; `press` does what a button does and gives the answer."""

    def __init__(self, session, now, student, language="en"):
        self.session, self.now = session, now
        self.conversation = make_conversation(session, now, language)
        self.conversation.student_id = student.id if student is not None else None
        session.flush()

    def press(self, effect: str, **values: Any) -> Answer:
        answer = DEEDS.effects[effect](Context(self.session, self.conversation, self.now), values)
        assert answer is not None
        return answer

    def follow(self, answer: Answer, label: str) -> Answer:
        payload = next(button.payload for button in answer.buttons if button.label == label)
        return self.press(payload["effect"], **payload.get("values", {}))


@pytest.fixture
def session(database):
    with database.write() as session:
        yield session


def labels(answer: Answer) -> list[str]:
    return [button.label for button in answer.buttons]


def test_an_appointment_is_found_booked_read_back_moved_and_cancelled(session, now):
    amina = make_student(session, now, campus="lille")
    for number in range(8):
        make_slot(
            session, now, f"slot {number}", title={"en": "Coaching"}, hours=24 + number, campus="lille", host="Marc"
        )
    desk = Desk(session, now, amina)

    services = desk.press("pick_service")
    slots = desk.follow(services, "Career Center")
    assert labels(services) == ["Career Center"]
    assert labels(slots) == [
        *(f"Wednesday, 25 November 2026, {hour}:00" for hour in (12, 13, 14, 15, 16, 17)),
        "Other times",
    ]
    assert "- Wednesday, 25 November 2026, 12:00 to 13:00 (Lille, with Marc)" in slots.text
    booked = desk.follow(slots, "Wednesday, 25 November 2026, 12:00")
    assert booked.text == "Booked: **Coaching**: Wednesday, 25 November 2026, 12:00 to 13:00 (Lille, with Marc)."
    assert labels(booked) == ["Add to my calendar", "Cancel", "Move"]
    moving = desk.follow(booked, "Move")
    assert "Wednesday, 25 November 2026, 12:00" not in labels(moving)
    moved = desk.follow(moving, "Wednesday, 25 November 2026, 13:00")
    assert moved.text == (
        "Booked: **Coaching**: Wednesday, 25 November 2026, 13:00 to 14:00 (Lille, with Marc). "
        "Your earlier time, Wednesday, 25 November 2026, 12:00, is given back."
    )
    sure = desk.follow(moved, "Cancel")
    assert labels(sure) == ["Yes, cancel it", "Keep it"]
    done = desk.follow(sure, "Yes, cancel it")
    assert done.text == "Done: Coaching, 25 November 2026, 13:00 is cancelled."
    assert desk.press("show_bookings").text == "You have no bookings. What would you like to book?"


def test_other_times_are_the_next_six(session, now):
    amina = make_student(session, now)
    for number in range(8):
        make_slot(session, now, f"slot {number}", hours=24 + number)
    desk = Desk(session, now, amina)

    later = desk.follow(desk.press("show_slots", service="career"), "Other times")

    assert labels(later) == ["Wednesday, 25 November 2026, 18:00", "Wednesday, 25 November 2026, 19:00"]


def test_the_own_campus_comes_first_and_two_slots_at_one_hour_are_told_apart(session, now):
    bordeaux, lille, other = (
        make_slot(session, now, "b", hours=24, campus="bordeaux"),
        make_slot(session, now, "l", hours=25, campus="lille", host="Marc"),
        make_slot(session, now, "l2", hours=25, campus="lille", host="Claire"),
    )
    desk = Desk(session, now, make_student(session, now, campus="lille"))

    slots = desk.press("show_slots", service="career")

    assert [(button.label, button.payload["values"]["offer"]) for button in slots.buttons] == [
        ("Wednesday, 25 November 2026, 13:00, Lille, with Marc", lille.id),
        ("Wednesday, 25 November 2026, 13:00, Lille, with Claire", other.id),
        ("Wednesday, 25 November 2026, 12:00", bordeaux.id),
    ]
    assert "(Bordeaux)" in slots.text


def test_a_slot_that_somebody_else_took_is_said_with_the_next_free_ones(session, now):
    amina, mei = make_student(session, now), make_student(session, now, "Mei")
    first, second = make_slot(session, now, "one", hours=24), make_slot(session, now, "two", hours=25)
    book(session, mei, first.id, now)

    answer = Desk(session, now, amina).press("book_offer", offer=first.id)

    assert answer.text.startswith("Wednesday, 25 November 2026, 12:00 has just been taken by somebody else.\n\n")
    assert [button.payload for button in answer.buttons] == [{"effect": "book_offer", "values": {"offer": second.id}}]


def test_a_second_appointment_of_a_service_is_a_move(session, now):
    amina = make_student(session, now)
    first, second = make_slot(session, now, "one", hours=24), make_slot(session, now, "two", hours=25)
    desk = Desk(session, now, amina)
    desk.press("book_offer", offer=first.id)

    answer = desk.press("book_offer", offer=second.id)
    assert labels(answer) == ["Move it to this time", "Keep it"]
    desk.follow(answer, "Move it to this time")

    assert (state_of(session, amina, first), state_of(session, amina, second)) == ("cancelled", "booked")


def test_no_free_slot_leads_to_a_person(session, now):
    answer = Desk(session, now, make_student(session, now)).press("pick_service")

    assert [button.payload for button in answer.buttons] == [{"effect": "request_person"}]


def test_a_class_one_level_apart_is_booked_after_a_warning_and_two_apart_by_a_person(session, now):
    amina, claire = make_student(session, now), make_staff(session, now)
    confirm_level(session, amina, "B1", now, staff_id=claire.id)
    near, far = make_class(session, now, "A2 class"), make_class(session, now, "A1 class", level="A1")
    desk = Desk(session, now, amina)

    warned = desk.press("book_offer", offer=near.id)
    assert "is for level A2, and your level in the record is B1: one level apart" in warned.text
    assert state_of(session, amina, near) is None
    desk.follow(warned, "Yes, book it")
    assert state_of(session, amina, near) == "booked"
    refused = desk.press("book_offer", offer=far.id, insists=True)
    assert labels(refused) == ["Talk to a person", "Other French classes"]
    assert state_of(session, amina, far) is None


def test_the_waiting_list_of_a_class_one_level_apart_needs_the_warning_once(session, now):
    amina, mei, claire = make_student(session, now), make_student(session, now, "Mei"), make_staff(session, now)
    confirm_level(session, amina, "B1", now, staff_id=claire.id)
    french = make_class(session, now)
    book(session, mei, french.id, now)
    desk = Desk(session, now, amina)

    full = desk.follow(desk.press("book_offer", offer=french.id), "Yes, book it")
    waiting = desk.follow(full, "Put me on the waiting list")

    assert waiting.text.startswith("You are on the waiting list: **French A2**: Thursday, 26 November 2026, 12:00")
    assert "You are number 1 in line." in waiting.text


def test_classes_of_the_level_and_campus_come_first_and_the_rest_on_demand(session, now):
    amina = make_student(session, now, campus="lille")
    confirm_level(session, amina, "B1", now, staff_id=make_staff(session, now).id)
    for code, level, campus in (
        ("far", "A1", "lille"),
        ("near", "A2", "lille"),
        ("right elsewhere", "B1", "bordeaux"),
        ("right here", "B1", "lille"),
        ("near too", "B2", "lille"),
    ):
        make_class(session, now, code, level=level, campus=campus)
    desk = Desk(session, now, amina)

    first = desk.press("show_classes")

    assert labels(first) == ["right here (B1)", "right elsewhere (B1)", "near (A2)", "near too (B2)", "More classes"]
    assert labels(desk.follow(first, "More classes")) == ["far (A1)"]


def test_a_kept_place_is_offered_told_and_taken(session, now):
    amina, mei = make_student(session, now), make_student(session, now, "Mei")
    old, new = make_class(session, now, "old"), make_class(session, now, "new", hours=100)
    book(session, amina, old.id, now)
    own = book(session, mei, new.id, now)
    desk = Desk(session, now, amina)
    waiting = desk.follow(desk.press("show_offer", offer=new.id), "Put me on the waiting list")
    assert "Until then you keep your place in old (A2)." in waiting.text

    cancel(session, mei, own.booking.id, now)

    assert notes(session) == [
        (
            "Amina",
            "A place is free for you: new (A2). I keep it for you until Wednesday, 25 November 2026, 12:00 (French "
            "time). If you do not take it by then, it goes to the next in line.",
        )
    ]
    shown = desk.press("show_offer", offer=new.id)
    taken = desk.follow(shown, "Take the place")
    assert taken.text.endswith("Your place in old (A2) is given back.")
    assert (state_of(session, amina, old), state_of(session, amina, new)) == ("cancelled", "booked")


def test_a_clash_names_what_is_in_the_way(session, now):
    amina = make_student(session, now)
    french, event = make_class(session, now), make_event(session, now)
    book(session, amina, french.id, now)

    answer = Desk(session, now, amina).press("book_offer", offer=event.id)

    assert answer.text.startswith("Quiz night overlaps with something you have already: **French A2**: Thursday")
    assert labels(answer) == ["My bookings", "Other events"]


def test_what_is_on_this_week_and_the_next(session, now):
    for code, hours in (("today", 5), ("sunday", 24 * 5), ("next week", 24 * 7), ("later", 24 * 30)):
        make_event(session, now, code, hours=hours, places=20)
    make_event(session, now, "running", hours=-0.5)
    make_event(session, now, "over", hours=-5)
    desk = Desk(session, now, None)

    week = desk.press("show_events")

    assert labels(week) == ["running", "today", "sunday", "Next week", "All"]
    assert "- **sunday**: Sunday, 29 November 2026, 12:00 to 13:00. 20 places left" in week.text
    assert labels(desk.follow(week, "Next week")) == ["next week", "This week", "All"]
    assert labels(desk.follow(week, "All")) == [
        "running",
        "today",
        "sunday",
        "next week",
        "later",
        "This week",
        "Next week",
    ]
    assert labels(desk.press("show_events", when="today")) == ["running", "today", "This week", "Next week", "All"]


def test_an_event_is_signed_up_for_and_left(session, now):
    amina, event = make_student(session, now), make_event(session, now, places=1)
    desk = Desk(session, now, amina)

    booked = desk.follow(desk.press("show_offer", offer=event.id), "Book")
    done = desk.follow(desk.follow(booked, "Cancel"), "Yes, cancel it")

    assert (done.text, state_of(session, amina, event)) == (
        "Done: Quiz night, 26 November 2026, 12:00 is cancelled.",
        "cancelled",
    )


@pytest.mark.parametrize("effect", ["show_bookings", "book_offer", "cancel_booking", "ask_certificate"])
def test_without_a_record_bookings_ask_for_the_link(session, now, effect):
    answer = Desk(session, now, None).press(effect, offer=1, booking=1)

    assert [button.payload for button in answer.buttons] == [{"effect": "start_link"}]


@pytest.mark.parametrize("value", [None, "1", True, -5, 2**40, {"a": 1}])
@pytest.mark.parametrize("effect", sorted(DEEDS.effects))
def test_a_button_of_odd_values_is_answered_in_words(session, now, effect, value):
    if isinstance(value, int) and value > 2**31:
        value = 2**31 - 1
    values = dict.fromkeys(("offer", "booking", "service", "when", "offset", "moving", "instead_of"), value)

    assert Desk(session, now, make_student(session, now)).press(effect, **values).text != ""


def test_a_booking_of_somebody_else_is_neither_cancelled_nor_moved(session, now):
    amina, mei, slot = make_student(session, now), make_student(session, now, "Mei"), make_slot(session, now)
    own = book(session, mei, slot.id, now).booking
    desk = Desk(session, now, amina)

    answers = [desk.press(effect, booking=own.id, sure=True).text for effect in ("cancel_booking", "move_booking")]

    gone = "This is no longer there: it was changed or taken out since this button was shown."
    assert (answers, own.state) == ([gone, gone], "booked")


def test_a_cancelled_class_says_so_when_an_old_button_is_pressed(session, now):
    amina, french = make_student(session, now), make_class(session, now)
    cancel_offer(session, french.id, now)
    desk = Desk(session, now, amina)

    for effect in ("show_offer", "book_offer"):
        assert desk.press(effect, offer=french.id).text == (
            "French A2 was cancelled by the office and cannot be booked."
        )


def test_a_certificate_is_asked_for_once_and_only_of_a_class_that_has_begun(session, now):
    amina, mei = make_student(session, now), make_student(session, now, "Mei")
    begun = make_class(
        session,
        now,
        meetings=[(now + timedelta(days=day), now + timedelta(days=day, hours=1)) for day in (-7, 7)],
    )
    later = make_class(session, now, "later", hours=500)
    book(session, amina, begun.id, now)
    book(session, mei, later.id, now)
    desk = Desk(session, now, amina)

    first, second = (desk.press("ask_certificate", offer=begun.id).text for _ in range(2))

    assert first == "I have asked the office for your certificate of French A2. I tell you when it is ready."
    assert second == "You have asked for the certificate of French A2 already; the office is on it."
    assert session.query(CertificateRequest).count() == 1
    assert "A certificate is for a French class that you are in." in desk.press("ask_certificate", offer=later.id).text
    early = Desk(session, now, mei).press("ask_certificate", offer=later.id)
    assert early.text == "later (A2) has not begun yet: ask again once it has."


def test_demo_data_is_called_so_wherever_it_is_said(session, now):
    amina = make_student(session, now)
    french = make_class(
        session,
        now,
        is_demo=True,
        meetings=[(now + timedelta(days=day), now + timedelta(days=day, hours=1)) for day in (-7, 7)],
    )
    make_slot(session, now, is_demo=True)
    make_event(session, now, is_demo=True)
    desk = Desk(session, now, amina)
    answers = [
        desk.press("show_classes"),
        desk.press("show_offer", offer=french.id),
        desk.press("book_offer", offer=french.id),
        desk.press("book_offer", offer=french.id),
        desk.press("show_bookings"),
        desk.press("show_slots", service=Service.CAREER),
        desk.press("show_events", when="all"),
        desk.press("ask_certificate", offer=french.id),
    ]

    assert [
        each.text.endswith("\n\n_This is demo data: made up to try Accueil out, not a real timetable._")
        for each in answers
    ] == [True] * 8


def test_what_is_real_is_not_called_demo_data(session, now):
    desk = Desk(session, now, make_student(session, now))
    make_class(session, now)

    assert "demo" not in desk.press("show_classes").text


@pytest.mark.parametrize("language", CODES)
def test_hours_are_french_ones_in_every_language_around_the_change_of_the_clock(session, now, language):
    meetings = [
        (datetime(2026, 10, day, 18, tzinfo=PARIS), datetime(2026, 10, day, 20, tzinfo=PARIS)) for day in (20, 27)
    ]
    make_class(session, datetime(2026, 10, 1, tzinfo=PARIS), meetings=meetings)
    before = Desk(session, datetime(2026, 10, 19, 12, tzinfo=PARIS), make_student(session, now), language)
    after = Desk(session, datetime(2026, 10, 26, 12, tzinfo=PARIS), None, language)

    assert ["18" in each.press("show_classes").text for each in (before, after)] == [True, True]
    assert ["17:00" in each.press("show_classes").text for each in (before, after)] == [False, False]


def test_a_weekly_class_is_said_as_one(session, now):
    starts = [datetime(2026, 10, 20, 18, tzinfo=PARIS) + timedelta(weeks=week) for week in range(4)]
    make_class(session, now, meetings=[(each, each + timedelta(hours=2)) for each in starts], places=3)
    desk = Desk(session, datetime(2026, 10, 19, 12, tzinfo=PARIS), None)

    assert (
        "- **French A2**: every Tuesday, 18:00 to 20:00, next on 20 October 2026, until 10 November 2026 (Lille). "
        "3 places left"
    ) in desk.press("show_classes").text
