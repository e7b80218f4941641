"""What time does to conversations: dangers, long waits, answers and promises that are due are told by mail,
snoozed ones wake, the default desk takes what is at none, and what a colleague who is gone left unanswered waits again.

One small transaction for each conversation, each of which looks again at what it acts on.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select
from sqlalchemy import case as by_value
from sqlalchemy.orm import Session

from bot.clock import PARIS, day_in_france
from bot.conversations.models import Alert, Author, Control, Conversation, Message, OutboxEntry
from bot.conversations.service import locked_conversation
from bot.db.session import Database
from bot.errors import NotFound
from bot.handoff.desks import Office, coordinators
from bot.handoff.hours import is_open, opening_time, opening_time_ago, usual_wait
from bot.handoff.models import Case, Reason, Task
from bot.handoff.queries import URGENT, in_danger
from bot.handoff.service import AWAY_FOR, GONE, can_be_mailed, is_gone, open_case, requeue_absent, unanswered
from bot.handoff.words import answer_mail, danger_mail, promises_mail, waiting_mail
from bot.identity.models import Staff
from bot.log import get_logger
from bot.students.models import Student

log = get_logger(__name__)

GONE_AFTER = timedelta(minutes=30)
"""Outside opening hours."""
GONE_FOR_A_DAY = timedelta(hours=12)
"""In opening hours, and while these are unknown: the longest that a browser stays signed in."""
MORNING = 8
"""From this hour on, in France, colleagues are told of their promises."""
LATEST_CLAIMS = 20
BATCH = 200
TENDED = (Control.WAITING, Control.STAFF)
"""What a person is asked for, or has."""

Present = Callable[[UUID], datetime | None]
"""When a student's page was last seen reading."""


def tend(database: Database, office: Office, present: Present, now: datetime, address: str) -> set[UUID]:
    """Do what is due; returns the conversations that changed. `address`: of the gateway, for links in mails.

    Raises:
        Unavailable: the database cannot be reached; what was done before stays done.
    """
    return {
        # Before all else: no fault in what follows may keep it back.
        *_each(
            database, _untold_danger(now), lambda session, found: _tell_danger(session, found, office, now, address)
        ),
        *_each(database, _at_no_desk(office), lambda session, found: _bring_to_desk(session, found, office)),
        *_each(database, _snoozed(now), _wake),
        *_each(database, _left_behind(office, now), lambda session, found: _bring_back(session, found, office, now)),
        *_each(
            database, _long_waiting(office, now), lambda session, found: _escalate(session, found, office, now, address)
        ),
        *_each(database, _answered(now), lambda session, found: _mail(session, found, present, now, address)),
        *_tell_promises(database, office, now, address),
    }


def _each(database: Database, due: Select[UUID], deed: Callable[[Session, Conversation], bool]) -> set[UUID]:
    """`due` finds nothing but what is due, so that nothing keeps what comes behind it back."""
    with database.read() as session:
        found = session.scalars(due.limit(BATCH)).all()
    changed = set()
    for conversation_id in found:
        with database.write() as session:
            try:
                conversation = locked_conversation(session, conversation_id)
            except NotFound:
                continue
            is_due = session.scalar(due.where(Conversation.id == conversation_id)) is not None
            if is_due and deed(session, conversation):
                changed.add(conversation_id)
    return changed


DANGER_AGAIN = timedelta(minutes=10)
"""Somebody in danger writes many messages: those of so long are one mail."""
_UNTOLD = (Alert.seen_at.is_(None), Alert.told_at.is_(None))
"""Nobody has seen the alert or been told."""


