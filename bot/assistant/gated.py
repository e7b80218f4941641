"""The engine behind a gate: while it is started again on another model, nothing is asked and nothing is lost."""

from datetime import date
from typing import Any

from bot.assistant.ports import Engine
from bot.conversations.messages import Answer
from bot.upkeep.switching import Gate


class EngineRests(Exception):
    """The message stays in the inbox; the next sweep asks again. No TurnFailed: the student must not hear of it."""


class GatedEngine:
    """The Engine port; `ask` raises EngineRests while the gate is closed."""

    def __init__(self, engine: Engine, gate: Gate) -> None:
        self._engine, self._gate = engine, gate

    async def ask(self, sender: str, text: str, *, language: str, today: date, metadata: dict[str, Any]) -> Answer:
        if not self._gate.is_open:
            raise EngineRests
        with self._gate.asking():
            return await self._engine.ask(sender, text, language=language, today=today, metadata=metadata)
