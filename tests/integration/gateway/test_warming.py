"""What is loaded beside the requests."""

import asyncio
from contextlib import closing, suppress

from bot.answers import search
from bot.bootstrap import build_services
from bot.config import Settings
from bot.gateway import warming
from tests.integration.console.desk import desk_services


async def test_the_search_is_loaded_before_the_first_colleague_searches(tmp_path, monkeypatch):
    monkeypatch.setattr(warming, "AFTER_START", 0)
    monkeypatch.setattr(warming, "LOOK_EVERY", 0.01)
    loaded, is_loaded = [], asyncio.Event()

    def by_meaning(models):
        loaded.append(models)
        loop.call_soon_threadsafe(is_loaded.set)

    monkeypatch.setattr(warming, "by_meaning", by_meaning)
    loop = asyncio.get_running_loop()
    services = build_services(Settings(data=tmp_path, _env_file=None))
    with closing(services.database):
        task = asyncio.create_task(warming.warm_search(services))
        await is_loaded.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert isinstance(services.__dict__["words"], search.Words)
    assert loaded[0] == tmp_path / "models"


async def test_the_first_picture_of_the_radar_is_taken_before_anybody_looks(database, clock, monkeypatch):
    monkeypatch.setattr(warming, "LOOK_AT_RADAR_EVERY", 0)
    services = desk_services(database, clock)
    is_taken = asyncio.Event()
    loop = asyncio.get_running_loop()
    take = services.radar.picture

    def picture(now):
        taken = take(now)
        loop.call_soon_threadsafe(is_taken.set)
        return taken

    monkeypatch.setattr(services.radar, "picture", picture)
    task = asyncio.create_task(warming.warm_radar(services))
    await is_taken.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert services.radar._picture.at == clock.now()
