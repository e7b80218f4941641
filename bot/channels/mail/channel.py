"""Mail: from a row of the outbox to a mailbox. At least once; a repeat carries the same Message-ID."""

import asyncio
import hashlib
import mailbox
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, Protocol

import aiosmtplib
from babel.dates import format_time
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import PARIS, Clock
from bot.config import Settings
from bot.conversations.models import OutboxEntry
from bot.db.session import Database
from bot.i18n.translate import say
from bot.log import get_logger

CHANNEL = "mail"
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=5), timedelta(hours=1)
MOST_ATTEMPTS = 12
SMTP_TIMEOUT = 20.0
"""Seconds one step of the talk with the mail server may take."""
WHOLE_TIMEOUT = 60.0
LEASE = timedelta(minutes=2)
"""A row being sent is left alone by others for so long; longer than WHOLE_TIMEOUT."""

log = get_logger(__name__)


class Refused(Exception):
    """The mail server will never take a mail to this recipient; trying again is useless."""


class Transport(Protocol):
    async def send(self, message: EmailMessage) -> None:
        """Hand the mail over. Raises `Refused` where trying again is useless, anything else where it may help."""
        ...


class SmtpTransport:
    """The mail server of the settings; one connection per mail."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, message: EmailMessage) -> None:
        settings = self._settings
        try:
            async with asyncio.timeout(WHOLE_TIMEOUT):
                await aiosmtplib.send(
                    message,
                    hostname=settings.smtp_host,
                    port=settings.smtp_port,
                    username=settings.smtp_user or None,
                    password=settings.smtp_password.get_secret_value() or None,
                    use_tls=settings.smtp_tls == "tls",
                    start_tls=settings.smtp_tls == "starttls",
                    timeout=SMTP_TIMEOUT,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(500 <= each.code < 600 for each in error.recipients):
                raise Refused(f"{error.recipients[0].code}") from None
            raise


class MailboxTransport:
    """A Maildir instead of a mail server, for development; read at /dev/mailbox."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        await asyncio.to_thread(self._store, message)

    def _store(self, message: EmailMessage) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        mailbox.Maildir(self._folder, create=True).add(message)


def transport_of(settings: Settings) -> Transport:
    """The mail server where one is set, else the development mailbox in the data folder."""
    return SmtpTransport(settings) if settings.smtp_host else MailboxTransport(settings.data / "mailbox")


@dataclass(frozen=True)
class Taken:
    """A row of the outbox that this process is delivering."""

    id: int
    key: str
    payload: dict[str, Any]
    attempts: int


async def deliver_due(
    database: Database, transport: Transport, clock: Clock, limit: int = 20, *, sender: str = "accueil@localhost"
) -> int:
    """Send the mails that are due, the oldest first; returns how many were handed over.

    A failure is tried again after 5 s, 10 s … 1 h; after 12 attempts, or when the code in it has expired, the row is
    dropped and that is logged. Addresses, codes and the words of the mail server (which repeat them) are never logged.

    Raises:
        Unavailable: the database cannot be reached.
    """
    delivered = 0
    for _ in range(limit):
        # One at a time: the lease of a mail must not run out while it waits behind slow ones.
        taken = await asyncio.to_thread(_take, database, clock.now())
        if taken is None:
            break
        try:
            await transport.send(render(taken.key, taken.payload, sender, clock.now()))
        except Exception as error:  # Whatever goes wrong with one mail must not keep the others.
            is_final = isinstance(error, Refused) or taken.attempts >= MOST_ATTEMPTS
            await asyncio.to_thread(_failed, database, taken, type(error).__name__, is_final, clock.now())
        else:
            await asyncio.to_thread(_drop, database, taken.id)
            delivered += 1
    return delivered


