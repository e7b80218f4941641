"""A whole academic year of the demo cast under a moved clock: nobody is nagged, nothing that matters is forgotten."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.clock import PARIS, day_in_france
from bot.config import ROOT, Settings
from bot.content.loader import Knowledge
from bot.db.session import Database
from bot.demo import load_demo
from bot.paperwork.queries import steps_done
from bot.paperwork.rules import Status, Step, assess, path
from bot.paperwork.schema import Procedure, load_procedures
from bot.reminders.models import ReminderKind
from bot.reminders.rules import MOST_A_WEEK, MOST_STEPS, WEEK, is_quiet
from bot.reminders.sending import Content, Reminders
from bot.students.facts import Facts
from bot.students.models import Student
from bot.students.records import facts_of
from bot.tables import METADATA

FIRST, LAST = date(2026, 7, 1), date(2027, 8, 31)
HOURS = (3, 9, 14, 17, 20)
"""On a French clock: at night, when reminders are due, in between."""
PROCEDURES = load_procedures(ROOT / "knowledge" / "procedures")


@dataclass(frozen=True)
class Message:
    """One that went out."""

    student: int
    at: datetime
    kind: ReminderKind
    steps: tuple[str, ...]
    keys: tuple[str, ...]
    """Of all reminders that it carries."""


@dataclass
class Year:
    """Everything that happened."""

    facts: dict[int, Facts]
    messages: list[Message] = field(default_factory=list)

    def on_steps(self) -> Iterator[tuple[int, list[Message]]]:
        """Student → their messages on steps, in order."""
        of_student: dict[int, list[Message]] = defaultdict(list)
        for message in self.messages:
            if message.kind is not ReminderKind.BOOKING:
                of_student[message.student].append(message)
        yield from of_student.items()


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Year:
    folder: Path = tmp_path_factory.mktemp("year")
    database = Database(f"sqlite:///{folder / 'year.db'}")
    METADATA.create_all(database.engine.execution_options(writes=True))
    start = datetime.combine(FIRST, datetime.min.time(), PARIS)
    with database.write() as session:
        load_demo(session, Settings(data=folder, _env_file=None), start)
    with database.read() as session:
        students = session.scalars(select(Student).where(Student.is_local.is_(False))).all()
        walked = Year({each.id: facts_of(each, steps_done(session, each.id)) for each in students})
    reminders = Reminders(database, Content(PROCEDURES, knowledge, "https://accueil.example"))
    day = FIRST
    while day <= LAST:
        for hour in HOURS:
            report = reminders.run(datetime(day.year, day.month, day.day, hour, tzinfo=PARIS))
            walked.messages += [
                Message(
                    student=each.jobs[0].student_id,
                    at=report.now,
                    kind=each.jobs[0].kind,
                    steps=each.steps,
                    keys=tuple(job.key for job in each.jobs),
                )
                for each in report.sent
            ]
        day += timedelta(days=1)
    database.close()
    return walked


def step_on(facts: Facts, slug: str, day: date) -> Step:
    return next(step for step in path(PROCEDURES, facts, day) if step.slug == slug)


def test_the_year_is_full_of_reminders_for_the_whole_cast(year: Year):
    assert len(year.facts) == 17
    # Whoever has nothing with a date gets none; the others are reminded.
    assert Counter(len(messages) > 0 for _student, messages in year.on_steps())[True] >= 14


def test_nobody_gets_more_than_two_messages_on_steps_in_any_seven_days(year: Year):
    too_many = [
        (student, first.at, later.at)
        for student, messages in year.on_steps()
        for first, later in zip(messages, messages[MOST_A_WEEK:], strict=False)
        if later.at - first.at < WEEK
    ]

    assert too_many == []


def test_nobody_gets_two_messages_on_steps_on_one_day(year: Year):
    assert [
        (student, first.at)
        for student, messages in year.on_steps()
        for first, later in pairwise(messages)
        if day_in_france(first.at) == day_in_france(later.at)
    ] == []


def test_nothing_goes_out_in_quiet_hours(year: Year):
    assert [message for message in year.messages if is_quiet(message.at)] == []


def test_every_step_of_a_message_can_be_done_on_that_day(year: Year):
    assert [
        (message.student, message.at, slug)
        for message in year.messages
        for slug in message.steps
        if step_on(year.facts[message.student], slug, day_in_france(message.at)).status is not Status.OPEN
    ] == []
    assert max(len(message.steps) for message in year.messages) <= MOST_STEPS


def test_nothing_is_sent_twice(year: Year):
    keys = [key for message in year.messages for key in message.keys]

    assert [key for key, count in Counter(keys).items() if count > 1] == []


def test_every_legal_duty_that_stays_open_is_reminded_of_before_its_date(year: Year):
    duties = [each for each in PROCEDURES if each.legal_duty]
    told = {
        (message.student, slug): [
            each.at for each in year.messages if each.student == message.student and slug in each.steps
        ]
        for message in year.messages
        for slug in message.steps
    }
    kept, forgotten = 0, []
    for student, facts in year.facts.items():
        for duty in duties:
            for due in dates_that_come(facts, duty):
                before = [at for at in told.get((student, duty.slug), []) if at.date() <= due]
                kept += bool(before)
                if not before:
                    forgotten.append((student, duty.slug, due))

    assert forgotten == []
    assert kept > 5


def dates_that_come(facts: Facts, duty: Procedure) -> set[date]:
    """Dates within the year on which this step is still open, known since three days before at least."""
    found = set()
    day = FIRST + timedelta(days=4)
    while day <= LAST:
        # No step that it needs keeps a legal duty from being open.
        step = assess(duty, facts, day)
        if step.status is Status.OPEN and step.due == day:
            found.add(day)
        day += timedelta(days=1)
    return found
