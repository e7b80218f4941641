"""Steps done, undone and stuck, on a real database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.config import ROOT
from bot.errors import InvalidField
from bot.paperwork.models import StepDone
from bot.paperwork.queries import steps_done, steps_stuck, view_of
from bot.paperwork.rules import Status
from bot.paperwork.schema import load_procedures
from bot.paperwork.service import mark_done, note_stuck, undo_done
from bot.students.models import Student
from tests.factories import make_student

PROCEDURES = load_procedures(ROOT / "knowledge" / "procedures")
BY_SLUG = {each.slug: each for each in PROCEDURES}
TODAY = date(2026, 11, 24)
FACTS = {"nationality": ["MA"], "programme_type": "degree", "document_held": "vls_ts", "visa_expiry": "2027-08-31"}


@pytest.fixture
def student(database, now) -> int:
    with database.write() as session:
        return make_student(session, now, **FACTS).id


def test_a_step_is_done_on_the_day_given_and_doing_it_twice_keeps_the_first(database, now, student):
    with database.write() as session:
        person = session.get_one(Student, student)
        first = mark_done(session, person, BY_SLUG["lease"], date(2026, 9, 1), now)
        second = mark_done(session, person, BY_SLUG["lease"], TODAY, now)

    assert (first, second) == (date(2026, 9, 1), date(2026, 9, 1))
    with database.read() as session:
        assert steps_done(session, student) == {"lease": date(2026, 9, 1)}


def test_midnight_in_france_decides_which_day_is_today(database, student):
    in_the_evening = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    with database.write() as session:
        person = session.get_one(Student, student)

        assert mark_done(session, person, BY_SLUG["lease"], date(2026, 11, 25), in_the_evening) == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("slug", "on", "words"),
    [
        ("lease", date(2026, 11, 25), "2026-11-25 has not come yet"),
        ("lease", date(1899, 12, 31), "1899-12-31 lies before 1900-01-01"),
        ("cvec", date(2025, 9, 10), "2025-09-10 belongs to an earlier round of this step"),
    ],
)
def test_a_day_that_cannot_be_is_refused_and_nothing_is_written(database, now, student, slug, on, words):
    with database.write() as session, pytest.raises(InvalidField) as refusal:
        mark_done(session, session.get_one(Student, student), BY_SLUG[slug], on, now)

    assert (words in str(refusal.value), refusal.value.details) == (True, {"field": "on"})
    with database.read() as session:
        assert steps_done(session, student) == {}


def test_a_step_that_comes_back_is_done_anew_and_undone_to_the_year_before(database, now, student):
    with database.write() as session:
        person = session.get_one(Student, student)
        session.add(StepDone(student_id=student, step="cvec", done_on=date(2025, 9, 10), recorded_at=now))
        mark_done(session, person, BY_SLUG["cvec"], date(2026, 9, 12), now)
        assert steps_done(session, student) == {"cvec": date(2026, 9, 12)}

        assert undo_done(session, person, "cvec", now, earlier=date(2025, 9, 10)) is True
        assert undo_done(session, person, "cvec", now, earlier=date(2025, 9, 10)) is False

        assert steps_done(session, student) == {"cvec": date(2025, 9, 10)}


def test_what_was_never_done_cannot_be_undone(database, now, student):
    with database.write() as session:
        assert undo_done(session, session.get_one(Student, student), "lease", now) is False


def test_being_stuck_is_noted_once_and_ends_when_the_step_is_done(database, now, student):
    with database.write() as session:
        person = session.get_one(Student, student)
        note_stuck(session, person, "lease", now)
        note_stuck(session, person, "lease", now + timedelta(days=1))
        note_stuck(session, person, "cvec", now)
        assert steps_stuck(session, student) == {"lease", "cvec"}

        mark_done(session, person, BY_SLUG["lease"], TODAY, now)

        assert steps_stuck(session, student) == {"cvec"}


def test_steps_of_others_are_left_alone(database, now, student):
    with database.write() as session:
        other = make_student(session, now, "Jonas")
        mark_done(session, other, BY_SLUG["lease"], TODAY, now)
        note_stuck(session, other, "cvec", now)
        undo_done(session, session.get_one(Student, student), "lease", now)

        assert (steps_done(session, other.id), steps_stuck(session, other.id)) == ({"lease": TODAY}, {"cvec"})
        assert steps_done(session, student) == {}


def test_each_change_moves_the_time_of_the_record_so_that_calendars_see_it(database, now, student):
    with database.write() as session:
        person = session.get_one(Student, student)
        mark_done(session, person, BY_SLUG["lease"], TODAY, now + timedelta(minutes=1))
        after_doing = person.updated_at
        undo_done(session, person, "lease", now + timedelta(minutes=2))

        assert (after_doing, person.updated_at) == (now + timedelta(minutes=1), now + timedelta(minutes=2))


ACTIONS = st.lists(st.tuples(st.sampled_from(sorted(BY_SLUG)), st.booleans()), max_size=25)


@given(actions=ACTIONS)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_done_and_undone_in_any_order_ends_as_it_began_and_no_done_step_is_shown_as_open(
    database, now, student, knowledge, actions
):
    with database.write() as session:
        person = session.get_one(Student, student)

        def shown():
            view = view_of(session, person, PROCEDURES, knowledge, "en", TODAY)
            return {step.slug: (step.status, step.due, step.missing_facts) for step in view.steps}

        before = shown()
        done = set()
        for slug, is_done in actions:
            if is_done:
                mark_done(session, person, BY_SLUG[slug], TODAY, now)
                done.add(slug)
            else:
                assert undo_done(session, person, slug, now) is (slug in done)
                done.discard(slug)
            now_shown = shown()
            assert {now_shown[each][0] for each in done} <= {Status.DONE}
            assert set(steps_done(session, student)) == done
        for slug in sorted(done):
            undo_done(session, person, slug, now)

        assert shown() == before
        assert session.scalar(select(func.count()).select_from(StepDone)) == 0