def _take(database: Database, now: datetime) -> Taken | None:
    with database.write() as session:
        due = (
            select(OutboxEntry)
            .where(OutboxEntry.channel == CHANNEL, OutboxEntry.next_at <= now)
            .order_by(OutboxEntry.next_at, OutboxEntry.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        while (row := session.scalar(due)) is not None:
            if _is_over(row.payload, now):
                _give_up(session, row, "expired")
                session.flush()
                continue
            # Counted before the attempt: a mail that kills the process must not be tried for ever.
            row.attempts += 1
            row.next_at = now + LEASE
            return Taken(row.id, row.key, row.payload, row.attempts)
        return None


def _is_over(payload: dict[str, Any], now: datetime) -> bool:
    until = payload.get("expires_at")
    return until is not None and datetime.fromisoformat(until) <= now


def _failed(database: Database, taken: Taken, kind: str, is_final: bool, now: datetime) -> None:
    with database.write() as session:
        row = session.get(OutboxEntry, taken.id)
        if row is None:
            return
        if is_final:
            _give_up(session, row, kind)
            return
        row.last_error = kind
        row.next_at = now + delay_after(taken.attempts)
        log.warning("mail not delivered", outbox_id=row.id, attempts=row.attempts, error=kind)


def _give_up(session: Session, row: OutboxEntry, kind: str) -> None:
    log.error("mail given up", outbox_id=row.id, attempts=row.attempts, error=kind)
    session.delete(row)


def _drop(database: Database, row_id: int) -> None:
    with database.write() as session:
        row = session.get(OutboxEntry, row_id)
        if row is not None:
            session.delete(row)


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many failures: 5 s, doubled each time, at most an hour."""
    return min(timedelta(seconds=FIRST_DELAY.total_seconds() * 2.0 ** (attempts - 1)), LONGEST_DELAY)


def render(key: str, payload: dict[str, Any], sender: str, now: datetime) -> EmailMessage:
    """The mail of one row, in the student's language. Raises ValueError for a kind of mail there is not."""
    language = str(payload["language"])
    match payload["kind"]:
        case "link_code":
            subject, text = _code_mail(payload, language)
        case "linked":
            subject, text = _linked_mail(payload, language)
        case "reminder" | "message":
            subject, text = str(payload["subject"]), str(payload["text"])
        case "note":
            subject, text = str(payload["subject"]), _note_mail(payload, language)
        case kind:
            raise ValueError(f"there is no mail of the kind {kind}")
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage()
    message["From"] = sender
    message["To"] = str(payload["to"])
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    # After the content, which takes away every Content- header that is there before it.
    message["Content-Language"] = language
    return message


def _code_mail(payload: dict[str, Any], language: str) -> tuple[str, str]:
    code = str(payload["code"])
    until = format_time(
        datetime.fromisoformat(payload["expires_at"]),
        "short",
        tzinfo=PARIS,
        locale="en_GB" if language == "en" else language,
    )
    text = say(
        language,
        "Hello {name},\n\n"
        "somebody gave your address in a chat with Accueil, the welcome desk of the international office. If that was "
        "you, write this code in that chat:\n\n"
        "    {code}\n\n"
        "It works once, until {time} (French time). Give it to nobody: the office never asks for it.\n\n"
        "If it was not you, do nothing; without the code nobody sees anything of your record.\n",
        name=payload["name"],
        code=f"{code[:3]} {code[3:]}",
        time=until,
    )
    return say(language, "Your code for Accueil"), text


def _linked_mail(payload: dict[str, Any], language: str) -> tuple[str, str]:
    text = say(
        language,
        "Hello {name},\n\n"
        "a chat with Accueil, the welcome desk of the international office, is now linked to your record and answers "
        "from it.\n\n"
        "If it was not you, tell the international office at once. You can end the link in the chat at any time.\n",
        name=payload["name"],
    )
    return say(language, "A chat is linked to your record"), text


def _note_mail(payload: dict[str, Any], language: str) -> str:
    """What was said in the chat, in plain text."""
    plain = str(payload["text"]).replace("**", "").replace("_", "")
    return say(
        language,
        "Hello {name},\n\n{text}\n\nTo answer, open your chat with Accueil and ask for your bookings.\n",
        name=payload["name"],
        text=plain,
    )
