"""One maker per table, with what a test does not care about filled in."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.messages import IncomingMessage
from bot.conversations.models import Conversation, Message
from bot.conversations.service import Received, open_conversation, receive_message
from bot.identity.models import Role, Staff
from bot.students.models import Student

OF_NOBODY = "$argon2id$v=19$m=8,t=1,p=1$3BTResqUIqfXGTJ8NVy5aQ$VLNQ5TbiwvIf+USsS+naHlTR3HJ23bKJrndzQZZdJRA"
"""Hash of a password that was never kept."""


def make_staff(session: Session, now: datetime, name: str = "Claire", role: Role = Role.ADVISER) -> Staff:
    """Somebody who has a password, though none that fits."""
    email = f"{name.lower()}@junia.example"
    staff = Staff(email=email, name=name, role=role, created_at=now, password_hash=OF_NOBODY)
    session.add(staff)
    session.flush()
    return staff


def make_student(session: Session, now: datetime, name: str = "Amina", **facts: Any) -> Student:
    student = Student(
        email=f"{name.lower()}@student.junia.com",
        given_name=name,
        family_name="Test",
        language="en",
        facts=facts,
        created_at=now,
        updated_at=now,
    )
    session.add(student)
    session.flush()
    return student


def make_conversation(session: Session, now: datetime, language: str = "en") -> Conversation:
    conversation, _token = open_conversation(
        session, language=language, language_chosen=True, greeting="Hello, I am a machine.", channel="web", now=now
    )
    return conversation


def incoming(
    text: str | None, now: datetime, external_id: str | None = None, button: str | None = None
) -> IncomingMessage:
    return IncomingMessage("web", external_id or str(uuid4()), text, button, now)


def receive(
    session: Session, conversation_id: UUID, text: str, now: datetime, external_id: str | None = None
) -> Received:
    return receive_message(session, conversation_id, incoming(text, now, external_id), now)


def transcript(session: Session, conversation_id: UUID) -> list[tuple[str, str]]:
    """(author, text) in order."""
    messages = session.scalars(select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq))
    return [(str(message.author), message.text) for message in messages]
