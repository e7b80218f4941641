"""Change or take back what a colleague said, for five minutes, where the student's channel can follow."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot.conversations.models import Address, Author, Conversation, Message, OutboxEntry
from bot.conversations.service import LONGEST_TEXT, PUSHED, locked_conversation
from bot.errors import CannotChange, NotFound
from bot.handoff.beside import CHANGEABLE
from bot.handoff.models import MessageChange
from bot.handoff.service import check_role, check_text
from bot.handoff.words import DELETED
from bot.i18n.translate import say
from bot.identity.audit import record
from bot.identity.models import Staff


def edit(session: Session, conversation_id: UUID, seq: int, staff: Staff, text: str, now: datetime) -> Message:
    """Put other words in place of one's own. The same words again change nothing.

    Raises:
        NotAllowed: the role may not answer.
        NotFound: there is no such message.
        InvalidField: the text is empty or too long.
        CannotChange: `why`: not_yours, too_late, deleted, or delivered by a messenger that shows the old words.
    """
    check_text(text, LONGEST_TEXT)
    conversation, message = _changeable(session, conversation_id, seq, staff, now)
    if message.text != text:
        _keep(session, conversation, message, now)
        message.text, message.edited_at = text, now
        session.flush()
        record(session, "message_edited", staff_id=staff.id, now=now, conversation_id=conversation_id, seq=seq)
    return message


def take_back(session: Session, conversation_id: UUID, seq: int, staff: Staff, now: datetime) -> Message:
    """Delete one's own words; the place in the transcript says so. Raises as `edit`."""
    conversation, message = _changeable(session, conversation_id, seq, staff, now)
    _keep(session, conversation, message, now)
    message.text, message.deleted_at = say(conversation.language, DELETED), now
    session.flush()
    record(session, "message_deleted", staff_id=staff.id, now=now, conversation_id=conversation_id, seq=seq)
    return message


def _changeable(
    session: Session, conversation_id: UUID, seq: int, staff: Staff, now: datetime
) -> tuple[Conversation, Message]:
    check_role(staff)
    conversation = locked_conversation(session, conversation_id)
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
    if _is_delivered(session, conversation_id, seq):
        raise CannotChange(why="delivered")
    return conversation, message


def _is_delivered(session: Session, conversation_id: UUID, seq: int) -> bool:
    """Whether a messenger may show it already: its own number there is not known, so it could not be changed there."""
    has_messenger = session.scalar(
        select(exists().where(Address.conversation_id == conversation_id, Address.channel.in_(PUSHED)))
    )
    if not has_messenger:
        return False
    row = session.scalar(
        select(OutboxEntry).where(OutboxEntry.key == f"message:{conversation_id}:{seq}").with_for_update()
    )
    return row is None or row.attempts > 0


def _keep(session: Session, conversation: Conversation, message: Message, now: datetime) -> None:
    session.add(MessageChange(message_id=message.id, text=message.text, changed_at=now))
    conversation.changes += 1
    message.change = conversation.changes
    conversation.updated_at = now
