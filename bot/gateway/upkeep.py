"""Beside the requests: questions are grouped, a training that was asked for runs, the engine changes its model."""

import asyncio
from contextlib import suppress

from bot.bootstrap import Services
from bot.errors import Unavailable
from bot.upkeep.gathering import Gatherer
from bot.upkeep.switching import Switcher
from bot.upkeep.trainer import Trainer

LOOK_EVERY = 1.0
"""Seconds between two looks for a training or a switch that is asked for."""
GATHER_EVERY = 600.0
"""Seconds between two gatherings of questions."""
FIRST_GATHERING = 30.0
"""Seconds after the start: it must not slow down the first answers."""


async def gather_questions(services: Services) -> None:
    """For ever; a database that is away is tried again."""
    gatherer = Gatherer(services.database, services.settings.data / "upkeep")
    await asyncio.sleep(FIRST_GATHERING)
    while True:
        with suppress(Unavailable):
            await asyncio.to_thread(gatherer.gather, services.clock.now())
        await asyncio.sleep(GATHER_EVERY)


async def train_when_asked(services: Services) -> None:
    """For ever, one training at a time."""
    settings = services.settings
    environment = {"ACCUEIL_DATA": str(settings.data)}
    trainer = Trainer(
        services.database, services.clock, settings.data / "models", settings.root, environment=environment
    )
    while True:
        with suppress(Unavailable):
            await trainer.step()
        await asyncio.sleep(LOOK_EVERY)


async def switch_when_asked(services: Services, switcher: Switcher) -> None:
    """For ever."""
    while True:
        with suppress(Unavailable):
            await switcher.step(services.clock.now())
        await asyncio.sleep(LOOK_EVERY)
