from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db.session import Database
from bot.errors import NotFound
from bot.students.facts import FactsError
from bot.students.models import FactChange, Origin, Student
from bot.students.service import ChangedSince, set_facts, undo_changes
from tests.factories import make_student

LATER = timedelta(hours=1)


def history(session: Session) -> list[tuple[str, object, object, str, bool]]:
    rows = session.scalars(select(FactChange).order_by(FactChange.id))
    return [(row.fact, row.before, row.after, str(row.origin), row.undone) for row in rows]


def test_changes_are_written_with_their_history(database: Database, now: datetime):
    with database.write() as session:
        student = make_student(session, now, campus="lille", grant="none")
        rows = set_facts(
            session,
            student,
            {"date_of_entry": "2026-09-19", "grant": None, "campus": "lille", "language": "fr"},
            Origin.STUDENT,
            now + LATER,
        )

        assert [row.fact for row in rows] == ["date_of_entry", "grant", "language"]
    with database.read() as session:
        kept = session.get_one(Student, student.id)
        assert (kept.facts, kept.language, kept.updated_at) == (
            {"campus": "lille", "date_of_entry": "2026-09-19"},
            "fr",
            now + LATER,
        )
        assert history(session) == [
            ("date_of_entry", None, "2026-09-19", "student", False),
            ("grant", "none", None, "student", False),
            ("language", "en", "fr", "student", False),
        ]


def test_what_is_so_already_leaves_no_trace(database: Database, now: datetime):
    with database.write() as session:
        student = make_student(session, now, campus="lille")

        assert set_facts(session, student, {"campus": "lille"}, Origin.STAFF, now + LATER, 1) == []
        assert (student.updated_at, history(session)) == (now, [])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"campus": "paris"}, "campus: 'paris' is not possible; Input should be 'lille', 'bordeaux' or 'chateauroux'"),
        (
            {"leaving_date": "2026-08-01"},
            "leaving_date: 2026-08-01 lies before date_of_entry, 2026-09-12; correct one of the two",
        ),
        ({"steps_done": {"cvec": "2026-09-01"}}, "steps_done: kept in a table of its own; record the step there"),
        ({"email": "amina"}, "email: 'amina' is no e-mail address; write it like amina.brahmi@student.junia.com"),
        (
            {"email": "jonas@student.junia.com"},
            "email: jonas@student.junia.com is the address of another record; check which of the two is right",
        ),
        ({"given_name": " "}, "given_name: it is empty; every record needs it"),
    ],
)
def test_a_wrong_change_writes_nothing(database: Database, now: datetime, changes: dict[str, object], problem: str):
    with database.write() as session:
        make_student(session, now, "Jonas")
        student = make_student(session, now, date_of_entry="2026-09-12")
        with pytest.raises(FactsError) as refused:
            set_facts(session, student, {"grant": "none", **changes}, Origin.STUDENT, now)

        assert refused.value.problems == (problem,)
        assert (student.facts, history(session)) == ({"date_of_entry": "2026-09-12"}, [])


def test_a_new_nationality_takes_the_old_group_along(database: Database, now: datetime):
    with database.write() as session:
        student = make_student(session, now, nationality=["CA"], nationality_group="quebec")
        rows = set_facts(session, student, {"nationality": ["MA"]}, Origin.STAFF, now, 1)

        assert [(row.fact, row.before, row.after) for row in rows] == [
            ("nationality", ["CA"], ["MA"]),
            ("nationality_group", "quebec", None),
        ]


def test_protection_outlives_a_corrected_nationality(database: Database, now: datetime):
    with database.write() as session:
        student = make_student(session, now, nationality=["SY"], nationality_group="refugee_or_protected")
        set_facts(session, student, {"nationality": ["IQ"]}, Origin.STAFF, now, 1)

        assert student.facts == {"nationality": ["IQ"], "nationality_group": "refugee_or_protected"}


def test_undo_puts_back_what_was_there_and_twice_does_nothing(database: Database, now: datetime):
    with database.write() as session:
        student = make_student(session, now, campus="lille", housing_status="searching")
        changes = {"housing_status": "all", "lease_start": "2026-09-01", "given_name": "Amine"}
        ids = [row.id for row in set_facts(session, student, changes, Origin.STUDENT, now)]

        assert len(undo_changes(session, student, ids, now + LATER)) == 3
        assert undo_changes(session, student, ids, now + LATER) == []
        assert (student.facts, student.given_name) == ({"campus": "lille", "housing_status": "searching"}, "Amina")
        assert [undone for *_, undone in history(session)] == [True, True, True]


def test_undo_is_refused_as_a_whole_after_a_later_change_of_one_fact(database: Database, now: datetime):
    with database.write() as session:
        student = make_student(session, now, housing_status="searching")
        changes = {"housing_status": "all", "lease_start": "2026-09-01"}
        ids = [row.id for row in set_facts(session, student, changes, Origin.STUDENT, now)]
        set_facts(session, student, {"housing_status": "crous"}, Origin.SCHOOL, now + LATER)
        with pytest.raises(ChangedSince) as refused:
            undo_changes(session, student, ids, now + LATER)

        assert refused.value.facts == ("housing_status",)
        assert student.facts == {"housing_status": "crous", "lease_start": "2026-09-01"}


def test_two_changes_of_one_fact_are_undone_together(database: Database, now: datetime):
    with database.write() as session:
        student = make_student(session, now, housing_status="searching")
        ids = [
            row.id
            for value in ("all", "crous")
            for row in set_facts(session, student, {"housing_status": value}, Origin.STUDENT, now)
        ]
        undo_changes(session, student, ids, now)

        assert student.facts == {"housing_status": "searching"}


def test_changes_of_another_student_cannot_be_undone(database: Database, now: datetime):
    with database.write() as session:
        amina, jonas = make_student(session, now, "Amina"), make_student(session, now, "Jonas")
        ids = [row.id for row in set_facts(session, amina, {"campus": "lille"}, Origin.STUDENT, now)]
        with pytest.raises(NotFound):
            undo_changes(session, jonas, ids, now)

        assert amina.facts == {"campus": "lille"}


def test_a_change_that_another_transaction_made_is_seen(database: Database, now: datetime):
    with database.write() as session:
        stale = make_student(session, now, campus="lille")
    with database.write() as session:
        set_facts(session, session.get_one(Student, stale.id), {"grant": "none"}, Origin.SCHOOL, now)
    with database.write() as session:
        student = session.merge(stale, load=False)
        set_facts(session, student, {"school": "hei"}, Origin.SCHOOL, now)

        assert student.facts == {"campus": "lille", "grant": "none", "school": "hei"}
