"""Who gets a place, who waits, and what happens to it: on real databases."""

from datetime import timedelta

import pytest

from bot.bookings.models import Service
from bot.bookings.queries import bookings_of, occupancy, position
from bot.bookings.rules import OfferData, Span
from bot.bookings.service import (
    Booked,
    Reason,
    Refused,
    WrongOffer,
    book,
    cancel,
    cancel_offer,
    change_offer,
    create_offer,
    expire_due_holds,
    release_student,
)
from tests.factories import make_student
from tests.integration.bookings.desk import make_class, make_event, make_slot, notes, state_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def data_of(offer, **values):
    spans = tuple(Span(each.starts_at, each.ends_at) for each in offer.meetings)
    given = {
        "code": offer.code,
        "kind": offer.kind,
        "title_en": offer.title["en"],
        "service": offer.service,
        "campus": offer.campus,
        "level": offer.level,
        "places": offer.places,
        "room": offer.room,
        "host": offer.host,
        "meetings": spans,
    }
    return OfferData(**{**given, **values})


def test_a_free_place_is_booked_and_a_second_press_says_so(database, now):
    with database.write() as session:
        amina, event = make_student(session, now), make_event(session, now, places=5)

        first = book(session, amina, event.id, now)
        second = book(session, amina, event.id, now)

        assert isinstance(first, Booked)
        assert (first.booking.state, first.left, first.position) == ("booked", None, None)
        assert second == Refused(Reason.ALREADY, event, first.booking)
        assert occupancy(session, [event.id])[event.id].taken == 1


def test_what_is_full_has_a_waiting_list_in_the_order_of_arrival(database, now):
    with database.write() as session:
        amina, mei, jonas = (make_student(session, now, name) for name in ("Amina", "Mei", "Jonas"))
        french = make_class(session, now)
        book(session, amina, french.id, now)

        assert book(session, mei, french.id, now) == Refused(Reason.FULL, french)
        places = [book(session, each, french.id, now, may_wait=True).position for each in (mei, jonas)]

        assert places == [1, 2]
        assert (state_of(session, mei, french), state_of(session, jonas, french)) == ("waiting", "waiting")


def test_a_slot_has_no_waiting_list(database, now):
    with database.write() as session:
        amina, mei, slot = make_student(session, now), make_student(session, now, "Mei"), make_slot(session, now)
        book(session, amina, slot.id, now)

        assert book(session, mei, slot.id, now, may_wait=True) == Refused(Reason.FULL, slot)
        assert bookings_of(session, mei.id) == []


def test_a_place_that_becomes_free_is_kept_a_day_for_the_first_in_line_who_is_told(database, now):
    with database.write() as session:
        amina, mei, jonas = (make_student(session, now, name) for name in ("Amina", "Mei", "Jonas"))
        french = make_class(session, now)
        booked = book(session, amina, french.id, now)
        for each in (mei, jonas):
            book(session, each, french.id, now, may_wait=True)

        cancel(session, amina, booked.booking.id, now)

        held, waiting = bookings_of(session, mei.id)[0], bookings_of(session, jonas.id)[0]
        assert (held.state, held.held_until) == ("held", now + DAY)
        assert (waiting.state, position(session, waiting)) == ("waiting", 1)
        assert [name for name, _ in notes(session)] == ["Mei"]
        assert book(session, amina, french.id, now) == Refused(Reason.FULL, french)


def test_a_kept_place_is_taken_until_the_hour_and_then_goes_to_the_next(database, now):
    with database.write() as session:
        amina, mei, jonas = (make_student(session, now, name) for name in ("Amina", "Mei", "Jonas"))
        french = make_class(session, now, hours=100)
        booked = book(session, amina, french.id, now)
        for each in (mei, jonas):
            book(session, each, french.id, now, may_wait=True)
        cancel(session, amina, booked.booking.id, now)

    assert expire_due_holds(database, now + DAY - timedelta(seconds=1)) == 0
    assert expire_due_holds(database, now + DAY) == 1
    assert expire_due_holds(database, now + DAY) == 0
    with database.write() as session:
        assert (state_of(session, mei, french), state_of(session, jonas, french)) == ("cancelled", "held")
        assert [name for name, _ in notes(session)] == ["Mei", "Mei", "Jonas"]
        taken = book(session, jonas, french.id, now + DAY)
        assert (taken.booking.state, taken.booking.held_until) == ("booked", None)


