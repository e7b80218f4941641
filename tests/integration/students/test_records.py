from datetime import date

import pytest

from bot.paperwork.models import StepDone
from bot.paperwork.queries import steps_done
from bot.students.facts import FactsError
from bot.students.records import facts_of, student_by_email
from tests.factories import make_student

TODAY = date(2026, 11, 24)
SINCE = date(2026, 11, 12)


def test_a_student_is_found_by_address_in_any_case(database, now):
    with database.write() as session:
        amina = make_student(session, now)

        assert student_by_email(session, " AMINA@student.junia.com ") == amina
        assert student_by_email(session, "nobody@student.junia.com") is None


def test_facts_are_those_of_the_record_with_the_steps_done(database, now):
    with database.write() as session:
        amina = make_student(session, now, campus="lille", visa_start="2026-09-01")
        jonas = make_student(session, now, name="Jonas")
        session.add_all(
            StepDone(student_id=student.id, step="cvec", done_on=done_on, recorded_at=now)
            for student, done_on in ((amina, SINCE), (jonas, TODAY))
        )
        session.flush()

        facts = facts_of(amina, steps_done(session, amina.id))

    assert (facts.campus, facts.visa_start, facts.steps_done) == ("lille", date(2026, 9, 1), {"cvec": SINCE})


def test_facts_that_cannot_be_read_are_refused(database, now):
    with database.write() as session:
        amina = make_student(session, now, campus="paris")

        with pytest.raises(FactsError, match="campus"):
            facts_of(amina, {})
