"""Beside the requests: erasures become final by themselves, the purge runs once a day, a database away is no end."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.bootstrap import build_services
from bot.clock import FixedClock
from bot.config import Settings
from bot.errors import Unavailable
from bot.gateway import housekeeping
from bot.gateway.housekeeping import keep_house
from bot.identity.models import Erasure, SignInAttempt


@pytest.fixture
def services(database, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(housekeeping, "LOOK_EVERY", 0.01)
    settings = Settings(data=tmp_path, database_url=database.url, _env_file=None)
    built = build_services(settings, clock=clock)
    yield built
    built.database.close()


async def run_until(services, is_done) -> None:
    task = asyncio.create_task(keep_house(services))
    while not task.done() and not await asyncio.to_thread(is_done):
        await asyncio.wait([task], timeout=0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_an_erasure_that_is_old_enough_becomes_final(services, database, now):
    with database.write() as session:
        session.add(Erasure(address_hash="h", erased_at=now - timedelta(hours=1), senders=["somebody"]))

    def is_final() -> bool:
        with database.read() as session:
            return session.scalars(select(Erasure.senders)).all() == [[]]

    await run_until(services, is_final)

    assert is_final()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_the_purge_waits_after_the_start_and_then_runs_by_the_clock_of_the_desk(
    services, database, clock: FixedClock, now, monkeypatch
):
    with database.write() as session:
        session.add(SignInAttempt(key="link:h", at=now - timedelta(days=2)))
    looks = 0

    def attempts() -> int:
        with database.read() as session:
            return session.scalar(select(func.count()).select_from(SignInAttempt))

    def looked_thrice() -> bool:
        nonlocal looks
        looks += 1
        return looks == 3

    await run_until(services, looked_thrice)
    early = attempts()
    monkeypatch.setattr(housekeeping, "FIRST_PURGE", 0.0)
    await run_until(services, lambda: attempts() == 0)

    assert (early, attempts()) == (1, 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_database_that_is_away_is_asked_again(services, monkeypatch):
    asked = []

    def away(*_arguments) -> int:
        asked.append(1)
        raise Unavailable

    monkeypatch.setattr(housekeeping, "finish_erasures", away)

    await run_until(services, lambda: len(asked) >= 2)

    assert len(asked) >= 2
