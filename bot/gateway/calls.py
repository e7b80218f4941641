"""Beside the requests: colleagues who are not at the desk are called there, by mail and in their browsers."""

import asyncio
from contextlib import suppress

from bot.bootstrap import Services
from bot.calling.service import Desk, call_people
from bot.channels.push.channel import deliver_due, new_client, push_service_of
from bot.errors import Unavailable

LOOK_EVERY = 5.0
"""Seconds between two looks for somebody to call."""
SEND_EVERY = 1.0


async def call_staff(services: Services) -> None:
    """For ever; a database that is away is asked again."""
    while True:
        topics = {slug: topic.file for slug, topic in services.knowledge.topics.items()}
        desk = Desk(services.office, topics, services.live.is_at_desk, services.settings.address)
        with suppress(Unavailable):
            await asyncio.to_thread(call_people, services.database, desk, services.clock.now())
        await asyncio.sleep(LOOK_EVERY)


async def deliver_pushes(services: Services) -> None:
    """For ever, in a loop of its own: a push service that hangs holds up nothing but other messages of browsers."""
    async with new_client(services.settings) as client:
        service = push_service_of(client, services.settings)
        while True:
            if service is not None:
                with suppress(Unavailable):
                    await deliver_due(services.database, service, services.clock)
            await asyncio.sleep(SEND_EVERY)
