"""Telling a student something that they did not ask for: in their conversation, and by mail where they may not see it.

What is to be told is queued with the deed that caused it and handed over later in a transaction of its own: a turn
holds its own conversation, and two turns that wrote into each other's would wait for each other for ever.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.messages import Button
from bot.conversations.models import Author, Control, Conversation, Message, OutboxEntry
from bot.conversations.service import append
from bot.db.session import Database
from bot.students.models import Student

CHANNEL = "note"
PRESENT = timedelta(hours=48)
"""Whoever wrote so lately reads the chat; others get a mail as well."""
MOST_AT_ONCE = 50


def tell(
    session: Session, student: Student, text: str, buttons: Sequence[Button], now: datetime, *, subject: str
) -> None:
    """Queue a note for a student; `subject` is that of the mail. Text and buttons in `reader_language`."""
    payload = {
        "student_id": student.id,
        "to": student.email,
        "name": student.given_name,
        "language": reader_language(session, student),
        "subject": subject,
        "text": text,
        "buttons": [{"label": button.label, "payload": button.payload} for button in buttons],
    }
    session.add(OutboxEntry(channel=CHANNEL, key=f"note:{uuid4()}", payload=payload, next_at=now))
    session.flush()


def reader_language(session: Session, student: Student) -> str:
    """The language of the student's latest conversation, else of the record."""
    conversation = _conversation(session, student.id)
    return conversation.language if conversation is not None else student.language


def deliver_notes(database: Database, now: datetime) -> int:
    """Hand over what is queued, the oldest first, each in its own transaction; returns how many.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with database.read() as session:
        waiting = session.scalars(
            select(OutboxEntry.id).where(OutboxEntry.channel == CHANNEL).order_by(OutboxEntry.id).limit(MOST_AT_ONCE)
        ).all()
    return sum(_deliver(database, entry_id, now) for entry_id in waiting)


def _deliver(database: Database, entry_id: int, now: datetime) -> bool:
    with database.write() as session:
        row = session.scalar(
            select(OutboxEntry)
            .where(OutboxEntry.id == entry_id, OutboxEntry.channel == CHANNEL)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return False
        payload = row.payload
        session.delete(row)
        student = session.get(Student, payload["student_id"])
        if student is None:
            return False
        conversation = _conversation(session, student.id)
        is_open = conversation is not None and conversation.control in (Control.BOT, Control.WAITING)
        if conversation is not None and is_open:
            buttons = [Button(each["label"], each["payload"]) for each in payload["buttons"]]
            append(session, conversation, Author.BOT, payload["text"], now=now, buttons=buttons)
        if conversation is None or not is_open or not _is_present(session, conversation, now):
            mail = {key: payload[key] for key in ("to", "name", "language", "subject", "text")}
            session.add(
                OutboxEntry(channel="mail", key=f"{row.key}:mail", payload={"kind": "note", **mail}, next_at=now)
            )
        return True


def _conversation(session: Session, student_id: int) -> Conversation | None:
    return session.scalar(
        select(Conversation)
        .where(Conversation.student_id == student_id)
        .order_by(Conversation.updated_at.desc(), Conversation.id)
        .limit(1)
        # Nobody takes the conversation over between the look and the words.
        .with_for_update()
    )


def _is_present(session: Session, conversation: Conversation, now: datetime) -> bool:
    wrote = select(Message.id).where(
        Message.conversation_id == conversation.id,
        Message.author == Author.STUDENT,
        Message.created_at > now - PRESENT,
    )
    return session.scalar(wrote.limit(1)) is not None
