"""Where Telegram calls us: the secret is checked, the update stored, then Telegram is told that we have it."""

import asyncio
import hmac
import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from bot.channels.telegram.channel import WEBHOOK_PATH, TelegramChannel
from bot.errors import Unavailable
from bot.log import get_logger

log = get_logger(__name__)

MOST_BYTES = 1024 * 1024
"""Of one update: a long message with its entities and the one it replies to."""
BIGGEST_NUMBER = 2**63 - 1


def webhook_router(channel: TelegramChannel) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.post(WEBHOOK_PATH)
    async def receive(
        request: Request, x_telegram_bot_api_secret_token: Annotated[str | None, Header()] = None
    ) -> JSONResponse:
        given = (x_telegram_bot_api_secret_token or "").encode()
        if not hmac.compare_digest(given, channel.secret.encode()):
            # Nobody is told whether there is a bot here.
            return JSONResponse({}, status_code=404)
        update = _update_in(await request.body())
        if update is None:
            log.error("telegram_webhook_not_an_update")
            return JSONResponse({"error": "not an update"}, status_code=400)
        try:
            await asyncio.to_thread(channel.store, [update])
        except Unavailable:
            await channel.answer_urgent([update])
            # Telegram calls again.
            return JSONResponse({}, status_code=503)
        channel.stored()
        return JSONResponse({})

    return router


def _update_in(body: bytes) -> dict[str, Any] | None:
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(update, dict):
        return None
    number = update.get("update_id")
    is_number = isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= BIGGEST_NUMBER
    return update if is_number else None