def _untold_danger(now: datetime) -> Select[UUID]:
    """Where somebody wrote of a danger, also to a colleague who has the conversation, and no mail went just now; and
    whoever is in danger and waits again because nobody has it any more."""
    of_it = exists().where(Alert.conversation_id == Conversation.id, Alert.kind == URGENT).correlate(Conversation)
    was_just_told = of_it.where(Alert.told_at > now - DANGER_AGAIN)
    wrote = and_(of_it.where(*_UNTOLD), ~was_just_told)
    is_awake = or_(Conversation.snoozed_until.is_(None), Conversation.snoozed_until <= now)
    waits_untold = and_(Conversation.control == Control.WAITING, Case.escalated_at.is_(None), is_awake, in_danger())
    return (
        select(Conversation.id)
        .outerjoin(Case, and_(Case.conversation_id == Conversation.id, Case.closed_at.is_(None)))
        .where(Conversation.control.in_(TENDED), or_(wrote, waits_untold))
    )


def _tell_danger(session: Session, conversation: Conversation, office: Office, now: datetime, address: str) -> bool:
    """A mail to those who can send somebody and to whoever has the conversation; it stays untold while there is
    nobody to tell."""
    slug = conversation.desk or office.default
    readers = {person.id: person for person in coordinators(session, slug)}
    holder = session.get(Staff, conversation.assignee_id) if conversation.control == Control.STAFF else None
    if holder is not None and not is_gone(holder):
        readers[holder.id] = holder
    if not readers:
        return False
    untold = select(Alert).where(Alert.conversation_id == conversation.id, Alert.kind == URGENT, *_UNTOLD)
    for alert in session.scalars(untold):
        alert.told_at = now
    if holder is None and (case := open_case(session, conversation)) is not None and case.escalated_at is None:
        case.escalated_at = now
    desk, place = office.desk(slug), _place(conversation, address)
    for person in readers.values():
        name = None if holder is None else holder.name
        subject, text = danger_mail(person.language, desk.name.get(person.language), name, place)
        key = f"danger:{conversation.id}:{person.id}:{now.timestamp():.3f}"
        _put(session, key, conversation, person.email, person.language, subject, text, now)
    log.info("danger_told", conversation=str(conversation.id), people=len(readers))
    return True


def _at_no_desk(office: Office) -> Select[UUID]:
    """What somebody should look after, and the desk is not, or no longer, in knowledge/desks.yml."""
    is_unknown = Conversation.desk.not_in(office.desks)
    waits_at_none = and_(Conversation.desk.is_(None), Conversation.control == Control.WAITING)
    return select(Conversation.id).where(Conversation.control.in_(TENDED), or_(is_unknown, waits_at_none))


def _bring_to_desk(session: Session, conversation: Conversation, office: Office) -> bool:
    """The default desk takes it: else it would be in no desk's lists."""
    conversation.desk = office.default
    if (case := open_case(session, conversation)) is not None:
        case.desk = office.default
    return True


def _left_behind(office: Office, now: datetime) -> Select[UUID]:
    """What a colleague has who is gone, and the student waits for an answer: at once where the account is disabled or
    may not answer any more; else after a day without a sign of the colleague, in which the student has waited as long
    in opening time as the desk lets anybody wait."""
    since = unanswered()
    is_unseen = and_(~_was_seen(now - GONE_FOR_A_DAY), _is_too_long_ago(office, since, now))
    return (
        select(Conversation.id)
        .join(Staff, Staff.id == Conversation.assignee_id)
        .where(Conversation.control == Control.STAFF, Conversation.snoozed_until.is_(None))
        .where(since.is_not(None), or_(GONE, is_unseen))
        .order_by(Conversation.updated_at)
    )


def _is_too_long_ago(office: Office, since: ColumnElement[Any], now: datetime) -> ColumnElement[bool]:
    """Whether a conversation has waited since then, in opening time, as long as its desk lets anybody wait."""
    latest = {
        slug: literal(
            opening_time_ago(office.hours, now, timedelta(minutes=desk.escalate_after)), Conversation.waiting_since.type
        )
        for slug, desk in office.desks.items()
    }
    return since <= by_value(latest, value=Conversation.desk, else_=latest[office.default])


def _bring_back(session: Session, conversation: Conversation, office: Office, now: datetime) -> bool:
    requeue_absent(session, conversation, office, now)
    return True


