"""Local students from a file to the tables, and `accueil import-buddies` as somebody types it."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from bot.__main__ import whole_app
from bot.buddies.importing import COLUMNS, HEADERS, MOST_ROWS, REQUIRED, consent_moment, read_rows
from bot.buddies.imports import Import, carry_out, import_file, prepare_import
from bot.buddies.interests import load_interests
from bot.buddies.matching import load_weights
from bot.buddies.models import BuddyPairing, BuddyProfile, BuddyRole, PairingState, ProfileState
from bot.buddies.pairing import leave
from bot.buddies.profiles import change, draft_of, profile_of, sign_up
from bot.clock import FixedClock
from bot.config import ROOT
from bot.db.session import Database
from bot.errors import VersionChanged
from bot.identity.erasures import address_hash, erasure_key
from bot.identity.models import AuditEntry, Erasure
from bot.students.files import read_table
from bot.students.importing import Plan
from bot.students.models import FactChange, Origin, Student
from bot.students.service import set_facts
from tests.factories import make_student

BUDDIES = ROOT / "knowledge" / "buddies.yml"
INTERESTS = load_interests(BUDDIES)
PAGE = ROOT / "docs" / "importing-buddies.md"
TEMPLATE = ROOT / "docs" / "templates" / "buddies.csv"
HEAD = "email;prénom;nom;campus;langues;capacité;consentement"
LISE = "lise@student.junia.com;Lise;Carlier;Lille;français|anglais;2;01/09/2026"
HUGO = "hugo@student.junia.com;Hugo;Wattel;Lille;fr;1;02/09/2026"
FILE = f"{HEAD}\n{LISE}\n{HUGO}\n"

Bring = Callable[..., Plan]
Accueil = Callable[..., Result]


@pytest.fixture
def bring(database: Database, clock: FixedClock, tmp_path: Path) -> Bring:
    """Imports a file of this text."""

    def do(text: str | bytes = FILE, *, dry_run: bool = False) -> Plan:
        content = text.encode() if isinstance(text, str) else text
        return import_file(database, tmp_path, content, INTERESTS, clock, dry_run=dry_run)

    return do


def prepared(database: Database, folder: Path, now: datetime, text: str = FILE) -> Import:
    return prepare_import(database, folder, text.encode(), INTERESTS, now)


def buddies(database: Database) -> list[tuple[str, list[str], int, str]]:
    """(given name, languages, capacity, state) of everybody who signed up."""
    with database.read() as session:
        rows = session.scalars(select(BuddyProfile).order_by(BuddyProfile.id))
        return [(row.student.given_name, row.languages, row.capacity, str(row.state)) for row in rows]


def everything(database: Database) -> list[list[tuple[object, ...]]]:
    with database.read() as session:
        return [
            [tuple(row) for row in session.execute(select(*table.__table__.columns).order_by(table.id))]
            for table in (Student, BuddyProfile, FactChange, AuditEntry)
        ]


def lise(database: Database) -> int:
    with database.read() as session:
        return lise_id(session)


def lise_id(session: Session) -> int:
    return session.scalars(select(Student.id).where(Student.given_name == "Lise")).one()


def test_a_new_address_keeps_the_record_and_its_pair(database: Database, bring: Bring, now: datetime):
    bring()
    with database.write() as session:
        newcomer = make_student(session, now, "Amina")
        session.add(
            BuddyPairing(
                newcomer_id=newcomer.id,
                buddy_id=lise_id(session),
                state=PairingState.ACCEPTED,
                score=0.5,
                reasons=[],
                planned_at=now,
                send_at=now,
            )
        )
    head, moved = f"former_email;{HEAD}", LISE.replace("lise@", "lise.carlier@")

    doubtful = bring(f"{head}\n;{moved}\n", dry_run=True)
    assert [each.problem_words("en") for each in doubtful.warnings] == [
        "Same name as lise@student.junia.com: a second person?"
    ]
    text = f"{head}\nlise@student.junia.com;{moved}\n"
    assert bring(text).counts["changed"] == 1

    with database.read() as session:
        student = session.get_one(Student, lise_id(session))
        assert student.email == "lise.carlier@student.junia.com"
        assert session.scalars(select(BuddyPairing.buddy_id)).all() == [student.id]
    assert len(buddies(database)) == 2
    again = bring(text)
    assert (again.counts["unchanged"], again.warnings) == (1, ())


def test_local_students_become_buddies(database: Database, bring: Bring, now: datetime):
    plan = bring(FILE.encode("cp1252"))

    assert plan.counts == {"new": 2, "changed": 0, "unchanged": 0, "left": 0, "erased": 0, "refused": 0}
    assert buddies(database) == [
        ("Lise", ["fr", "en"], 2, "signed_up"),
        ("Hugo", ["fr"], 1, "signed_up"),
    ]
    with database.read() as session:
        student = session.get_one(Student, lise(database))
        profile = session.scalars(select(BuddyProfile).where(BuddyProfile.student_id == student.id)).one()
        assert (student.email, student.is_local, student.facts) == ("lise@student.junia.com", True, {"campus": "lille"})
        assert (profile.role, profile.contact) == (BuddyRole.BUDDY, {"mail": True})
        agreed_at = consent_moment(now.date().replace(month=9, day=1))
        assert (profile.consented_at, profile.updated_at, profile.signed_up_at) == (agreed_at, agreed_at, now)
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.details) == ("buddies_imported", {"counts": plan.counts})


def test_the_same_file_again_writes_nothing_but_the_log(database: Database, bring: Bring):
    bring()
    *before, _log = everything(database)

    assert bring().counts["unchanged"] == 2
    assert everything(database)[:3] == before


def test_a_dry_run_and_a_file_with_a_fault_change_nothing(database: Database, bring: Bring):
    bring()
    before = everything(database)
    wrong = bring(FILE.replace(";2;", ";3;").replace(HUGO, HUGO.replace("02/09/2026", "")))
    dry = bring(FILE.replace(";2;", ";3;"), dry_run=True)

    assert ([(fault.line, fault.field) for fault in wrong.faults], dry.counts["changed"]) == ([(3, "consent")], 1)
    assert everything(database) == before


def test_a_file_that_is_no_table_is_a_fault(bring: Bring):
    assert [fault.problem for fault in bring(b"PK\x03\x04 nothing").faults] == [
        "This is no Excel workbook that can be read."
    ]


def test_a_plan_with_faults_is_not_carried_out(database: Database, tmp_path: Path, now: datetime):
    with pytest.raises(ValueError, match="faults"):
        carry_out(database, prepared(database, tmp_path, now, "email\n"), now)


def test_a_mended_file_updates_names_campus_and_answers(database: Database, bring: Bring):
    bring()
    mended = "lise@student.junia.com;Élise;Carlier;Bordeaux;fr;1;01/09/2026"
    plan = bring(FILE.replace(LISE, mended))

    assert plan.counts["changed"] == 1
    assert buddies(database)[0] == ("Élise", ["fr"], 1, "signed_up")
    with database.read() as session:
        assert session.scalars(select(Student.facts).order_by(Student.id)).all()[0] == {"campus": "bordeaux"}
        rows = session.scalars(select(FactChange).order_by(FactChange.id)).all()
        assert [(row.fact, row.before, row.after, row.origin) for row in rows] == [
            ("given_name", "Lise", "Élise", Origin.SCHOOL),
            ("campus", "lille", "bordeaux", Origin.SCHOOL),
        ]


def test_somebody_missing_from_the_file_stays(database: Database, bring: Bring):
    bring()
    bring(f"{HEAD}\n{HUGO}\n")

    assert [name for name, *_ in buddies(database)] == ["Lise", "Hugo"]


def test_a_change_in_chat_stays_until_a_newer_consent(database: Database, bring: Bring, now: datetime):
    bring()
    with database.write() as session:
        profile = profile_of(session, lise(database))
        assert profile is not None
        change(profile, draft_of(profile), now - timedelta(days=2))
        profile.capacity, profile.contact = 4, {"mail": False, "other": "on the phone"}
    kept = bring()
    newer = bring(FILE.replace("01/09/2026", "23/11/2026"))

    assert [[(each.field, each.in_file) for each in entry.kept] for entry in kept.entries] == [[("capacity", 2)], []]
    assert [moved.field for moved in newer.entries[0].changes] == ["capacity", "consent"]
    with database.read() as session:
        profile = profile_of(session, lise(database))
        assert profile is not None
        assert (profile.capacity, profile.contact) == (2, {"mail": False, "other": "on the phone"})


def test_who_signed_up_in_chat_on_the_day_of_the_consent_keeps_their_answers(
    database: Database, bring: Bring, now: datetime
):
    bring()
    agreed_at = consent_moment(now.date()) + timedelta(hours=9)
    with database.write() as session:
        student = session.get_one(Student, lise(database))
        profile = profile_of(session, student.id)
        assert profile is not None
        sign_up(session, student, draft_of(profile), agreed_at, agreed_at + timedelta(minutes=3))
    plan = bring(FILE.replace(LISE, LISE.replace(";2;01/09/2026", ";5;24/11/2026")))

    assert buddies(database)[0] == ("Lise", ["fr", "en"], 2, "signed_up")
    assert [(each.field, each.in_file) for each in plan.entries[0].kept] == [("capacity", 5)]


def test_a_withdrawal_holds_against_the_old_list_and_ends_with_a_new_consent(
    database: Database, bring: Bring, now: datetime
):
    bring()
    with database.write() as session:
        profile = profile_of(session, lise(database))
        assert profile is not None
        leave(session, profile, now - timedelta(days=1), load_weights(BUDDIES))
    bring()
    held = buddies(database)[0]
    bring(FILE.replace("01/09/2026", "24/11/2026"))

    assert held == ("Lise", [], 1, "withdrawn")
    assert buddies(database)[0] == ("Lise", ["fr", "en"], 2, "signed_up")
    with database.read() as session:
        profile = profile_of(session, lise(database))
        assert profile is not None
        assert (profile.contact, profile.signed_up_at) == ({"mail": True}, now)


def test_the_language_that_a_buddy_chose_is_kept(database: Database, bring: Bring, now: datetime):
    bring()
    with database.write() as session:
        set_facts(session, session.get_one(Student, lise(database)), {"language": "fr"}, Origin.STUDENT, now)
    plan = bring(f"{HEAD};langue\n{LISE};anglais\n")

    assert [(each.field, each.in_file) for each in plan.entries[0].kept] == [("language", "en")]


def test_an_international_student_is_refused(database: Database, bring: Bring, now: datetime):
    with database.write() as session:
        make_student(session, now, "Lise")
    plan = bring()

    assert [(fault.line, fault.field) for fault in plan.faults] == [(2, "email")]
    assert buddies(database) == []


def test_who_was_erased_stays_erased(database: Database, bring: Bring, tmp_path: Path, now: datetime):
    with database.write() as session:
        hashed = address_hash(erasure_key(tmp_path), "lise@student.junia.com")
        session.add(Erasure(address_hash=hashed, erased_at=now))
    plan = bring()

    assert [(each.line, each.email, each.day) for each in plan.erased] == [(2, "lise@student.junia.com", now.date())]
    assert [name for name, *_ in buddies(database)] == ["Hugo"]


def test_the_capacity_cannot_fall_below_the_newcomers_of_a_buddy(database: Database, bring: Bring, now: datetime):
    bring()
    with database.write() as session:
        for name, state in (
            ("Amina", PairingState.ACCEPTED),
            ("Wei", PairingState.PLANNED),
            ("Ana", PairingState.ENDED),
        ):
            newcomer = make_student(session, now, name, campus="lille")
            session.add(
                BuddyPairing(
                    newcomer_id=newcomer.id,
                    buddy_id=lise(database),
                    state=state,
                    score=0.5,
                    reasons=[],
                    planned_at=now,
                    send_at=now,
                )
            )
    plan = bring(FILE.replace(";2;", ";1;"))

    assert [(fault.line, fault.field, fault.details) for fault in plan.faults] == [(2, "capacity", {"taken": 2})]


def test_nothing_is_written_where_a_sign_up_changed_in_between(
    database: Database, bring: Bring, tmp_path: Path, now: datetime
):
    bring()
    older = prepared(database, tmp_path, now, FILE.replace(";2;", ";3;"))
    with database.write() as session:
        profile = profile_of(session, lise(database))
        assert profile is not None
        profile.state, profile.updated_at = ProfileState.PAUSED, now
    before = everything(database)

    with pytest.raises(VersionChanged):
        carry_out(database, older, now)
    assert everything(database) == before


def test_nothing_is_written_where_the_person_was_erased_in_between(
    database: Database, bring: Bring, tmp_path: Path, now: datetime
):
    bring()
    older = prepared(database, tmp_path, now, FILE.replace(";2;", ";3;"))
    with database.write() as session:
        session.execute(delete(Student).where(Student.given_name == "Lise"))

    with pytest.raises(VersionChanged):
        carry_out(database, older, now)
    assert [name for name, *_ in buddies(database)] == ["Hugo"]


def test_the_import_begins_again_when_somebody_was_faster(
    database: Database, bring: Bring, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    tries = []

    def beaten_once(given: Database, plan: Import, at: datetime) -> None:
        tries.append(plan.plan.counts["new"])
        if len(tries) == 1:
            with given.write() as session:
                make_student(session, now, "Hugo").is_local = True
        carry_out(given, plan, at)

    monkeypatch.setattr("bot.buddies.imports.carry_out", beaten_once)
    bring()

    assert tries == [2, 1]
    assert [name for name, *_ in buddies(database)] == ["Lise", "Hugo"]


def test_an_import_that_is_beaten_every_time_gives_up(bring: Bring, monkeypatch: pytest.MonkeyPatch):
    def beaten(*_: object) -> None:
        raise VersionChanged

    monkeypatch.setattr("bot.buddies.imports.carry_out", beaten)

    with pytest.raises(VersionChanged):
        bring()


def test_nothing_is_written_where_an_address_is_taken_in_the_same_moment(
    database: Database, bring: Bring, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    older = prepared(database, tmp_path, now)
    with database.write() as session:
        make_student(session, now, "Hugo")
    before = everything(database)
    # As if the record came after the comparison.
    monkeypatch.setattr("bot.buddies.imports.known_people", lambda *_, **__: older.known)

    with pytest.raises(VersionChanged):
        carry_out(database, older, now)
    assert everything(database) == before


CELLS = {
    "email": st.sampled_from(["a@junia.com", "B@junia.com", "b@junia.com", "c@student.junia.com", "", "nobody", "-"]),
    "given_name": st.sampled_from(["Lise", "Hugo", "", "x" * 81]),
    "family_name": st.sampled_from(["Carlier", ""]),
    "campus": st.sampled_from(["Lille", "bordeaux", "", "-", "Paris"]),
    "languages": st.sampled_from(["fr|en", "Spanish", "", "|", "xx"]),
    "capacity": st.sampled_from(["1", "5", "0", "-", "", "many"]),
    "same_gender": st.sampled_from(["oui", "no", "-", ""]),
    "gender": st.sampled_from(["femme", "M", "-", ""]),
    "arrival": st.sampled_from(["01/09/2026", "2027-01-10", "", "-"]),
    "departure": st.sampled_from(["30/06/2027", "2026-01-01", "", "-"]),
    "interests": st.sampled_from(["sport", "hiking|piano", "-", ""]),
    "consent": st.sampled_from(["01/09/2026", "2026-10-01", "2026-12-24", "", "-"]),
}
ANY_CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=';"\r\n\0'), max_size=30)
LIKELY_ROW = st.fixed_dictionaries(CELLS).map(lambda row: list(row.values()))
ODD_ROW = st.lists(ANY_CELL, min_size=1, max_size=len(CELLS) + 1)
GOOD_ROW = st.tuples(
    st.integers(1, 4).map("g{}@junia.com".format),
    st.just("Lise"),
    st.just("Carlier"),
    st.sampled_from(["Lille", "Bordeaux"]),
    st.sampled_from(["fr", "fr|en"]),
    st.integers(1, 5).map(str),
    *(st.just("") for _ in range(5)),
    st.sampled_from(["01/09/2026", "02/09/2026"]),
).map(list)
TABLES = st.lists(GOOD_ROW, min_size=1, max_size=3, unique_by=lambda row: row[0]) | st.lists(
    GOOD_ROW | LIKELY_ROW | ODD_ROW, max_size=4
)


@settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables=st.lists(TABLES, min_size=1, max_size=2))
def test_any_table_is_imported_wholly_or_changes_nothing(
    database: Database, bring: Bring, tables: list[list[list[str]]]
):
    for table in tables:
        before = everything(database)
        plan = bring("\n".join([";".join(CELLS), *(";".join(row) for row in table)]))
        if plan.faults:
            assert everything(database) == before
            continue
        with database.read() as session:
            found = {
                row.student.email: (row.student.is_local, row.campus, row.languages, row.capacity)
                for row in session.scalars(select(BuddyProfile))
            }
        expected = {
            entry.person["email"]: (
                True,
                *(entry.facts[name] for name in ("campus", "languages", "capacity")),
            )
            for entry in plan.entries
        }
        assert {address: found[address] for address in expected} == expected
        assert len(expected) == sum(1 for row in table if any(cell.strip() for cell in row))


# The command and its documentation


@pytest.fixture
def accueil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Accueil:
    monkeypatch.setenv("ACCUEIL_DATA", str(tmp_path / "data"))
    # Without the demo cast, so that the counts are those of the file.
    monkeypatch.setenv("ACCUEIL_MODE", "production")
    monkeypatch.setenv("ACCUEIL_SMTP_HOST", "mail.example")
    monkeypatch.delenv("ACCUEIL_DATABASE_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(whole_app(), ["import-buddies", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "buddies.csv"
    written.write_text(f"{HEAD}\n{LISE}\n", encoding="cp1252")
    return written


def test_the_command_imports_once_and_then_knows_everybody(accueil: Accueil, file: Path):
    dry, first, second = accueil(file, "--dry-run"), accueil(file), accueil(file)

    assert (dry.exit_code, first.exit_code, second.exit_code) == (0, 0, 0)
    assert dry.stdout.splitlines() == [
        "line 2: new: Lise Carlier <lise@student.junia.com>",
        "1 new, 0 changed, 0 unchanged, 0 left, 0 erased, 0 refused.",
        "Nothing was changed: this was a dry run.",
    ]
    assert first.stdout.splitlines()[-1] == "1 new, 0 changed, 0 unchanged, 0 left, 0 erased, 0 refused."
    assert second.stdout.splitlines() == ["0 new, 0 changed, 1 unchanged, 0 left, 0 erased, 0 refused."]


def test_the_command_reports_faults_with_exit_code_1(accueil: Accueil, file: Path):
    file.write_text(f"{HEAD}\n{LISE.replace('01/09/2026', '')}\n", encoding="utf-8")
    result = accueil(file, "--json")

    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["applied"], report["counts"]["refused"]) == (False, 1)
    assert report["faults"] == [
        {
            "line": 2,
            "field": "consent",
            "value": "",
            "problem": "Nobody is matched without having agreed to it.",
            "fix": "Write the day on which the person agreed, or take the row out.",
        }
    ]


def test_a_missing_file_stops_with_exit_code_2(accueil: Accueil, tmp_path: Path):
    result = accueil(tmp_path / "none.csv")

    assert (result.exit_code, result.stderr.strip()) == (
        2,
        f"{tmp_path / 'none.csv'} cannot be read: No such file or directory.",
    )


def column_row(column: str) -> tuple[str, str, str]:
    return f"`{column}`", "needed" if column in REQUIRED else "", ", ".join(HEADERS[column])


def test_the_page_names_every_column_with_its_headers():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]

    assert [(row[0], row[-2], row[-1]) for row in cells] == [column_row(column) for column in COLUMNS]


def test_the_page_names_the_limit():
    assert f"at most {MOST_ROWS:,} rows" in " ".join(PAGE.read_text(encoding="utf-8").split())


def test_the_template_has_every_column_and_is_read_without_a_fault():
    table = read_table(TEMPLATE.read_bytes())
    rows, faults, warnings = read_rows(table, INTERESTS)

    assert table.headers == COLUMNS
    assert (len(rows), faults, warnings) == (2, [], [])
    # Both are new, so neither has a former address.
    assert {column for row in rows for column in row.values} == {*COLUMNS, "own_words"} - {"former_email"}
