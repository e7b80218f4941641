from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from bot.clock import FixedClock
from bot.db.session import Database
from bot.errors import VersionChanged
from bot.identity.erasures import address_hash, erasure_key
from bot.identity.imports import Wishes, carry_out, import_file, prepare_import
from bot.identity.models import AuditEntry, Erasure
from bot.paperwork.models import StepDone
from bot.students.models import FactChange, Origin, Student
from bot.students.service import set_facts
from tests.factories import make_student

HEAD = "source_id;email;given_name;family_name;campus;housing_status;programme_start"
FIRST = f"""{HEAD}
J1;amina@student.junia.com;Amina;Test;Lille;en recherche;07/09/2026
J2;jonas@student.junia.com;Jonas;Test;Lille;;"""
PLAIN = Wishes()


def imported(database: Database, data: Path, text: str, clock: FixedClock, wishes: Wishes = PLAIN) -> dict[str, int]:
    return import_file(database, data, text.encode(), None, wishes, clock, dry_run=False).counts


def students(database: Database) -> dict[str, Student]:
    with database.read() as session:
        return {student.given_name: student for student in session.scalars(select(Student))}


def counted(new: int = 0, changed: int = 0, unchanged: int = 0, left: int = 0, erased: int = 0, refused: int = 0):
    return {"new": new, "changed": changed, "unchanged": unchanged, "left": left, "erased": erased, "refused": refused}


def test_an_import_again_updates_and_never_duplicates(database: Database, tmp_path: Path, clock: FixedClock):
    assert imported(database, tmp_path, FIRST, clock) == counted(new=2)
    assert imported(database, tmp_path, FIRST, clock) == counted(unchanged=2)
    moved = FIRST.replace("Amina;Test;Lille", "Amina;Test;Bordeaux").replace("jonas@", "jonas.h@")
    assert imported(database, tmp_path, moved, clock) == counted(changed=2)

    found = students(database)
    assert {name: (each.email, each.source_id, each.facts["campus"]) for name, each in found.items()} == {
        "Amina": ("amina@student.junia.com", "J1", "bordeaux"),
        "Jonas": ("jonas.h@student.junia.com", "J2", "lille"),
    }
    with database.read() as session:
        rows = session.scalars(select(FactChange).order_by(FactChange.id))
        assert [(row.student_id, row.fact, row.before, row.after, row.origin) for row in rows] == [
            (found["Amina"].id, "campus", "lille", "bordeaux", "school"),
            (found["Jonas"].id, "email", "jonas@student.junia.com", "jonas.h@student.junia.com", "school"),
        ]


def test_a_dry_run_and_a_file_with_faults_change_nothing(database: Database, tmp_path: Path, clock: FixedClock):
    dry = import_file(database, tmp_path, FIRST.encode(), None, PLAIN, clock, dry_run=True)
    wrong = imported(database, tmp_path, FIRST.replace("07/09/2026", "07/09/26"), clock)

    assert (dry.counts, wrong, students(database)) == (counted(new=2), counted(new=1, refused=1), {})
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == 0


def test_steps_stay_with_the_record(database: Database, tmp_path: Path, clock: FixedClock, now: datetime):
    imported(database, tmp_path, FIRST, clock)
    amina = students(database)["Amina"]
    with database.write() as session:
        session.add(StepDone(student_id=amina.id, step="cvec", done_on=date(2026, 9, 1), recorded_at=now))
    imported(database, tmp_path, FIRST.replace("Amina;Test;Lille", "Amina;Test;Bordeaux"), clock)

    with database.read() as session:
        assert session.scalars(select(StepDone.step).where(StepDone.student_id == amina.id)).all() == ["cvec"]


def test_swapped_addresses_are_swapped(database: Database, tmp_path: Path, clock: FixedClock):
    imported(database, tmp_path, FIRST, clock)
    text = FIRST.replace("amina@", "x@").replace("jonas@", "amina@").replace("x@", "jonas@")

    assert imported(database, tmp_path, text, clock) == counted(changed=2)
    assert {name: each.email for name, each in students(database).items()} == {
        "Amina": "jonas@student.junia.com",
        "Jonas": "amina@student.junia.com",
    }


