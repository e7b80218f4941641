"""The engine port over Rasa's REST channel."""

import asyncio
from datetime import date
from typing import Any

import httpx

from bot.assistant.ports import TurnFailed
from bot.conversations.messages import Answer
from encoder import handing


class RasaEngine:
    """Rasa on loopback. A circuit breaker is not needed: the time-out is short and turns of one talk are serial."""

    def __init__(self, url: str, timeout: float) -> None:
        # No certificate store to read and no proxy to go through: everything is on loopback.
        self._client = httpx.AsyncClient(base_url=url, timeout=timeout, verify=False, trust_env=False)  # noqa: S501

    async def ask(self, sender: str, text: str, *, language: str, today: date, metadata: dict[str, Any]) -> Answer:
        if handing.KEY not in metadata:
            metadata = {**metadata, handing.KEY: await asyncio.to_thread(handing.handed, text)}
        body = {
            "sender": sender,
            "message": text,
            "metadata": {"language": language, "today": today.isoformat(), **metadata},
        }
        try:
            response = await self._client.post("/webhooks/rest/webhook", json=body)
            response.raise_for_status()
            messages = response.json()
        except httpx.HTTPError as error:
            raise TurnFailed(f"the engine gave no answer ({type(error).__name__})") from error
        except ValueError as error:
            raise TurnFailed("the engine's answer is not JSON") from error
        return answer_in(messages)

    async def close(self) -> None:
        await self._client.aclose()


def answer_in(messages: Any) -> Answer:
    """Exactly one custom message is expected: the REST channel hides every error behind an empty list.

    Raises:
        TurnFailed: that is not what came.
    """
    try:
        envelopes = [message["custom"] for message in messages if "custom" in message]
        if len(envelopes) != 1:
            raise TurnFailed(f"the engine sent {len(envelopes)} envelopes")
        return Answer.from_json(envelopes[0])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TurnFailed("the engine's answer is not an envelope") from error
