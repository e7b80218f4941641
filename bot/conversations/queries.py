"""Reads of the talk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.conversations.models import (
    Attachment,
    AttachmentState,
    Author,
    Conversation,
    InboxEntry,
    InboxState,
    Message,
)
from bot.conversations.service import hash_token
from bot.errors import NotFound


def conversation_of_token(session: Session, conversation_id: UUID, token: str) -> Conversation:
    """The conversation that this token opens.

    Raises:
        NotFound: no such conversation, or the token of another one; which of the two is not told.
    """
    conversation = session.scalar(
        select(Conversation).where(Conversation.id == conversation_id, Conversation.token_hash == hash_token(token))
    )
    if conversation is None:
        raise NotFound
    return conversation


def messages_after(session: Session, conversation_id: UUID, seq: int, limit: int) -> Sequence[Message]:
    return session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.seq > seq)
        .order_by(Message.seq)
        .limit(limit)
    ).all()


def changed_messages(session: Session, conversation_id: UUID, upto: int, since: int) -> Sequence[Message]:
    """Messages up to a seq that were edited or deleted after so many changes of the conversation."""
    return session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.change > since, Message.seq <= upto)
        .order_by(Message.change)
    ).all()


def sent_files(session: Session, messages: Sequence[Message]) -> Mapping[int, Attachment]:
    """What colleagues sent with these messages, by the id of the message; without the bytes."""
    ids = [message.id for message in messages if message.author == Author.STAFF]
    if not ids:
        return {}
    found = session.scalars(select(Attachment).where(Attachment.message_id.in_(ids)))
    return {file.message_id: file for file in found}


def kept_file(session: Session, conversation_id: UUID, file_id: int, *, of: Author | None = None) -> Attachment:
    """A file that is here, of anybody in this conversation or of one side. Raises NotFound for any other."""
    wanted = (
        select(Attachment)
        .join(Message, Attachment.message_id == Message.id)
        .where(
            Attachment.id == file_id,
            Attachment.state == AttachmentState.KEPT,
            Message.conversation_id == conversation_id,
        )
    )
    found = session.scalar(wanted if of is None else wanted.where(Message.author == of))
    if found is None:
        raise NotFound
    return found


def pending_conversations(session: Session) -> Sequence[UUID]:
    """Conversations with something in the inbox, the longest waiting first."""
    return session.scalars(
        select(InboxEntry.conversation_id)
        .where(InboxEntry.state == InboxState.PENDING)
        .group_by(InboxEntry.conversation_id)
        .order_by(func.min(InboxEntry.id))
    ).all()


def next_entry(session: Session, conversation_id: UUID) -> InboxEntry | None:
    """The oldest message of this conversation that is not answered yet."""
    return session.scalar(
        select(InboxEntry)
        .where(InboxEntry.conversation_id == conversation_id, InboxEntry.state == InboxState.PENDING)
        .order_by(InboxEntry.id)
        .limit(1)
    )


@dataclass(frozen=True)
class Stamp:
    """What moves when a conversation changes: the cheap look of the watcher."""

    conversation_id: UUID
    last_seq: int
    version: int
    changes: int


def stamps_since(session: Session, since: datetime) -> Sequence[Stamp]:
    rows = session.execute(
        select(Conversation.id, Conversation.last_seq, Conversation.version, Conversation.changes).where(
            Conversation.updated_at >= since
        )
    )
    return [Stamp(*row) for row in rows]
