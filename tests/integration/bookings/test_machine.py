"""Any order of booking, leaving, swapping, waiting, time passing and changes of places keeps the promises."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from bot.bookings.models import Booking, BookingState, Offer, OfferKind
from bot.bookings.queries import bookings_of
from bot.bookings.rules import OfferData, is_over, overlap
from bot.bookings.service import Refused, WrongOffer, book, cancel, cancel_offer, change_offer, expire_holds, spans_of
from bot.db.session import Database
from bot.students.models import Student
from bot.tables import METADATA
from tests.factories import make_student
from tests.integration.bookings.desk import make_class, make_event, make_slot

START = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
STUDENTS, OFFERS = st.integers(0, 4), st.integers(0, 4)


class Bookings(RuleBasedStateMachine):
    @initialize()
    def open(self):
        self.database = Database("sqlite://")
        METADATA.create_all(self.database.engine.execution_options(writes=True))
        self.now = START
        self.order: dict[int, list[int]] = {}
        with self.database.write() as session:
            self.students = [make_student(session, START, f"Student{number}").id for number in range(5)]
            offers = [
                make_class(session, START, "A2 early", places=1, hours=60),
                make_class(session, START, "A2 late", places=2, hours=90),
                make_class(session, START, "A2 same hour", places=1, hours=90),
                make_event(session, START, "event", places=2, hours=90),
                make_slot(session, START, "slot", hours=60),
            ]
            self.offers = [each.id for each in offers]

    def teardown(self):
        if hasattr(self, "database"):
            self.database.close()

    @rule(student=STUDENTS, offer=OFFERS, wait=st.sampled_from([True, True, True, False]))
    def books(self, student, offer, wait):
        with self.database.write() as session:
            before = self.classes(session, student)
            done = book(
                session,
                session.get_one(Student, self.students[student]),
                self.offers[offer],
                self.now,
                may_wait=wait,
            )
            after = self.classes(session, student)
            # Never without a place in between: whoever had a class has one, whatever the answer was.
            assert len(after) >= len(before)
            if isinstance(done, Refused):
                assert after == before

    @rule(offer=OFFERS, order=st.permutations(range(5)))
    def is_wanted_by_all(self, offer, order):
        """So that there is a line to wait in."""
        for student in order:
            self.books(student, offer, wait=True)

    @rule(offer=OFFERS)
    def the_first_leaves(self, offer):
        with self.database.write() as session:
            taken = self.rows(session, self.offers[offer], "booked", "held")
            if taken:
                student = session.get_one(Student, taken[0].student_id)
                cancel(session, student, taken[0].id, self.now)

    @rule(student=STUDENTS, which=st.integers(0, 3))
    def cancels(self, student, which):
        with self.database.write() as session:
            own = bookings_of(session, self.students[student])
            if own:
                cancel(session, session.get_one(Student, self.students[student]), own[which % len(own)].id, self.now)

    @rule(hours=st.sampled_from([1, 12, 24]))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)
        with self.database.write() as session:
            expire_holds(session, self.now)

    @rule(offer=OFFERS, places=st.integers(1, 4))
    def places_change(self, offer, places):
        with self.database.write() as session:
            row = session.get_one(Offer, self.offers[offer])
            data = OfferData(
                row.code,
                OfferKind(row.kind),
                row.title["en"],
                "",
                row.service,
                row.campus,
                row.level,
                places,
                meetings=spans_of(row),
            )
            taken = len(self.rows(session, row.id, "booked", "held"))
            if places < taken:
                with pytest.raises(WrongOffer):
                    change_offer(session, row.id, data, self.now)
            else:
                change_offer(session, row.id, data, self.now)

    @rule(offer=OFFERS)
    def is_cancelled_as_a_whole(self, offer):
        # Seldom: a machine without offers shows nothing.
        if self.now > START + timedelta(hours=40):
            with self.database.write() as session:
                cancel_offer(session, self.offers[offer], self.now)

    def classes(self, session, student):
        return [
            each.offer_id
            for each in bookings_of(session, self.students[student])
            if each.state == BookingState.BOOKED
            and each.offer.kind == OfferKind.FRENCH_CLASS
            and not is_over(spans_of(each.offer), self.now)
        ]

    def rows(self, session, offer_id, *states):
        return session.scalars(
            select(Booking).where(Booking.offer_id == offer_id, Booking.state.in_(states)).order_by(Booking.id)
        ).all()

    @invariant()
    def promises_are_kept(self):
        with self.database.read() as session:
            offers = session.scalars(select(Offer)).all()
            bookings = session.scalars(select(Booking).order_by(Booking.id)).all()
            for offer in offers:
                own = [each for each in bookings if each.offer_id == offer.id]
                self.places_are_enough_and_none_is_free_while_somebody_waits(offer, own)
                self.the_order_of_arrival_is_kept(offer, own)
            for student in self.students:
                booked = [
                    each.offer
                    for each in bookings
                    if each.student_id == student
                    and each.state == BookingState.BOOKED
                    and not is_over(spans_of(each.offer), self.now)
                ]
                self.nobody_is_in_two_classes_or_two_places(booked)
            for each in bookings:
                assert (each.held_until is not None) == (each.state == BookingState.HELD)

    def places_are_enough_and_none_is_free_while_somebody_waits(self, offer, bookings):
        taken = sum(each.state in (BookingState.BOOKED, BookingState.HELD) for each in bookings)
        assert taken <= offer.places
        if any(each.state == BookingState.WAITING for each in bookings) and not is_over(spans_of(offer), self.now):
            assert taken == offer.places

    def the_order_of_arrival_is_kept(self, offer, bookings):
        """Whoever waited at the last look and was served came before everybody who still waits."""
        still = [each.id for each in bookings if each.state == BookingState.WAITING]
        before = self.order.get(offer.id, [])
        served = [
            each.id for each in bookings if each.id in before and each.state in (BookingState.BOOKED, BookingState.HELD)
        ]
        assert all(one < other for one in served for other in still)
        self.order[offer.id] = still

    def nobody_is_in_two_classes_or_two_places(self, offers):
        assert sum(each.kind == OfferKind.FRENCH_CLASS for each in offers) <= 1
        for one, other in combinations(offers, 2):
            assert not overlap(spans_of(one), spans_of(other))


Bookings.TestCase.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestBookings = Bookings.TestCase
