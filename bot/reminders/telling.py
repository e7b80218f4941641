"""Telling a student something that they did not ask for: in the chat where they wrote last, or else by mail."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.models import Author, Conversation, OutboxEntry
from bot.conversations.service import append
from bot.reminders.queries import LastTalk, last_talk
from bot.reminders.rules import goes_to_chat
from bot.reminders.wording import Note
from bot.students.models import Student

MAIL = "mail"

Words = Callable[[str], Note]
"""Language → what is said in it."""


class Busy(Exception):
    """The conversation is being written to: later."""


def channel_to(session: Session, student_id: int, now: datetime) -> tuple[str, LastTalk | None]:
    """Through which channel somebody hears of something now, and the conversation in which they wrote last."""
    talk = last_talk(session, student_id)
    if talk is not None and goes_to_chat(
        talk.conversation.channel, talk.last_wrote_at, now, bot_has_it=talk.bot_has_it
    ):
        return talk.conversation.channel, talk
    return MAIL, talk


def say_in_chat(session: Session, student_id: int, seen: Conversation, words: Words, now: datetime) -> Conversation:
    """Append the note to a conversation that was read before, and return it as it is now.

    Raises:
        Busy: somebody else is writing to it, or it was unlinked or taken by a colleague since; nothing was said.
    """
    conversation = session.scalar(
        select(Conversation)
        .where(
            Conversation.id == seen.id,
            Conversation.student_id == student_id,
            Conversation.version == seen.version,
        )
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if conversation is None:
        raise Busy
    note = words(conversation.language)
    append(session, conversation, Author.BOT, note.text, now=now, buttons=note.buttons, sources=note.sources)
    return conversation


def queue_mail(
    session: Session,
    student: Student,
    content: dict[str, Any],
    *,
    kind: str,
    key: str,
    talk: LastTalk | None,
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Queue one mail to the school mailbox; `content` has its subject and text, in the language of the record."""
    payload = {
        "kind": kind,
        "to": student.email,
        "name": student.given_name,
        "language": student.language,
        **({"expires_at": expires_at.isoformat()} if expires_at is not None else {}),
        **content,
    }
    session.add(
        OutboxEntry(
            channel=MAIL,
            key=key,
            # So that erasing the conversation takes the mail with it.
            conversation_id=talk.conversation.id if talk is not None else None,
            payload=payload,
            next_at=now,
        )
    )
