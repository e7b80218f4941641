"""Call colleagues who are not at the desk: by mail after the wait they chose, in their browsers at once.

Runs beside the requests. What must go out is put into the outbox in the transaction that notes it as told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.calling.models import CallKind, DeskCall
from bot.calling.rules import (
    MAIL_CHOICES,
    Wait,
    Whereabouts,
    Words,
    new_waits,
    new_words,
    to_mail,
    waits_for,
    whereabouts,
)
from bot.calling.words import waits_mail, waits_note, words_note
from bot.content.schema import TopicFile
from bot.conversations.models import Author, Control, Conversation, Kind, Message, OutboxEntry
from bot.db.session import Database
from bot.errors import InvalidField
from bot.handoff.desks import Office, desks_of
from bot.handoff.hours import is_open, opening_time
from bot.handoff.models import Case
from bot.handoff.service import GONE, check_role
from bot.identity.audit import record
from bot.identity.models import PushBrowser, Staff, StaffSession
from bot.log import get_logger

log = get_logger(__name__)

PUSH = "push"
"""Channel of the outbox (bot.channels.push)."""
WORTH = timedelta(minutes=30)
"""What could not be delivered within this helps nobody any more."""


@dataclass(frozen=True)
class Desk:
    """What a call needs to know of the office. `topics`: by slug; `at_desk`: whether a page of a colleague is open."""

    office: Office
    topics: Mapping[str, TopicFile]
    at_desk: Callable[[int], bool]
    address: str
    """Of the gateway, for links."""


@dataclass(frozen=True)
class Calls:
    """What one colleague must be told now; `seen`: what an open page shows them already."""

    mail: Sequence[Wait] = ()
    waits: Sequence[Wait] = ()
    words: Sequence[Words] = ()
    seen: bool = False

    def __bool__(self) -> bool:
        return bool(self.mail or self.waits or self.words)


def set_mail_after(session: Session, staff: Staff, minutes: int | None, now: datetime) -> None:
    """After which wait a mail calls this colleague; None: never.

    Raises:
        NotAllowed: the role answers no students.
        InvalidField: not one of MAIL_CHOICES.
    """
    check_role(staff)
    if minutes is not None and minutes not in MAIL_CHOICES:
        raise InvalidField(field="mail_after")
    if staff.mail_after != minutes:
        staff.mail_after = minutes
        session.flush()
        record(session, "mail_after_set", staff_id=staff.id, now=now, minutes=minutes)


def call_people(database: Database, desk: Desk, now: datetime) -> int:
    """Tell whoever wished it and is not there; returns how many colleagues were told something.

    Outside opening hours nobody is called; what waits when the desk opens is told then.

    Raises:
        Unavailable: the database cannot be reached; who was told before stays told.
    """
    if desk.office.hours is not None and not is_open(desk.office.hours, now):
        return 0
    with database.read() as session:
        people = _people(session)
        waits = _waits(session, desk.office, now) if people else []
        due = [person for person in people if _calls(session, person, waits, desk, now)]
    told = 0
    for person in due:
        try:
            with database.write() as session:
                # Again, in the transaction that notes it: meanwhile somebody may have taken over.
                calls = _calls(session, person, _waits(session, desk.office, now), desk, now)
                _tell(session, person, calls, desk, now)
        except IntegrityError:
            # A conversation was erased at this instant.
            continue
        told += bool(calls) and not calls.seen
    if told:
        log.info("called_to_the_desk", people=told)
    return told


def _people(session: Session) -> Sequence[Staff]:
    """Who wants to be called."""
    has_browser = select(PushBrowser.id).where(PushBrowser.staff_id == Staff.id).exists()
    wanted = select(Staff).where(~GONE)
    return session.scalars(wanted.where(or_(Staff.mail_after.is_not(None), has_browser)).order_by(Staff.id)).all()


def _waits(session: Session, office: Office, now: datetime) -> list[Wait]:
    query = (
        select(Conversation.id, Conversation.desk, Conversation.last_topic, Conversation.waiting_since, Case)
        .join(Case, Case.conversation_id == Conversation.id)
        .where(Conversation.control == Control.WAITING, Case.closed_at.is_(None), Conversation.snoozed_until.is_(None))
        .order_by(Conversation.waiting_since, Conversation.id)
    )
    return [
        Wait(
            conversation_id,
            case.id,
            slug if slug is not None and slug in office.desks else office.default,
            topic,
            since or case.opened_at,
            opening_time(office.hours, since or case.opened_at, now),
        )
        for conversation_id, slug, topic, since, case in session.execute(query)
    ]


def _words(session: Session, person: Staff) -> list[Words]:
    """Own conversations in which the student wrote after everything that colleagues said."""
    last = func.max(Message.seq)
    by_people = Message.author.in_((Author.STUDENT, Author.STAFF)) & (Message.kind == Kind.TEXT)
    newest = (
        select(Message.conversation_id, last.label("seq"))
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Conversation.assignee_id == person.id, Conversation.snoozed_until.is_(None), by_people)
        .group_by(Message.conversation_id)
        .subquery()
    )
    query = (
        select(Message.conversation_id, Message.seq)
        .join(newest, (newest.c.conversation_id == Message.conversation_id) & (newest.c.seq == Message.seq))
        .where(Message.author == Author.STUDENT)
        .order_by(Message.created_at, Message.id)
    )
    return [Words(conversation_id, seq) for conversation_id, seq in session.execute(query)]


def _calls(session: Session, person: Staff, waits: Sequence[Wait], desk: Desk, now: datetime) -> Calls:
    told = _told(session, person)
    own = waits_for(desks_of(session, person), waits)
    last_seen = session.scalar(select(func.max(StaffSession.seen_at)).where(StaffSession.staff_id == person.id))
    place = whereabouts(desk.at_desk(person.id), last_seen, now)
    last_mail = session.scalar(
        select(func.max(DeskCall.at)).where(DeskCall.staff_id == person.id, DeskCall.kind == CallKind.MAIL)
    )
    mail = to_mail(own, told[CallKind.MAIL], person.mail_after, place, last_mail, now)
    if place == Whereabouts.NEAR or not _browsers(session, person):
        return Calls(mail)
    return Calls(
        mail,
        new_waits(own, told[CallKind.WAIT]),
        new_words(_words(session, person), told[CallKind.WROTE]),
        seen=place == Whereabouts.AT_DESK,
    )


def _told(session: Session, person: Staff) -> dict[CallKind, dict[UUID, int]]:
    """What the colleague knows of conversations that are open."""
    query = (
        select(DeskCall.kind, DeskCall.conversation_id, DeskCall.number)
        .join(Conversation, Conversation.id == DeskCall.conversation_id)
        .where(DeskCall.staff_id == person.id, Conversation.control.in_((Control.WAITING, Control.STAFF)))
    )
    told: dict[CallKind, dict[UUID, int]] = {kind: {} for kind in CallKind}
    for kind, conversation_id, number in session.execute(query):
        told[CallKind(kind)][conversation_id] = number
    return told


def _browsers(session: Session, person: Staff) -> Sequence[int]:
    query = select(PushBrowser.id).where(PushBrowser.staff_id == person.id).order_by(PushBrowser.id)
    return session.scalars(query).all()


def _tell(session: Session, person: Staff, calls: Calls, desk: Desk, now: datetime) -> None:
    for wait in calls.mail:
        _note(session, person, wait.conversation_id, CallKind.MAIL, wait.case_id, now)
    for wait in calls.waits:
        _note(session, person, wait.conversation_id, CallKind.WAIT, wait.case_id, now)
    for words in calls.words:
        _note(session, person, words.conversation_id, CallKind.WROTE, words.seq, now)
    session.flush()
    if calls.mail:
        _put_mail(session, person, calls.mail, desk, now)
    if calls.seen:
        return
    if calls.waits:
        _put_notes(session, person, waits_note(person.language, calls.waits), now)
    if calls.words:
        _put_notes(session, person, words_note(person.language, calls.words), now)


def _note(session: Session, person: Staff, conversation_id: UUID, kind: CallKind, number: int, now: datetime) -> None:
    known = session.scalar(
        select(DeskCall).where(
            DeskCall.conversation_id == conversation_id, DeskCall.staff_id == person.id, DeskCall.kind == kind
        )
    )
    if known is None:
        known = DeskCall(conversation_id=conversation_id, staff_id=person.id, kind=kind)
        session.add(known)
    known.number, known.at = number, now


def _put_mail(session: Session, person: Staff, waits: Sequence[Wait], desk: Desk, now: datetime) -> None:
    language = person.language
    desks = {slug: file.name.get(language) for slug, file in desk.office.desks.items()}
    topics = {slug: file.title.get(language) for slug, file in desk.topics.items()}
    subject, text = waits_mail(language, waits, desks, topics, desk.address)
    payload = {"kind": "message", "to": person.email, "language": language, "subject": subject, "text": text}
    _put(session, "mail", f"call:{person.id}:{now.timestamp():.3f}", payload, now)


def _put_notes(session: Session, person: Staff, note: dict[str, Any], now: datetime) -> None:
    for browser in _browsers(session, person):
        key = f"push:{browser}:{note['tag']}:{now.timestamp():.3f}"
        _put(session, PUSH, key, {"kind": "push", "browser": browser, "note": note}, now)


def _put(session: Session, channel: str, key: str, payload: dict[str, Any], now: datetime) -> None:
    expires = {"expires_at": (now + WORTH).isoformat()}
    session.add(OutboxEntry(channel=channel, key=key, payload=payload | expires, next_at=now))
    session.flush()
