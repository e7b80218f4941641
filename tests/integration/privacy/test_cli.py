"""Requests of students answered by hand: `accueil export`, `accueil erase`, `accueil purge`."""

import json
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.__main__ import whole_app
from bot.db.migrate import upgrade
from bot.db.session import Database
from bot.identity.models import AuditEntry
from bot.students.models import Student
from tests.factories import make_conversation, make_student, receive

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
AMINA = "zq-amina@student.junia.com"


@pytest.fixture
def data(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("ACCUEIL_DATA", str(folder))
    monkeypatch.delenv("ACCUEIL_DATABASE_URL", raising=False)
    with closing(Database(f"sqlite:///{folder / 'accueil.db'}")) as database:
        upgrade(database)
        with database.write() as session:
            student = make_student(session, NOW, "zq-Amina", campus="lille")
            conversation = make_conversation(session, NOW)
            conversation.student_id = student.id
            receive(session, conversation.id, "my own words", NOW)
    return folder


@pytest.fixture
def accueil(data):
    return lambda *arguments, typed=None: CliRunner().invoke(whole_app(), arguments, input=typed)


def students(data) -> list[str]:
    with closing(Database(f"sqlite:///{data / 'accueil.db'}")) as database, database.read() as session:
        return list(session.scalars(select(Student.email).where(Student.email == AMINA)))


def test_export_prints_the_copy_and_writes_it_down(accueil, data):
    result = accueil("export", "--student", AMINA.upper())

    assert result.exit_code == 0
    assert json.loads(result.stdout)["student"] == AMINA
    with closing(Database(f"sqlite:///{data / 'accueil.db'}")) as database, database.read() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["export"]


@pytest.mark.parametrize("command", [["export"], ["erase", "--yes"]])
def test_an_unknown_student_is_one_sentence(accueil, command):
    result = accueil(*command, "--student", "nobody@student.junia.com")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == "There is no student nobody@student.junia.com."


def test_erase_asks_first(accueil, data):
    refused = accueil("erase", "--student", AMINA, typed="n\n")
    kept = students(data)
    done = accueil("erase", "--student", AMINA, typed="y\n")

    assert (refused.exit_code, kept) == (1, [AMINA])
    assert f"Erase {AMINA} and 1 linked conversations for good?" in refused.stderr
    assert (done.exit_code, students(data)) == (0, [])
    assert done.stdout.splitlines()[-1] == f"{AMINA} is erased: 4 rows, 1 conversations."


def test_erase_with_yes_leaves_no_word_in_the_folder_and_says_the_day_the_second_time(accueil, data):
    accueil("erase", "--student", AMINA, "--yes")
    again = accueil("erase", "--student", AMINA, "--yes")

    found = [file.name for file in data.rglob("*") if file.is_file() and b"my own words" in file.read_bytes()]
    assert found == []
    assert again.exit_code == 2
    assert again.stderr.splitlines()[-1].startswith(f"There is no student {AMINA}: erased on 20")


def test_erasing_the_last_student_brings_no_demo_cast(accueil, data):
    accueil("erase", "--student", AMINA, "--yes")
    accueil("purge")

    with closing(Database(f"sqlite:///{data / 'accueil.db'}")) as database, database.read() as session:
        assert session.scalars(select(Student)).unique().all() == []


def test_purge_counts_and_deletes_by_the_clock_that_is_given(accueil):
    later = "2028-01-01T09:00:00+01:00"
    counted = json.loads(accueil("purge", "--now", later, "--dry-run", "--json").stdout)
    deleted = json.loads(accueil("purge", "--now", later, "--json").stdout)
    again = accueil("purge", "--now", later)

    assert (counted["dry_run"], deleted["dry_run"]) == (True, False)
    assert counted["deleted"] == deleted["deleted"]
    assert {name: count for name, count in deleted["deleted"].items() if count} == {"linked_conversations": 1}
    assert (deleted["now"], deleted["unfinished"]) == (later, 1)
    assert again.stdout == "0 deleted.\n"


def test_purge_wants_an_instant_with_its_zone(accueil):
    result = accueil("purge", "--now", "2028-01-01")

    assert result.exit_code == 2
    assert "has no time zone" in result.stderr
