"""`accueil ask`: one JSON line per question, the same path as a turn, no trace."""

import sqlite3
from datetime import date

import pytest
from sqlalchemy import func, select

from bot.bootstrap import build_services
from bot.config import Settings
from bot.conversations.messages import Answer, Candidate, Source, Understanding
from bot.conversations.models import Conversation, InboxEntry, Message
from bot.errors import InvalidField
from bot.gateway.ask import Defaults, Line, UnknownStudent, ask_one, check_lines, forget_probes, read_lines
from tests.factories import make_student
from tests.fakes import FakeEngine

CVEC = Answer(
    "Degree students pay it.",
    Understanding("ask/cvec", 0.91, "answer", "cvec", (), "paperwork", (Candidate("cvec", 0.91),)),
    sources=(Source("CVEC", "https://cvec.etudiant.gouv.fr", date(2026, 11, 23)),),
)


@pytest.fixture
def services(database, tmp_path):
    url = database.engine.url.render_as_string(hide_password=False)
    built = build_services(Settings(data=tmp_path, database_url=url, _env_file=None))
    yield built
    built.database.close()


@pytest.fixture
def engine():
    made = FakeEngine()
    made.answer = lambda _text: CVEC
    return made


async def test_a_question_becomes_one_line_with_every_field(services, engine):
    result = await ask_one(services, engine, Line(id=7, text="What is the CVEC?"), Defaults())

    assert result.pop("ms") >= 0
    assert result == {
        "id": 7,
        "text": "What is the CVEC?",
        "language": "en",
        "intent": "ask/cvec",
        "confidence": 0.91,
        "action": "answer",
        "topic": "cvec",
        "topics": [],
        "group": "paperwork",
        "candidates": [{"topic": "cvec", "confidence": 0.91}],
        "answer": "Degree students pay it.",
        "sources": [
            {
                "title": "CVEC",
                "url": "https://cvec.etudiant.gouv.fr",
                "checked_on": "2026-11-23",
                "valid_until": None,
            }
        ],
    }


async def test_nothing_is_stored(services, engine):
    await ask_one(services, engine, Line(id=1, text="I want to talk to a person"), Defaults())

    with services.database.read() as session:
        for table in (Conversation, Message, InboxEntry):
            assert session.scalar(select(func.count()).select_from(table)) == 0


async def test_danger_is_answered_without_the_engine(services, engine):
    result = await ask_one(services, engine, Line(id=1, text="je veux mourir"), Defaults())

    assert (result["action"], result["group"], engine.asked) == ("urgent", "emergency", [])


async def test_a_failed_engine_is_an_honest_line_and_not_an_end(services, engine):
    engine.fails = True

    result = await ask_one(services, engine, Line(id=1, text="What is the CVEC?"), Defaults())

    assert (result["action"], result["failed"], result["group"]) == ("abstain", True, "out_of_scope")


async def test_the_line_wins_over_the_defaults(services, engine, now):
    with services.database.write() as session:
        amina, mei = (make_student(session, now, name).id for name in ("Amina", "Mei"))
    defaults = Defaults(language="fr", student="mei@student.junia.com", today=date(2026, 1, 1))

    await ask_one(services, engine, Line(id=1, text="CVEC?"), defaults)
    own = Line(id=2, text="CVEC?", language="en", student="amina@student.junia.com", today=date(2026, 9, 15))
    result = await ask_one(services, engine, own, defaults)

    assert [each["as_student"] for each in engine.metadata] == [mei, amina]
    assert result["language"] == "en"


async def test_an_unknown_student_or_language_is_refused(services, engine):
    with pytest.raises(UnknownStudent, match=r"There is no student nobody@student\.junia\.com"):
        await ask_one(services, engine, Line(id=1, text="CVEC?", student="nobody@student.junia.com"), Defaults())
    with pytest.raises(InvalidField, match="'tlh' is not one of en, fr"):
        await ask_one(services, engine, Line(id=1, text="CVEC?", language="tlh"), Defaults())


async def test_a_language_may_be_written_in_capitals(services, engine):
    result = await ask_one(services, engine, Line(id=1, text="CVEC?"), Defaults(language="FR"))

    assert result["language"] == "fr"


def test_the_first_wrong_line_is_found_before_anything_is_asked(services, now):
    with services.database.write() as session:
        make_student(session, now, "Amina")
    right = Line(id=1, text="CVEC?", language="fr", student="amina@student.junia.com")
    check_lines(services, [right], Defaults())

    with pytest.raises(UnknownStudent, match=r"There is no student nobody@student\.junia\.com"):
        check_lines(services, [right, Line(id=2, text="CVEC?", student="nobody@student.junia.com")], Defaults())
    with pytest.raises(InvalidField, match="'tlh' is not one of en, fr"):
        check_lines(services, [right, Line(id=2, text="CVEC?", language="tlh")], Defaults())


def test_a_file_may_begin_with_a_byte_order_mark_and_must_be_utf8(tmp_path):
    file = tmp_path / "questions.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"id": 1, "text": "one"}\n')
    assert [line.text for line in read_lines(file)] == ["one"]

    file.write_bytes(b'{"id": 1, "text": "one"}\n{"id": 2, "text": "d\xe9j\xe0"}\n')
    with pytest.raises(InvalidField, match=r"questions\.jsonl, line 2: line: Invalid JSON"):
        list(read_lines(file))


def test_lines_are_read_in_order_and_a_wrong_one_is_named(tmp_path):
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": "b", "text": "one"}\n\n{"id": 2, "text": "two", "today": "2026-09-15"}\n', encoding="utf-8")
    assert [(line.id, line.text, line.today) for line in read_lines(file)] == [
        ("b", "one", None),
        (2, "two", date(2026, 9, 15)),
    ]

    file.write_text('{"id": 1, "text": "one"}\n{"id": 2}\n', encoding="utf-8")
    with pytest.raises(InvalidField, match=r"questions\.jsonl, line 2: text: Field required"):
        list(read_lines(file))


def test_the_probes_rows_leave_rasas_database_and_the_students_stay(tmp_path):
    file = tmp_path / "rasa.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE events (sender_id TEXT)")
        connection.executemany("INSERT INTO events VALUES (?)", [("probe-1",), ("9aed6bad",), ("probe-2",)])
    connection.close()

    forget_probes(file)
    forget_probes(tmp_path / "missing.db")

    connection = sqlite3.connect(file)
    assert connection.execute("SELECT sender_id FROM events").fetchall() == [("9aed6bad",)]
    connection.close()
