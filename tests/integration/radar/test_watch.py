"""The picture of who is stuck is that of the whole path, whatever it leaves out to be quick."""

from datetime import date, datetime, timedelta

from bot.bench.radar import fill
from bot.clock import day_in_france
from bot.config import ROOT
from bot.db.session import Database
from bot.paperwork.models import StepStuck
from bot.paperwork.rules import path
from bot.paperwork.schema import load_procedures
from bot.radar.rules import Stuck, looked_at, stuck_at_steps
from bot.radar.watch import Watch, pages
from bot.reminders.queries import steps_done_of
from bot.students.models import Student
from bot.students.records import facts_of
from tests.factories import make_student
from tests.integration.reminders.conftest import PROCEDURES

REAL = load_procedures(ROOT / "knowledge" / "procedures")


def by_whole_path(database: Database, today: date) -> list[Stuck]:
    by_slug = {str(each.slug): each for each in REAL}
    found: list[Stuck] = []
    for session, page in pages(database, today):
        done = steps_done_of(session, [each.id for each in page])
        for student in page:
            facts = facts_of(student, done[student.id])
            steps = path(REAL, facts, today)
            known_since = day_in_france(student.created_at)
            looked = looked_at(student.id, facts)
            found += stuck_at_steps(looked, steps, by_slug, done[student.id], {}, known_since, today)
    return found


def test_leaving_out_what_is_done_changes_nothing(database: Database, now: datetime):
    fill(database, 40, 10, now)

    found = list(Watch(database, REAL).picture(now).stuck)

    assert len(found) > 40
    assert found == by_whole_path(database, now.date())


def test_a_record_that_cannot_be_read_is_left_out_and_the_others_stay(database: Database, now: datetime):
    with database.write() as session:
        make_student(session, now, "Amina", enrolment_date="2026-11-02")
        make_student(session, now, "Broken", enrolment_date="soon")
        session.get_one(Student, make_student(session, now, "Local", enrolment_date="2026-11-02").id).is_local = True

    picture = Watch(database, PROCEDURES).picture(now)

    assert [each.student_id for each in picture.students] == [1]
    assert [each.step for each in picture.stuck] == ["cvec"]


def test_who_asks_for_help_is_in_the_next_picture(database: Database, now: datetime):
    watch = Watch(database, PROCEDURES)
    with database.write() as session:
        student_id = make_student(session, now, job_start="2027-06-01").id
    assert watch.picture(now).stuck == ()

    with database.write() as session:
        session.add(StepStuck(student_id=student_id, step="transcript", since=now))
    assert watch.picture(now + timedelta(seconds=59)).stuck == ()
    assert [each.step for each in watch.picture(now + timedelta(minutes=1)).stuck] == ["transcript"]
