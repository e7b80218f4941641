"""What an erased person leaves outside our tables: the engine's own database, files of the data folder, SQLite's log.

Done at once and again until `SETTLING` is over, since a turn or a mail under way may still write what it knew.
"""

import mailbox
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select

from bot.config import Settings
from bot.conversations.models import OutboxEntry
from bot.conversations.search import forget_deleted
from bot.db.session import Database
from bot.errors import ConfigurationError
from bot.identity.erasures import address_hash, erasure_key
from bot.identity.models import Erasure
from bot.log import get_logger
from bot.privacy.erase import SETTLING, unfinished

log = get_logger(__name__)

ADDRESS = re.compile(rb"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,190}")
BATCH = 500
"""Senders in one statement."""


@dataclass(frozen=True)
class _Job:
    erasure_id: int
    address_hash: str | None
    erased_at: datetime
    senders: tuple[str, ...]
    is_settled: bool


def finish_erasures(database: Database, settings: Settings, now: datetime) -> int:
    """Look for the traces of everybody who was erased lately; returns how many erasures are not final yet.

    Raises:
        Unavailable: our database cannot be reached.
    """
    with database.read() as session:
        jobs = [_job(each, now) for each in unfinished(session)]
    if not jobs:
        return 0
    if not _clean(database, settings, jobs):
        return len(jobs)
    done = [job.erasure_id for job in jobs if job.is_settled]
    if done:
        with database.write() as session:
            for erasure_id in done:
                if (erasure := session.get(Erasure, erasure_id)) is not None:
                    erasure.senders = []
    return len(jobs) - len(done)


def _job(erasure: Erasure, now: datetime) -> _Job:
    settled = erasure.erased_at + SETTLING <= now
    return _Job(erasure.id, erasure.address_hash, erasure.erased_at, tuple(map(str, erasure.senders)), settled)


def _clean(database: Database, settings: Settings, jobs: Iterable[_Job]) -> bool:
    """False when something could not be cleaned now; it is tried again."""
    senders = [sender for job in jobs for sender in job.senders]
    hashes = {job.address_hash for job in jobs if job.address_hash is not None}
    last = max((job.erased_at for job in jobs if job.address_hash is not None), default=None)
    try:
        forget_senders(settings.tracker_database, senders)
        if last is not None:
            key = erasure_key(settings.data)
            clean_outbox(database, key, hashes)
            clean_mailbox(settings.data / "mailbox", key, hashes)
            clean_logs(settings.data / "logs", key, hashes)
            clean_uploads(settings.data / "uploads", last)
        forget_deleted(database)
        return database.empty_log()
    except (OSError, sqlite3.Error, ConfigurationError) as error:
        log.warning("erasure_unfinished", error=type(error).__name__)
        return False


def forget_senders(tracker_database: Path, senders: Collection[str]) -> None:
    """Delete the events of conversations from Rasa's own database, which has no call for it, and overwrite them.

    Raises:
        sqlite3.Error: the file is locked or broken.
    """
    if not senders or not tracker_database.exists():
        return
    wanted = sorted(senders)
    with closing(sqlite3.connect(tracker_database, timeout=5, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
            return
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            marks = ", ".join("?" * len(some))
            connection.execute(f"DELETE FROM events WHERE sender_id IN ({marks})", some)  # noqa: S608  (marks only)
        # Does nothing unless the file is in WAL mode.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def clean_outbox(database: Database, key: bytes, hashes: Collection[str]) -> None:
    """Delete what another transaction queued for an erased address while the erasure was going on.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with database.read() as session:
        queued = session.execute(select(OutboxEntry.id, OutboxEntry.payload)).all()
    found = [number for number, payload in queued if _belongs(str(payload.get("to", "")).encode(), key, hashes)]
    if found:
        with database.write() as session:
            session.execute(delete(OutboxEntry).where(OutboxEntry.id.in_(found)))


def clean_mailbox(folder: Path, key: bytes, hashes: Collection[str]) -> None:
    """Remove the mails of the development mailbox that went to an erased address."""
    if not folder.is_dir():
        return
    box = mailbox.Maildir(folder)
    for name in list(box.iterkeys()):
        # Another process may have removed it in the meantime.
        if (mail := box.get(name)) is not None and _belongs(str(mail["To"] or "").encode(), key, hashes):
            box.discard(name)


def clean_logs(folder: Path, key: bytes, hashes: Collection[str]) -> None:
    """Put stars over an erased address in the logs of our processes: none is written there, so this finds nothing."""
    for file in sorted(folder.glob("*.log*")) if folder.is_dir() else []:
        places = [found.span() for found in _addresses(file.read_bytes()) if _is_one(found[0], key, hashes)]
        if places:
            # In place: the process that appends to it keeps its file.
            with file.open("r+b") as stream:
                for start, end in places:
                    stream.seek(start)
                    stream.write(b"*" * (end - start))


def clean_uploads(folder: Path, erased_at: datetime) -> None:
    """Remove the lists of students that were sent before the erasure and wait for a confirmation: whoever is in them,
    they are sent again. A later one is told who was erased.
    """
    for file in folder.iterdir() if folder.is_dir() else ():
        if file.stat().st_mtime <= erased_at.timestamp():
            file.unlink(missing_ok=True)


def _addresses(content: bytes) -> Iterator[re.Match[bytes]]:
    return ADDRESS.finditer(content)


def _belongs(content: bytes, key: bytes, hashes: Collection[str]) -> bool:
    return any(_is_one(found[0], key, hashes) for found in _addresses(content))


def _is_one(address: bytes, key: bytes, hashes: Collection[str]) -> bool:
    return address_hash(key, address.decode("ascii")) in hashes
