"""What a lane does when things go wrong that nobody foresaw."""

import asyncio
import time
from uuid import UUID

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.answers.urgent import build_door
from bot.assistant import lanes as lanes_module
from bot.assistant import turn
from bot.assistant.lanes import Lanes
from bot.conversations.live import Live
from bot.conversations.messages import Answer
from bot.conversations.models import Alert
from bot.handoff.service import claim
from tests.factories import make_conversation, make_staff, receive, transcript
from tests.fakes import OFFICE, TALK, FakeEngine, plain_answer


@pytest.fixture
def talk(database, now) -> UUID:
    with database.write() as session:
        return make_conversation(session, now).id


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def lanes(database, clock, engine, knowledge) -> Lanes:
    return Lanes(database, engine, build_door(knowledge.urgent), knowledge, Live(database, clock), clock, TALK, OFFICE)


async def finished(lanes: Lanes, talk: UUID) -> None:
    lanes.wake(talk)
    await lanes._tasks[talk]


async def test_a_lane_that_cannot_even_say_sorry_is_logged_and_leaves_the_message(
    database, talk, now, lanes, monkeypatch
):
    def broken(*_arguments: object) -> None:
        raise RuntimeError("amina wrote something")

    with database.write() as session:
        receive(session, talk, "What is the CVEC?", now)
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(lanes_module, "commit", broken)
        await finished(lanes, talk)
    await finished(lanes, talk)

    assert [log["event"] for log in logs] == ["turn_failed"] * 3 + ["lane_failed"]
    with database.read() as session:
        assert len(transcript(session, talk)) == 3


async def test_what_cannot_be_answered_while_a_colleague_has_it_is_left_to_them_once(
    database, talk, now, lanes, monkeypatch
):
    async def broken(*_arguments: object) -> None:
        raise RuntimeError("a fault nobody foresaw")

    with database.write() as session:
        claim(session, talk, make_staff(session, now), now)
        receive(session, talk, "What is the CVEC?", now)
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(lanes_module, "compute", broken)
        await asyncio.wait_for(finished(lanes, talk), 10)

    assert [log["event"] for log in logs] == ["turn_failed"] * 3
    with database.read() as session:
        assert [author for author, _ in transcript(session, talk)] == ["bot", "system", "student"]
        assert session.scalars(select(Alert.kind)).all() == ["failed_turn"]


async def test_several_slow_parts_do_not_let_the_student_wait_longer_than_one(
    database, talk, now, lanes, engine, monkeypatch
):
    async def slow(*_arguments: object, **_named: object) -> Answer:
        await asyncio.sleep(1.5)
        return plain_answer("late")

    monkeypatch.setattr(turn, "LONGEST_TURN", 2.0)
    monkeypatch.setattr(engine, "ask", slow)
    with database.write() as session:
        receive(session, talk, "What is the CVEC? And how do I find a room? When is the welcome session?", now)
    began = time.monotonic()
    await finished(lanes, talk)

    # Three parts would take 4.5 seconds.
    assert time.monotonic() - began < 4
    with database.read() as session:
        assert "something is not working on my side" in str(transcript(session, talk)[-1])
