"""Reads of the desk: which conversations there are, who waits, who holds what. Nobody sees what is not theirs."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.conversations.models import Alert, Author, Control, Conversation, Message
from bot.errors import InvalidField, NotFound
from bot.handoff.desks import may_read, readable
from bot.handoff.models import Case, DeskMember, Reason, Tag
from bot.identity.models import Staff
from bot.students.models import Student

URGENT = "urgent"
"""Kind of the alert of a message that shows danger."""


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
    tags: tuple[str, ...]
    case: Case | None
    """The request that is open."""

    @property
    def awaits_answer(self) -> bool:
        """A colleague has it, and the last word of a human is the student's."""
        is_held = self.conversation.control == Control.STAFF
        return is_held and self.last_text is not None and self.last_text.author == Author.STUDENT

    @property
    def urgency(self) -> Literal["urgent", "high", "normal"]:
        """urgent: somebody is in danger; high: the wait is longer than the desk allows itself."""
        if URGENT in self.alerts or (self.case is not None and self.case.reason == Reason.URGENT):
            return "urgent"
        is_late = self.case is not None and self.case.escalated_at is not None
        return "high" if is_late and self.conversation.control == Control.WAITING else "normal"


class Tab(StrEnum):
    """The lists of the console."""

    WAITING = "waiting"
    MINE = "mine"
    TEAM = "team"
    """What waits at one's own desks, and what colleagues there answer."""
    COLLEAGUES = "colleagues"
    BOT = "bot"
    UNANSWERED = "unanswered"
    """The bot has them and did not know the answer last time."""
    SNOOZED = "snoozed"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed down to; None: not at all."""

    state: Control | None = None
    desk: str | None = None
    tag: str | None = None
    assignee: str | None = None
    """Address of a colleague."""
    language: str | None = None
    unanswered: bool = False

    @property
    def fingerprint(self) -> str:
        """Tells one list from another, so that a cursor is only good for its own."""
        return sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]


def inbox(
    session: Session, staff: Staff, filters: Filters, cursor: str | None, limit: int
) -> tuple[list[InboxRow], str | None]:
    """One page of what a colleague may read, and the cursor of the next page, None at the end.

    Waiting ones come first-come, all others newest first by the day they were opened: that never moves, so that a
    conversation which nobody touches is on exactly one page. Snoozed ones are left out of those that wait.

    Raises:
        InvalidField: the cursor is none of ours, or of another list.
    """
    waiting = filters.state == Control.WAITING
    key = Case.opened_at if waiting else Conversation.created_at
    query = select(Conversation).where(readable(session, staff), *narrowed(filters)).limit(limit + 1)
    query = _in_order(query, key, waiting=waiting)
    if cursor is not None:
        place = tuple_(key, Conversation.id)
        last = tuple_(*_read_cursor(cursor, filters))
        query = query.where(place > last if waiting else place < last)
    found = session.scalars(query).all()
    page = found[:limit]
    rows = _rows(session, page)
    if len(found) <= limit:
        return rows, None
    case = rows[-1].case
    last_key = case.opened_at if waiting and case is not None else page[-1].created_at
    return rows, _write_cursor(last_key, page[-1].id, filters)


def latest(
    session: Session, tab: Tab, staff_id: int, limit: int, only: Sequence[ColumnElement[bool]] = ()
) -> list[InboxRow]:
    """The list of a tab as the console shows it: waiting ones first-come, whoever is in danger before all others; the
    other tabs by their latest activity.

    `only`: the filters of the screen (`narrowed`).
    """
    waiting = tab == Tab.WAITING
    seen = readable(session, session.get_one(Staff, staff_id))
    query = select(Conversation).where(seen, *_in_tab(tab, staff_id), *only).limit(limit)
    if waiting:
        query = query.order_by(in_danger().desc())
    return _rows(session, session.scalars(_in_order(query, Conversation.updated_at, waiting=waiting)).all())


def in_danger() -> ColumnElement[bool]:
    """Whether somebody wrote of a danger that no colleague has dealt with: `InboxRow.urgency` as a condition."""
    alerted = exists().where(Alert.conversation_id == Conversation.id, Alert.kind == URGENT, Alert.seen_at.is_(None))
    asked = exists().where(
        Case.conversation_id == Conversation.id, Case.reason == Reason.URGENT, Case.closed_at.is_(None)
    )
    return or_(alerted.correlate(Conversation), asked.correlate(Conversation))


def is_in_danger(session: Session, conversation_id: UUID) -> bool:
    return bool(session.scalar(select(in_danger()).where(Conversation.id == conversation_id)))


def counts(session: Session, staff_id: int) -> dict[Tab, int]:
    """How many conversations each tab holds."""
    seen = readable(session, session.get_one(Staff, staff_id))
    columns = [func.count(case((and_(true(), *_in_tab(tab, staff_id)), 1))) for tab in Tab]
    row = session.execute(select(*columns).select_from(Conversation).where(seen)).one()
    return dict(zip(Tab, row, strict=True))


def calling(session: Session, staff: Staff, limit: int = 200) -> list[tuple[UUID, Control, int]]:
    """(conversation, state, newest seq) of what may call somebody to the screen: who waits, and one's own."""
    wanted = (
        select(Conversation.id, Conversation.control, Conversation.last_seq)
        .where(or_(Conversation.control == Control.WAITING, Conversation.assignee_id == staff.id))
        .where(Conversation.snoozed_until.is_(None), readable(session, staff))
        .order_by(Conversation.updated_at.desc(), Conversation.id)
        .limit(limit)
    )
    return [(conversation_id, control, seq) for conversation_id, control, seq in session.execute(wanted)]