def test_a_press_after_the_hour_finds_the_place_given_to_the_next_even_before_the_clock_looked(database, now):
    with database.write() as session:
        amina, mei, jonas = (make_student(session, now, name) for name in ("Amina", "Mei", "Jonas"))
        french = make_class(session, now, hours=100)
        booked = book(session, amina, french.id, now)
        for each in (mei, jonas):
            book(session, each, french.id, now, may_wait=True)
        cancel(session, amina, booked.booking.id, now)

        assert book(session, mei, french.id, now + DAY) == Refused(Reason.FULL, french)
        assert state_of(session, jonas, french) == "held"


def test_a_place_is_not_kept_longer_than_there_is_something_to_come_to(database, now):
    with database.write() as session:
        amina, mei, event = (
            make_student(session, now),
            make_student(session, now, "Mei"),
            make_event(session, now, hours=3, places=1),
        )
        booked = book(session, amina, event.id, now)
        book(session, mei, event.id, now, may_wait=True)

        cancel(session, amina, booked.booking.id, now)

        assert bookings_of(session, mei.id)[0].held_until == now + 3 * HOUR


def test_another_class_takes_the_place_of_the_first_which_goes_to_whoever_waits(database, now):
    with database.write() as session:
        amina, mei = make_student(session, now), make_student(session, now, "Mei")
        old, new = make_class(session, now, "old"), make_class(session, now, "new", hours=72)
        book(session, amina, old.id, now)
        book(session, mei, old.id, now, may_wait=True)

        done = book(session, amina, new.id, now)

        assert (done.booking.state, done.left) == ("booked", old)
        assert (state_of(session, amina, old), state_of(session, mei, old)) == ("cancelled", "held")


def test_a_full_class_is_waited_for_while_the_old_place_is_kept_and_then_swapped(database, now):
    with database.write() as session:
        amina, mei = make_student(session, now), make_student(session, now, "Mei")
        old, new = make_class(session, now, "old"), make_class(session, now, "new")
        book(session, amina, old.id, now)
        booked = book(session, mei, new.id, now)

        waiting = book(session, amina, new.id, now, may_wait=True)

        assert (waiting.position, state_of(session, amina, old)) == (1, "booked")
        cancel(session, mei, booked.booking.id, now)
        assert (state_of(session, amina, old), state_of(session, amina, new)) == ("booked", "held")
        taken = book(session, amina, new.id, now)
        assert (taken.left, state_of(session, amina, old)) == (old, "cancelled")


def test_a_class_that_is_over_stays_when_the_next_one_is_booked(database, now):
    with database.write() as session:
        amina, old = make_student(session, now), make_class(session, now, "autumn", hours=1)
        book(session, amina, old.id, now)
        spring = make_class(session, now, "spring", hours=500)

        done = book(session, amina, spring.id, now + 3 * HOUR)

        assert (done.left, state_of(session, amina, old)) == (None, "booked")


@pytest.mark.parametrize(
    ("level", "insists", "reason"),
    [
        ("A2", False, None),
        (None, False, None),
        ("A1", False, Reason.LEVEL_NEAR),
        ("B1", False, Reason.LEVEL_NEAR),
        ("B1", True, None),
        ("B2", False, Reason.LEVEL_FAR),
        ("B2", True, Reason.LEVEL_FAR),
    ],
)
def test_a_class_of_another_level_is_warned_of_or_refused(database, now, level, insists, reason):
    with database.write() as session:
        amina, french = make_student(session, now), make_class(session, now)

        done = book(session, amina, french.id, now, level=level, insists=insists)

        assert (done.reason if isinstance(done, Refused) else None) == reason


