"""From stored updates to conversations: each update once, in order, in one transaction of its own.

`channel_updates` holds what Telegram handed over, as it came, before Telegram is told that we have it. A row is emptied
in the transaction that takes it in, so that a crash at any moment leaves it either wholly to do or wholly done.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.channels.telegram.client import number_of
from bot.channels.telegram.incoming import (
    CHANNEL,
    Edited,
    Elsewhere,
    Handed,
    Incoming,
    Nothing,
    Person,
    Pressed,
    Reach,
    Said,
    Started,
    read,
)
from bot.channels.telegram.reach import shut_out
from bot.conversations.messages import IncomingMessage
from bot.conversations.models import Address, Alert, Author, ChannelUpdate, Control, Conversation, Kind, Message
from bot.conversations.service import (
    LONGEST_STORED,
    address_of,
    append,
    check_rate,
    edit_message,
    open_conversation,
    receive_message,
)
from bot.conversations.words import greeting
from bot.errors import TooMany, Unavailable
from bot.i18n.languages import negotiate
from bot.i18n.translate import say
from bot.identity.joining import claim, words_of
from bot.log import get_logger

log = get_logger(__name__)

HOLD = timedelta(seconds=2)
"""How long an update waits for one before it that is still on its way (a webhook calls us several times at once)."""
BATCH = 50
MOST_TRIES = 5
"""After so many errors an update is set aside, so that the others go on."""
PAUSE = 0.5
"""Seconds between two looks when nobody called."""


def store_updates(session: Session, account: str, updates: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Keep what came in, before Telegram is told. Repeats are dropped; returns how many are new.

    `account`: "telegram:" and the number of our bot there. Each update has an integer `update_id`.
    """
    if not updates:
        return 0
    rows = [
        {"channel": account, "number": each["update_id"], "payload": dict(each), "attempts": 0, "received_at": now}
        for each in updates
    ]
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    dialect = postgresql if is_postgresql else sqlite
    stored = session.execute(
        dialect.insert(ChannelUpdate).on_conflict_do_nothing().returning(ChannelUpdate.id), rows
    ).all()
    return len(stored)


def ready(session: Session, account: str, now: datetime, hold: timedelta = HOLD) -> list[int]:
    """Ids of the rows that may be taken in now, in order: those without a gap before them, and who waited long enough.

    The numbers of a bot follow each other; after a quiet week Telegram begins elsewhere, which costs one `hold`.
    """
    rows = session.execute(
        select(ChannelUpdate.id, ChannelUpdate.number, ChannelUpdate.received_at)
        .where(ChannelUpdate.channel == account, ChannelUpdate.done_at.is_(None))
        .order_by(ChannelUpdate.number)
        .limit(BATCH)
    ).all()
    if not rows:
        return []
    last = session.scalar(
        select(func.max(ChannelUpdate.number)).where(
            ChannelUpdate.channel == account, ChannelUpdate.done_at.is_not(None)
        )
    )
    found: list[int] = []
    for row_id, number, received_at in rows:
        if last is not None and number > last + 1 and received_at > now - hold:
            break
        found.append(row_id)
        last = number if last is None else max(last, number)
    return found


def _is_overtaking(session: Session, row: ChannelUpdate) -> bool:
    earlier = select(ChannelUpdate.id).where(
        ChannelUpdate.channel == row.channel, ChannelUpdate.number < row.number, ChannelUpdate.done_at.is_(None)
    )
    return session.scalar(earlier.limit(1)) is not None


@dataclass
class Taken:
    """What is left to do once the transaction has committed."""

    conversation_id: UUID | None = None
    has_turn: bool = False
    pressed: Pressed | None = None
    refuse: Elsewhere | None = None


