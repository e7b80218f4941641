"""What the turn needs from the engine."""

from datetime import date
from typing import Any, Protocol

from bot.conversations.messages import Answer
from bot.errors import AccueilError


class TurnFailed(AccueilError):
    """The engine gave no answer: an error, a time-out, or Rasa's `200 []`."""

    code = "turn_failed"


class Engine(Protocol):
    async def ask(self, sender: str, text: str, *, language: str, today: date, metadata: dict[str, Any]) -> Answer:
        """One question to the engine. `text` is clean; an identity is never among the metadata.

        Raises:
            TurnFailed: no answer came.
        """
        ...
