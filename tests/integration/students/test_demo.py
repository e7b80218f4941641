import json
import shutil
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from bot.buddies.matching import Weights
from bot.buddies.models import BuddyPairing, BuddyProfile
from bot.buddies.tending import Content, tend
from bot.config import ROOT, Settings
from bot.conversations.models import Conversation
from bot.db.session import Database
from bot.demo import PASSWORD_FILE, DemoSummary, load_demo, read_colleagues, read_students
from bot.demo_talks import DemoTalk, add_talks
from bot.editing.models import Edition, Rating
from bot.errors import ContentError
from bot.handoff.desks import members
from bot.handoff.models import Task
from bot.identity.models import AuditEntry, Role, Staff
from bot.identity.staff import sign_in
from bot.paperwork.answer import personal_sentence
from bot.paperwork.queries import steps_done
from bot.paperwork.rules import Status, path
from bot.paperwork.schema import load_procedures
from bot.radar.queries import counted_week
from bot.radar.rules import is_small
from bot.radar.weeks import WEEK, monday_of
from bot.students.models import Student
from bot.students.records import facts_of, student_by_email
from bot.upkeep.questions import Why, open_questions

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", _env_file=None)


@pytest.fixture(scope="module")
def loaded(every_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the demo in it, to be copied: to load it takes seconds."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(every_table, folder / "demo.db")
    with closing(Database(f"sqlite:///{folder / 'demo.db'}")) as made:
        load(made, Settings(data=folder, _env_file=None), NOW)
        made.empty_log()
    return folder / "demo.db"


@pytest.fixture
def demo(loaded: Path, tmp_path: Path) -> Iterator[Database]:
    """A database that has it."""
    shutil.copy(loaded, tmp_path / "demo.db")
    with closing(Database(f"sqlite:///{tmp_path / 'demo.db'}")) as made:
        yield made


def load(database, settings, now) -> DemoSummary:
    with database.write() as session:
        return load_demo(session, settings, now)


def test_the_demo_cast_is_loaded_into_an_empty_database(database, settings, now):
    summary = load(database, settings, now)

    assert summary.loaded
    assert len(summary.students) >= 14
    assert {sign_in.role for sign_in in summary.sign_ins} == set(Role)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Student)) == len(summary.students)


def test_loading_twice_changes_nothing_and_gives_the_same_sign_ins(database, settings, now):
    first = load(database, settings, now)

    second = load(database, settings, now)

    assert not second.loaded
    assert (second.students, second.sign_ins) == (first.students, first.sign_ins)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Staff)) == len(first.sign_ins)


def test_the_printed_passwords_open_the_console(database, settings, now):
    claire = next(each for each in load(database, settings, now).sign_ins if each.name == "Claire")

    with database.write() as session:
        staff, _, _ = sign_in(session, claire.email, claire.password, "127.0.0.1", now)

    assert staff.role == Role.ADVISER


def test_passwords_are_new_each_time_and_only_their_owner_may_read_them(database, settings, tmp_path, now):
    summary = load(database, settings, now)

    file = settings.data / PASSWORD_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry["password"] for entry in json.loads(file.read_text())] == [s.password for s in summary.sign_ins]
    assert len({sign_in.password for sign_in in summary.sign_ins}) == len(summary.sign_ins)


def test_nothing_is_loaded_beside_real_students(database, settings, now):
    with database.write() as session:
        session.add(
            Student(
                email="real@student.junia.com",
                given_name="Jonas",
                family_name="Halbwind",
                language="en",
                facts={},
                created_at=now,
                updated_at=now,
            )
        )

    summary = load(database, settings, now)

    assert (summary.loaded, summary.students, summary.sign_ins) == (False, (), ())
    with database.read() as session:
        assert session.scalars(select(Student.email)).all() == ["real@student.junia.com"]
        assert session.scalar(select(func.count()).select_from(Staff)) == 0


def test_nothing_is_loaded_in_production(database, tmp_path, now):
    summary = load(
        database, Settings(data=tmp_path / "data", mode="production", smtp_host="mail.example", _env_file=None), now
    )

    assert summary == DemoSummary(loaded=False, students=(), sign_ins=())
    assert not (tmp_path / "data").exists()