def take_in(session: Session, services: Services, incoming: Incoming, now: datetime) -> Taken:
    """Do what an update asks for, in the caller's transaction."""
    match incoming:
        case Started():
            return _started(session, services, incoming, now)
        case Said(person=person, message_id=message_id, text=text, sent_at=sent_at):
            key = _key(services, person, message_id)
            return _written(session, services, person, IncomingMessage(CHANNEL, key, _clean(text), None, sent_at), now)
        case Handed(person=person, message_id=message_id, brought=brought, caption=caption, sent_at=sent_at):
            words = _clean(caption) if caption else ""
            message = IncomingMessage(CHANNEL, _key(services, person, message_id), words, None, sent_at, brought)
            return _written(session, services, person, message, now)
        case Pressed(person=person, callback_id=callback_id, key=key):
            # Telegram does not say when a button was pressed.
            pressed = IncomingMessage(CHANNEL, _key(services, person, f"press:{callback_id}"), None, key or "-", now)
            return _written(session, services, person, pressed, now, incoming)
        case Edited(person=person, message_id=message_id, text=text):
            return _edited(session, services, person, message_id, _clean(text))
        case Reach(chat=chat, is_open=is_open):
            if (address := address_of(session, CHANNEL, chat)) is None:
                return Taken()
            if is_open:
                address.blocked_at = None
            else:
                shut_out(session, address, now)
            return Taken(address.conversation_id)
        case Elsewhere():
            return Taken(refuse=incoming)
        case Nothing():
            return Taken()


def _key(services: Services, person: Person, number: int | str) -> str:
    """By which a repeat is known. With the bot: another one in the same chat counts its messages from the beginning."""
    return f"{number_of(services.settings)}:{person.chat}:{number}"


