"""Lanes: one turn at a time per conversation, in order of arrival; different conversations run side by side."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from bot.answers.urgent import UrgentDoor
from bot.answers.words import failed
from bot.assistant.gated import EngineRests
from bot.assistant.ports import Engine
from bot.assistant.turn import Outcome, Snapshot, Superseded, commit, compute, compute_without_prompt, load, settle
from bot.clock import Clock
from bot.content.loader import Knowledge
from bot.conversations.deeds import Deeds
from bot.conversations.live import Live
from bot.conversations.models import Control
from bot.conversations.queries import pending_conversations
from bot.db.session import Database
from bot.errors import Unavailable
from bot.handoff.desks import Office
from bot.handoff.tending import requeue_if_absent
from bot.log import get_logger

log = get_logger(__name__)

SIDE_BY_SIDE = 8
SWEEP_EVERY = 1.0
"""Seconds between two looks for messages that nobody announced: a restart, another process, a lane that gave up."""
MOST_TRIES = 3
"""After so many unexpected errors the student hears the honest sentence instead of nothing."""


@dataclass
class Lanes:
    """The runner of turns. `wake` after every stored message; `run` sweeps for what was missed, a restart included."""

    database: Database
    engine: Engine
    door: UrgentDoor
    knowledge: Knowledge
    live: Live
    clock: Clock
    deeds: Deeds
    office: Office

    def __post_init__(self) -> None:
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._again: set[UUID] = set()
        self._places = asyncio.Semaphore(SIDE_BY_SIDE)

    def wake(self, conversation_id: UUID) -> None:
        if conversation_id in self._tasks:
            self._again.add(conversation_id)
            return
        task = asyncio.create_task(self._lane(conversation_id), name=f"lane {conversation_id}")
        self._tasks[conversation_id] = task

    async def run(self) -> None:
        """For ever: take up what is in the inbox."""
        while True:
            with suppress(Unavailable):
                for conversation_id in await asyncio.to_thread(self._pending):
                    self.wake(conversation_id)
            await asyncio.sleep(SWEEP_EVERY)

    async def stop(self) -> None:
        """Let running turns end for a moment; what is left stays in the inbox for the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=5)
        for task in self._tasks.values():
            task.cancel()

    def _pending(self) -> list[UUID]:
        with self.database.read() as session:
            return list(pending_conversations(session))

    async def _lane(self, conversation_id: UUID) -> None:
        try:
            while True:
                self._again.discard(conversation_id)
                async with self._places:
                    while await self._turn(conversation_id):
                        pass
                if conversation_id not in self._again:
                    return
        except Unavailable:
            log.warning("database_away", conversation=str(conversation_id))
        except Exception:
            # The message stays in the inbox; the next sweep takes it up.
            log.exception("lane_failed", conversation=str(conversation_id))
        finally:
            del self._tasks[conversation_id]

    async def _turn(self, conversation_id: UUID) -> bool:
        """One message; False when there is none left."""
        snapshot = await asyncio.to_thread(load, self.database, conversation_id)
        if snapshot is None:
            return False
        if snapshot.control == Control.STAFF and await asyncio.to_thread(
            requeue_if_absent, self.database, self.office, conversation_id, self.clock.now()
        ):
            # The message is taken up again, now by the bot.
            self.live.changed(conversation_id)
            return True
        speaks = snapshot.control != Control.STAFF
        if speaks:
            self.live.typing(conversation_id, "bot", on=True)
        try:
            for attempt in range(1, MOST_TRIES + 1):
                try:
                    await self._answer(snapshot)
                    break
                except Superseded:
                    break
                except EngineRests:
                    return False
                except Unavailable:
                    raise
                except Exception:
                    log.exception("turn_failed", conversation=str(conversation_id), attempt=attempt)
                    if attempt == MOST_TRIES:
                        await self._give_up(snapshot)
                    else:
                        await asyncio.sleep(0.2 * attempt)
        finally:
            if speaks:
                self.live.typing(conversation_id, "bot", on=False)
            self.live.changed(conversation_id)
        return True

    async def _answer(self, snapshot: Snapshot) -> None:
        now = self.clock.now()
        outcome = await compute(self.engine, self.door, self.knowledge, snapshot, now)
        if outcome is None:
            if await asyncio.to_thread(settle, self.database, self.deeds, snapshot, self.clock.now()):
                return
            outcome = await compute_without_prompt(self.engine, self.knowledge, snapshot, now)
        await asyncio.to_thread(commit, self.database, self.deeds, snapshot, outcome, self.clock.now())

    async def _give_up(self, snapshot: Snapshot) -> None:
        # While a colleague has the conversation nothing is said, and the message is theirs to read.
        words = None if snapshot.control == Control.STAFF else failed(snapshot.language)
        outcome = Outcome(words, snapshot.language, alert="failed_turn")
        with suppress(Superseded):
            await asyncio.to_thread(commit, self.database, self.deeds, snapshot, outcome, self.clock.now())
