""" "… is typing" in Telegram, while we work on an answer or a colleague writes."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from telegram import Bot
from telegram.constants import ChatAction

from bot.channels.telegram.client import quietly
from bot.channels.telegram.incoming import CHANNEL
from bot.conversations.models import Address, Conversation
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
                return session.scalar(
                    select(Address.external)
                    .join(Conversation, Conversation.id == Address.conversation_id)
                    .where(
                        Conversation.id == conversation_id,
                        Conversation.channel == CHANNEL,
                        Address.channel == CHANNEL,
                        Address.blocked_at.is_(None),
                    )
                    .order_by(Address.id.desc())
                    .limit(1)
                )
        except Unavailable:
            return None
