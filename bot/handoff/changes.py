"""Change or take back what a colleague said, for five minutes, in every channel that shows it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from bot.conversations.models import Address, Attachment, Author, Conversation, Message, OutboxEntry
from bot.conversations.queries import sent_files
from bot.conversations.service import LONGEST_TEXT, PUSHED, locked_conversation
from bot.errors import CannotChange, NotFound
from bot.handoff.beside import CHANGEABLE
from bot.handoff.models import MessageChange
from bot.handoff.service import check_role, check_text
from bot.handoff.words import DELETED
from bot.i18n.translate import say
from bot.identity.audit import record
from bot.identity.models import Staff

Parts = Callable[[Message], int]
"""How many messages a messenger makes of one."""


def one_part(_message: Message) -> int:
    return 1


def edit(
    session: Session,
    conversation_id: UUID,
    seq: int,
    staff: Staff,
    text: str,
    now: datetime,
    parts: Parts = one_part,
) -> Message:
    """Put other words in place of one's own. The same words again change nothing.

    Raises:
        NotAllowed: the role may not answer.
        NotFound: there is no such message.
        InvalidField: the text is empty or too long.
        CannotChange: `why`: not_yours, too_late, deleted, delivered (a messenger shows it, under which number is not
            known), too_long (a messenger would need more messages than it shows now), or is_file.
    """
    check_text(text, LONGEST_TEXT)
    conversation, message, entry = _changeable(session, conversation_id, seq, staff, now)
    if sent_files(session, [message]):
        raise CannotChange(why="is_file")
    if message.text != text:
        before = parts(message)
        _keep(session, conversation, message, now)
        message.text, message.edited_at = text, now
        if _is_shown(message, entry) and parts(message) > before:
            raise CannotChange(why="too_long")
        _pass_on(session, message, entry, now)
        record(session, "message_edited", staff_id=staff.id, now=now, conversation_id=conversation_id, seq=seq)
    return message


def take_back(session: Session, conversation_id: UUID, seq: int, staff: Staff, now: datetime) -> Message:
    """Delete one's own words, or file; the place in the transcript says so. Raises as `edit`."""
    conversation, message, entry = _changeable(session, conversation_id, seq, staff, now)
    _keep(session, conversation, message, now)
    message.text, message.deleted_at = say(conversation.language, DELETED), now
    session.execute(delete(Attachment).where(Attachment.message_id == message.id))
    _pass_on(session, message, entry, now)
    record(session, "message_deleted", staff_id=staff.id, now=now, conversation_id=conversation_id, seq=seq)
    return message


def _changeable(
    session: Session, conversation_id: UUID, seq: int, staff: Staff, now: datetime
) -> tuple[Conversation, Message, OutboxEntry | None]:
    """With the row by which it goes to a messenger, until it has arrived there; held against whoever delivers it."""
    check_role(staff)
    conversation = locked_conversation(session, conversation_id)
    # First: once it is delivered the message says so.
    entry = session.scalar(
        select(OutboxEntry)
        .where(OutboxEntry.key == f"message:{conversation_id}:{seq}")
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    message = session.scalar(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.seq == seq)
        .execution_options(populate_existing=True)
    )
    if message is None:
        raise NotFound
    if message.author != Author.STAFF or message.staff_id != staff.id:
        raise CannotChange(why="not_yours")
    if message.deleted_at is not None:
        raise CannotChange(why="deleted")
    if now - message.created_at > CHANGEABLE:
        raise CannotChange(why="too_late")
    if message.delivered is None and entry is None and _has_messenger(session, conversation_id):
        raise CannotChange(why="delivered")
    return conversation, message, entry


def _has_messenger(session: Session, conversation_id: UUID) -> bool:
    found = session.scalar(
        select(exists().where(Address.conversation_id == conversation_id, Address.channel.in_(PUSHED)))
    )
    return bool(found)


def _is_shown(message: Message, entry: OutboxEntry | None) -> bool:
    """Whether a messenger shows it, or may."""
    return bool(message.delivered) if entry is None else entry.attempts > 0


def _pass_on(session: Session, message: Message, entry: OutboxEntry | None, now: datetime) -> None:
    """What has not gone out yet goes out as it is now, or not at all; what a messenger shows is changed there."""
    if _is_shown(message, entry):
        known = message.delivered or {}
        session.add(
            OutboxEntry(
                channel=entry.channel if entry is not None else known["channel"],
                key=f"change:{message.conversation_id}:{message.seq}:{message.change}",
                conversation_id=message.conversation_id,
                payload={"seq": message.seq, "change": message.change, "to": known.get("chat", "")},
                next_at=now,
            )
        )
    elif entry is not None and message.deleted_at is not None:
        session.delete(entry)
    session.flush()


def _keep(session: Session, conversation: Conversation, message: Message, now: datetime) -> None:
    session.add(MessageChange(message_id=message.id, text=message.text, changed_at=now))
    conversation.changes += 1
    message.change = conversation.changes
    conversation.updated_at = now