def test_the_cast_differs_in_everything_that_changes_an_answer():
    facts = [student.facts for student in read_students(ROOT / "demo" / "students.yml")]

    def values(name: str) -> set[object]:
        return {each.get(name) for each in facts}

    assert values("campus") == {"lille", "bordeaux", "chateauroux"}
    assert values("school") == {"hei", "isa", "isen"}
    assert values("programme_type") >= {"exchange", "degree", "double_degree", "ka131", "ka171", "bip"}
    assert values("document_held") >= {
        None,
        "none_needed",
        "vls_ts",
        "vls_t",
        "vls_to_exchange",
        "visa_minor_pupil",
        "temporary_protection",
        "refugee_card",
    }
    assert values("grant") == {"none", "social_criteria", "erasmus", "ka171", "french_government", "other"}
    assert values("date_of_entry_kind") == {"planned", "real"}
    assert len(values("housing_status")) >= 6
    assert {len(each["nationality"]) for each in facts} == {1, 2}
    assert {country for each in facts for country in each["nationality"]} >= {"DE", "IN", "DZ", "GB", "CA", "TR", "SY"}


def test_addresses_are_of_the_school_and_of_one_student_each(knowledge):
    students = read_students(ROOT / "demo" / "students.yml")

    assert {student.email.partition("@")[2] for student in students} <= set(knowledge.school.mail_domains)
    assert len({student.email for student in students}) == len(students)
    assert {colleague.role for colleague in read_colleagues(ROOT / "demo" / "staff.yml")} == set(Role)


def test_when_to_validate_the_visa_differs_by_student(demo):
    procedures = load_procedures(ROOT / "knowledge" / "procedures")

    found = {}
    with demo.read() as session:
        for name in ("amina", "mei", "priya", "jonas", "karim", "hana", "oliver"):
            student = student_by_email(session, f"{name}@student.junia.com")
            steps = path(procedures, facts_of(student, steps_done(session, student.id)), TODAY)
            step = next(step for step in steps if step.slug == "validate_visa")
            found[name] = (step.status, step.due if step.status != Status.DONE else None, step.overdue)

    assert found == {
        "amina": (Status.OPEN, date(2026, 12, 12), False),
        "mei": (Status.DONE, None, False),
        "priya": (Status.OPEN, date(2026, 11, 22), True),
        "jonas": (Status.NOT_NEEDED, None, False),
        "karim": (Status.NOT_NEEDED, None, False),
        "hana": (Status.NOT_NEEDED, None, False),
        "oliver": (Status.BLOCKED, date(2027, 4, 10), False),
    }


def test_amina_hears_her_own_date(demo):
    procedures = load_procedures(ROOT / "knowledge" / "procedures")

    with demo.read() as session:
        amina = student_by_email(session, "Amina@student.junia.com ")
        facts = facts_of(amina, steps_done(session, amina.id))

    step = next(step for step in path(procedures, facts, TODAY) if step.slug == "validate_visa")
    answer = personal_sentence(step, facts, "en", TODAY, fill=str)
    assert answer.text.startswith("By 12 December 2026, because you arrived on 12 September 2026.")


def test_the_pairs_of_the_cast_are_rows_with_their_reasons(demo):
    with demo.read() as session:
        names = {each.id: each.given_name for each in session.scalars(select(Student))}
        pairs = session.scalars(select(BuddyPairing).order_by(BuddyPairing.id)).all()
        found = [(names[each.newcomer_id], names[each.buddy_id], str(each.state)) for each in pairs]
        waiting = session.scalars(select(BuddyProfile).where(BuddyProfile.role == "newcomer")).all()

    assert found == [
        ("Amina", "Lise", "accepted"),
        ("Mei", "Hugo", "proposed"),
        ("Elif", "Anna", "accepted"),
        ("Lucía", "Marie", "ended"),
        ("Luiza", "Lise", "declined"),
        ("Hana", "Jonas", "accepted"),
    ]
    assert all(each.reasons for each in pairs)
    assert len(waiting) == 8