def _snoozed(now: datetime) -> Select[UUID]:
    return select(Conversation.id).where(Conversation.snoozed_until <= now)


def _wake(_session: Session, conversation: Conversation) -> bool:
    conversation.snoozed_until = None
    return True


def _long_waiting(office: Office, now: datetime) -> Select[UUID]:
    return (
        select(Conversation.id)
        .join(Case, Case.conversation_id == Conversation.id)
        .where(
            Conversation.control == Control.WAITING,
            Case.closed_at.is_(None),
            Case.escalated_at.is_(None),
            or_(Conversation.snoozed_until.is_(None), Conversation.snoozed_until <= now),
            _is_too_long_ago(office, func.coalesce(Conversation.waiting_since, Case.opened_at), now),
        )
        .order_by(Conversation.waiting_since)
    )


def _escalate(session: Session, conversation: Conversation, office: Office, now: datetime, address: str) -> bool:
    """Once for each request: the mark in the list, and a mail to those who can send somebody."""
    case = open_case(session, conversation)
    if case is None:
        return False
    desk = office.desk(conversation.desk)
    waited = opening_time(office.hours, conversation.waiting_since or case.opened_at, now)
    case.escalated_at = now
    minutes = int(waited.total_seconds() // 60)
    for person in coordinators(session, conversation.desk or office.default):
        subject, text = waiting_mail(
            person.language, desk.name.get(person.language), minutes, _place(conversation, address)
        )
        # With the instant: a request that a colleague left behind may wait too long a second time.
        key = f"waiting:{case.id}:{person.id}:{now.timestamp():.0f}"
        _put(session, key, conversation, person.email, person.language, subject, text, now)
    log.info("wait_too_long", conversation=str(conversation.id), minutes=minutes)
    return True


def _place(conversation: Conversation, address: str) -> str:
    """Where a colleague reads it."""
    return f"{address}/staff#{conversation.id}"


def _answered(now: datetime) -> Select[UUID]:
    return select(Conversation.id).where(Conversation.answer_due_at <= now)


def _mail(session: Session, conversation: Conversation, present: Present, now: datetime, address: str) -> bool:
    """Tell a student who did not come back that an answer is there; one mail for all that is unread."""
    due = conversation.answer_due_at
    if due is None:
        return False
    conversation.answer_due_at = None
    unread = _first_unread(session, conversation, present(conversation.id))
    is_told = conversation.answer_mailed and unread is not None and unread < due - AWAY_FOR
    if unread is None or is_told or not can_be_mailed(session, conversation):
        return False
    if now - unread < AWAY_FOR:
        # They were here after the first answer: this one has ten minutes of its own.
        conversation.answer_due_at = unread + AWAY_FOR
        return False
    student = session.get_one(Student, conversation.student_id)
    conversation.answer_mailed = True
    subject, text = answer_mail(conversation.language, student.given_name, f"{address}/")
    key = f"answered:{conversation.id}:{conversation.last_seq}"
    _put(session, key, conversation, student.email, conversation.language, subject, text, now)
    return False


def _first_unread(session: Session, conversation: Conversation, seen: datetime | None) -> datetime | None:
    """When the first answer came that the student's page has not shown; `seen`: when it last read."""
    query = select(func.min(Message.created_at)).where(
        Message.conversation_id == conversation.id, Message.author == Author.STAFF
    )
    return session.scalar(query if seen is None else query.where(Message.created_at > seen))


def _tell_promises(database: Database, office: Office, now: datetime, address: str) -> set[UUID]:
    """In the morning of its day, and once, a promise is told to whoever made it, all of a day in one mail."""
    if now.astimezone(PARIS).hour < MORNING:
        return set()
    with database.read() as session:
        owners = session.scalars(select(Task.owner_id).where(*_untold(now)).distinct().limit(BATCH)).all()
    for owner_id in owners:
        with database.write() as session:
            _tell_promises_of(session, owner_id, office, now, address)
    return set()


def _untold(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What was promised today for today is fresh in mind; tomorrow it is late."""
    today = day_in_france(now)
    since_midnight = datetime.combine(today, time(), PARIS)
    return (Task.done_at.is_(None), Task.told_at.is_(None), Task.due <= today, Task.created_at < since_midnight)


def _tell_promises_of(session: Session, owner_id: int, office: Office, now: datetime, address: str) -> None:
    """They stay untold while there is nobody to tell."""
    owner = session.get_one(Staff, owner_id)
    found = session.scalars(select(Task).where(Task.owner_id == owner_id, *_untold(now)).with_for_update()).all()
    if not found:
        return
    first = session.get_one(Conversation, found[0].conversation_id)
    readers = coordinators(session, first.desk or office.default) if is_gone(owner) else [owner]
    if not readers:
        return
    for task in found:
        task.told_at = now
    for reader in readers:
        name = owner.name if is_gone(owner) else None
        subject, text = promises_mail(reader.language, len(found), name, f"{address}/staff")
        key = f"promises:{owner_id}:{reader.id}:{now.timestamp():.0f}"
        _put(session, key, None, reader.email, reader.language, subject, text, now)
    log.info("promises_due", owner=owner_id, promises=len(found))


def _put(
    session: Session,
    key: str,
    conversation: Conversation | None,
    to: str,
    language: str,
    subject: str,
    text: str,
    now: datetime,
) -> None:
    payload = {"kind": "message", "to": to, "language": language, "subject": subject, "text": text}
    about = conversation.id if conversation is not None else None
    session.add(OutboxEntry(channel="mail", key=key, conversation_id=about, payload=payload, next_at=now))
    session.flush()


def expected_wait(session: Session, office: Office, desk: str) -> timedelta | None:
    """How long requests at a desk waited lately, in opening time; None when too few are known, or the hours are not."""
    if office.hours is None:
        return None
    hours = office.hours
    waits = session.execute(
        select(Case.opened_at, Case.claimed_at)
        .where(Case.desk == desk, Case.claimed_at.is_not(None), Case.reason != Reason.TAKEOVER)
        .order_by(Case.claimed_at.desc())
        .limit(LATEST_CLAIMS)
    ).all()
    return usual_wait([opening_time(hours, opened, claimed) for opened, claimed in waits if claimed is not None])


def requeue_if_absent(database: Database, office: Office, conversation_id: UUID, now: datetime) -> bool:
    """A student writes into a conversation whose colleague is gone: back into the queue. True when it was so.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with database.read() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is None or not is_absent(session, office, conversation, now):
            return False
    with database.write() as session:
        conversation = locked_conversation(session, conversation_id)
        if not is_absent(session, office, conversation, now):
            return False
        requeue_absent(session, conversation, office, now)
        return True


def is_absent(session: Session, office: Office, conversation: Conversation, now: datetime) -> bool:
    """Whether the colleague who holds it may not answer any more, or nobody saw them for so long."""
    is_closed = office.hours is not None and not is_open(office.hours, now)
    patience = GONE_AFTER if is_closed else GONE_FOR_A_DAY
    query = (
        select(Conversation.id)
        .join(Staff, Staff.id == Conversation.assignee_id)
        .where(Conversation.id == conversation.id, or_(GONE, ~_was_seen(now - patience)))
    )
    return session.scalar(query) is not None


def _was_seen(after: datetime) -> ColumnElement[bool]:
    """Whether there is a sign of the colleague who has the conversation: anywhere, or in this conversation."""
    return or_(
        and_(Staff.seen_at.is_not(None), Staff.seen_at > after),
        exists()
        .where(
            Message.conversation_id == Conversation.id,
            Message.author == Author.STAFF,
            Message.staff_id == Staff.id,
            Message.created_at > after,
        )
        .correlate(Conversation, Staff),
        exists()
        .where(
            Case.conversation_id == Conversation.id,
            Case.claimed_by == Staff.id,
            Case.closed_at.is_(None),
            Case.claimed_at > after,
        )
        .correlate(Conversation, Staff),
    )
