"""Where a student is reached in Telegram; whoever has shut us out of it is reached in the widget, or by mail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.channels.telegram.incoming import CHANNEL
from bot.conversations.models import Address, Conversation, Message, OutboxEntry
from bot.conversations.service import locked_conversation
from bot.i18n.translate import say
from bot.reminders.queries import LastTalk
from bot.reminders.telling import queue_mail
from bot.students.models import Student

ELSEWHERE = "web"


def address_in(conversation: UUID | InstrumentedAttribute[UUID | None] | None) -> Select[Address]:
    """The chat that a conversation is read in: the one that came to it last."""
    return (
        select(Address)
        .where(Address.channel == CHANNEL, Address.conversation_id == conversation)
        .order_by(Address.id.desc())
        .limit(1)
    )


def shut_out(session: Session, address: Address, now: datetime) -> None:
    """Nothing goes to this chat any more. What was on its way goes by mail to a linked student; the widget has it."""
    address.blocked_at = now
    conversation = locked_conversation(session, address.conversation_id)
    if conversation.channel == CHANNEL:
        conversation.channel = ELSEWHERE
    waiting = session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.channel == CHANNEL, OutboxEntry.conversation_id == conversation.id)
        .order_by(OutboxEntry.id)
    ).all()
    # A message and a change of it are one mail, with the words as they are now.
    for seq in dict.fromkeys(int(entry.payload["seq"]) for entry in waiting):
        _mail_instead(session, conversation, seq, now)
    for entry in waiting:
        session.delete(entry)
    session.flush()


def _mail_instead(session: Session, conversation: Conversation, seq: int, now: datetime) -> None:
    student = session.get(Student, conversation.student_id) if conversation.student_id is not None else None
    message = session.scalar(select(Message).where(Message.conversation_id == conversation.id, Message.seq == seq))
    if student is None or message is None or message.deleted_at is not None:
        return
    language = student.language
    text = say(
        language,
        "Hello {name},\n\nAccueil can no longer write to you on Telegram, so this comes by mail:\n\n{text}\n",
        name=student.given_name,
        text=message.text.replace("**", ""),
    )
    queue_mail(
        session,
        student,
        {"subject": say(language, "A message from the international office"), "text": text},
        kind="message",
        key=f"instead:{conversation.id}:{seq}",
        talk=LastTalk(conversation, None),
        now=now,
    )
