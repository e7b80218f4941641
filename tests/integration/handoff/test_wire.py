"""Server-sent events read from the table: nothing missing, nothing twice, whatever happens in between."""

import asyncio
import json

import pytest

from bot.content.desks import DeskFile
from bot.conversations.live import Live
from bot.conversations.models import Author, Conversation
from bot.conversations.service import append
from bot.db.session import Database
from bot.handoff import wire
from bot.handoff.changes import edit, take_back
from bot.handoff.desks import Office
from bot.handoff.service import claim, reply
from bot.identity.models import Staff
from tests.factories import make_conversation, make_staff

OFFICE = Office({"office": DeskFile.model_validate({"name": {"en": "Office", "fr": "Bureau"}, "default": True})})


@pytest.fixture
def talk(database, now):
    with database.write() as session:
        return make_conversation(session, now).id


@pytest.fixture
def write(database, now, talk):
    def add(*texts: str) -> None:
        with database.write() as session:
            conversation = session.get_one(Conversation, talk)
            for text in texts:
                append(session, conversation, Author.BOT, text, now=now)

    return add


async def read(database, live, talk, *, after=0, count, during=lambda: None, seen=None):
    """The first `count` events of a stream as (name, id or data), put into `seen` as they come."""
    seen = [] if seen is None else seen
    async for chunk in wire.stream(database, live, talk, after=after):
        lines = dict(line.split(": ", 1) for line in chunk.strip().splitlines() if not line.startswith(":"))
        if not lines:
            during()
            continue
        seen.append((lines["event"], int(lines["id"]) if "id" in lines else json.loads(lines["data"])))
        if len(seen) == count:
            return seen
    return seen


async def begin(database, live, talk, *, after=0, count):
    """A stream that has told who has the conversation, and what comes of it while it goes on."""
    seen = []
    reading = asyncio.create_task(read(database, live, talk, after=after, count=count, seen=seen))
    await until(lambda: any(name == "control" for name, _ in seen))
    return reading, seen


async def until(is_so):
    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_a_stream_replays_what_was_missed_and_then_tells_who_has_it(database, clock, talk, write):
    write("one", "two", "three")

    seen = await read(database, Live(database, clock), talk, after=2, count=3)

    assert seen == [
        ("message", 3),
        ("message", 4),
        ("control", {"control": "bot", "staff_name": None, "position": None}),
    ]


async def test_what_is_written_while_the_stream_is_open_comes_once(database, clock, talk, write):
    live = Live(database, clock)
    reading, _ = await begin(database, live, talk, count=5)
    for text in ("one", "two", "three"):
        write(text)
        live.changed(talk)
        live.changed(talk)

    seen = await asyncio.wait_for(reading, 5)

    assert [event for event in seen if event[0] == "message"] == [("message", n) for n in (1, 2, 3, 4)]


async def test_a_writer_in_another_process_is_seen_within_two_seconds(database, clock, talk, write):
    live = Live(database, clock)
    watching = asyncio.create_task(live.watch())
    reading, _ = await begin(database, live, talk, after=1, count=2)
    write("from elsewhere")

    seen = await asyncio.wait_for(reading, 2.5)
    watching.cancel()

    assert seen[-1] == ("message", 2)


async def test_a_claim_is_told_with_the_name(database, clock, now, talk):
    live = Live(database, clock)
    reading, _ = await begin(database, live, talk, after=1, count=3)
    with database.write() as session:
        claim(session, talk, make_staff(session, now), now)
    live.changed(talk)

    seen = await asyncio.wait_for(reading, 5)

    assert seen[-1] == ("control", {"control": "staff", "staff_name": "Claire", "position": None})


async def test_typing_is_signalled_without_an_id(database, clock, talk):
    live = Live(database, clock)
    reading, _ = await begin(database, live, talk, after=1, count=2)
    live.typing(talk, "staff", on=True)

    assert (await asyncio.wait_for(reading, 5))[-1] == ("typing", {"author": "staff", "on": True})


async def test_a_closing_process_ends_its_streams(database, clock, talk):
    live = Live(database, clock)
    reading, _ = await begin(database, live, talk, after=1, count=99)
    live.close()

    assert await asyncio.wait_for(reading, 5) == [("control", {"control": "bot", "staff_name": None, "position": None})]


async def test_a_stream_ends_quietly_when_the_database_goes_away_or_the_talk_is_erased(database, clock, talk, tmp_path):
    live = Live(database, clock)
    reading, _ = await begin(database, live, talk, after=1, count=99)
    with database.write() as session:
        session.delete(session.get_one(Conversation, talk))
    live.changed(talk)

    assert len(await asyncio.wait_for(reading, 5)) == 1

    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'accueil.db'}")
    assert await asyncio.wait_for(read(away, live, talk, count=99), 5) == []
    away.close()


async def test_what_a_colleague_changes_is_told_again_and_to_whoever_comes_back(database, clock, now, talk):
    live = Live(database, clock)
    with database.write() as session:
        claire = make_staff(session, now)
        seq = reply(session, talk, claire, "first", "Come at nine", now).message.seq
    reading, so_far = await begin(database, live, talk, after=seq, count=3)
    with database.write() as session:
        edit(session, talk, seq, session.get_one(Staff, claire.id), "Come at ten", now)
    live.changed(talk)
    await until(lambda: so_far[-1][0] == "edited")
    with database.write() as session:
        take_back(session, talk, seq, session.get_one(Staff, claire.id), now)
    live.changed(talk)

    seen = await asyncio.wait_for(reading, 5)
    again = await read(database, live, talk, after=seq, count=1)

    told = [(name, event["text"]) for name, event in seen if name != "control"]
    assert told == [("edited", "Come at ten"), ("deleted", "This message was deleted.")]
    assert [(name, event["text"]) for name, event in again] == told[1:]
