"""Reads of the desk: which conversations there are, who waits, who holds what."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.conversations.models import Alert, Author, Control, Conversation, Message
from bot.errors import InvalidField, NotFound
from bot.identity.models import Staff
from bot.students.models import Student


@dataclass(frozen=True)
class InboxRow:
    """One conversation as the desk sees it."""

    conversation: Conversation
    assignee: Staff | None
    student: Student | None
    """The linked record."""
    last_text: Message | None
    """The newest message of a human: what the conversation is about."""
    alerts: tuple[str, ...]
    """Kinds of the alerts that nobody has dealt with."""


class Tab(StrEnum):
    """The lists of the console."""

    WAITING = "waiting"
    MINE = "mine"
    COLLEAGUES = "colleagues"
    BOT = "bot"
    CLOSED = "closed"
    ALL = "all"


def inbox(session: Session, state: Control | None, cursor: str | None, limit: int) -> tuple[list[InboxRow], str | None]:
    """One page of conversations and the cursor of the next page, None at the end.

    Waiting ones come first-come, all others newest first by the day they were opened: that never moves, so that a
    conversation which nobody touches is on exactly one page.

    Raises:
        InvalidField: the cursor is none of ours, or of another state.
    """
    waiting = state == Control.WAITING
    key = Conversation.waiting_since if waiting else Conversation.created_at
    query = select(Conversation).where(*_in_state(state)).limit(limit + 1)
    query = _ordered(query, key, ascending=waiting)
    if cursor is not None:
        place = tuple_(key, Conversation.id)
        last = tuple_(*_read_cursor(cursor, state))
        query = query.where(place > last if waiting else place < last)
    found = session.scalars(query).all()
    page = found[:limit]
    rows = _rows(session, page)
    if len(found) <= limit:
        return rows, None
    last_key = page[-1].waiting_since if waiting else page[-1].created_at
    return rows, _write_cursor(last_key, page[-1].id, state)


def latest(session: Session, tab: Tab, staff_id: int, limit: int) -> list[InboxRow]:
    """The list of a tab as the console shows it: waiting ones first-come, others by their latest activity."""
    waiting = tab == Tab.WAITING
    key = Conversation.waiting_since if waiting else Conversation.updated_at
    query = _ordered(select(Conversation).where(*_in_tab(tab, staff_id)).limit(limit), key, ascending=waiting)
    return _rows(session, session.scalars(query).all())


def counts(session: Session, staff_id: int) -> dict[Tab, int]:
    """How many conversations each tab holds."""
    by_control = select(Conversation.control, func.count()).group_by(Conversation.control)
    by_state = dict(session.execute(by_control).all())
    mine = session.scalars(select(func.count()).where(Conversation.assignee_id == staff_id)).one()
    return {
        Tab.WAITING: by_state.get(Control.WAITING, 0),
        Tab.MINE: mine,
        Tab.COLLEAGUES: by_state.get(Control.STAFF, 0) - mine,
        Tab.BOT: by_state.get(Control.BOT, 0),
        Tab.CLOSED: by_state.get(Control.CLOSED, 0),
        Tab.ALL: sum(by_state.values()),
    }


def inbox_row(session: Session, conversation_id: UUID) -> InboxRow:
    """One conversation. Raises NotFound."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound
    return _rows(session, [conversation])[0]


def open_alerts(session: Session, conversation_id: UUID) -> Sequence[Alert]:
    return session.scalars(
        select(Alert).where(Alert.conversation_id == conversation_id, Alert.seen_at.is_(None)).order_by(Alert.id)
    ).all()


_Key = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


def _ordered(query: Select[Conversation], key: _Key, *, ascending: bool) -> Select[Conversation]:
    if ascending:
        return query.order_by(key, Conversation.id)
    return query.order_by(key.desc(), Conversation.id.desc())


def _in_state(state: Control | None) -> list[ColumnElement[bool]]:
    return [] if state is None else [Conversation.control == state]


def _in_tab(tab: Tab, staff_id: int) -> list[ColumnElement[bool]]:
    if tab == Tab.MINE:
        return [Conversation.assignee_id == staff_id]
    if tab == Tab.COLLEAGUES:
        return [Conversation.control == Control.STAFF, Conversation.assignee_id != staff_id]
    return _in_state(None if tab == Tab.ALL else Control(tab.value))


def _rows(session: Session, conversations: Sequence[Conversation]) -> list[InboxRow]:
    """A fixed number of queries, however long the page is."""
    ids = [conversation.id for conversation in conversations]
    assignees = {conversation.assignee_id for conversation in conversations} - {None}
    linked = {conversation.student_id for conversation in conversations} - {None}
    staff = {person.id: person for person in session.scalars(select(Staff).where(Staff.id.in_(assignees)))}
    students = {student.id: student for student in session.scalars(select(Student).where(Student.id.in_(linked)))}
    newest = (
        select(Message.conversation_id, func.max(Message.seq))
        .where(Message.conversation_id.in_(ids), Message.author.in_((Author.STUDENT, Author.STAFF)))
        .group_by(Message.conversation_id)
    )
    texts = {
        message.conversation_id: message
        for message in session.scalars(select(Message).where(tuple_(Message.conversation_id, Message.seq).in_(newest)))
    }
    alerts: dict[UUID, list[str]] = {}
    for conversation_id, kind in session.execute(
        select(Alert.conversation_id, Alert.kind)
        .where(Alert.conversation_id.in_(ids), Alert.seen_at.is_(None))
        .distinct()
        .order_by(Alert.kind)
    ):
        alerts.setdefault(conversation_id, []).append(kind)
    return [
        InboxRow(
            conversation=conversation,
            assignee=None if conversation.assignee_id is None else staff.get(conversation.assignee_id),
            student=None if conversation.student_id is None else students.get(conversation.student_id),
            last_text=texts.get(conversation.id),
            alerts=tuple(alerts.get(conversation.id, ())),
        )
        for conversation in conversations
    ]


def _write_cursor(key: datetime | None, conversation_id: UUID, state: Control | None) -> str:
    place = [state, key.isoformat() if key else None, conversation_id.hex]
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, state: Control | None) -> tuple[datetime, UUID]:
    try:
        of_state, key, conversation_id = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = datetime.fromisoformat(key), UUID(hex=conversation_id)
        if of_state != state or place[0].tzinfo is None:
            raise ValueError("of another list")
        place[0].astimezone(UTC)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidField("The cursor is not one that this list gave out.", field="cursor") from error
    return place