def rows_of(session: Session, ids: Sequence[UUID]) -> list[InboxRow]:
    """These conversations in this order; one that is gone is left out."""
    found = {each.id: each for each in session.scalars(select(Conversation).where(Conversation.id.in_(ids)))}
    return _rows(session, [found[each] for each in ids if each in found])


def of_students_named(session: Session, words: Sequence[str], staff: Staff, limit: int) -> Sequence[UUID]:
    """Readable conversations linked to a student whose name begins so, the latest first; every word must fit."""
    names = [func.lower(Student.given_name), func.lower(Student.family_name)]
    fits = [
        or_(*(name.startswith(word, autoescape=True) | name.contains(f" {word}", autoescape=True) for name in names))
        for word in words
    ]
    wanted = select(Conversation.id).join(Student, Conversation.student_id == Student.id)
    wanted = wanted.where(readable(session, staff), *fits)
    return session.scalars(wanted.order_by(Conversation.updated_at.desc()).limit(limit)).all()


def of_number(session: Session, number: str, staff: Staff, limit: int) -> Sequence[UUID]:
    """Readable conversations whose id begins so, in hexadecimal signs, the latest first."""
    # A range: ids are in the order of their signs in both databases, also where they are no text.
    first, last = (UUID(hex=number.ljust(32, sign)) for sign in "0f")
    wanted = select(Conversation.id).where(Conversation.id.between(first, last), readable(session, staff))
    return session.scalars(wanted.order_by(Conversation.updated_at.desc()).limit(limit)).all()


def students_of(session: Session, staff: Staff, ids: set[UUID]) -> dict[UUID, Student]:
    """The linked records of those of these conversations that this colleague may read."""
    query = select(Conversation.id, Student).join(Student, Conversation.student_id == Student.id)
    found: dict[UUID, Student] = dict(
        session.execute(query.where(Conversation.id.in_(ids), readable(session, staff))).all()
    )
    return found


def inbox_row(session: Session, conversation_id: UUID) -> InboxRow:
    """One conversation. Raises NotFound."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound
    return _rows(session, [conversation])[0]


def check_readable(session: Session, staff: Staff, conversation_id: UUID) -> None:
    """Raises NotFound for a conversation that does not exist, or that this colleague may not read: no difference."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or not may_read(session, staff, conversation):
        raise NotFound


def queue_position(session: Session, conversation: Conversation) -> int | None:
    """1 for the student who is next at their desk, None for one who does not wait. Who is laid aside is passed over,
    and whoever is in danger comes before all others, as in the list of those who answer."""
    if conversation.control != Control.WAITING:
        return None
    is_own = and_(Case.conversation_id == conversation.id, Case.closed_at.is_(None))
    place = select(Case.opened_at).where(is_own).scalar_subquery()
    is_earlier = (Case.opened_at < place) | ((Case.opened_at == place) & (Conversation.id < conversation.id))
    is_before = and_ if is_in_danger(session, conversation.id) else or_
    ahead = session.scalar(
        select(func.count())
        .select_from(Conversation)
        .join(Case, _IS_OPEN)
        .where(
            Conversation.control == Control.WAITING,
            Conversation.snoozed_until.is_(None),
            Conversation.desk == conversation.desk,
            is_before(in_danger(), is_earlier),
        )
    )
    return 1 + (ahead or 0)


def readable_of(session: Session, staff: Staff, ids: set[UUID]) -> set[UUID]:
    """Those of these conversations that this colleague may read."""
    return set(session.scalars(select(Conversation.id).where(Conversation.id.in_(ids), readable(session, staff))))


def open_alerts(session: Session, conversation_id: UUID) -> Sequence[Alert]:
    return session.scalars(
        select(Alert).where(Alert.conversation_id == conversation_id, Alert.seen_at.is_(None)).order_by(Alert.id)
    ).all()


_IS_OPEN = and_(Case.conversation_id == Conversation.id, Case.closed_at.is_(None))


def _in_order(
    query: Select[Conversation], key: InstrumentedAttribute[datetime], *, waiting: bool
) -> Select[Conversation]:
    """Waiting ones by the places that their requests had from the beginning, all others by the key, newest first."""
    if waiting:
        return query.join(Case, _IS_OPEN).order_by(Case.opened_at, Conversation.id)
    return query.order_by(key.desc(), Conversation.id.desc())


def narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions of a query that filters ask for."""
    found: list[ColumnElement[bool]] = []
    if filters.state is not None:
        found.append(Conversation.control == filters.state)
    if filters.state == Control.WAITING:
        found.append(Conversation.snoozed_until.is_(None))
    if filters.desk is not None:
        found.append(Conversation.desk == filters.desk)
    if filters.tag is not None:
        found.append(Conversation.id.in_(select(Tag.conversation_id).where(Tag.tag == filters.tag.casefold())))
    if filters.assignee is not None:
        holder = select(Staff.id).where(Staff.email == filters.assignee.strip().lower())
        found.append(Conversation.assignee_id.in_(holder))
    if filters.language is not None:
        found.append(Conversation.language == filters.language)
    if filters.unanswered:
        found += _UNANSWERED
    return found


_UNANSWERED = (Conversation.abstentions > 0, Conversation.control.in_((Control.BOT, Control.WAITING)))


def _in_tab(tab: Tab, staff_id: int) -> Sequence[ColumnElement[bool]]:
    # Snoozes that are over are taken off within seconds (bot.handoff.tending).
    awake = Conversation.snoozed_until.is_(None)
    match tab:
        case Tab.WAITING:
            return [Conversation.control == Control.WAITING, awake]
        case Tab.MINE:
            return [Conversation.assignee_id == staff_id, awake]
        case Tab.TEAM:
            own = select(DeskMember.desk).where(DeskMember.staff_id == staff_id)
            return [Conversation.desk.in_(own), Conversation.control.in_((Control.WAITING, Control.STAFF)), awake]
        case Tab.COLLEAGUES:
            return [Conversation.control == Control.STAFF, Conversation.assignee_id != staff_id]
        case Tab.UNANSWERED:
            return _UNANSWERED
        case Tab.SNOOZED:
            return [Conversation.snoozed_until.is_not(None)]
        case Tab.ALL:
            return []
        case _:
            return [Conversation.control == Control(tab.value)]


def _rows(session: Session, conversations: Sequence[Conversation]) -> list[InboxRow]:
    """A fixed number of queries, however long the page is."""
    ids = [conversation.id for conversation in conversations]
    assignees = {conversation.assignee_id for conversation in conversations} - {None}
    linked = {conversation.student_id for conversation in conversations} - {None}
    staff = {person.id: person for person in session.scalars(select(Staff).where(Staff.id.in_(assignees)))}
    students = {student.id: student for student in session.scalars(select(Student).where(Student.id.in_(linked)))}
    # Each looked for from the end of its conversation: a long one costs no more than a short one.
    newest = (
        select(Message.id)
        .where(Message.conversation_id == Conversation.id, Message.author.in_((Author.STUDENT, Author.STAFF)))
        .order_by(Message.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    of_humans = select(newest).where(Conversation.id.in_(ids))
    texts = {
        message.conversation_id: message
        for message in session.scalars(select(Message).where(Message.id.in_(session.scalars(of_humans).all())))
    }
    alerts: dict[UUID, list[str]] = {}
    for conversation_id, kind in session.execute(
        select(Alert.conversation_id, Alert.kind)
        .where(Alert.conversation_id.in_(ids), Alert.seen_at.is_(None))
        .distinct()
        .order_by(Alert.kind)
    ):
        alerts.setdefault(conversation_id, []).append(kind)
    tags: dict[UUID, list[str]] = {}
    tagged = select(Tag.conversation_id, Tag.tag).where(Tag.conversation_id.in_(ids)).order_by(Tag.tag)
    for conversation_id, tag in session.execute(tagged):
        tags.setdefault(conversation_id, []).append(tag)
    requests = select(Case).where(Case.conversation_id.in_(ids), Case.closed_at.is_(None))
    cases = {each.conversation_id: each for each in session.scalars(requests)}
    return [
        InboxRow(
            conversation=conversation,
            assignee=None if conversation.assignee_id is None else staff.get(conversation.assignee_id),
            student=None if conversation.student_id is None else students.get(conversation.student_id),
            last_text=texts.get(conversation.id),
            alerts=tuple(alerts.get(conversation.id, ())),
            tags=tuple(tags.get(conversation.id, ())),
            case=cases.get(conversation.id),
        )
        for conversation in conversations
    ]


def _write_cursor(key: datetime, conversation_id: UUID, filters: Filters) -> str:
    place = [filters.fingerprint, key.isoformat(), conversation_id.hex]
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, filters: Filters) -> tuple[datetime, UUID]:
    try:
        of_list, key, conversation_id = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = datetime.fromisoformat(key), UUID(hex=conversation_id)
        if of_list != filters.fingerprint or place[0].tzinfo is None:
            raise ValueError("of another list")
        place[0].astimezone(UTC)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidField("The cursor is not one that this list gave out.", field="cursor") from error
    return place
