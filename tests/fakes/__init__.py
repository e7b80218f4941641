"""Fakes we own: an engine that answers, fails or waits as it is told."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

from bot.assistant.deeds import talk_deeds
from bot.assistant.ports import TurnFailed
from bot.content.desks import DeskFile
from bot.conversations.messages import Answer, Effect, Understanding
from bot.handoff.desks import Office


def plain_answer(text: str, action: str = "answer", topic: str | None = "cvec") -> Answer:
    return Answer(text, Understanding("ask/cvec", 0.9, action, topic if action == "answer" else None, (), "paperwork"))


def asks_for_person(text: str = "A person comes.") -> Answer:
    understanding = Understanding("handoff", 0.9, "handoff", group="human")
    return Answer(text, understanding, effects=(Effect("request_person", {"reason": "asked"}),))


OFFICE = Office({"office": DeskFile.model_validate({"name": {"en": "Office", "fr": "Bureau"}, "default": True})})
"""One desk, whose hours nobody knows."""
TALK = talk_deeds(OFFICE)


class FakeEngine:
    """Answers "echo: <text>" unless told otherwise; `asked` keeps what reached it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.metadata: list[dict[str, Any]] = []
        self.answer: Callable[[str], Answer] = lambda text: plain_answer(f"echo: {text}")
        self.fails = False
        self.gate: asyncio.Event | None = None

    async def ask(self, sender: str, text: str, *, language: str, today: date, metadata: dict[str, Any]) -> Answer:
        self.asked.append(text)
        self.metadata.append(metadata)
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise TurnFailed("as told")
        return self.answer(text)