def _clean(text: str) -> str:
    """What the database can hold: without zero characters and halves of characters; never empty."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")
    return whole[:LONGEST_STORED] if whole.strip() else "…"


def conversation_of(session: Session, person: Person, now: datetime) -> tuple[Conversation, bool]:
    """The conversation of a chat; (conversation, whether it begins now). A new one starts with the greeting.

    Whoever writes can be reached: an address that was shut is open again.
    """
    if (address := address_of(session, CHANNEL, person.chat)) is not None:
        address.blocked_at = None
        return session.get_one(Conversation, address.conversation_id), False
    language = negotiate(person.language)
    conversation, _token = open_conversation(
        session, language=language, language_chosen=False, greeting=greeting(language), channel=CHANNEL, now=now
    )
    session.add(Address(channel=CHANNEL, external=person.chat, conversation_id=conversation.id))
    session.flush()
    return conversation, True


def _started(session: Session, services: Services, started: Started, now: datetime) -> Taken:
    """A new chat is greeted. A deep link says which page waits for this chat; the token is not kept."""
    person = started.person
    conversation, is_new = conversation_of(session, person, now)
    if started.payload:
        conversation.channel = CHANNEL
        claimed = claim(session, started.payload, CHANNEL, person.chat, person.name, now)
        author = Author.SYSTEM if conversation.control == Control.STAFF else Author.BOT
        append(session, conversation, author, words_of(claimed, conversation.language), kind=Kind.NOTICE, now=now)
        return Taken(conversation.id)
    if is_new:
        return Taken(conversation.id)
    key = _key(services, person, started.message_id)
    return _written(session, services, person, IncomingMessage(CHANNEL, key, "/start", None, started.sent_at), now)


def _written(
    session: Session,
    services: Services,
    person: Person,
    message: IncomingMessage,
    now: datetime,
    pressed: Pressed | None = None,
) -> Taken:
    """`pressed`: whose button goes once it has done what it is for; one that came too fast stays."""
    conversation, _ = conversation_of(session, person, now)
    per_minute, is_urgent = services.settings.messages_per_minute, services.door.is_urgent
    try:
        check_rate(session, conversation.id, message, per_minute=per_minute, is_urgent=is_urgent)
    except TooMany:
        _say_slower(session, conversation, now)
        return Taken(conversation.id)
    received = receive_message(session, conversation.id, message, now)
    return Taken(conversation.id, has_turn=received.is_new, pressed=pressed)


def _say_slower(session: Session, conversation: Conversation, now: datetime) -> None:
    """Once, however many more come: the notice is the last thing said until somebody says something else."""
    conversation.channel = CHANNEL
    text = say(
        conversation.language,
        "You write faster than I can follow: I did not take in your last message. Please send it again in a minute.",
    )
    last = session.scalar(
        select(Message.text)
        .where(Message.conversation_id == conversation.id, Message.author != Author.STUDENT)
        .order_by(Message.seq.desc())
        .limit(1)
    )
    if last != text:
        append(session, conversation, Author.SYSTEM, text, kind=Kind.NOTICE, now=now)


def _edited(session: Session, services: Services, person: Person, message_id: int, text: str) -> Taken:
    if (address := address_of(session, CHANNEL, person.chat)) is None:
        return Taken()
    edit_message(session, address.conversation_id, CHANNEL, _key(services, person, message_id), text)
    return Taken(address.conversation_id)


def _own_up(session: Session, incoming: Incoming, row_id: int, now: datetime) -> Taken:
    """What could not be taken in: the student is asked for it again, and the office sees that there was something."""
    person: Person | None = getattr(incoming, "person", None)
    if person is None:
        return Taken()
    conversation, _ = conversation_of(session, person, now)
    conversation.channel = CHANNEL
    text = say(
        conversation.language,
        "Something went wrong on my side: I could not take in your last message. Please send it again, in other words "
        "or without the file. The office sees that there was a message.",
    )
    append(session, conversation, Author.SYSTEM, text, kind=Kind.NOTICE, now=now)
    session.add(Alert(conversation_id=conversation.id, kind="not_taken_in", key=f"update:{row_id}", created_at=now))
    session.flush()
    return Taken(conversation.id)


@dataclass
class Intake:
    """The runner. `called` wakes it when something was stored; a look twice a second finds the rest."""

    services: Services
    account: str
    follow: Callable[[Taken], None]
    answer: Callable[[Pressed], None]
    """Called before a press is taken in: the wheel on the button stops at once."""
    hold: timedelta = HOLD
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """For ever; a database that is away is asked again."""
        while True:
            self.called.clear()
            try:
                taken = await self.take_ready()
            except Unavailable:
                taken = 0
            if not taken:
                await wait_for_event(self.called, PAUSE)

    async def take_ready(self) -> int:
        """Take in what may be taken in now; returns how many updates that were."""
        rows = await asyncio.to_thread(self._ready)
        for row_id in rows:
            incoming = await asyncio.to_thread(self._read, row_id)
            if isinstance(incoming, Pressed):
                self.answer(incoming)
            taken = await asyncio.to_thread(self._take, row_id, incoming)
            if taken is None:
                # In order: what comes after it waits until it is done or set aside.
                await asyncio.sleep(PAUSE)
                break
            self.follow(taken)
        return len(rows)

    def _ready(self) -> list[int]:
        with self.services.database.read() as session:
            return ready(session, self.account, self.services.clock.now(), self.hold)

    def _read(self, row_id: int) -> Incoming:
        """What cannot be read is nothing: asking for it again would not make it better."""
        with self.services.database.read() as session:
            payload = session.scalar(select(ChannelUpdate.payload).where(ChannelUpdate.id == row_id))
        try:
            return read(payload) if payload is not None else Nothing()
        except Exception:
            log.exception("telegram_update_not_read", row=row_id)
            return Nothing()

    def _take(self, row_id: int, incoming: Incoming) -> Taken | None:
        """None: it did not work, and is tried again."""
        now = self.services.clock.now()
        try:
            with self.services.database.write() as session:
                row = session.get(ChannelUpdate, row_id, with_for_update=True, populate_existing=True)
                if row is None or row.done_at is not None:
                    return Taken()
                if _is_overtaking(session, row):
                    # Another gateway is at one that comes before it.
                    return None
                taken = take_in(session, self.services, incoming, now)
                row.done_at, row.payload = now, None
                return taken
        except Unavailable:
            raise
        except Exception:
            log.exception("telegram_update_failed", row=row_id)
            return self._set_aside(row_id, incoming, now)

    def _set_aside(self, row_id: int, incoming: Incoming, now: datetime) -> Taken | None:
        """After so many tries the others go on; None: it is tried again."""
        with self.services.database.write() as session:
            row = session.get_one(ChannelUpdate, row_id)
            row.attempts += 1
            if row.attempts < MOST_TRIES:
                return None
            row.done_at, row.payload = now, None
            log.error("telegram_update_set_aside", row=row_id)
            try:
                with session.begin_nested():
                    return _own_up(session, incoming, row_id, now)
            except Exception:
                log.exception("telegram_loss_not_told", row=row_id)
        return Taken()


async def wait_for_event(event: asyncio.Event, seconds: float) -> None:
    """Return at the event or after so many seconds. (`asyncio.wait_for` loses a cancellation that comes with it.)"""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
