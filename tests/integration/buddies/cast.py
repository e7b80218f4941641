"""People who signed up, their conversations, and hands that press buttons; shared by the tests of buddies in chat."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.buddies.deeds import buddy_deeds
from bot.buddies.interests import Interests
from bot.buddies.matching import Weights
from bot.buddies.models import BuddyAlert, BuddyPairing, BuddyProfile, BuddyRole, ProfileState
from bot.buddies.tending import Content, tend
from bot.conversations.deeds import Context, Deeds, pending_prompt
from bot.conversations.messages import Answer
from bot.conversations.models import Author, Message, OutboxEntry
from bot.conversations.service import append, locked_conversation
from bot.db.session import Database
from bot.students.models import Student
from tests.factories import make_conversation, make_student, receive

ADDRESS = "https://accueil.example"
INTERESTS = Interests(
    {
        "sport": {"en": "Sport", "fr": "Sport"},
        "cooking": {"en": "Cooking", "fr": "Cuisine"},
        "music": {"en": "Music", "fr": "Musique"},
    }
)
WEIGHTS = Weights()
CONTENT = Content(WEIGHTS, ADDRESS)
DEEDS: Deeds = buddy_deeds(INTERESTS, WEIGHTS, ())


def person(
    session: Session, now: datetime, name: str, *, is_local: bool = False, capacity: int = 1, **answers: Any
) -> Student:
    """A student who signed up an hour ago."""
    student = make_student(session, now, name, campus="lille")
    student.is_local = is_local
    values: dict[str, Any] = {
        "languages": ["en"],
        "campus": "lille",
        "arrives_on": None if is_local else date(2026, 9, 1),
        "leaves_on": None if is_local else date(2027, 6, 30),
        "interests": [],
        "contact": {"mail": True, "other": f"{name} on the phone"},
        **answers,
    }
    session.add(
        BuddyProfile(
            student_id=student.id,
            role=BuddyRole.BUDDY if is_local else BuddyRole.NEWCOMER,
            capacity=capacity,
            state=ProfileState.SIGNED_UP,
            consented_at=now - timedelta(hours=1),
            signed_up_at=now - timedelta(hours=1),
            updated_at=now - timedelta(hours=1),
            **values,
        )
    )
    session.flush()
    return student


def talk_of(session: Session, student: Student, now: datetime, language: str = "en") -> UUID:
    """A linked conversation in which the student wrote a minute ago."""
    conversation = make_conversation(session, now - timedelta(days=1), language)
    conversation.student_id = student.id
    receive(session, conversation.id, "Hello", now - timedelta(minutes=1))
    return conversation.id


def run(database: Database, now: datetime) -> int:
    return tend(database, CONTENT, now)


def press(database: Database, talk: UUID, label: str, now: datetime, *, deeds: Deeds = DEEDS) -> Answer:
    """Press the newest button of this name in a conversation."""
    with database.read() as session:
        payload = next(
            button["payload"]
            for message in session.scalars(
                select(Message).where(Message.conversation_id == talk).order_by(Message.seq.desc())
            )
            for button in message.buttons
            if button["label"] == label
        )
    return do(database, talk, payload["effect"], payload.get("values", {}), now, label=label, deeds=deeds)


def do(
    database: Database,
    talk: UUID,
    effect: str,
    values: dict[str, Any],
    now: datetime,
    *,
    label: str = "…",
    deeds: Deeds = DEEDS,
) -> Answer:
    with database.write() as session:
        receive(session, talk, label, now)
        context = Context(session, locked_conversation(session, talk), now)
        answer = deeds.effects[effect](context, values)
        assert answer is not None
        append(session, context.conversation, Author.BOT, answer.text, now=now, buttons=answer.buttons)
        return answer


def write(database: Database, talk: UUID, text: str, now: datetime, *, deeds: Deeds = DEEDS) -> Answer | None:
    """Write a text while a question of ours is open; None: it goes on to the engine."""
    with database.write() as session:
        receive(session, talk, text, now)
        conversation = locked_conversation(session, talk)
        prompt = pending_prompt(conversation, now)
        if prompt is None:
            return None
        answer = deeds.prompts[prompt["kind"]](Context(session, conversation, now), prompt, text)
        if answer is not None:
            append(session, conversation, Author.BOT, answer.text, now=now, buttons=answer.buttons)
        return answer


def labels(answer: Answer) -> list[str]:
    return [button.label for button in answer.buttons]


def said_in(database: Database, talk: UUID) -> list[str]:
    """What the bot said, without the greeting."""
    with database.read() as session:
        found = session.scalars(
            select(Message).where(Message.conversation_id == talk, Message.author == Author.BOT).order_by(Message.seq)
        )
        return [message.text for message in found][1:]


def mails(database: Database) -> list[dict[str, Any]]:
    with database.read() as session:
        return list(
            session.scalars(select(OutboxEntry.payload).where(OutboxEntry.channel == "mail").order_by(OutboxEntry.id))
        )


def pairings(database: Database) -> list[tuple[int, int, str]]:
    """(newcomer, buddy, state) of every pairing, the oldest first."""
    with database.read() as session:
        rows = session.scalars(select(BuddyPairing).order_by(BuddyPairing.id))
        return [(row.newcomer_id, row.buddy_id, str(row.state)) for row in rows]


def alerts(database: Database) -> list[tuple[int, str]]:
    with database.read() as session:
        rows = session.scalars(select(BuddyAlert).order_by(BuddyAlert.id))
        return [(row.student_id, str(row.reason)) for row in rows]


def profile(database: Database, student_id: int) -> BuddyProfile:
    with database.read() as session:
        return session.scalars(select(BuddyProfile).where(BuddyProfile.student_id == student_id)).one()
