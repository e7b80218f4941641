"""From the outbox to Telegram: in order in each chat, at the pace that Telegram allows, once but for a crash.

Telegram has no idempotency key: when we die between its yes and our commit, the message goes out again. A row is
counted before it is sent, so that such repeats can be counted as well (`possible_repeat` in the log).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.channels.telegram.formatting import Part, keyboard_rows, parts_of
from bot.channels.telegram.incoming import CHANNEL
from bot.channels.telegram.intake import wait_for_event
from bot.channels.telegram.pace import Pace
from bot.channels.telegram.reach import address_in, shut_out
from bot.clock import Clock
from bot.conversations.messages import Source
from bot.conversations.models import Address, Alert, Author, Message, OutboxEntry
from bot.conversations.service import address_of
from bot.db.session import Database
from bot.errors import Unavailable
from bot.log import get_logger

log = get_logger(__name__)

LEASE = timedelta(seconds=20)
"""A row being sent is left alone by others for so long: longer than one call may take (`client.py`)."""
LONGEST_DELAY = timedelta(minutes=5)
PATIENCE = timedelta(hours=24)
"""After so long without Telegram what was to be said goes by mail."""
LOOK_EVERY = 0.5
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
GONE = ("chat not found", "user is deactivated", "bot was blocked", "peer_id_invalid")
"""In the words of Telegram: nobody will ever read this."""


@dataclass(frozen=True)
class Head:
    """The first row of a conversation's outbox, leased, with where it goes. `sent`: parts that arrived already."""

    id: int
    conversation_id: UUID
    chat: str
    parts: tuple[Part, ...]
    buttons: tuple[tuple[str, str], ...]
    """(label, key)."""
    sent: int
    attempts: int


