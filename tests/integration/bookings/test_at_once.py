"""Many at once: fifty for one slot, and changes of places that cross each other."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import func, select

from bot.bookings.deeds import bookings_deeds
from bot.bookings.models import Booking
from bot.bookings.queries import bookings_of
from bot.bookings.service import Booked, Refused, book, cancel
from bot.conversations.deeds import Context
from bot.conversations.models import Conversation
from bot.courses.levels import level_of
from bot.students.models import Student
from tests.factories import make_conversation, make_student
from tests.integration.bookings.desk import make_class, make_slot, state_of

MANY = 50


def test_of_fifty_who_want_one_slot_one_gets_it_and_the_others_hear_of_the_next_ones(database, now):
    with database.write() as session:
        wanted = make_slot(session, now, "wanted", hours=24).id
        for number in range(8):
            make_slot(session, now, f"next {number}", hours=25 + number)
        conversations = []
        for number in range(MANY):
            conversation = make_conversation(session, now)
            conversation.student_id = make_student(session, now, f"Student{number}").id
            conversations.append(conversation.id)
    press = bookings_deeds(level_of).effects["book_offer"]
    start = Barrier(MANY)

    def try_it(conversation_id):
        start.wait()
        with database.write() as session:
            context = Context(session, session.get_one(Conversation, conversation_id), now)
            return press(context, {"offer": wanted})

    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(try_it, conversations))

    booked = [each for each in answers if each.text.startswith("Booked: ")]
    taken = [each for each in answers if "has just been taken by somebody else" in each.text]
    assert (len(booked), len(taken)) == (1, MANY - 1)
    assert {tuple(button.payload["effect"] for button in each.buttons) for each in taken} == {
        ("book_offer",) * 6 + ("show_slots",)
    }
    with database.read() as session:
        rows = select(func.count()).select_from(Booking).where(Booking.offer_id == wanted)
        assert session.scalar(rows) == 1


def test_one_student_who_presses_fifty_times_has_one_booking(database, now):
    with database.write() as session:
        slot, amina = make_slot(session, now).id, make_student(session, now).id
    start = Barrier(MANY)

    def try_it(_number):
        start.wait()
        with database.write() as session:
            return isinstance(book(session, session.get_one(Student, amina), slot, now), Booked)

    with ThreadPoolExecutor(MANY) as pool:
        done = list(pool.map(try_it, range(MANY)))

    assert (done.count(True), done.count(False)) == (1, MANY - 1)
    with database.read() as session:
        assert len(bookings_of(session, amina)) == 1


def test_students_who_exchange_classes_at_the_same_time_all_end_in_one(database, now):
    """Half of them go from the first class to the second, half the other way, while others leave: nobody is stuck."""
    with database.write() as session:
        one, two = (make_class(session, now, code, places=20).id for code in ("one", "two"))
        students = [make_student(session, now, f"Student{number}").id for number in range(30)]
        for number, student in enumerate(students):
            book(session, session.get_one(Student, student), (one, two)[number % 2], now)
    start = Barrier(len(students))

    def cross(number):
        start.wait()
        with database.write() as session:
            student = session.get_one(Student, students[number])
            if number % 5 == 0:
                return cancel(session, student, bookings_of(session, student.id)[0].id, now)
            return book(session, student, (two, one)[number % 2], now, may_wait=True)

    with ThreadPoolExecutor(len(students)) as pool:
        done = list(pool.map(cross, range(len(students))))

    assert [each for each in done if isinstance(each, Refused)] == []
    with database.read() as session:
        for number, student in enumerate(students):
            states = [each.state for each in bookings_of(session, student)]
            assert states.count("booked") == (0 if number % 5 == 0 else 1)


def test_a_class_and_a_slot_at_the_same_hour_are_not_both_booked_by_two_presses_at_once(database, now):
    with database.write() as session:
        french, slot = make_class(session, now).id, make_slot(session, now).id
        amina = make_student(session, now)
        student_id = amina.id
    start = Barrier(2)

    def try_it(offer_id):
        start.wait()
        with database.write() as session:
            return isinstance(book(session, session.get_one(Student, student_id), offer_id, now), Booked)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(try_it, (french, slot)))

    assert sorted(done) == [False, True]


def test_the_hold_goes_to_one_person_when_two_places_change_at_once(database, now):
    with database.write() as session:
        french = make_class(session, now, places=2)
        names = ("Amina", "Mei", "Jonas", "Karim")
        students = [make_student(session, now, name) for name in names]
        for each in students:
            book(session, each, french.id, now, may_wait=True)
    start = Barrier(2)

    def leave(student):
        start.wait()
        with database.write() as session:
            own = bookings_of(session, student.id)[0].id
            return cancel(session, session.get_one(Student, student.id), own, now)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(leave, students[:2]))

    with database.read() as session:
        assert [state_of(session, each, french) for each in students] == ["cancelled", "cancelled", "held", "held"]
