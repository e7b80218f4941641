"""Erasure: every row of a person, in one transaction; what lies outside our tables follows in a step of its own.

The conversations stay as empty shells for a week (`retention.py`), so that whoever asked reads that it is done. A turn
that is being computed for one of them is void: its version has moved on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, cast, delete, or_, select, update
from sqlalchemy.orm import Session

from bot.bookings.service import release_student
from bot.buddies.pairing import hold_pairs, tell_of_erasure
from bot.conversations.models import Address, Author, Control, Conversation, Kind
from bot.conversations.service import FAREWELL, PUSHED, append, locked_conversation
from bot.conversations.states import TRANSITIONS, Move
from bot.i18n.translate import say
from bot.identity.audit import empty_details, record
from bot.identity.erasures import address_hash
from bot.identity.linking import address_key
from bot.identity.models import AuditEntry, Erasure, SignInAttempt
from bot.privacy.reach import CONVERSATIONS, STUDENTS, Person, names_student, personal_tables, rows_of
from bot.students.models import Student

ERASED = "erase"
"""Name of the deed in the audit log."""
SETTLING = timedelta(minutes=3)
"""How long a turn or a mail that was under way at the erasure may still write what it knew; then the rest is final."""
NO_CONVERSATION = "-"
"""Stands in `Erasure.senders` of a person who never wrote: files are still to be looked through."""
OF_THE_SHELL = frozenset(
    {"id", "token_hash", "channel", "language", "language_chosen", "last_seq", "version", "created_at"}
)
"""What an emptied conversation keeps: the way to its last message, in the right language."""


@dataclass(frozen=True)
class Erased:
    """`rows`: deleted rows by table."""

    has_record: bool
    conversations: tuple[UUID, ...]
    rows: dict[str, int]


def erase(session: Session, person: Person, now: datetime, *, key: bytes, replies_in: UUID | None = None) -> Erased:
    """Delete everything of a person. The caller's transaction makes it all or nothing.

    Every conversation is left with one last message that says so, but for `replies_in`, where the caller's reply is it.
    """
    person = _held(session, person)
    if person.student_id is not None:
        release_student(session, person.student_id, now)
        tell_of_erasure(session, person.student_id, now)
    session.info[FAREWELL] = _chats(session, person)
    rows = delete_rows(session, person)
    for conversation_id in person.conversations:
        conversation = locked_conversation(session, conversation_id)
        _empty(conversation, now)
        session.flush()
        record(session, ERASED, staff_id=None, now=now, conversation_id=conversation_id)
        if conversation_id != replies_in:
            _say_erased(session, conversation, now)
    if person.student_id is not None:
        rows[STUDENTS] = _delete_record(session, person.student_id)
    strip_audit(session, person, now)
    session.add(
        Erasure(
            address_hash=address_hash(key, person.email) if person.email is not None else None,
            erased_at=now,
            senders=[str(each) for each in person.conversations] or [NO_CONVERSATION],
        )
    )
    session.flush()
    return Erased(person.student_id is not None, person.conversations, {k: n for k, n in rows.items() if n})


def _held(session: Session, person: Person) -> Person:
    """The person as it is now that nobody else can link a conversation to the record or write into one of them."""
    for conversation_id in sorted(person.conversations):
        locked_conversation(session, conversation_id)
    if person.student_id is None:
        return person
    # Before the record, as whoever makes pairs does: in the other order the two would wait for each other.
    hold_pairs(session)
    session.execute(select(Student.id).where(Student.id == person.student_id).with_for_update())
    linked = session.scalars(select(Conversation.id).where(Conversation.student_id == person.student_id)).all()
    for conversation_id in sorted(set(linked) - set(person.conversations)):
        locked_conversation(session, conversation_id)
    return replace(person, conversations=tuple(sorted(linked)))


def _chats(session: Session, person: Person) -> dict[UUID, str]:
    """Where a messenger reaches these conversations: once more, to say that everything is gone."""
    rows = session.execute(
        select(Address.conversation_id, Address.external).where(
            Address.conversation_id.in_(person.conversations),
            Address.channel.in_(PUSHED),
            Address.blocked_at.is_(None),
        )
    )
    return {row.conversation_id: row.external for row in rows}


def delete_rows(session: Session, person: Person) -> dict[str, int]:
    """Everything but the record itself and the conversations themselves; what points at others goes first."""
    session.flush()
    deleted = {}
    for table in reversed(personal_tables()):
        if table.name not in (STUDENTS, CONVERSATIONS):
            result = session.execute(delete(table).where(rows_of(table, person)))
            deleted[table.name] = int(result.rowcount)  # type: ignore[attr-defined]
    if person.email is not None:
        session.execute(delete(SignInAttempt).where(SignInAttempt.key == address_key(person.email)))
    # Objects that were read before stand for rows that are gone.
    session.expire_all()
    return deleted


def is_erased(session: Session, conversation: Conversation) -> bool:
    """Nothing was said since the conversation was erased: there is nothing left but the last message."""
    erased_at = session.scalar(
        select(AuditEntry.at)
        .where(AuditEntry.conversation_id == conversation.id, AuditEntry.action == ERASED)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    return erased_at is not None and conversation.updated_at <= erased_at


def unfinished(session: Session) -> Sequence[Erasure]:
    """Erasures whose traces outside our tables are still looked for, the oldest first."""
    return session.scalars(select(Erasure).where(cast(Erasure.senders, String) != "[]").order_by(Erasure.id)).all()


def _delete_record(session: Session, student_id: int) -> int:
    session.execute(update(Conversation).where(Conversation.student_id == student_id).values(student_id=None))
    result = session.execute(delete(Student).where(Student.id == student_id))
    session.expire_all()
    return int(result.rowcount)  # type: ignore[attr-defined]


def _empty(conversation: Conversation, now: datetime) -> None:
    """Back to what a conversation is before anything is said; closed, so that no colleague goes on with it."""
    closed = TRANSITIONS[Control(conversation.control), Move.ERASE]
    for column in Conversation.__table__.columns:
        if column.name not in OF_THE_SHELL:
            setattr(conversation, column.name, _default(column))
    conversation.control = closed
    conversation.version += 1
    conversation.updated_at = now


def _default(column: Any) -> Any:
    default = column.default
    if default is None or column.nullable:
        return None
    return default.arg(None) if default.is_callable else default.arg


def _say_erased(session: Session, conversation: Conversation, now: datetime) -> None:
    text = say(
        conversation.language,
        "Erased at the student's request: what was said here and everything that was kept with it is gone.",
    )
    append(session, conversation, Author.SYSTEM, text, kind=Kind.ERASED, now=now)


def strip_audit(session: Session, person: Person, now: datetime) -> None:
    """The log keeps who did what and when; its details may name the student."""
    details = AuditEntry.__table__.c.details
    about: list[ColumnElement[bool]] = [AuditEntry.conversation_id.in_(person.conversations)]
    if person.student_id is not None:
        about += [names_student(details, name, person.student_id) for name in ("student", "student_id")]
        about.append(cast(details, String).contains(str(person.email), autoescape=True))
    empty_details(session, and_(or_(*about), cast(details, String) != "{}"), now)