def test_a_correction_of_the_student_outlives_every_import_until_it_is_undone(
    database: Database, tmp_path: Path, clock: FixedClock, now: datetime
):
    imported(database, tmp_path, FIRST, clock)
    with database.write() as session:
        amina = session.scalars(select(Student).where(Student.source_id == "J1")).one()
        (change,) = set_facts(session, amina, {"housing_status": "all"}, Origin.STUDENT, now)

    assert imported(database, tmp_path, FIRST, clock) == counted(unchanged=2)
    assert imported(database, tmp_path, FIRST, clock) == counted(unchanged=2)
    assert students(database)["Amina"].facts["housing_status"] == "all"
    with database.write() as session:
        session.get_one(FactChange, change.id).undone = True
    assert imported(database, tmp_path, FIRST, clock) == counted(unchanged=1, changed=1)
    assert students(database)["Amina"].facts["housing_status"] == "searching"


def test_leavers_are_marked_and_come_back(database: Database, tmp_path: Path, clock: FixedClock):
    imported(database, tmp_path, FIRST, clock)
    without_jonas = FIRST.rpartition("\n")[0]

    assert imported(database, tmp_path, without_jonas, clock) == counted(unchanged=1)
    assert students(database)["Jonas"].left_on is None
    assert imported(database, tmp_path, without_jonas, clock, Wishes(complete=True)) == counted(unchanged=1, left=1)
    assert students(database)["Jonas"].left_on == date(2026, 11, 24)
    assert imported(database, tmp_path, FIRST, clock, Wishes(complete=True)) == counted(unchanged=1, changed=1)
    assert students(database)["Jonas"].left_on is None


def test_the_erased_stay_away_unless_they_are_asked_for(
    database: Database, tmp_path: Path, clock: FixedClock, now: datetime
):
    with database.write() as session:
        hashed = address_hash(erasure_key(tmp_path), "amina@student.junia.com")
        session.add(Erasure(address_hash=hashed, erased_at=now, senders=[]))

    assert imported(database, tmp_path, FIRST, clock) == counted(new=1, erased=1)
    assert sorted(students(database)) == ["Jonas"]
    assert imported(database, tmp_path, FIRST, clock, Wishes(include_erased=True)) == counted(new=1, unchanged=1)
    assert imported(database, tmp_path, FIRST, clock) == counted(unchanged=2)


def test_a_record_that_changed_since_the_plan_stops_it(
    database: Database, tmp_path: Path, clock: FixedClock, now: datetime
):
    with database.write() as session:
        amina = make_student(session, now)
    prepared = prepare_import(database, tmp_path, FIRST.encode(), None, PLAIN, now)
    with database.write() as session:
        set_facts(session, session.get_one(Student, amina.id), {"grant": "none"}, Origin.STUDENT, now)

    with pytest.raises(VersionChanged):
        carry_out(database, prepared, now)
    assert sorted(students(database)) == ["Amina"]
    assert imported(database, tmp_path, FIRST, clock) == counted(new=1, changed=1)


def test_the_audit_log_has_the_counts_and_no_name(database: Database, tmp_path: Path, clock: FixedClock):
    imported(database, tmp_path, FIRST, clock)

    with database.read() as session:
        (entry,) = session.scalars(select(AuditEntry)).all()
        assert (entry.action, entry.staff_id, entry.details) == ("students_imported", None, {"counts": counted(new=2)})


def test_the_number_of_statements_does_not_grow_with_the_rows(database: Database, tmp_path: Path, clock: FixedClock):
    def statements_for(first: int, last: int) -> int:
        rows = "\n".join(f"J{n};s{n}@student.junia.com;S{n};Test;Lille;;" for n in range(first, last))
        seen: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            seen.append(statement)

        event.listen(database.engine, "before_cursor_execute", note)
        imported(database, tmp_path, f"{HEAD}\n{rows}", clock)
        event.remove(database.engine, "before_cursor_execute", note)
        return len(seen)

    # The very first entry of the audit log begins its chain.
    statements_for(0, 1)
    assert statements_for(1, 10) == statements_for(10, 500)
