"""Wake whoever follows a conversation when it changes. The tables stay the record; this only says "look again"."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from bot.clock import Clock
from bot.conversations.queries import Stamp, stamps_since
from bot.db.session import Database
from bot.errors import Unavailable

LOOK_EVERY = 1.0
"""Seconds between two looks at the table, which catch writers in other processes."""
OVERLAP = timedelta(seconds=10)
"""How far back a look goes: clocks of two machines differ, and a transaction commits after its time stamp."""


@dataclass(eq=False)
class Subscription:
    """One follower. `typing` holds what was signalled since the last look: (author, on)."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    typing: list[tuple[str, bool]] = field(default_factory=list)

    async def wait(self, seconds: float) -> None:
        """Return at the next change, or after so many seconds."""
        try:
            # Not wait_for, which loses a cancellation that comes together with the event.
            async with asyncio.timeout(seconds):
                await self.event.wait()
        except TimeoutError:
            return
        self.event.clear()

    def take_typing(self) -> list[tuple[str, bool]]:
        taken, self.typing = self.typing, []
        return taken


class Live:
    """Followers by conversation; `None` follows every conversation (the console's list)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._followers: dict[UUID | None, set[Subscription]] = {}
        self._stamps: dict[UUID, tuple[int, int]] = {}
        self.closing = False
        self.arrived: Callable[[UUID], None] = lambda _conversation_id: None
        """Called when a channel has stored a message: the lanes take it up. Nothing is lost without it, only later."""
        self.typed: Callable[[UUID, str, bool], None] = lambda _conversation_id, _author, _on: None
        """Called when somebody begins (True) or ends to type: a messenger shows it in its own way."""

    @contextmanager
    def subscribe(self, conversation_id: UUID | None) -> Iterator[Subscription]:
        subscription = Subscription()
        self._followers.setdefault(conversation_id, set()).add(subscription)
        try:
            yield subscription
        finally:
            followers = self._followers[conversation_id]
            followers.discard(subscription)
            if not followers:
                del self._followers[conversation_id]

    def changed(self, conversation_id: UUID) -> None:
        """Call in the event loop, after the transaction has committed."""
        for key in (conversation_id, None):
            for subscription in self._followers.get(key, ()):
                subscription.event.set()

    def typing(self, conversation_id: UUID, author: str, *, on: bool) -> None:
        self.typed(conversation_id, author, on)
        for subscription in self._followers.get(conversation_id, ()):
            subscription.typing.append((author, on))
            subscription.event.set()

    def close(self) -> None:
        """Let every follower end: the process stops."""
        self.closing = True
        for followers in self._followers.values():
            for subscription in followers:
                subscription.event.set()

    async def watch(self) -> None:
        """Look at the table once a second, for ever; a database that is away is looked at again."""
        while True:
            try:
                since = self._clock.now() - OVERLAP
                for stamp in await asyncio.to_thread(self._look, since):
                    seen = (stamp.last_seq, stamp.version)
                    if self._stamps.get(stamp.conversation_id) != seen:
                        self._stamps[stamp.conversation_id] = seen
                        self.changed(stamp.conversation_id)
                if len(self._stamps) > 10_000:
                    self._stamps.clear()
            except Unavailable:
                pass
            await asyncio.sleep(LOOK_EVERY)

    def _look(self, since: datetime) -> Sequence[Stamp]:
        with self._database.read() as session:
            return stamps_since(session, since)
