"""The audit log: append only, chained when a transaction commits, verified from its first entry to its last."""

import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, event, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.attributes import set_committed_value

from bot.identity.chain import GENESIS, details_hash, entry_hash
from bot.identity.models import AuditEntry, AuditHead

EMPTIED = "details_emptied"
PURGED = "log_purged"
HEAD = 1
UNSEALED = "unsealed_audit_entries"
"""In `Session.info`: entries of this transaction that are not in the chain yet."""
BATCH = 1000
"""Entries read at once while the chain is verified."""


def record(
    session: Session,
    action: str,
    *,
    staff_id: int | None,
    now: datetime,
    conversation_id: UUID | None = None,
    **details: Any,
) -> None:
    """Add an entry. Details are numbers and names of things, never what names a student or what was said."""
    session.add(AuditEntry(at=now, staff_id=staff_id, action=action, conversation_id=conversation_id, details=details))


def empty_details(session: Session, where: ColumnElement[bool], now: datetime) -> None:
    """Forget what these entries say beyond who, what and when; that it was done is an entry of its own."""
    session.flush()
    found = session.execute(select(AuditEntry.id, AuditEntry.position).where(where)).all()
    numbers = [row.id for row in found]
    if not numbers:
        return
    session.execute(
        update(AuditEntry)
        .where(AuditEntry.id.in_(numbers))
        .values(details={}, salt=None)
        .execution_options(synchronize_session=False)
    )
    for entry in session.info.get(UNSEALED, ()):
        if entry.id in numbers:
            set_committed_value(entry, "details", {})
    places = sorted(row.position for row in found if row.position is not None)
    if places:
        record(session, EMPTIED, staff_id=None, now=now, places=places)


def purge_before(session: Session, last_id: int, now: datetime) -> None:
    """Delete the oldest entries up to this one; the head keeps the hash from which the rest can be checked."""
    head = _head(session)
    last = session.execute(
        select(AuditEntry.position, AuditEntry.hash)
        .where(AuditEntry.id <= last_id, AuditEntry.position.is_not(None))
        .order_by(AuditEntry.position.desc())
        .limit(1)
    ).one()
    if last.position > head.purged:
        head.purged, head.purged_hash = last.position, last.hash
        session.flush()
    session.execute(
        delete(AuditEntry).where(AuditEntry.position <= head.purged).execution_options(synchronize_session=False)
    )
    record(session, PURGED, staff_id=None, now=now, through=head.purged, hash=head.purged_hash)


@dataclass(frozen=True)
class ChainState:
    """`fault`: None, or what is wrong first, in English, for the command line."""

    entries: int
    position: int
    hash: str
    fault: str | None
    broken_at: int | None = None
    """Number of the first wrong entry."""


def verify(session: Session) -> ChainState:
    """Compute the whole chain anew and compare. The session is one of `Database.snapshot`: the log grows meanwhile.

    Found are: an entry that was changed, removed, inserted or moved, details that were emptied without an erasure,
    a beginning or an end that was cut off. Not found is a chain that somebody with all rights rewrote to its end:
    keep the hash of the head elsewhere (`accueil audit verify` prints it) and give it to `--expect`.
    """
    head = session.get(AuditHead, HEAD)
    position, previous = (head.purged, head.purged_hash) if head is not None else (0, GENESIS)
    begins_at = position, previous
    cut: tuple[Any, Any] = 0, GENESIS
    count, emptied, explained = 0, set[int](), set[int]()
    for entry in _in_order(session):
        count += 1
        position += 1
        if (fault := _fault_of(entry, position, previous)) is not None:
            return ChainState(count, position, previous, fault, entry.id)
        if entry.salt is None:
            emptied.add(position)
        if entry.action == EMPTIED:
            explained.update(entry.details.get("places", ()))
        if entry.action == PURGED:
            cut = entry.details.get("through"), entry.details.get("hash")
        previous = str(entry.hash)
    if stray := session.scalar(select(func.min(AuditEntry.id)).where(AuditEntry.position.is_(None))):
        return ChainState(count, position, previous, f"Entry {stray} is not in the chain.", stray)
    if lost := min(emptied - explained, default=None):
        return ChainState(count, position, previous, f"The details at place {lost} were emptied by nobody.")
    if begins_at != cut:
        return ChainState(count, position, previous, f"Entries up to place {begins_at[0]} are missing.")
    if (position, previous) != ((head.position, head.hash) if head is not None else (0, GENESIS)):
        return ChainState(count, position, previous, f"Entries after place {position} are missing.")
    return ChainState(count, position, previous, None)


