"""The Bot API as a client: python-telegram-bot on the server of the settings."""

import asyncio
import hashlib
import hmac
import logging
import os
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bot.config import LOOPBACK_HOSTS, Settings
from bot.log import get_logger

log = get_logger(__name__)

# How long to wait comes as a timedelta, as the next major version of the library gives it; without this it warns.
os.environ.setdefault("PTB_TIMEDELTA", "true")
# The library repeats what it could not read, which is what students wrote; what is wrong is raised as well.
logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)

CALL = 10.0
"""Seconds one step of a call may take."""
POLL = 25
"""Seconds a look for updates waits for one."""
AT_LEAST = 0.5
"""Seconds between looks, where the server does not wait for updates."""
SIDE_BY_SIDE = 40
"""Open connections."""
UNREAD = frozenset({"editMessageReplyMarkup", "editMessageText"})
"""Methods whose answer, besides yes or no, nobody reads."""

Result = TypeVar("Result")


class Client(Bot):
    """The library's bot, with updates as they come: one that it cannot read must not stop all that follow."""

    async def raw_updates(self, offset: int | None, allowed: Sequence[str]) -> list[dict[str, Any]]:
        """Wait up to `POLL` seconds for updates from `offset` on. Raises TelegramError."""
        wanted = {"timeout": POLL, "allowed_updates": list(allowed), "offset": offset}
        asked = {name: each for name, each in wanted.items() if each is not None}
        clock = asyncio.get_running_loop().time
        begun = clock()
        found = list(await self._post("getUpdates", asked))
        if not found:
            await asyncio.sleep(max(0.0, AT_LEAST - (clock() - begun)))
        return found

    async def _post(self, endpoint: str, *args: Any, **more: Any) -> Any:
        """What other Bot API servers leave out must not matter where we do not read it.

        A message whose answer cannot be read was accepted all the same: to raise would send it again.
        """
        result = await super()._post(endpoint, *args, **more)
        if endpoint in UNREAD:
            return True
        if endpoint in ("sendMessage", "sendDocument"):
            return _accepted(result)
        return {"is_bot": True, **result} if endpoint == "getMe" else result


def _accepted(result: Any) -> Any:
    """Of a message that was sent nothing but its number; True where the server gave none."""
    number = result.get("message_id") if isinstance(result, dict) else None
    if not isinstance(number, int):
        return True
    return {"message_id": number, "date": 0, "chat": {"id": 0, "type": "private"}}


def number_of(settings: Settings) -> str:
    """Which bot we are: the number before the colon of its token."""
    return settings.telegram_token.get_secret_value().partition(":")[0]


def client_of(settings: Settings) -> Client:
    """The bot of the settings. Nothing is asked yet."""
    # What is on this machine is not asked for through the proxy of the house.
    is_here = any(f"//{host}" in settings.telegram_api_url for host in (*LOOPBACK_HOSTS, "[::1]"))
    extra = {"trust_env": not is_here}
    return Client(
        settings.telegram_token.get_secret_value(),
        base_url=f"{settings.telegram_api_url}/bot",
        base_file_url=f"{settings.telegram_api_url}/file/bot",
        request=HTTPXRequest(SIDE_BY_SIDE, CALL, CALL, CALL, CALL, httpx_kwargs=extra),
        get_updates_request=HTTPXRequest(2, POLL + CALL, CALL, CALL, CALL, httpx_kwargs=extra),
    )


def webhook_secret(settings: Settings) -> str:
    """What Telegram sends with every call of the webhook: only who knows the token can make it."""
    token = settings.telegram_token.get_secret_value().encode()
    return hmac.new(token, b"accueil webhook", hashlib.sha256).hexdigest()


async def quietly(what: str, call: Coroutine[Any, Any, Result]) -> Result | None:
    """Something that may fail without harm: the wheel on a button, "is typing", a keyboard that stays."""
    try:
        return await call
    except (TelegramError, OSError) as error:
        log.info("telegram_call_failed", call=what, error=type(error).__name__)
        return None
