"""The takeover: ask for a person, claim, answer, hand on, release, close. Transactions are the caller's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from bot.conversations.brought import MOST_FILES_A_DAY, MOST_MEGABYTES_A_DAY, clean_name, line_of, media_type_of
from bot.conversations.messages import Brought
from bot.conversations.models import Attachment, AttachmentState, Author, Control, Conversation, Kind, Message
from bot.conversations.service import LONGEST_TEXT, append, has_room, locked_conversation
from bot.conversations.states import Move, after
from bot.errors import AlreadyTaken, DifferentContent, InvalidField, NotAllowed, VersionChanged
from bot.handoff.desks import Office, desk_of_question
from bot.handoff.models import Case, Outcome, Reason
from bot.handoff.words import assistant_back, colleague_gone, now_closed, now_talking_to, now_waiting_at
from bot.i18n.translate import mark
from bot.identity.audit import record
from bot.identity.models import Role, Staff
from bot.students.models import Student

MAY_ANSWER = frozenset({Role.ADVISER, Role.COORDINATOR, Role.ADMIN})
MAY_REASSIGN = frozenset({Role.COORDINATOR, Role.ADMIN})
"""Who may hand on what a colleague holds: colleagues fall ill."""
GONE = or_(Staff.disabled, Staff.role.not_in(MAY_ANSWER))
"""`is_gone` as a condition of a query."""
WEB = "web"
"""The channel of the page, which is read only while it is open."""
AWAY_FOR = timedelta(minutes=10)
"""How long a student may not have looked before a mail says that an answer is there."""


def is_gone(staff: Staff) -> bool:
    """Whether this account answers no students (any more): it is disabled, or its role may not."""
    return staff.disabled or staff.role not in MAY_ANSWER


def open_case(session: Session, conversation: Conversation) -> Case | None:
    return session.scalar(select(Case).where(Case.conversation_id == conversation.id, Case.closed_at.is_(None)))


def request_person(
    session: Session, conversation: Conversation, reason: Reason, now: datetime, *, desk: str | None = None
) -> Case:
    """Put the conversation into a desk's queue; the bot goes on answering. Asking twice returns the open case."""
    if (case := open_case(session, conversation)) is not None:
        return case
    case = Case(conversation_id=conversation.id, reason=reason, desk=desk, opened_at=now)
    session.add(case)
    conversation.desk = desk
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
    check_role(staff)
    conversation = locked_conversation(session, conversation_id)
    if conversation.assignee_id == staff.id:
        return conversation
    if conversation.control == Control.STAFF:
        raise AlreadyTaken(colleague=name_of(session, conversation.assignee_id))
    _check_version(conversation, version)
    _give(session, conversation, Move.CLAIM, staff, now)
    record(session, "claim", staff_id=staff.id, now=now, conversation_id=conversation_id)
    return conversation


def hand_to(
    session: Session, conversation_id: UUID, staff: Staff, colleague: Staff, now: datetime, version: int | None = None
) -> Conversation:
    """Give the conversation to a colleague, who holds it at once. Handing it to its holder changes nothing.

    Raises:
        AlreadyTaken: another colleague holds it, and the role may not hand on what others hold.
        VersionChanged: it is not as it was at `version`, or it is closed.
        InvalidField: the colleague may not answer students, or has never signed in.
    """
    if is_gone(colleague):
        refused = mark("{colleague} may not answer students; choose another colleague.")
        raise InvalidField(refused, field="to.staff", colleague=colleague.name)
    if not colleague.can_sign_in:
        refused = mark("{colleague} has no way to sign in yet; choose another colleague.")
        raise InvalidField(refused, field="to.staff", colleague=colleague.name)
    conversation = _held(session, conversation_id, staff, version, may_reassign=True)
    if conversation.assignee_id == colleague.id:
        return conversation
    before = _as_it_is(session, conversation)
    _give(session, conversation, Move.HAND, colleague, now)
    _can_be_undone(conversation, before, "transfer", staff, now)
    record(session, "transfer", staff_id=staff.id, now=now, conversation_id=conversation_id, to=colleague.id)
    return conversation


