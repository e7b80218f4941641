"""Wake whoever follows a conversation when it changes. The tables stay the record; this only says "look again"."""

import asyncio
from collections import Counter
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


MOST_READERS = 50_000
"""Students remembered as reading; forgetting one costs a mail too many."""
VIEWING = timedelta(seconds=20)
"""How long a colleague counts as looking after the last sign of it."""
READING = timedelta(seconds=40)
"""How long a student counts as reading after their page last asked; an idle page asks every 15 to 30 seconds."""


@dataclass(frozen=True)
class Onlooker:
    """A colleague who has a conversation on the screen."""

    email: str
    name: str
    composing: bool
    seen_at: datetime


@dataclass(eq=False)
class Subscription:
    """One follower, with what was signalled since the last look.

    `typing`: (author, on); `looked_at`: conversations where other colleagues look on now; `moved`: the tables changed.
    """

    event: asyncio.Event = field(default_factory=asyncio.Event)
    typing: list[tuple[str, bool]] = field(default_factory=list)
    looked_at: set[UUID] = field(default_factory=set)
    moved: bool = False

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

    def take_looked_at(self) -> set[UUID]:
        taken, self.looked_at = self.looked_at, set()
        return taken

    def take_moved(self) -> bool:
        taken, self.moved = self.moved, False
        return taken


class Live:
    """Followers by conversation; `None` follows every conversation (the console's list)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._followers: dict[UUID | None, set[Subscription]] = {}
        self._stamps: dict[UUID, tuple[int, int, int]] = {}
        self._onlookers: dict[UUID, dict[str, Onlooker]] = {}
        self._read_at: dict[UUID, datetime] = {}
        self._at_desk: Counter[int] = Counter()
        self.closing = False
        self.arrived: Callable[[UUID], None] = lambda _conversation_id: None
        """Called when a channel has stored a message: the lanes take it up. Nothing is lost without it, only later."""
        self.typed: Callable[[UUID, str, bool], None] = lambda _conversation_id, _author, _on: None
        """Called when somebody begins (True) or ends to type: a messenger shows it in its own way."""

    @contextmanager
    def subscribe(self, *keys: UUID | None) -> Iterator[Subscription]:
        """One follower of these conversations; None is all of them, without who types."""
        subscription = Subscription()
        for key in keys:
            self._followers.setdefault(key, set()).add(subscription)
        try:
            yield subscription
        finally:
            for key in keys:
                followers = self._followers[key]
                followers.discard(subscription)
                if not followers:
                    del self._followers[key]

    def changed(self, conversation_id: UUID) -> None:
        """Call in the event loop, after the transaction has committed."""
        for key in (conversation_id, None):
            for subscription in self._followers.get(key, ()):
                subscription.moved = True
                subscription.event.set()

    def looks_on(self, conversation_id: UUID, email: str, name: str, *, composing: bool) -> None:
        """A colleague has this conversation on the screen; call again within 20 s for as long as that is so."""
        before = [(each.email, each.composing) for each in self.onlookers(conversation_id)]
        now = self._clock.now()
        self._onlookers.setdefault(conversation_id, {})[email] = Onlooker(email, name, composing, now)
        if before == [(each.email, each.composing) for each in self.onlookers(conversation_id)]:
            return
        for subscription in self._followers.get(None, ()):
            subscription.looked_at.add(conversation_id)
            subscription.event.set()

    def onlookers(self, conversation_id: UUID) -> list[Onlooker]:
        """Who looks on now, by address; forgets who went away."""
        since = self._clock.now() - VIEWING
        there = {key: each for key, each in self._onlookers.get(conversation_id, {}).items() if each.seen_at > since}
        self._onlookers[conversation_id] = there
        if not there:
            del self._onlookers[conversation_id]
        return [there[email] for email in sorted(there)]

    @contextmanager
    def open_page(self, staff_id: int) -> Iterator[None]:
        """A colleague has the list of conversations open in some browser for as long as the block lasts."""
        self._at_desk[staff_id] += 1
        try:
            yield
        finally:
            self._at_desk[staff_id] -= 1

    def is_at_desk(self, staff_id: int) -> bool:
        """Whether a page that calls by itself is open somewhere; of pages at this process."""
        return self._at_desk[staff_id] > 0

    def reads(self, conversation_id: UUID) -> None:
        """The student's page is open and has what there is."""
        if len(self._read_at) >= MOST_READERS:
            self._read_at.clear()
        self._read_at[conversation_id] = self._clock.now()

    def is_read(self, conversation_id: UUID) -> bool:
        """Whether the student has it on the screen now, as far as this process knows."""
        seen = self.read_at(conversation_id)
        return seen is not None and seen > self._clock.now() - READING

    def read_at(self, conversation_id: UUID) -> datetime | None:
        """When the student's page last asked, since this process runs."""
        return self._read_at.get(conversation_id)

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
                    seen = (stamp.last_seq, stamp.version, stamp.changes)
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
