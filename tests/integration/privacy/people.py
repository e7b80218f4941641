"""Two students whose rows fill every table: a marker in every column that holds text, so that nothing can hide."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from bot.bookings.models import Meeting, Offer, OfferKind
from bot.buddies.models import BuddyRun, RunState
from bot.conversations.models import Conversation
from bot.db.base import Erasing
from bot.identity.models import Role, Staff
from bot.reminders.models import Campaign
from bot.students.models import Student
from bot.tables import METADATA
from bot.upkeep.models import PhraseAssignment

FIXED: dict[str, Any] = {
    "conversations.control": "bot",
    "conversations.channel": "web",
    "conversations.language": "en",
    "bookings.state": "booked",
    "bookings.held_until": None,
    "students.language": "en",
    "students.left_on": None,
}
"""Columns that take known words only, or none."""
MADE_BEFORE = ("students", "conversations")


@dataclass(frozen=True)
class Someone:
    marker: str
    student_id: int
    email: str
    conversations: tuple[UUID, ...]


def make_someone(session: Session, marker: str, now: datetime) -> Someone:
    """`marker`: six letters or so, in lower case; it is found again in every column of text and JSON."""
    email = f"{marker}@student.junia.com"
    student = Student(
        email=email,
        given_name=f"Given-{marker}",
        family_name=f"Family-{marker}",
        language="en",
        facts={"campus": marker},
        source_id=f"S-{marker}",
        created_at=now,
        updated_at=now,
    )
    session.add(student)
    session.flush()
    conversations = []
    for number in range(2):
        conversation = Conversation(
            language="en",
            language_chosen=True,
            channel="web",
            last_seq=1,
            student_id=student.id,
            prompt={"kind": marker, "expires_at": now.isoformat()},
            last_topic=marker,
            last_step=marker,
            told={"family": marker},
            token_hash=f"hash-{student.id}-{number}",
            created_at=now,
            updated_at=now,
        )
        session.add(conversation)
        session.flush()
        conversations.append(conversation.id)
    someone = Someone(marker, student.id, email, tuple(sorted(conversations)))
    others = _others(session, now)
    for table in METADATA.sorted_tables:
        if table.info["erasing"] is Erasing.DELETE_ROWS and table.name not in MADE_BEFORE:
            made = session.execute(table.insert().values(_row(table, someone, others, now)))
            # What later rows point at: their own person's.
            others[table.name] = made.inserted_primary_key[0]
    return someone


def _others(session: Session, now: datetime) -> dict[str, Any]:
    """What rows point at that is nobody's own."""
    offer = session.scalar(select(Offer).limit(1))
    if offer is None:
        offer = Offer(
            kind=OfferKind.EVENT, code="picnic", title={"en": "Picnic"}, places=None, created_at=now, updated_at=now
        )
        offer.meetings = [Meeting(starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=1, hours=1))]
        campaign = Campaign(name="CVEC", step="cvec", chosen_by={}, left_out=0.0, started_at=now)
        run = BuddyRun(made_at=now, weights={}, missing=[], state=RunState.DRAFT)
        phrases = PhraseAssignment(label="ask/visale", phrases=[], is_written=True, at=now)
        session.add_all([offer, campaign, run, phrases])
        session.flush()
    colleague = session.scalar(select(Staff).where(Staff.email == "office@junia.example"))
    if colleague is None:
        colleague = Staff(email="office@junia.example", name="The office", role=Role.ADVISER, created_at=now)
        session.add(colleague)
        session.flush()
    return {
        "staff": colleague.id,
        "offers": offer.id,
        "campaigns": session.scalars(select(Campaign.id)).one(),
        "buddy_runs": session.scalars(select(BuddyRun.id)).one(),
        "phrase_assignments": session.scalars(select(PhraseAssignment.id)).one(),
    }


def _row(table: Table, someone: Someone, others: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        column.name: _value(column, someone, others, now)
        for column in table.columns
        if not (column.primary_key and isinstance(column.type, Integer))
    }


def _value(column: Column[Any], someone: Someone, others: dict[str, Any], now: datetime) -> Any:
    if (name := f"{column.table.name}.{column.name}") in FIXED:
        return FIXED[name]
    for key in column.foreign_keys:
        match key.column.table.name:
            case "students":
                return someone.student_id
            case "conversations":
                return someone.conversations[0]
            case "staff":
                return None if column.nullable else others["staff"]
            case target if target in others:
                return others[target]
            case target:
                raise AssertionError(f"{name} points at {target}: say here what it points at")
    return _of_type(column, someone, now)


def _of_type(column: Column[Any], someone: Someone, now: datetime) -> Any:
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    match kind:
        case JSON():
            return {"to": someone.email, "words": someone.marker} if column.name == "payload" else [someone.marker]
        case String():
            return _text(kind.length, someone.marker)
        case Boolean():
            return False
        case DateTime():
            return now
        case Date():
            return date(2026, 11, 1)
        case Integer():
            return 1
        case Float():
            return 0.5
        case Uuid():
            return uuid4()
        case LargeBinary():
            return someone.marker.encode()
    raise AssertionError(f"{column}: say here what a row holds in a column of {column.type}")


def _text(length: int | None, marker: str) -> str:
    """The marker alone where there is room for no more; where there is not even that, a letter."""
    if length is not None and length < len(marker):
        return "x" * min(length, 2)
    return f"{marker} {uuid4()}"[: length or 60]
