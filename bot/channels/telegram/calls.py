"""What we ask Telegram to do with one part of a message: show it, show it with other words, take it away.

A file is a message of one part, whose words are the line above it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.channels.telegram.formatting import Part, keyboard_rows
from bot.log import get_logger

log = get_logger(__name__)

WHOLE_UPLOAD = 150.0
"""Seconds that a file may take to Telegram."""
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
SAME = "message is not modified"
AWAY = ("message to edit not found", "message to delete not found", "message_id_invalid")
"""In the words of Telegram: the student has taken it away, so nobody reads the old words."""

Result = TypeVar("Result")


async def send(bot: Bot, chat: str, part: Part, markup: InlineKeyboardMarkup | None) -> int | None:
    """Returns Telegram's number of the message; None where the server tells none. Raises TelegramError."""

    async def call(text: str, mode: str | None) -> int | None:
        sent = await bot.send_message(
            int(chat), text, parse_mode=mode, reply_markup=markup, link_preview_options=NO_PREVIEW
        )
        return getattr(sent, "message_id", None)

    return await _in_html(part, call)


async def send_file(bot: Bot, chat: str, caption: Part, name: str, content: bytes) -> int | None:
    """As `send`. Raises TelegramError, or TimeoutError where the line is too slow."""

    async def call(text: str, mode: str | None) -> int | None:
        # A new one each time: it is read to its end.
        document = InputFile(content, filename=name)
        async with asyncio.timeout(WHOLE_UPLOAD):
            sent = await bot.send_document(int(chat), document, caption=text, parse_mode=mode)
        return getattr(sent, "message_id", None)

    return await _in_html(caption, call)


async def rewrite(bot: Bot, chat: str, number: int, part: Part, markup: InlineKeyboardMarkup | None) -> None:
    """Put this in place of a message of ours. One that is away, or reads so already, is done. Raises TelegramError."""

    async def call(text: str, mode: str | None) -> None:
        await bot.edit_message_text(
            text, int(chat), number, parse_mode=mode, reply_markup=markup, link_preview_options=NO_PREVIEW
        )

    try:
        await _in_html(part, call)
    except BadRequest as error:
        if not _says(error, SAME, *AWAY):
            raise


async def remove(bot: Bot, chat: str, number: int) -> None:
    """Delete a message of ours; one that is away already is done. Raises TelegramError."""
    try:
        await bot.delete_message(int(chat), number)
    except BadRequest as error:
        if not _says(error, *AWAY):
            raise


def keyboard(buttons: Sequence[tuple[str, str]]) -> InlineKeyboardMarkup | None:
    """The buttons of a message, (label, key); what they mean stays here, Telegram has their opaque keys."""
    if not buttons:
        return None
    rows = keyboard_rows([label for label, _ in buttons])
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(buttons[i][0], callback_data=buttons[i][1]) for i in row] for row in rows]
    )


async def _in_html(part: Part, call: Callable[[str, str | None], Awaitable[Result]]) -> Result:
    try:
        return await call(part.html, ParseMode.HTML)
    except BadRequest as error:
        if not _says(error, "parse"):
            raise
    # Better without its bold letters than not at all.
    log.error("markup_refused")
    return await call(part.plain, None)


def _says(error: BadRequest, *words: str) -> bool:
    return any(each in error.message.casefold() for each in words)
