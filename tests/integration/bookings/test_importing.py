"""Offers of a file in the database: new, changed, the same again; nothing half-done."""

from sqlalchemy import select

from bot.bookings.importing import COLUMNS, apply_plan, read_plan
from bot.bookings.models import Offer
from bot.bookings.service import book, cancel_offer
from tests.factories import make_student
from tests.integration.bookings.desk import notes, state_of

LINE = "f-a2,french_class,French A2,,,lille,A2,2,B12,,2026-12-01,{starts},20:00,2026-12-15"
EVENT = "quiz,event,Quiz night,,,,,,,,2026-12-02,18:00,20:00,"


def run(session, now, *lines):
    return apply_plan(session, read_plan("\n".join((",".join(COLUMNS), *lines)).encode()), now)


def test_a_file_is_new_then_unchanged_then_changed_without_losing_a_booking(database, now):
    with database.write() as session:
        amina = make_student(session, now)
        first = run(session, now, LINE.format(starts="18:00"), EVENT)
        french = session.scalars(select(Offer).where(Offer.code == "f-a2")).one()
        book(session, amina, french.id, now)

        again = run(session, now, LINE.format(starts="18:00"), EVENT)
        changed = run(session, now, LINE.format(starts="18:30"))

        assert (first.new, first.changed, first.unchanged) == (("f-a2", "quiz"), (), ())
        assert (again.new, again.changed, again.unchanged) == ((), (), ("f-a2", "quiz"))
        assert [(each.code, each.fields, each.told) for each in changed.changed] == [("f-a2", ("meetings",), 1)]
        assert (state_of(session, amina, french), [name for name, _ in notes(session)]) == ("booked", ["Amina"])
        assert session.scalars(select(Offer.code).order_by(Offer.code)).all() == ["f-a2", "quiz"]
        assert french.is_demo is False


def test_fewer_places_than_taken_and_another_kind_are_faults_of_their_line(database, now):
    with database.write() as session:
        run(session, now, EVENT, LINE.format(starts="18:00"))
        french = session.scalars(select(Offer).where(Offer.code == "f-a2")).one()
        for name in ("Amina", "Mei"):
            book(session, make_student(session, now, name), french.id, now)

        wrong = run(session, now, EVENT, LINE.format(starts="18:00").replace("A2,2,", "A2,1,"))
        kind = run(session, now, EVENT.replace("quiz", "f-a2"))

        assert [(each.line, each.field, each.value) for each in wrong.faults] == [(3, "places", "1")]
        assert [(each.line, each.field) for each in kind.faults] == [(2, "kind")]


def test_a_cancelled_offer_stays_cancelled_and_that_is_said(database, now):
    with database.write() as session:
        run(session, now, EVENT)
        quiz = session.scalars(select(Offer)).one()
        cancel_offer(session, quiz.id, now)

        again = run(session, now, EVENT)

        assert ([each.field for each in again.warnings], quiz.cancelled_at) == (["code"], now)