def queue_at(
    session: Session,
    conversation_id: UUID,
    staff: Staff,
    office: Office,
    desk: str,
    now: datetime,
    version: int | None = None,
) -> Conversation:
    """Give the conversation to a desk: it waits there, in the place that its request had from the beginning.

    Raises:
        AlreadyTaken, VersionChanged: as `hand_to`.
        InvalidField: there is no such desk.
    """
    if desk not in office.desks:
        refused = mark("There is no desk {desk}; the desks are {desks}.")
        raise InvalidField(refused, field="to.desk", desk=desk, desks=", ".join(office.desks))
    conversation = _held(session, conversation_id, staff, version, may_reassign=True)
    if conversation.control == Control.WAITING and conversation.desk == desk:
        return conversation
    before = _as_it_is(session, conversation)
    case = open_case(session, conversation) or _add_case(session, conversation, now)
    if conversation.control == Control.STAFF:
        _waits_again(session, conversation, case, Move.QUEUE, now)
    else:
        _move(conversation, Move.QUEUE, now)
    conversation.desk = case.desk = desk
    session.flush()
    language = conversation.language
    _notice(session, conversation, now_waiting_at(language, office.desks[desk].name.get(language)), now)
    _can_be_undone(conversation, before, "transfer", staff, now)
    record(session, "transfer", staff_id=staff.id, now=now, conversation_id=conversation_id, desk=desk)
    return conversation


def requeue_absent(session: Session, conversation: Conversation, office: Office, now: datetime) -> None:
    """Back into the queue of its desk: the colleague who has it is gone, and the student waits for an answer."""
    name = name_of(session, conversation.assignee_id)
    case = open_case(session, conversation) or _add_case(session, conversation, now)
    _waits_again(session, conversation, case, Move.ABSENT, now)
    # A colleague who stepped in without a request left it at no desk.
    conversation.desk = case.desk = conversation.desk or desk_of_question(session, office, conversation)
    session.flush()
    _notice(session, conversation, colleague_gone(conversation.language, name), now)
    record(session, "absent", staff_id=None, now=now, conversation_id=conversation.id)


def release(
    session: Session, conversation_id: UUID, staff: Staff, now: datetime, version: int | None = None
) -> Conversation:
    """Give the conversation back to the bot; a request that nobody took is ended by it.

    Raises:
        AlreadyTaken: a colleague holds it.
        VersionChanged: it is not as it was at `version`, or it is with the bot already.
    """
    conversation = _held(session, conversation_id, staff, version)
    before = _as_it_is(session, conversation)
    was_held = conversation.control == Control.STAFF
    _end_case(session, conversation, now)
    conversation.assignee_id = None
    conversation.desk = None
    conversation.abstentions = 0
    _move(conversation, Move.RELEASE, now)
    session.flush()
    _notice(session, conversation, assistant_back(conversation.language, was_held=was_held), now)
    _can_be_undone(conversation, before, "release", staff, now)
    record(session, "release", staff_id=staff.id, now=now, conversation_id=conversation_id)
    return conversation


def close(
    session: Session,
    conversation_id: UUID,
    staff: Staff,
    now: datetime,
    version: int | None = None,
    *,
    outcome: Outcome | None = None,
) -> Conversation:
    """End the conversation; a new message of the student reopens it for the bot. Raises as `release`."""
    conversation = _held(session, conversation_id, staff, version)
    before = _as_it_is(session, conversation)
    _end_case(session, conversation, now)
    conversation.assignee_id = None
    conversation.prompt = None
    conversation.abstentions = 0
    conversation.outcome = outcome
    _move(conversation, Move.CLOSE, now)
    session.flush()
    _notice(session, conversation, now_closed(conversation.language), now)
    _can_be_undone(conversation, before, "close", staff, now)
    details = {"reason": str(outcome)} if outcome is not None else {}
    record(session, "close", staff_id=staff.id, now=now, conversation_id=conversation_id, **details)
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
    check_text(text, LONGEST_TEXT)
    check_role(staff)
    locked_conversation(session, conversation_id)
    if (known := _said_before(session, conversation_id, staff, client_id)) is not None:
        # Of a message that was changed since, only the sender can still be compared.
        if known.change is None and known.text != text:
            raise DifferentContent
        return Replied(known, is_new=False)
    return Replied(_say_it(session, conversation_id, staff, client_id, text, now), is_new=True)