@pytest.mark.parametrize(("start", "end", "clashes"), [(0, 1, True), (0.5, 1.5, True), (1, 2, False), (-1, 0, False)])
def test_what_overlaps_another_booking_is_refused_and_touching_ends_do_not(database, now, start, end, clashes):
    with database.write() as session:
        amina, french = make_student(session, now), make_class(session, now)
        begins = french.meetings[0].starts_at
        event = make_event(session, now, meetings=[(begins + start * HOUR, begins + end * HOUR)])
        own = book(session, amina, french.id, now).booking

        done = book(session, amina, event.id, now)

        assert (done == Refused(Reason.CLASH, event, own)) == clashes
        assert isinstance(done, Booked) == (not clashes)


def test_a_place_in_line_is_in_nobodys_way(database, now):
    with database.write() as session:
        amina, mei = make_student(session, now), make_student(session, now, "Mei")
        french, event = make_class(session, now), make_event(session, now)
        book(session, mei, french.id, now)
        book(session, amina, french.id, now, may_wait=True)

        assert isinstance(book(session, amina, event.id, now), Booked)


def test_the_old_class_is_not_in_the_way_of_the_new_one(database, now):
    with database.write() as session:
        amina = make_student(session, now)
        old, new = make_class(session, now, "old"), make_class(session, now, "new")
        book(session, amina, old.id, now)

        assert book(session, amina, new.id, now).left == old


def test_an_appointment_is_moved_in_one_step_and_its_old_time_is_free(database, now):
    with database.write() as session:
        amina, mei = make_student(session, now), make_student(session, now, "Mei")
        early, late = make_slot(session, now, "early"), make_slot(session, now, "late", hours=49)
        own = book(session, amina, early.id, now).booking

        assert book(session, amina, late.id, now) == Refused(Reason.HAS_ONE, late, own)
        moved = book(session, amina, late.id, now, instead_of=own.id)

        assert (moved.booking.state, moved.left) == ("booked", early)
        assert isinstance(book(session, mei, early.id, now), Booked)


def test_a_move_to_a_taken_time_keeps_the_old_one(database, now):
    with database.write() as session:
        amina, mei = make_student(session, now), make_student(session, now, "Mei")
        early, late = make_slot(session, now, "early"), make_slot(session, now, "late", hours=49)
        own = book(session, amina, early.id, now).booking
        book(session, mei, late.id, now)

        assert book(session, amina, late.id, now, instead_of=own.id) == Refused(Reason.FULL, late)
        assert state_of(session, amina, early) == "booked"


def test_only_an_own_appointment_of_the_same_service_is_moved(database, now):
    with database.write() as session:
        amina, mei = make_student(session, now), make_student(session, now, "Mei")
        early, late = make_slot(session, now, "early"), make_slot(session, now, "late", hours=49)
        other = make_slot(session, now, "mentoring", hours=50, service=Service.MENTORING)
        own = book(session, amina, early.id, now).booking

        assert book(session, mei, late.id, now, instead_of=own.id) == Refused(Reason.GONE, late)
        assert book(session, amina, other.id, now, instead_of=own.id) == Refused(Reason.GONE, other)
        assert isinstance(book(session, amina, other.id, now), Booked)


def test_what_is_over_cancelled_or_unknown_is_not_booked(database, now):
    with database.write() as session:
        amina = make_student(session, now)
        past, off = make_event(session, now, "past", hours=0), make_event(session, now, "off")
        cancel_offer(session, off.id, now)

        assert book(session, amina, past.id, now) == Refused(Reason.OVER, past)
        assert book(session, amina, off.id, now) == Refused(Reason.CANCELLED, off)
        assert book(session, amina, 999_999, now) == Refused(Reason.GONE)


