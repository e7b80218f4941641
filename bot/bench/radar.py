"""`accueil bench radar`: how long the radar takes over a large intake and a year of messages."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from bot.bench.desk import machine, percentile, say_table
from bot.clock import SystemClock, day_in_france
from bot.config import ROOT
from bot.content.schema import DeskHours
from bot.conversations.models import Author, Control, Conversation, Kind, Message
from bot.db.session import Database
from bot.handoff.models import Case, Reason
from bot.paperwork.models import StepDone
from bot.paperwork.rules import french_holidays
from bot.paperwork.schema import load_procedures
from bot.radar.queries import figures_of_weeks
from bot.radar.rules import By, counted
from bot.radar.service import keep_weeks
from bot.radar.watch import Watch
from bot.radar.weeks import WEEK
from bot.students.models import Student
from bot.tables import METADATA

SEED = 7
A_YEAR = 52
PER_TALK = 10
"""Messages of one conversation, those of the student and the replies."""
AT_ONCE = 10_000
TOPICS = ("cvec", "validate_visa", "housing_aid", "bank_account", "french_classes", "buddy", "transport", "lease")
HOURS = [DeskHours(weekday=day, opens="09:00", closes="17:00") for day in range(5)]
READS = 20


def bench_radar(students: int, messages: int, address: str, say: Callable[[str], None]) -> None:
    """Fill an empty database with made-up rows and read it as the page does; `address` empty: SQLite, thrown away."""
    with tempfile.TemporaryDirectory(prefix="accueil-bench-") as name:
        database = Database(address or f"sqlite:///{Path(name) / 'bench.db'}")
        with closing(database):
            METADATA.create_all(database.engine.execution_options(writes=True))
            now = SystemClock().now()
            say(f"Making {students} students and {messages} messages …")
            fill(database, students, messages, now)
            say_table(say, list(_measured(database, now)))
    say(machine())


def _measured(database: Database, now: datetime) -> Iterator[tuple[str, str]]:
    watch = Watch(database, load_procedures(ROOT / "knowledge" / "procedures"))
    # The calendar of holidays is read at the first need; a gateway that runs has it.
    french_holidays(day_in_france(now).year)
    began, cpu = time.monotonic(), time.process_time()
    picture = watch.picture(now)
    yield (
        f"who is stuck, {len(picture.students)} students, first of the day",
        f"{time.monotonic() - began:.2f} s ({time.process_time() - cpu:.2f} s of one core)",
    )
    began = time.monotonic()
    picture = watch.picture(now + timedelta(minutes=2))
    yield "the same two minutes later", f"{time.monotonic() - began:.2f} s"
    began = time.monotonic()
    for by in By:
        counted(picture.students, picture.stuck, by)
    yield "counting and hiding, four groupings", f"{(time.monotonic() - began) * 1000:.0f} ms"
    began = time.monotonic()
    kept = keep_weeks(database, HOURS, now)
    took = time.monotonic() - began
    yield (
        "keeping the weeks that are over, once",
        f"{took:.1f} s, {len(kept)} weeks, {took / max(1, len(kept)):.2f} s each",
    )
    today, times = day_in_france(now), []
    for _ in range(READS):
        began = time.monotonic()
        with database.read() as session:
            figures_of_weeks(session, today - WEEK * (A_YEAR - 1), today, HOURS)
        times.append((time.monotonic() - began) * 1000)
    times.sort()
    yield (
        "a year of weeks as the page reads it",
        f"median {percentile(times, 50):.0f} ms, p95 {percentile(times, 95):.0f} ms",
    )


def fill(database: Database, students: int, messages: int, now: datetime) -> None:
    """Made-up students with some of their steps done, and conversations spread over a year."""
    chance = random.Random(SEED)  # noqa: S311  (made-up people, not a secret)
    slugs = [str(each.slug) for each in load_procedures(ROOT / "knowledge" / "procedures")]
    with database.write() as session:
        for number in range(students):
            student = _student(number, now, chance)
            session.add(student)
            session.flush()
            session.add_all(
                StepDone(student_id=student.id, step=slug, done_on=day_in_france(now), recorded_at=now)
                for slug in chance.sample(slugs, chance.randrange(len(slugs)))
            )
    talks = max(1, messages // PER_TALK)
    for begin in range(0, talks, AT_ONCE // PER_TALK):
        rows: dict[Any, list[dict[str, Any]]] = {Conversation: [], Message: [], Case: []}
        for number in range(begin, min(talks, begin + AT_ONCE // PER_TALK)):
            _talk(number, talks, now, chance, rows)
        with database.write() as session:
            for table, found in rows.items():
                if found:
                    session.execute(insert(table), found)


def _student(number: int, now: datetime, chance: random.Random) -> Student:
    start = day_in_france(now) - timedelta(days=chance.choice((30, 90, 90, 90, 270)) + chance.randrange(10))
    facts = {
        "campus": chance.choice(("lille", "lille", "lille", "bordeaux", "chateauroux")),
        "programme_type": chance.choice(("exchange", "degree", "double_degree")),
        "nationality": [chance.choice(("MA", "IN", "CN", "BR", "DE", "DZ"))],
        "programme_start": start,
        "programme_end": start + timedelta(days=280),
        "enrolment_date": start,
        "birth_date": date(2004, 1, 1) + timedelta(days=chance.randrange(1000)),
        "document_held": "vls_ts",
        "visa_start": start - timedelta(days=5),
        "visa_expiry": start + timedelta(days=360),
        "date_of_entry": start - timedelta(days=3),
        "date_of_entry_kind": "real",
        "housing_status": "crous",
        "lease_start": start,
        "guarantor": "none",
        "bank_account": "none",
        "health_cover": "none",
    }
    return Student(
        email=f"student{number}@student.junia.com",
        given_name=f"Given{number}",
        family_name=f"Family{number}",
        language=chance.choice(("en", "en", "fr", "es", "zh")),
        facts={name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()},
        created_at=now - timedelta(days=100),
        updated_at=now,
    )


def _talk(number: int, talks: int, now: datetime, chance: random.Random, rows: dict[Any, list[dict[str, Any]]]) -> None:
    at = now - timedelta(days=7 * A_YEAR) * (1 - number / talks) - timedelta(hours=chance.randrange(24))
    talk_id = UUID(int=chance.getrandbits(128), version=4)
    language = chance.choice(("en", "en", "en", "fr", "fr", "es", "zh", "ar"))
    rows[Conversation].append(
        {
            "id": talk_id,
            "control": Control.BOT,
            "version": 1,
            "last_seq": PER_TALK,
            "channel": "web",
            "language": language,
            "language_chosen": False,
            "told": {},
            "abstentions": 0,
            "created_at": at,
            "updated_at": at,
        }
    )
    for place in range(PER_TALK // 2):
        asked_at = at + timedelta(minutes=2 * place)
        common = {"conversation_id": talk_id, "kind": Kind.TEXT, "language": language, "buttons": [], "sources": []}
        rows[Message].append(
            {
                **common,
                "seq": 2 * place + 1,
                "author": Author.STUDENT,
                "text": "A made-up question. " * chance.randrange(1, 6),
                "in_reply_to": None,
                "understanding": None,
                "created_at": asked_at,
            }
        )
        is_answer = chance.random() < 0.85
        rows[Message].append(
            {
                **common,
                "seq": 2 * place + 2,
                "author": Author.BOT,
                "text": "A made-up answer. " * chance.randrange(5, 40),
                "in_reply_to": 2 * place + 1,
                "understanding": {
                    "intent": "ask/cvec",
                    "confidence": 0.9,
                    "action": "answer" if is_answer else "abstain",
                    "topic": chance.choice(TOPICS) if is_answer else None,
                    "topics": [],
                    "group": "ask",
                    "candidates": [],
                },
                "created_at": asked_at + timedelta(seconds=chance.uniform(0.1, 2)),
            }
        )
    if chance.random() < 0.1:
        waited = timedelta(minutes=chance.expovariate(1 / 90))
        rows[Case].append(
            {"conversation_id": talk_id, "reason": Reason.ASKED, "opened_at": at, "claimed_at": at + waited}
        )