def send_file(
    session: Session,
    conversation_id: UUID,
    staff: Staff,
    client_id: str,
    *,
    name: str,
    media_type: str,
    content: bytes,
    now: datetime,
) -> Replied:
    """Send the student a file, by the rules of `reply`: a claim where nobody holds the conversation.

    Raises:
        AlreadyTaken, DifferentContent: as `reply`.
        InvalidField: it is one too many for this day.
    """
    check_role(staff)
    conversation = locked_conversation(session, conversation_id)
    name = clean_name(name)
    if (known := _said_before(session, conversation_id, staff, client_id)) is not None:
        sent = session.scalar(select(Attachment).where(Attachment.message_id == known.id))
        if known.change is None and (sent is None or (sent.name, sent.content) != (name, content)):
            raise DifferentContent
        return Replied(known, is_new=False)
    if not has_room(session, conversation_id, Author.STAFF, len(content), now):
        refused = mark("In one conversation {files} files and {megabytes} MB a day can be sent.")
        raise InvalidField(refused, field="body", files=MOST_FILES_A_DAY, megabytes=MOST_MEGABYTES_A_DAY)
    brought = Brought("document", name, media_type, len(content), external="")
    line = line_of(brought, conversation.language, is_with_staff=True)
    message = _say_it(session, conversation_id, staff, client_id, line, now)
    session.add(
        Attachment(
            message_id=message.id,
            external="",
            name=name,
            media_type=media_type_of(media_type),
            size=len(content),
            content=content,
            state=AttachmentState.KEPT,
            next_at=now,
            created_at=now,
        )
    )
    session.flush()
    record(session, "send_file", staff_id=staff.id, now=now, conversation_id=conversation_id, seq=message.seq)
    return Replied(message, is_new=True)


def _said_before(session: Session, conversation_id: UUID, staff: Staff, client_id: str) -> Message | None:
    """Raises DifferentContent when a colleague said it."""
    known = session.scalar(
        select(Message).where(
            Message.conversation_id == conversation_id, Message.author == Author.STAFF, Message.client_id == client_id
        )
    )
    if known is None:
        return None
    is_mine = known.author_name == staff.name if known.staff_id is None else known.staff_id == staff.id
    if not is_mine:
        raise DifferentContent
    return known


def _say_it(session: Session, conversation_id: UUID, staff: Staff, client_id: str, text: str, now: datetime) -> Message:
    conversation = claim(session, conversation_id, staff, now)
    message = append(
        session,
        conversation,
        Author.STAFF,
        text,
        now=now,
        author_name=staff.name,
        client_id=client_id,
        staff_id=staff.id,
    )
    conversation.snoozed_until = None
    if conversation.answer_due_at is None and can_be_mailed(session, conversation):
        conversation.answer_due_at = now + AWAY_FOR
    return message


def can_be_mailed(session: Session, conversation: Conversation) -> bool:
    """A web page is read only while it is open; the school mailbox of a linked student is known."""
    return (
        conversation.channel == WEB
        and conversation.student_id is not None
        and session.get(Student, conversation.student_id) is not None
    )


def check_role(staff: Staff) -> None:
    """Raises NotAllowed for a role that may not answer students."""
    if is_gone(staff):
        raise NotAllowed


def check_text(text: str, longest: int, field: str = "text") -> None:
    """Raises InvalidField."""
    if not text.strip() or len(text) > longest or "\x00" in text:
        raise InvalidField(mark("The text must have between 1 and {longest} characters."), field=field, longest=longest)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidField(mark("The text holds half a character (a lone surrogate)."), field=field) from error


def name_of(session: Session, staff_id: int | None) -> str:
    return session.scalar(select(Staff.name).where(Staff.id == staff_id)) or "…"


def may_answer(session: Session) -> Sequence[Staff]:
    """Who can be given a conversation, by name."""
    wanted = select(Staff).where(~GONE)
    return [each for each in session.scalars(wanted.order_by(Staff.name, Staff.email)) if each.can_sign_in]


def names_of(session: Session, staff_ids: set[int]) -> Mapping[int, Staff]:
    return {person.id: person for person in session.scalars(select(Staff).where(Staff.id.in_(staff_ids)))}


