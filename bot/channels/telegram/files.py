"""Files that students sent while a colleague had the conversation: fetched from Telegram and kept for the office."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import telegram
from sqlalchemy import select
from sqlalchemy.orm import Session
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.clock import Clock
from bot.config import LOOPBACK_HOSTS
from bot.conversations.brought import MOST_BYTES, MOST_MEGABYTES
from bot.conversations.models import Attachment, AttachmentState, Author, Kind, Message
from bot.conversations.service import append, locked_conversation
from bot.db.session import Database
from bot.errors import NotFound
from bot.i18n.translate import say
from bot.log import get_logger

STEP = 15.0
"""Seconds one step of a download may take."""
WHOLE_TIMEOUT = 90.0
LEASE = timedelta(minutes=2)
"""A file being fetched is left alone by others for so long; longer than WHOLE_TIMEOUT."""
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=5), timedelta(minutes=10)
MOST_ATTEMPTS = 10
"""In about half an hour."""
PASSING = "temporarily unavailable"
"""In the words of Telegram: the file will be there later."""

log = get_logger(__name__)


class TooLarge(Exception):
    """More bytes than we keep, whatever was said about the size before."""


class OnItsServer(Exception):
    """A Bot API server in local mode names a path on its own disk; we take files over HTTP only."""


FINAL = (TooLarge, OnItsServer, BadRequest)
"""Trying again is useless."""


@dataclass(frozen=True)
class Wanted:
    """A file that this process is fetching."""

    id: int
    external: str
    attempts: int


async def fetch_due(database: Database, bot: telegram.Bot, clock: Clock, limit: int = 20) -> int:
    """Fetch the files that are due, the oldest first; returns how many were looked at.

    What fails is tried again after 5 s, 10 s … 10 min; after 10 attempts, or where trying is useless, the student is
    told in the chat. Names and addresses of files are never logged: the address holds the token.

    Raises:
        Unavailable: the database cannot be reached.
    """
    fetched = 0
    for _ in range(limit):
        wanted = await asyncio.to_thread(_take, database, clock.now())
        if wanted is None:
            break
        fetched += 1
        try:
            content = await _download(bot, wanted.external)
        except Exception as error:  # Whatever goes wrong with one file must not keep the others.
            await asyncio.to_thread(_failed, database, wanted, error, clock.now())
        else:
            await asyncio.to_thread(_keep, database, wanted.id, content)
    return fetched


async def _download(bot: telegram.Bot, external: str) -> bytes:
    """The bytes of a file. Raises TooLarge, OnItsServer, TelegramError, httpx.HTTPError or TimeoutError."""
    async with asyncio.timeout(WHOLE_TIMEOUT):
        file = await bot.get_file(external)
        if (file.file_size or 0) > MOST_BYTES:
            raise TooLarge
        if not file.file_path:
            raise TelegramError("no path yet")
        address = urlsplit(file.file_path)
        if address.scheme not in ("http", "https"):
            raise OnItsServer
        # Not the library's own download, which takes whatever comes into memory before it can be measured.
        is_here = address.hostname in LOOPBACK_HOSTS
        async with (
            httpx.AsyncClient(timeout=STEP, trust_env=not is_here) as client,
            client.stream("GET", file.file_path, headers={"Accept-Encoding": "identity"}) as response,
        ):
            response.raise_for_status()
            return await _read(response)


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MOST_BYTES:
            raise TooLarge
    return bytes(content)


def _take(database: Database, now: datetime) -> Wanted | None:
    due = (
        select(Attachment)
        .where(Attachment.state == AttachmentState.PENDING, Attachment.next_at <= now)
        .order_by(Attachment.next_at, Attachment.id)
        .limit(1)
    )
    # Nearly always there is none: a look must not make those who write wait.
    with database.read() as session:
        if session.scalar(due) is None:
            return None
    with database.write() as session:
        row = session.scalar(due.with_for_update(skip_locked=True))
        if row is None:
            return None
        # Counted before the attempt: a file that kills the process must not be tried for ever.
        row.attempts += 1
        row.next_at = now + LEASE
        return Wanted(row.id, row.external, row.attempts)


def _keep(database: Database, row_id: int, content: bytes) -> None:
    with database.write() as session:
        row = session.get(Attachment, row_id, with_for_update=True)
        if row is not None and row.state == AttachmentState.PENDING:
            row.content, row.size = content, len(content)
            row.state, row.external = AttachmentState.KEPT, ""


def _failed(database: Database, wanted: Wanted, error: Exception, now: datetime) -> None:
    kind = type(error).__name__
    is_final = _is_final(error) or wanted.attempts >= MOST_ATTEMPTS
    with database.write() as session:
        if is_final:
            log.error("file given up", attachment=wanted.id, attempts=wanted.attempts, error=kind)
            _give_up(session, wanted.id, now, is_large=_is_too_large(error))
        elif (row := session.get(Attachment, wanted.id, with_for_update=True)) is not None:
            row.next_at = now + delay_after(wanted.attempts, error)
            log.warning("file not fetched", attachment=row.id, attempts=row.attempts, error=kind)


def _is_final(error: Exception) -> bool:
    return isinstance(error, FINAL) and PASSING not in str(error).casefold()


def _is_too_large(error: Exception) -> bool:
    return isinstance(error, TooLarge) or (isinstance(error, TelegramError) and "too big" in str(error).casefold())


def delay_after(attempts: int, error: Exception) -> timedelta:
    """How long to wait after so many failures; where Telegram says how long, that long."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
    return min(timedelta(seconds=FIRST_DELAY.total_seconds() * 2.0 ** (attempts - 1)), LONGEST_DELAY)


def _give_up(session: Session, row_id: int, now: datetime, *, is_large: bool) -> None:
    try:
        # The conversation first, as everybody else does; it may have been erased meanwhile.
        conversation = locked_conversation(session, _conversation_of(session, row_id))
    except NotFound:
        return
    row = session.get(Attachment, row_id, populate_existing=True)
    if row is None or row.state != AttachmentState.PENDING:
        return
    row.state, row.external = AttachmentState.FAILED, ""
    language = conversation.language
    text = (
        say(
            language,
            "Your file “{name}” did not reach the office: it is larger than {limit} MB. Send a smaller one, please.",
            name=row.name,
            limit=MOST_MEGABYTES,
        )
        if is_large
        else say(language, "Your file “{name}” did not reach the office. Send it again, please.", name=row.name)
    )
    append(session, conversation, Author.SYSTEM, text, kind=Kind.NOTICE, now=now)


def _conversation_of(session: Session, row_id: int) -> UUID:
    """Raises NotFound."""
    found = session.scalar(
        select(Message.conversation_id)
        .join(Attachment, Attachment.message_id == Message.id)
        .where(Attachment.id == row_id)
    )
    if found is None:
        raise NotFound
    return found
