"""Beside the requests: traces of erased people are looked for until they are gone, what is over is purged daily."""

import asyncio
from contextlib import suppress

from bot.bootstrap import Services
from bot.conversations.search import forget_deleted
from bot.errors import Unavailable
from bot.log import get_logger
from bot.privacy.retention import purge
from bot.privacy.traces import finish_erasures
from bot.radar.service import keep_weeks

log = get_logger(__name__)

LOOK_EVERY = 15.0
"""Seconds between two looks for erasures that are not final."""
FIRST_PURGE = 600.0
"""Seconds after the start: it must not slow down the first answers."""
DAY = 86_400.0


async def keep_house(services: Services) -> None:
    """For ever; a database that is away is tried again."""
    time = asyncio.get_running_loop().time
    next_purge = time() + FIRST_PURGE
    while True:
        with suppress(Unavailable):
            now = services.clock.now()
            await asyncio.to_thread(finish_erasures, services.database, services.settings, now)
            if time() >= next_purge:
                # Before the purge: what is counted of a week outlasts its messages.
                await asyncio.to_thread(keep_weeks, services.database, services.knowledge.school.desk_hours, now)
                deleted = await asyncio.to_thread(purge, services.database, now)
                await asyncio.to_thread(forget_deleted, services.database)
                await asyncio.to_thread(services.database.empty_log)
                log.info("purged", **{name: count for name, count in deleted.items() if count})
                next_purge = time() + DAY
        await asyncio.sleep(LOOK_EVERY)