def test_a_booking_is_cancelled_by_its_owner_up_to_the_start(database, now):
    with database.write() as session:
        amina, mei, slot = make_student(session, now), make_student(session, now, "Mei"), make_slot(session, now)
        own = book(session, amina, slot.id, now).booking

        assert cancel(session, mei, own.id, now) == Refused(Reason.GONE)
        assert cancel(session, amina, own.id, slot.meetings[0].starts_at) == Refused(Reason.OVER, slot)
        assert cancel(session, amina, own.id, slot.meetings[0].starts_at - timedelta(seconds=1)) == slot
        assert cancel(session, amina, own.id, now) == Refused(Reason.GONE, slot)


def test_more_places_go_to_those_who_wait(database, now):
    with database.write() as session:
        amina, mei, jonas = (make_student(session, now, name) for name in ("Amina", "Mei", "Jonas"))
        french = make_class(session, now)
        for each in (amina, mei, jonas):
            book(session, each, french.id, now, may_wait=True)

        change = change_offer(session, french.id, data_of(french, places=2), now)

        assert (change.fields, change.told) == (("places",), 0)
        assert (state_of(session, mei, french), state_of(session, jonas, french)) == ("held", "waiting")


def test_fewer_places_than_are_taken_are_refused(database, now):
    with database.write() as session:
        amina, mei, event = (
            make_student(session, now),
            make_student(session, now, "Mei"),
            make_event(session, now, places=3),
        )
        for each in (amina, mei):
            book(session, each, event.id, now)

        with pytest.raises(WrongOffer) as refused:
            change_offer(session, event.id, data_of(event, places=1), now)

        assert [(each.field, each.details) for each in refused.value.faults] == [("places", {"taken": 2})]
        assert change_offer(session, event.id, data_of(event, places=2), now).fields == ("places",)


def test_new_hours_are_told_to_all_who_are_booked_or_wait_and_to_nobody_else(database, now):
    with database.write() as session:
        amina, mei, _jonas = (make_student(session, now, name) for name in ("Amina", "Mei", "Jonas"))
        french = make_class(session, now)
        for each in (amina, mei):
            book(session, each, french.id, now, may_wait=True)
        later = tuple(Span(each.starts_at + HOUR, each.ends_at + HOUR) for each in french.meetings)

        change = change_offer(session, french.id, data_of(french, meetings=later), now)

        assert (change.fields, change.told) == (("meetings",), 2)
        assert [name for name, _ in notes(session)] == ["Amina", "Mei"]
        assert [each.starts_at for each in french.meetings] == [later[0].starts_at]
        assert change_offer(session, french.id, data_of(french), now).fields == ()


def test_a_cancelled_offer_is_told_to_everybody_once(database, now):
    with database.write() as session:
        amina, mei = make_student(session, now), make_student(session, now, "Mei")
        french = make_class(session, now)
        for each in (amina, mei):
            book(session, each, french.id, now, may_wait=True)

        assert cancel_offer(session, french.id, now) == 2
        assert cancel_offer(session, french.id, now) == 0

        assert [name for name, _ in notes(session)] == ["Amina", "Mei"]
        assert (bookings_of(session, amina.id), bookings_of(session, mei.id)) == ([], [])


def test_whoever_leaves_gives_every_place_back(database, now):
    with database.write() as session:
        amina, mei = make_student(session, now), make_student(session, now, "Mei")
        french, event = make_class(session, now), make_event(session, now, hours=90)
        for offer in (french, event):
            book(session, amina, offer.id, now)
        book(session, mei, french.id, now, may_wait=True)

        assert release_student(session, amina.id, now) == 2

        assert (bookings_of(session, amina.id), state_of(session, mei, french)) == ([], "held")


def test_an_offer_with_faults_or_a_code_that_is_taken_is_not_made(database, now):
    with database.write() as session:
        french = make_class(session, now)

        with pytest.raises(WrongOffer) as refused:
            create_offer(session, data_of(french, level=None, meetings=()), now)

        assert [each.field for each in refused.value.faults] == ["level", "date", "code"]
        assert create_offer(session, data_of(french, code="another"), now).code == "another"
