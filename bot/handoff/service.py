"""The takeover: ask for a person, claim, answer, release, close. Each is one transaction given by the caller."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.models import Author, Control, Conversation, Kind, Message
from bot.conversations.service import LONGEST_TEXT, append, locked_conversation
from bot.errors import AlreadyTaken, DifferentContent, InvalidField, NotAllowed, VersionChanged
from bot.handoff.models import Case, Reason
from bot.handoff.states import Move, after
from bot.i18n.translate import say
from bot.identity.audit import record
from bot.identity.models import Role, Staff

MAY_ANSWER = frozenset({Role.ADVISER, Role.COORDINATOR, Role.ADMIN})


def open_case(session: Session, conversation: Conversation) -> Case | None:
    return session.scalar(select(Case).where(Case.conversation_id == conversation.id, Case.closed_at.is_(None)))


def request_person(session: Session, conversation: Conversation, reason: Reason, now: datetime) -> Case:
    """Put the conversation into the queue. Asking twice returns the case already open; the bot goes on answering."""
    if (case := open_case(session, conversation)) is not None:
        return case
    case = Case(conversation_id=conversation.id, reason=reason, opened_at=now)
    session.add(case)
    _move(conversation, Move.REQUEST, now)
    session.flush()
    return case


def claim(
    session: Session, conversation_id: UUID, staff: Staff, now: datetime, version: int | None = None
) -> Conversation:
    """Take the conversation. Of two who claim at once exactly one gets it. Claiming one's own again changes nothing.

    Raises:
        AlreadyTaken: a colleague holds it (`colleague` names them).
        VersionChanged: it is not as it was at `version`.
        NotAllowed: the role may not answer students.
    """
    _check_role(staff)
    conversation = locked_conversation(session, conversation_id)
    if conversation.assignee_id == staff.id:
        return conversation
    if conversation.control == Control.STAFF:
        raise AlreadyTaken(colleague=_name_of(session, conversation.assignee_id))
    _check_version(conversation, version)
    case = open_case(session, conversation) or _add_case(session, conversation, now)
    case.claimed_at, case.claimed_by = now, staff.id
    conversation.assignee_id = staff.id
    conversation.prompt = None
    _move(conversation, Move.CLAIM, now)
    session.flush()
    _notice(session, conversation, say(conversation.language, "You are now talking to {name}.", name=staff.name), now)
    record(session, "claim", staff_id=staff.id, now=now, conversation_id=conversation_id)
    return conversation


def release(
    session: Session, conversation_id: UUID, staff: Staff, now: datetime, version: int | None = None
) -> Conversation:
    """Give the conversation back to the bot; a request that nobody took is ended by it.

    Raises:
        AlreadyTaken: a colleague holds it.
        VersionChanged: it is not as it was at `version`, or it is with the bot already.
    """
    conversation = _held(session, conversation_id, staff, version)
    was_held = conversation.control == Control.STAFF
    _end_case(session, conversation, now)
    conversation.assignee_id = None
    conversation.abstentions = 0
    _move(conversation, Move.RELEASE, now)
    session.flush()
    language = conversation.language
    if was_held:
        text = say(language, "The assistant is back: you are talking to a machine again.")
    else:
        text = say(language, "The office has ended your request for a person. The assistant goes on answering.")
    _notice(session, conversation, text, now)
    record(session, "release", staff_id=staff.id, now=now, conversation_id=conversation_id)
    return conversation


def close(
    session: Session, conversation_id: UUID, staff: Staff, now: datetime, version: int | None = None
) -> Conversation:
    """End the conversation; a new message of the student reopens it for the bot. Raises as `release`."""
    conversation = _held(session, conversation_id, staff, version)
    _end_case(session, conversation, now)
    conversation.assignee_id = None
    conversation.prompt = None
    conversation.abstentions = 0
    _move(conversation, Move.CLOSE, now)
    session.flush()
    text = say(conversation.language, "This conversation is closed. Write again at any time and the assistant answers.")
    _notice(session, conversation, text, now)
    record(session, "close", staff_id=staff.id, now=now, conversation_id=conversation_id)
    return conversation


@dataclass(frozen=True)
class Replied:
    message: Message
    is_new: bool


def reply(session: Session, conversation_id: UUID, staff: Staff, client_id: str, text: str, now: datetime) -> Replied:
    """Answer the student. Where nobody holds the conversation this is a claim as well.

    Raises:
        AlreadyTaken: a colleague holds it.
        DifferentContent: the same client_id came with another text.
        InvalidField: the text is empty or too long.
    """
    if not text.strip() or len(text) > LONGEST_TEXT or "\x00" in text:
        raise InvalidField(f"The text must have between 1 and {LONGEST_TEXT} characters.", field="text")
    _check_role(staff)
    conversation = locked_conversation(session, conversation_id)
    known = session.scalar(
        select(Message).where(
            Message.conversation_id == conversation_id, Message.author == Author.STAFF, Message.client_id == client_id
        )
    )
    if known is not None:
        if known.text != text or known.author_name != staff.name:
            raise DifferentContent
        return Replied(known, is_new=False)
    conversation = claim(session, conversation_id, staff, now)
    message = append(session, conversation, Author.STAFF, text, now=now, author_name=staff.name, client_id=client_id)
    return Replied(message, is_new=True)


def _held(session: Session, conversation_id: UUID, staff: Staff, version: int | None) -> Conversation:
    _check_role(staff)
    conversation = locked_conversation(session, conversation_id)
    if conversation.control == Control.STAFF and conversation.assignee_id != staff.id:
        raise AlreadyTaken(colleague=_name_of(session, conversation.assignee_id))
    _check_version(conversation, version)
    return conversation


def _move(conversation: Conversation, move: Move, now: datetime) -> None:
    control = after(conversation.control, move)
    if control is None:
        raise VersionChanged
    if control == Control.WAITING and conversation.control != Control.WAITING:
        conversation.waiting_since = now
    elif control != Control.WAITING:
        conversation.waiting_since = None
    if control != conversation.control:
        conversation.control = control
        conversation.version += 1
    conversation.updated_at = now


def _add_case(session: Session, conversation: Conversation, now: datetime) -> Case:
    case = Case(conversation_id=conversation.id, reason=Reason.TAKEOVER, opened_at=now)
    session.add(case)
    return case


def _end_case(session: Session, conversation: Conversation, now: datetime) -> None:
    if (case := open_case(session, conversation)) is not None:
        case.closed_at = now


def _check_role(staff: Staff) -> None:
    if staff.disabled or staff.role not in MAY_ANSWER:
        raise NotAllowed


def _check_version(conversation: Conversation, version: int | None) -> None:
    if version is not None and version != conversation.version:
        raise VersionChanged


def _name_of(session: Session, staff_id: int | None) -> str:
    return session.scalar(select(Staff.name).where(Staff.id == staff_id)) or "…"


def _notice(session: Session, conversation: Conversation, text: str, now: datetime) -> None:
    append(session, conversation, Author.SYSTEM, text, kind=Kind.NOTICE, now=now)
