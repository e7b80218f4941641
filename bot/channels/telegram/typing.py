""" "… is typing" in Telegram, while we work on an answer or a colleague writes."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from telegram import Bot
from telegram.constants import ChatAction

from bot.channels.telegram.client import quietly
from bot.channels.telegram.incoming import CHANNEL
from bot.channels.telegram.reach import address_in
from bot.conversations.models import Conversation
from bot.db.session import Database
from bot.errors import Unavailable

EVERY = 4.5
"""Seconds; Telegram takes it away after five."""
FIRST_AFTER = 0.4
"""What is answered sooner needs no sign of life."""
AT_MOST = 60.0
"""A colleague who forgot to go away does not type for ever."""


@dataclass
class Typing:
    database: Database
    bot: Bot

    def __post_init__(self) -> None:
        self._tasks: dict[tuple[UUID, str], asyncio.Task[None]] = {}

    def signal(self, conversation_id: UUID, author: str, on: bool) -> None:
        """Somebody begins or ends to type (see bot.conversations.live)."""
        key = (conversation_id, author)
        if (running := self._tasks.pop(key, None)) is not None:
            running.cancel()
        if on and author != "student":
            self._tasks[key] = asyncio.create_task(self._show(key))

    def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    async def _show(self, key: tuple[UUID, str]) -> None:
        try:
            await asyncio.sleep(FIRST_AFTER)
            chat = await asyncio.to_thread(self._chat, key[0])
            if chat is None:
                return
            for _ in range(int(AT_MOST / EVERY)):
                await quietly("typing", self.bot.send_chat_action(int(chat), ChatAction.TYPING))
                await asyncio.sleep(EVERY)
        finally:
            if self._tasks.get(key) is asyncio.current_task():
                del self._tasks[key]

    def _chat(self, conversation_id: UUID) -> str | None:
        """Where the student reads now; None when that is not Telegram."""
        try:
            with self.database.read() as session:
                conversation = session.get(Conversation, conversation_id)
                address = session.scalar(address_in(conversation_id))
        except Unavailable:
            return None
        if conversation is None or conversation.channel != CHANNEL or address is None or address.blocked_at:
            return None
        return address.external