def is_part_of(session: Session, expected: str) -> bool:
    """Whether a hash that was noted earlier is still one of the chain."""
    return session.scalar(select(AuditEntry.id).where(AuditEntry.hash == expected).limit(1)) is not None


def _in_order(session: Session) -> Iterator[AuditEntry]:
    last = 0
    while True:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.position > last).order_by(AuditEntry.position).limit(BATCH)
        ).all()
        yield from entries
        if not entries:
            return
        last = int(entries[-1].position or 0)
        session.expunge_all()


def _fault_of(entry: AuditEntry, position: int, previous: str) -> str | None:
    if entry.position != position:
        return f"Entry {entry.id} has place {entry.position}, place {position} is missing."
    if entry.previous != previous:
        return f"Entry {entry.id} does not follow the one before it."
    if entry.salt is not None and details_hash(entry.salt, entry.details) != entry.details_hash:
        return f"The details of entry {entry.id} were changed."
    if entry.salt is None and entry.details:
        return f"The details of entry {entry.id} were changed."
    if _hash_of(entry, position, previous, str(entry.details_hash)) != entry.hash:
        return f"Entry {entry.id} was changed."
    return None


def _hash_of(entry: AuditEntry, position: int, previous: str, hashed: str) -> str:
    return entry_hash(previous, position, entry.at, entry.staff_id, entry.action, entry.conversation_id, hashed)


def _head(session: Session) -> AuditHead:
    """The head, locked to the end of the transaction; the last lock that a transaction takes."""
    values = {"id": HEAD, "position": 0, "hash": GENESIS, "purged": 0, "purged_hash": GENESIS}
    locked = select(AuditHead).where(AuditHead.id == HEAD).with_for_update().execution_options(populate_existing=True)
    if (head := session.scalar(locked)) is None:
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        session.execute(dialect.insert(AuditHead).values(values).on_conflict_do_nothing())
        head = session.scalars(locked).one()
    return head


@event.listens_for(AuditEntry, "after_insert")
def _remember(_mapper: Any, _connection: Any, entry: AuditEntry) -> None:
    session = object_session(entry)
    if session is not None:
        session.info.setdefault(UNSEALED, []).append(entry)


@event.listens_for(Session, "before_commit")
def _seal(session: Session) -> None:
    """Put this transaction's entries at the end of the chain.

    Only now: whoever held the end of the chain while waiting for another row could be waited for in a circle.
    """
    session.flush()
    entries: Iterable[AuditEntry] = session.info.pop(UNSEALED, ())
    if not entries:
        return
    head = _head(session)
    for entry in entries:
        values = _seal_of(entry, head)
        session.execute(
            update(AuditEntry)
            .where(AuditEntry.id == entry.id)
            .values(values)
            .execution_options(synchronize_session=False)
        )
        for name, value in values.items():
            set_committed_value(entry, name, value)
        head.position, head.hash = values["position"], values["hash"]
    session.flush()


def _seal_of(entry: AuditEntry, head: AuditHead) -> dict[str, Any]:
    salt = secrets.token_hex(16)
    # As it is read again: keys are texts there, and an enumeration is its value.
    hashed = details_hash(salt, json.loads(json.dumps(entry.details)))
    position = head.position + 1
    return {
        "position": position,
        "salt": salt,
        "details_hash": hashed,
        "previous": head.hash,
        "hash": _hash_of(entry, position, head.hash, hashed),
    }


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, _transaction: Any) -> None:
    session.info.pop(UNSEALED, None)