def _give(session: Session, conversation: Conversation, move: Move, staff: Staff, now: datetime) -> None:
    case = open_case(session, conversation) or _add_case(session, conversation, now)
    if case.claimed_at is None:
        case.claimed_at = now
    case.claimed_by = staff.id
    conversation.assignee_id = staff.id
    conversation.prompt = None
    conversation.outcome = None
    _move(conversation, move, now)
    session.flush()
    _notice(session, conversation, now_talking_to(conversation.language, staff.name), now)


def unanswered() -> ScalarSelect[datetime]:
    """When the student of a conversation wrote the first words after those of a colleague; NULL: a colleague had the
    last word."""
    said = aliased(Message)
    of_it = said.conversation_id == Conversation.id, said.author == Author.STAFF
    answered = select(func.max(said.seq)).where(*of_it).correlate(Conversation).scalar_subquery()
    wrote = Message.conversation_id == Conversation.id, Message.author == Author.STUDENT
    is_after = Message.seq > func.coalesce(answered, 0)
    return select(func.min(Message.created_at)).where(*wrote, is_after).correlate(Conversation).scalar_subquery()


def _waits_again(session: Session, conversation: Conversation, case: Case, move: Move, now: datetime) -> None:
    """Nobody has it any more. The student waits since what nobody answered: since the request where no colleague has
    said anything, else since their first words after what one said, or from now on."""
    said = Message.conversation_id == conversation.id, Message.author == Author.STAFF
    was_answered = session.scalar(select(exists().where(*said, Message.created_at >= case.opened_at)))
    wrote = session.scalar(select(unanswered()).where(Conversation.id == conversation.id))
    since = (wrote or now) if was_answered else case.opened_at
    conversation.assignee_id = None
    _move(conversation, move, now)
    conversation.waiting_since = since
    case.claimed_by = case.escalated_at = None
    if move == Move.ABSENT:
        # What was not answered is a question of its own, behind those who asked before.
        case.opened_at = since
    if move == Move.ABSENT or not was_answered:
        case.claimed_at = None


def _held(
    session: Session, conversation_id: UUID, staff: Staff, version: int | None, *, may_reassign: bool = False
) -> Conversation:
    check_role(staff)
    conversation = locked_conversation(session, conversation_id)
    is_others = conversation.control == Control.STAFF and conversation.assignee_id != staff.id
    if is_others and not (may_reassign and staff.role in MAY_REASSIGN):
        raise AlreadyTaken(colleague=name_of(session, conversation.assignee_id))
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
    if control != conversation.control or move in (Move.HAND, Move.QUEUE):
        conversation.control = control
        conversation.version += 1
    conversation.snoozed_until = None
    conversation.updated_at = now


def _add_case(session: Session, conversation: Conversation, now: datetime) -> Case:
    case = Case(conversation_id=conversation.id, reason=Reason.TAKEOVER, opened_at=now)
    session.add(case)
    return case


def _end_case(session: Session, conversation: Conversation, now: datetime) -> None:
    if (case := open_case(session, conversation)) is not None:
        case.closed_at = now


def _as_it_is(session: Session, conversation: Conversation) -> dict[str, Any]:
    """What `bot.handoff.undoing` puts back; instants as texts of RFC 3339, `case` None where nothing is asked for."""
    case = open_case(session, conversation)
    return {
        "control": str(conversation.control),
        "assignee": conversation.assignee_id,
        "desk": conversation.desk,
        "waiting_since": _iso(conversation.waiting_since),
        "snoozed_until": _iso(conversation.snoozed_until),
        "case": None
        if case is None
        else {
            "id": case.id,
            "desk": case.desk,
            "escalated_at": _iso(case.escalated_at),
            "claimed_at": _iso(case.claimed_at),
            "claimed_by": case.claimed_by,
        },
    }


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _can_be_undone(conversation: Conversation, before: dict[str, Any], deed: str, staff: Staff, now: datetime) -> None:
    conversation.undoing = before | {
        "deed": deed,
        "staff": staff.id,
        "at": now.isoformat(),
        "version": conversation.version,
        "seq": conversation.last_seq,
    }


def _check_version(conversation: Conversation, version: int | None) -> None:
    if version is not None and version != conversation.version:
        raise VersionChanged


def _notice(session: Session, conversation: Conversation, text: str, now: datetime) -> None:
    append(session, conversation, Author.SYSTEM, text, kind=Kind.NOTICE, now=now)