def test_the_local_students_of_the_cast_are_buddies_without_a_path(demo):
    with demo.read() as session:
        here = session.scalars(select(Student).where(Student.is_local.is_(True)).order_by(Student.id)).all()
        roles = {each.student_id: str(each.role) for each in session.scalars(select(BuddyProfile))}

    assert [each.given_name for each in here] == ["Lise", "Hugo", "Anna", "Marie", "Jonas"]
    assert {roles[each.id] for each in here} == {"buddy"}


def test_a_fresh_demo_sends_nobody_a_word_about_buddies(demo, now):
    assert tend(demo, Content(Weights(), "https://accueil.example"), now) == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"facts": {"campus": "paris"}}, "campus"),
        ({"language": "tlh"}, "language"),
        ({"housing": {"state": "maybe", "updated_on": "2026-11-01"}}, "housing.state"),
        ({"buddy": {"state": "maybe", "since": "2026-11-01"}}, "buddy.state"),
        ({"buddy": {"state": "accepted", "favourite_colour": "brick"}}, "buddy.favourite_colour"),
        ({"favourite_colour": "brick"}, "favourite_colour"),
    ],
)
def test_a_mistake_in_the_cast_is_named(tmp_path, change, named):
    file = tmp_path / "students.yml"
    entry = {"email": "a@student.junia.com", "given_name": "A", "family_name": "B", "language": "en", "facts": {}}
    file.write_text(json.dumps([{**entry, **change}]))

    with pytest.raises(ContentError, match=named):
        read_students(file)


def test_the_talks_of_the_weeks_before_fill_the_pages_of_the_console(demo, now):
    with demo.read() as session:
        questions = [each.text for each in open_questions(session, now) if each.why == Why.UNKNOWN]
        ratings = Counter(session.scalars(select(Rating.helpful)))
        editions = session.execute(select(Edition.slug, Edition.state).where(Edition.state != "published")).all()
        log = session.scalars(select(AuditEntry.at).order_by(AuditEntry.id)).all()
        counted = counted_week(session, monday_of(now.date()) - WEEK * 2, None)
        due = session.scalars(select(Conversation.id).where(Conversation.answer_due_at.is_not(None))).all()
    assert len(questions) == 11
    assert sum("parcel" in text or "colis" in text for text in questions) == 5
    assert (ratings[True] >= 10, ratings[False]) == (True, 6)
    assert sorted(editions) == [("bikes", "draft"), ("cheap_meals", "review")]
    assert log == sorted(log)
    assert {key: count for (name, key), count in counted.items() if name == "talks"} == {"answered": 9, "person": 6}
    assert due == []


def test_of_every_week_of_the_demo_so_much_is_told_as_no_group_is_small(demo, now):
    with demo.read() as session:
        weeks = [counted_week(session, monday_of(now.date()) - WEEK * number, None) for number in range(1, 7)]
    assert [
        count for week in weeks for (name, _key), count in week.items() if name == "talks" and is_small(count)
    ] == []


def test_a_mistake_in_a_talk_is_named(demo, knowledge, now):
    for turn, named in (
        ({"topic": "moon_landing"}, "there is no topic moon_landing"),
        ({"unsure": {"moon_landing": 0.2}, "text": "Why?"}, "there is no topic moon_landing"),
        ({"topic": "cvec", "person": {"minutes": 3, "answer": "Yes"}}, "one of"),
        ({"unsure": {"cvec": 0.2}}, "`text` is missing"),
    ):
        entry = {"language": "en", "turns": [{"weeks_ago": 1, "weekday": 1, "at": "10:00", **turn}]}
        with pytest.raises((ContentError, ValidationError), match=named), demo.write() as session:
            add_talks(session, knowledge, (DemoTalk.model_validate(entry),), now)


def test_the_office_of_the_demo_has_two_desks_and_a_promise_to_keep(demo):
    with demo.read() as session:
        who = {desk: [person.name for person in people] for desk, people in members(session).items()}
        task, name = session.execute(select(Task, Staff.name).join(Staff, Staff.id == Task.owner_id)).one()
        conversation = session.get_one(Conversation, task.conversation_id)
    assert who == {"housing": ["Claire"], "office": ["Claire", "Inès"]}
    assert (name, task.due, task.text) == (
        "Claire",
        date(2026, 11, 27),
        "(demo) Send the certificate of enrolment in French",
    )
    assert (conversation.control, conversation.answer_due_at) == ("bot", None)
