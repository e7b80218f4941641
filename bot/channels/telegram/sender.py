"""From the outbox to Telegram: in order in each chat, at the pace that Telegram allows, once but for a crash.

A row is a message to be sent, or one that Telegram shows already and whose words have changed or are gone.

Telegram has no idempotency key: when we die between its yes and our commit, the message goes out again. A row is
counted before it is sent, so that such repeats can be counted as well (`possible_repeat` in the log).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer
from telegram import Bot, InlineKeyboardMarkup
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.channels.telegram.calls import WHOLE_UPLOAD, keyboard, remove, rewrite, send, send_file
from bot.channels.telegram.formatting import Part, parts_of
from bot.channels.telegram.incoming import CHANNEL
from bot.channels.telegram.intake import wait_for_event
from bot.channels.telegram.pace import Pace
from bot.channels.telegram.reach import address_in, instead, is_mailed_to, mark_for_office, shut_out
from bot.clock import Clock
from bot.conversations.messages import Source
from bot.conversations.models import Address, Attachment, Author, Conversation, Message, OutboxEntry
from bot.conversations.queries import sent_files
from bot.conversations.service import address_of
from bot.db.session import Database
from bot.errors import Unavailable
from bot.log import get_logger

log = get_logger(__name__)

LEASE = timedelta(seconds=20)
"""A row being sent is left alone by others for so long: longer than one call may take (`client.py`)."""
FILE_LEASE = timedelta(seconds=WHOLE_UPLOAD) + LEASE
LONGEST_DELAY = timedelta(minutes=5)
PATIENCE = timedelta(hours=24)
"""After so long without Telegram what was to be said goes by mail; where there is no mailbox it is tried for ever."""
FAIR_TRIES = 20
"""But not before so many: an hour and more in which we ran, and asked in vain."""
LOOK_EVERY = 0.5
NOTE_TRIES = 10
NOTE_EVERY = 1.0
"""Seconds. What has arrived and is not noted would arrive a second time."""
GONE = ("chat not found", "user is deactivated", "bot was blocked", "peer_id_invalid")
"""In the words of Telegram: nobody will ever read this."""


@dataclass(frozen=True)
class Head:
    """The first row of a conversation's outbox, leased, with where it goes. `sent`: parts that arrived already."""

    id: int
    message_id: int
    conversation_id: UUID
    chat: str
    parts: tuple[Part, ...]
    markup: InlineKeyboardMarkup | None
    sent: int
    attempts: int
    shown: tuple[int, ...] = ()
    """Telegram's numbers of the parts whose place `parts` take; none for a message that is to be sent."""
    file: int | None = None
    """Of the attachment that goes with the one part of the message, which is read when it is sent."""


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
        self._busy: dict[str, asyncio.Task[None]] = {}
        """By chat."""

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
        for row_id, chat in due:
            if chat in self._busy:
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
                self._busy[head.chat] = task
        return wait

    def _due(self) -> list[tuple[int, str]]:
        """(row, chat) of what comes first in each chat, where that is due; chat "" for a row that has none.

        A chat is one queue though two conversations may speak in it: the one it has left, and the one it came to.
        """
        first = (
            select(func.min(OutboxEntry.id))
            .where(OutboxEntry.channel == CHANNEL)
            .group_by(OutboxEntry.conversation_id)
            .scalar_subquery()
        )
        chat = address_in(OutboxEntry.conversation_id).with_only_columns(Address.external).scalar_subquery()
        with self.database.read() as session:
            rows = session.execute(
                select(OutboxEntry.id, OutboxEntry.next_at, chat, OutboxEntry.payload)
                .where(OutboxEntry.id.in_(first))
                .order_by(OutboxEntry.id)
            ).all()
        now, seen, due = self.clock.now(), set[str](), list[tuple[int, str]]()
        for row_id, next_at, found, payload in rows:
            to = payload.get("to")
            where = str((to or found if "change" in payload else found or to) or "")
            if next_at <= now and where not in seen:
                due.append((row_id, where))
            if where:
                seen.add(where)
        return due

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
                if message is None or row.conversation_id is None:
                    # Erased: nobody is there to read it.
                    session.delete(row)
                    continue
                make = self._change_head if "change" in row.payload else self._message_head
                if (head := make(session, row, message, now)) is not None:
                    heads.append(head)
        return heads

    def _message_head(self, session: Session, row: OutboxEntry, message: Message, now: datetime) -> Head | None:
        """A message on its way; None when it no longer is."""
        address = session.scalar(address_in(row.conversation_id))
        chat = address.external if address is not None else str(row.payload.get("to", ""))
        if not chat or message.deleted_at is not None:
            # The chat has left this conversation; or the words were taken back before they went out.
            session.delete(row)
            return None
        if address is not None and (
            address.blocked_at is not None
            or (_is_too_old(row, message, now) and is_mailed_to(session, row.conversation_id))
        ):
            shut_out(session, address, now)
            return None
        if row.attempts and row.last_error is None:
            log.warning("possible_repeat", outbox_id=row.id, attempts=row.attempts)
        if (file := sent_files(session, [message]).get(message.id)) is not None:
            return _leased(row, message, chat, caption_of(message), now, file=file.id)
        return _leased(row, message, chat, render(message), now)

    def _change_head(self, session: Session, row: OutboxEntry, message: Message, now: datetime) -> Head | None:
        """Other words for a message that Telegram shows, or none; None when there is nothing to be done about it."""
        known = message.delivered or {}
        numbers, chat = known.get("ids", []), str(known.get("chat", ""))
        parts = render(message) if message.deleted_at is None else ()
        is_blocked = session.scalar(
            select(Address.blocked_at).where(Address.channel == CHANNEL, Address.external == chat)
        )
        if int(row.payload["change"]) < (message.change or 0):
            # A newer row says what holds now.
            session.delete(row)
            return None
        if is_blocked:
            instead(session, session.get_one(Conversation, message.conversation_id), row, now)
            return None
        if not numbers or None in numbers or len(numbers) < len(parts) or _is_too_old(row, message, now):
            mark_for_office(session, row, "unchanged", now)
            session.delete(row)
            return None
        return _leased(row, message, chat, parts, now, shown=tuple(numbers))

    async def _deliver(self, head: Head) -> None:
        """Send what is left of one row. What the database cannot note goes out again at the end of the lease."""
        try:
            try:
                if head.file is not None:
                    await self._send_file(head, head.file)
                else:
                    await (self._change_parts(head) if head.shown else self._send_parts(head))
            except Unavailable:
                raise
            except Exception as error:
                await self._put_off(head, error)
        except Unavailable:
            log.warning("delivery_not_noted", outbox_id=head.id)
        finally:
            self._busy.pop(head.chat, None)
            self.called.set()

    async def _send_parts(self, head: Head) -> None:
        for place in range(head.sent, len(head.parts)):
            if place > head.sent:
                await self._turn(head.chat)
            is_last = place == len(head.parts) - 1
            number = await send(self.bot, head.chat, head.parts[place], head.markup if is_last else None)
            self.pace.arrived(head.chat, self.now())
            await self._noted(partial(self._note, head, place + 1, number))
        if head.sent >= len(head.parts):
            await asyncio.to_thread(self._drop, head.id)

    async def _send_file(self, head: Head, file_id: int) -> None:
        file = await asyncio.to_thread(self._file, file_id)
        if file is None:
            # Taken back since the row was leased.
            await asyncio.to_thread(self._drop, head.id)
            return
        number = await send_file(self.bot, head.chat, head.parts[0], file.name, file.content or b"")
        self.pace.arrived(head.chat, self.now())
        await self._noted(partial(self._note, head, len(head.parts), number))

    async def _change_parts(self, head: Head) -> None:
        """From the first part on, also when it is tried again: what is done already changes nothing."""
        for place, number in enumerate(head.shown):
            if place:
                await self._turn(head.chat)
            if place < len(head.parts):
                is_last = place == len(head.parts) - 1
                await rewrite(self.bot, head.chat, number, head.parts[place], head.markup if is_last else None)
            else:
                await remove(self.bot, head.chat, number)
            self.pace.arrived(head.chat, self.now())
        await self._noted(partial(self._note_change, head))

    async def _noted(self, note: Callable[[], None]) -> None:
        """Write down what Telegram said yes to; a busy database is asked again. Raises Unavailable in the end."""
        for _ in range(NOTE_TRIES - 1):
            try:
                await asyncio.to_thread(note)
            except Unavailable:
                await asyncio.sleep(NOTE_EVERY)
            else:
                return
        await asyncio.to_thread(note)

    async def _turn(self, chat: str) -> None:
        """Wait until the next call may go to this chat."""
        # Others wait as well: after a pause the room may be theirs.
        while (pause := self.pace.wait(chat, self.now())) > 0:  # noqa: ASYNC110
            await asyncio.sleep(pause)
        self.pace.leaves(chat, self.now())

    async def _put_off(self, head: Head, error: Exception) -> None:
        """Note why a row did not arrive, and what becomes of it."""
        kind = type(error).__name__
        match error:
            case RetryAfter():
                seconds = _seconds(error)
                self.pace.blocked(head.chat, self.now(), seconds)
                await self._later(head, kind, timedelta(seconds=seconds))
            case ChatMigrated() if not head.shown:
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

    async def _later(self, head: Head, kind: str, delay: timedelta) -> None:
        await asyncio.to_thread(self._postpone, head.id, kind, delay)

    def _postpone(self, row_id: int, kind: str, delay: timedelta) -> None:
        with self.database.write() as session:
            if (row := session.get(OutboxEntry, row_id)) is not None:
                row.next_at, row.last_error = self.clock.now() + delay, kind
                log.warning("not_delivered", outbox_id=row_id, attempts=row.attempts, error=kind)

    def _file(self, file_id: int) -> Attachment | None:
        with self.database.read() as session:
            return session.get(Attachment, file_id, options=[undefer(Attachment.content)])

    def _note(self, head: Head, sent: int, number: int | None) -> None:
        """So many parts have arrived, the last of them under this number. The row goes with the last part."""
        with self.database.write() as session:
            # Before the message, as whoever changes it does: of two that hold one each, neither would go on.
            row = session.get(OutboxEntry, head.id, with_for_update=True)
            message = session.get(Message, head.message_id)
            if row is None or message is None:
                return
            numbers = [*(message.delivered or {}).get("ids", []), *[None] * sent][: sent - 1]
            message.delivered = {"channel": CHANNEL, "chat": head.chat, "ids": [*numbers, number]}
            if sent == len(head.parts):
                session.delete(row)
            else:
                row.payload = {**row.payload, "sent": sent}
                row.next_at = self.clock.now() + LEASE

    def _note_change(self, head: Head) -> None:
        with self.database.write() as session:
            row = session.get(OutboxEntry, head.id, with_for_update=True)
            message = session.get(Message, head.message_id)
            if message is not None:
                known = message.delivered or {}
                message.delivered = {**known, "ids": list(head.shown[: len(head.parts)])} if head.parts else {}
            if row is not None:
                session.delete(row)

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
            mark_for_office(session, row, "unchanged" if "change" in row.payload else "undelivered", now)
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


def caption_of(message: Message) -> tuple[Part, ...]:
    """What stands under a file: who sent it. One part, far shorter than Telegram allows (1,024)."""
    return parts_of(f"**{message.author_name or '…'}**", language=message.language)


def _leased(
    row: OutboxEntry,
    message: Message,
    chat: str,
    parts: tuple[Part, ...],
    now: datetime,
    shown: tuple[int, ...] = (),
    file: int | None = None,
) -> Head:
    """Count the attempt and keep others away from the row."""
    row.attempts += 1
    row.next_at, row.last_error = now + (LEASE if file is None else FILE_LEASE), None
    markup = keyboard([(str(each["label"]), str(each["key"])) for each in message.buttons])
    sent = int(row.payload.get("sent", 0))
    return Head(row.id, message.id, message.conversation_id, chat, parts, markup, sent, row.attempts, shown, file)


def _is_too_old(row: OutboxEntry, message: Message, now: datetime) -> bool:
    return row.attempts >= FAIR_TRIES and message.created_at < now - PATIENCE


def _pause_after(attempts: int) -> timedelta:
    return min(timedelta(seconds=2.0 ** min(attempts - 1, 10)), LONGEST_DELAY)


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
