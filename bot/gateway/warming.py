"""What the first colleague who searches beside a conversation would else wait for, loaded beside the requests."""

import asyncio

from bot.answers.search import by_meaning
from bot.bootstrap import Services

AFTER_START = 15.0
"""Seconds: the first answers to students come before it."""
LOOK_EVERY = 10.0
"""Seconds between two looks whether another model is in use."""


async def warm_search(services: Services) -> None:
    """For ever. The search and the urgent door share one encoder, which the door has loaded by then."""
    await asyncio.sleep(AFTER_START)
    await asyncio.to_thread(lambda: services.words)
    while True:
        await asyncio.to_thread(by_meaning, services.settings.data / "models")
        await asyncio.sleep(LOOK_EVERY)