@dataclass
class Sender:
    """`called` wakes it when something was said; a look twice a second finds what others wrote."""

    database: Database
    bot: Bot
    clock: Clock
    pace: Pace = field(default_factory=Pace)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    now: Callable[[], float] = field(default=lambda: asyncio.get_running_loop().time())

    def __post_init__(self) -> None:
        self._busy: dict[UUID, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """For ever; a database that is away is asked again."""
        try:
            while True:
                self.called.clear()
                try:
                    wait = await self._start_due()
                except Unavailable:
                    wait = LOOK_EVERY
                await wait_for_event(self.called, max(0.01, wait))
        finally:
            for task in self._busy.values():
                task.cancel()

    async def deliver_due(self) -> None:
        """Deliver what may go out now, and wait until it has arrived (for tests and commands)."""
        await self._start_due()
        while self._busy:
            await asyncio.wait(list(self._busy.values()))

    async def _start_due(self) -> float:
        """Start what may go out now; returns the seconds until the next may."""
        due = await asyncio.to_thread(self._due)
        wait = LOOK_EVERY
        chosen: list[int] = []
        room = self.pace.room(self.now())
        for row_id, conversation_id, chat in due:
            if conversation_id in self._busy:
                continue
            pause = self.pace.wait(chat, self.now()) if chat else 0.0
            if pause > 0 or len(chosen) >= room:
                wait = min(wait, pause or 0.05)
                continue
            chosen.append(row_id)
        if chosen:
            for head in await asyncio.to_thread(self._lease, chosen):
                self.pace.leaves(head.chat, self.now())
                task = asyncio.create_task(self._deliver(head), name=f"telegram {head.id}")
                self._busy[head.conversation_id] = task
        return wait

    def _due(self) -> list[tuple[int, UUID, str]]:
        """(row, conversation, chat) of the first row of each conversation that is due; chat "" when there is none."""
        first = (
            select(func.min(OutboxEntry.id))
            .where(OutboxEntry.channel == CHANNEL)
            .group_by(OutboxEntry.conversation_id)
            .scalar_subquery()
        )
        chat = address_in(OutboxEntry.conversation_id).with_only_columns(Address.external).scalar_subquery()
        with self.database.read() as session:
            rows = session.execute(
                select(OutboxEntry.id, OutboxEntry.conversation_id, chat)
                .where(OutboxEntry.id.in_(first), OutboxEntry.next_at <= self.clock.now())
                .order_by(OutboxEntry.id)
            ).all()
            return [(row_id, conversation_id, found or "") for row_id, conversation_id, found in rows]

    def _lease(self, row_ids: list[int]) -> list[Head]:
        """Take these rows, if they are still there and due, and read what they say."""
        now = self.clock.now()
        heads: list[Head] = []
        with self.database.write() as session:
            rows = session.scalars(
                select(OutboxEntry)
                .where(OutboxEntry.id.in_(row_ids), OutboxEntry.next_at <= now)
                .order_by(OutboxEntry.id)
                .with_for_update(skip_locked=True)
                .execution_options(populate_existing=True)
            ).all()
            for row in rows:
                message = session.scalar(
                    select(Message).where(
                        Message.conversation_id == row.conversation_id, Message.seq == int(row.payload["seq"])
                    )
                )
                address = session.scalar(address_in(row.conversation_id))
                chat = address.external if address is not None else str(row.payload.get("to", ""))
                if message is None or not chat or row.conversation_id is None:
                    # Erased, or the chat has left this conversation: nobody is there to read it.
                    session.delete(row)
                    continue
                if address is not None and (address.blocked_at is not None or _is_too_old(row, message, now)):
                    shut_out(session, address, now)
                    continue
                if row.attempts and row.last_error is None:
                    log.warning("possible_repeat", outbox_id=row.id, attempts=row.attempts)
                row.attempts += 1
                row.next_at, row.last_error = now + LEASE, None
                buttons = tuple((str(each["label"]), str(each["key"])) for each in message.buttons)
                sent = int(row.payload.get("sent", 0))
                parts = render(message)
                heads.append(Head(row.id, row.conversation_id, chat, parts, buttons, sent, row.attempts))
        return heads

    async def _deliver(self, head: Head) -> None:
        """Send what is left of one row. What the database cannot note goes out again at the end of the lease."""
        try:
            try:
                await self._send_parts(head)
            except Unavailable:
                raise
            except Exception as error:
                await self._put_off(head, error)
        except Unavailable:
            log.warning("delivery_not_noted", outbox_id=head.id)
        finally:
            self._busy.pop(head.conversation_id, None)
            self.called.set()

    async def _send_parts(self, head: Head) -> None:
        for place in range(head.sent, len(head.parts)):
            if place > head.sent:
                await asyncio.to_thread(self._note, head.id, place)
                await asyncio.sleep(self.pace.wait(head.chat, self.now()))
                self.pace.leaves(head.chat, self.now())
            is_last = place == len(head.parts) - 1
            await self._send(head.chat, head.parts[place], head.buttons if is_last else ())
            self.pace.arrived(head.chat, self.now())
        await asyncio.to_thread(self._drop, head.id)

    async def _put_off(self, head: Head, error: Exception) -> None:
        """Note why a row did not arrive, and what becomes of it."""
        kind = type(error).__name__
        match error:
            case RetryAfter():
                seconds = _seconds(error)
                self.pace.blocked(head.chat, self.now(), seconds)
                await self._later(head, kind, timedelta(seconds=seconds))
            case ChatMigrated():
                await asyncio.to_thread(self._moved, head.chat, str(error.new_chat_id))
                await self._later(head, kind, timedelta())
            case Forbidden():
                await asyncio.to_thread(self._shut_out, head)
            case BadRequest() if any(words in error.message.casefold() for words in GONE):
                await asyncio.to_thread(self._shut_out, head)
            case BadRequest():
                await asyncio.to_thread(self._give_up, head.id, error.message)
            case TelegramError() | OSError():
                await self._later(head, kind, _pause_after(head.attempts))
            case _:
                log.error("delivery_failed", outbox_id=head.id, exc_info=error)
                await self._later(head, "unexpected", _pause_after(head.attempts + 1))

    async def _send(self, chat: str, part: Part, buttons: tuple[tuple[str, str], ...]) -> None:
        markup = keyboard(buttons)
        try:
            await self.bot.send_message(
                int(chat),
                part.html,
                parse_mode=ParseMode.HTML,
                reply_markup=markup,
                link_preview_options=NO_PREVIEW,
            )
        except BadRequest as error:
            if "parse" not in error.message.casefold():
                raise
            # Better without its bold letters than not at all.
            log.error("markup_refused")
            await self.bot.send_message(int(chat), part.plain, reply_markup=markup, link_preview_options=NO_PREVIEW)

    async def _later(self, head: Head, kind: str, delay: timedelta) -> None:
        await asyncio.to_thread(self._postpone, head.id, kind, delay)

    def _postpone(self, row_id: int, kind: str, delay: timedelta) -> None:
        with self.database.write() as session:
            if (row := session.get(OutboxEntry, row_id)) is not None:
                row.next_at, row.last_error = self.clock.now() + delay, kind
                log.warning("not_delivered", outbox_id=row_id, attempts=row.attempts, error=kind)

    def _note(self, row_id: int, sent: int) -> None:
        """So many parts have arrived."""
        with self.database.write() as session:
            if (row := session.get(OutboxEntry, row_id)) is not None:
                row.payload = {**row.payload, "sent": sent}
                row.next_at = self.clock.now() + LEASE

    def _drop(self, row_id: int) -> None:
        with self.database.write() as session:
            if (row := session.get(OutboxEntry, row_id)) is not None:
                session.delete(row)

    def _give_up(self, row_id: int, why: str) -> None:
        """Telegram will never take this one. The office is told, and the next goes out."""
        now = self.clock.now()
        with self.database.write() as session:
            if (row := session.get(OutboxEntry, row_id)) is None:
                return
            # The words of Telegram are about the form, not about the content.
            log.error("message_refused", outbox_id=row_id, why=why[:120])
            if row.conversation_id is not None:
                alert = Alert(conversation_id=row.conversation_id, kind="undelivered", key=row.key, created_at=now)
                session.add(alert)
            session.delete(row)

    def _moved(self, old: str, new: str) -> None:
        with self.database.write() as session:
            if (address := address_of(session, CHANNEL, old)) is not None:
                address.external = new

    def _shut_out(self, head: Head) -> None:
        with self.database.write() as session:
            if (address := address_of(session, CHANNEL, head.chat)) is not None:
                shut_out(session, address, self.clock.now())
            # A last word whose conversation has no address any more would be tried for ever.
            if (row := session.get(OutboxEntry, head.id)) is not None:
                session.delete(row)


def render(message: Message) -> tuple[Part, ...]:
    """A message as Telegram takes it; a colleague's begins with the name."""
    text = message.text
    if message.author == Author.STAFF and message.author_name:
        text = f"**{message.author_name}**\n\n{text}"
    sources = [Source.from_json(each) for each in message.sources]
    return parts_of(text, sources, language=message.language)


def keyboard(buttons: tuple[tuple[str, str], ...]) -> InlineKeyboardMarkup | None:
    """The buttons of a message; what they mean stays here, Telegram has their opaque keys."""
    if not buttons:
        return None
    rows = keyboard_rows([label for label, _ in buttons])
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(buttons[i][0], callback_data=buttons[i][1]) for i in row] for row in rows]
    )


def _is_too_old(row: OutboxEntry, message: Message, now: datetime) -> bool:
    return row.attempts > 0 and message.created_at < now - PATIENCE


def _pause_after(attempts: int) -> timedelta:
    return min(timedelta(seconds=2.0 ** min(attempts - 1, 10)), LONGEST_DELAY)


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
