"""What the first colleague of the day would else wait for, made beside the requests: the search, the radar."""

import asyncio
from contextlib import suppress

from bot.answers.search import by_meaning
from bot.bootstrap import Services
from bot.errors import Unavailable

AFTER_START = 15.0
"""Seconds: the first answers to students come before it."""
LOOK_EVERY = 10.0
"""Seconds between two looks whether another model is in use."""
LOOK_AT_RADAR_EVERY = 600.0
"""Seconds: the first picture of a day takes seconds, the ones after it a tenth of that."""


async def warm_search(services: Services) -> None:
    """For ever. The search and the urgent door share one encoder, which the door has loaded by then."""
    await asyncio.sleep(AFTER_START)
    await asyncio.to_thread(lambda: services.words)
    while True:
        await asyncio.to_thread(by_meaning, services.settings.data / "models")
        await asyncio.sleep(LOOK_EVERY)


async def warm_radar(services: Services) -> None:
    """For ever; a database that is away is tried again."""
    while True:
        await asyncio.sleep(LOOK_AT_RADAR_EVERY)
        with suppress(Unavailable):
            await asyncio.to_thread(services.radar.picture, services.clock.now())
