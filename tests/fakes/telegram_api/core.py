"""What the parts of the server share: the world, the faults, what was asked, and a bell for who waits."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_api.faults import Faults
from tests.fakes.telegram_api.state import Update, World

TOKEN = "110000001:sandbox-token-of-the-fake-bot-api00"
TOKEN_SHAPE = re.compile(r"(\d{1,15}):[A-Za-z0-9_-]{30,60}")


@dataclass
class Call:
    """A call of the Bot API: what was asked and what came back (`status` 0: the connection was cut instead)."""

    method: str
    params: dict[str, Any]
    at: float
    status: int
    description: str = ""
    result: Any = None


class Bell:
    """Wakes all who wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._event.wait(), max(0.0, seconds))
        except TimeoutError:
            return


@dataclass
class Core:
    token: str = TOKEN
    now: Callable[[], float] = time.time
    faults: Faults = field(default_factory=Faults)
    calls: list[Call] = field(default_factory=list)
    bell: Bell = field(default_factory=Bell)
    echoes: list[Update] = field(default_factory=list)
    """Updates that the bot has acknowledged and gets again all the same."""
    desk: str = ""
    """Where the bot's own pages are; no slash at the end."""
    poll: int = 0
    """Number of the look for updates that may wait; an earlier one ends."""
    world: World = field(init=False)

    def __post_init__(self) -> None:
        shape = TOKEN_SHAPE.fullmatch(self.token)
        if shape is None:
            raise ValueError("A token is a number, a colon and 30 to 60 letters, digits, - or _")
        self.world = World(bot_id=int(shape[1]))
        self.world.befalls = self._befall

    def _befall(self, update: Update) -> None:
        now = self.now()
        if (fault := self.faults.of_update("delay", now, update.chat)) is not None:
            update.ready_at = now + fault.seconds
        if (fault := self.faults.of_update("repeat", now, update.chat)) is not None:
            update.repeats = fault.count
