"""Where a student is reached in Telegram; whoever has shut us out of it is reached in the widget, or by mail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.channels.telegram.incoming import CHANNEL
from bot.conversations.models import Address, Alert, Author, Conversation, Message, OutboxEntry
from bot.conversations.queries import sent_files
from bot.conversations.service import locked_conversation
from bot.i18n.translate import mark, say
from bot.reminders.queries import LastTalk
from bot.reminders.telling import queue_mail
from bot.students.models import Student

ELSEWHERE = "web"
FILE_WAITS = mark(
    "The international office has sent you a file. It is not in this mail: it waits for you in your chat with Accueil "
    "on the web. If you cannot open it there, ask the office for it."
)


def address_in(conversation: UUID | InstrumentedAttribute[UUID | None] | None) -> Select[Address]:
    """The chat that a conversation is read in: the one that came to it last."""
    return (
        select(Address)
        .where(Address.channel == CHANNEL, Address.conversation_id == conversation)
        .order_by(Address.id.desc())
        .limit(1)
    )


def shut_out(session: Session, address: Address, now: datetime) -> None:
    """Nothing goes to this chat any more; the widget has what was on its way, and see `instead`."""
    address.blocked_at = now
    conversation = locked_conversation(session, address.conversation_id)
    if conversation.channel == CHANNEL:
        conversation.channel = ELSEWHERE
    waiting = session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.channel == CHANNEL, OutboxEntry.conversation_id == conversation.id)
        .order_by(OutboxEntry.id)
    ).all()
    for entry in waiting:
        instead(session, conversation, entry, now)


def instead(session: Session, conversation: Conversation, entry: OutboxEntry, now: datetime) -> None:
    """A row that Telegram will not take any more goes, by mail to a linked student. What a colleague said and nobody
    can be mailed about is marked for the office: not delivered, or perhaps still shown with its old words."""
    is_change = "change" in entry.payload
    message = session.scalar(
        select(Message).where(Message.conversation_id == conversation.id, Message.seq == int(entry.payload["seq"]))
    )
    session.delete(entry)
    if message is not None and not _mail(session, conversation, message, now) and message.author == Author.STAFF:
        if is_change:
            mark_for_office(session, entry, "unchanged", now)
        elif message.deleted_at is None:
            mark_for_office(session, entry, "undelivered", now)
    session.flush()


def mark_for_office(session: Session, entry: OutboxEntry, kind: str, now: datetime) -> None:
    if entry.conversation_id is not None:
        session.add(Alert(conversation_id=entry.conversation_id, kind=kind, key=entry.key, created_at=now))


def is_mailed_to(session: Session, conversation_id: UUID | None) -> bool:
    """Whether whoever has this conversation has a mailbox that we know."""
    student_id = session.scalar(select(Conversation.student_id).where(Conversation.id == conversation_id))
    return student_id is not None and session.get(Student, student_id) is not None


def _mail(session: Session, conversation: Conversation, message: Message, now: datetime) -> bool:
    """A message and a change of it are one mail, with the words as they are now. False: there is nobody to mail."""
    student = session.get(Student, conversation.student_id) if conversation.student_id is not None else None
    if student is None or message.deleted_at is not None:
        return False
    key = f"instead:{conversation.id}:{message.seq}:{message.change or 0}"
    if session.scalar(select(OutboxEntry.id).where(OutboxEntry.key == key)) is not None:
        return True
    language = student.language
    text = say(
        language,
        "Hello {name},\n\nAccueil can no longer write to you on Telegram, so this comes by mail:\n\n{text}\n",
        name=student.given_name,
        text=say(language, FILE_WAITS) if sent_files(session, [message]) else message.text.replace("**", ""),
    )
    queue_mail(
        session,
        student,
        {"subject": say(language, "A message from the international office"), "text": text},
        kind="message",
        key=key,
        talk=LastTalk(conversation, None),
        now=now,
    )
    return True
