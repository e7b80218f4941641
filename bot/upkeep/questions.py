"""Reads the questions of students that were not understood, without what names a person."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, column, exists, func, or_, select, table
from sqlalchemy.orm import Session, aliased

from bot.conversations.models import Alert, Author, Conversation, InboxEntry, Kind, Message
from bot.students.models import Student
from bot.upkeep.masking import masked, says_enough
from bot.upkeep.models import QuestionDecision, Verdict

LOOK_BACK = timedelta(days=90)
MOST = 2000
"""Questions looked at, the newest first."""


class Why(StrEnum):
    UNKNOWN = "unknown"
    """No answer was known."""
    ASKED_BACK = "asked_back"
    """"Did you mean" was asked, and none of it chosen."""
    WANTED_A_PERSON = "wanted_a_person"
    """An answer was given, and a person was asked for right after."""
    VOTED_DOWN = "voted_down"
    """An answer was given, and the student said that it did not help."""


@dataclass(frozen=True)
class Question:
    message_id: int
    text: str
    """Masked."""
    language: str
    asked_at: datetime
    why: Why
    thoughts: dict[str, float]
    """Slug of a topic → probability, the likeliest first."""


_asked, _reply = aliased(Message), aliased(Message)
_ratings = table("ratings", column("message_id"), column("helpful", Boolean))
"""Of bot.editing, a neighbour: these two columns are all that is asked for."""


def open_questions(
    session: Session, now: datetime, *, only: Iterable[int] | None = None, most: int = MOST
) -> list[Question]:
    """Questions of the last 90 days that nobody decided about, the newest first; `only`: among these messages.

    Left out: conversations with an alert of danger, what was a press of a button, and what says too little.
    """
    found = (
        *_plain(session, now, only, most),
        *_asked_back(session, now, only, most),
        *_before_a_person(session, now, only, most),
        *_voted_down(session, now, only, most),
    )
    by_message = {each.message_id: each for each in found if says_enough(each.text)}
    return sorted(by_message.values(), key=lambda each: -each.message_id)[:most]


def _plain(session: Session, now: datetime, only: Iterable[int] | None, most: int) -> Iterator[Question]:
    for asked, reply, given, family in _rows(session, now, only, most, _action(_reply) == "abstain"):
        yield _question(asked, reply, (given, family), Why.UNKNOWN)


def _asked_back(session: Session, now: datetime, only: Iterable[int] | None, most: int) -> Iterator[Question]:
    after = aliased(Message)
    next_text = (
        select(after.text)
        .where(after.conversation_id == _reply.conversation_id, after.author == Author.STUDENT, after.seq > _reply.seq)
        .order_by(after.seq)
        .limit(1)
        .scalar_subquery()
    )
    for asked, reply, given, family, said in _rows(session, now, only, most, _action(_reply) == "clarify", next_text):
        if said not in _choices(reply):
            yield _question(asked, reply, (given, family), Why.ASKED_BACK)


def _choices(reply: Message) -> set[str]:
    return {str(button["label"]) for button in reply.buttons if "topic" in button["payload"]}


def _before_a_person(session: Session, now: datetime, only: Iterable[int] | None, most: int) -> Iterator[Question]:
    """Answered, but the next thing the student said was the wish for a person."""
    wish, said = aliased(Message), aliased(Message)
    next_said = (
        select(func.min(said.seq))
        .where(said.conversation_id == _reply.conversation_id, said.author == Author.STUDENT, said.seq > _reply.seq)
        .correlate(_reply)
        .scalar_subquery()
    )
    asked_for_one = (
        select(wish.id)
        .where(
            wish.conversation_id == _reply.conversation_id,
            wish.author == Author.BOT,
            wish.in_reply_to == next_said,
            _action(wish) == "handoff",
        )
        .correlate(_reply)
        .exists()
    )
    condition = and_(_action(_reply) == "answer", asked_for_one)
    for asked, reply, given, family in _rows(session, now, only, most, condition):
        yield _question(asked, reply, (given, family), Why.WANTED_A_PERSON)


def _voted_down(session: Session, now: datetime, only: Iterable[int] | None, most: int) -> Iterator[Question]:
    """By the student's last word on it: who changes their mind takes the question off the list."""
    not_helpful = exists().where(_ratings.c.message_id == _reply.id, _ratings.c.helpful.is_(False))
    for asked, reply, given, family in _rows(session, now, only, most, not_helpful):
        yield _question(asked, reply, (given, family), Why.VOTED_DOWN)


def _action(reply: Any) -> ColumnElement[str]:
    found: ColumnElement[str] = reply.understanding["action"].as_string()
    return found


def _rows(
    session: Session,
    now: datetime,
    only: Iterable[int] | None,
    most: int,
    condition: ColumnElement[bool],
    *more: Any,
) -> Sequence[Any]:
    """(question, reply, given name, family name, …) of what is open under this condition."""
    decided = exists().where(
        QuestionDecision.message_id == _asked.id,
        or_(QuestionDecision.verdict != Verdict.SNOOZED, QuestionDecision.until > now),
    )
    in_danger = exists().where(Alert.conversation_id == _asked.conversation_id, Alert.kind == "urgent")
    query = (
        select(_asked, _reply, Student.given_name, Student.family_name, *more, InboxEntry.content)
        .join(
            _reply,
            and_(_reply.conversation_id == _asked.conversation_id, _reply.in_reply_to == _asked.seq),
        )
        .join(Conversation, Conversation.id == _asked.conversation_id)
        .outerjoin(Student, Student.id == Conversation.student_id)
        .outerjoin(
            InboxEntry,
            and_(InboxEntry.conversation_id == _asked.conversation_id, InboxEntry.seq == _asked.seq),
        )
        .where(
            _asked.author == Author.STUDENT,
            _asked.kind == Kind.TEXT,
            _reply.author == Author.BOT,
            _reply.created_at >= now - LOOK_BACK,
            condition,
            ~decided,
            ~in_danger,
        )
        .order_by(_asked.id.desc())
        .limit(most)
    )
    if only is not None:
        query = query.where(_asked.id.in_(list(only)))
    rows = session.execute(query).all()
    return [row[:-1] for row in rows if not (row[-1] or {}).keys() & {"button", "brought"}]


def _question(asked: Message, reply: Message, names: tuple[str | None, str | None], why: Why) -> Question:
    candidates = (reply.understanding or {}).get("candidates", ())
    return Question(
        message_id=asked.id,
        text=masked(asked.text, filter(None, names)),
        # The message itself carries the language of the talk before it.
        language=reply.language,
        asked_at=asked.created_at,
        why=why,
        thoughts={str(each["topic"]): float(each["confidence"]) for each in candidates},
    )
