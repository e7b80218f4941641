"""Students who ask, with replies of the bot as the turn would store them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.messages import Button, Candidate, Understanding
from bot.conversations.models import Author, Conversation, Message
from bot.conversations.service import append
from tests.factories import make_conversation, receive


def talk(session: Session, now: datetime, language: str = "en") -> UUID:
    return make_conversation(session, now, language).id


def ask(
    session: Session,
    conversation_id: UUID,
    text: str,
    action: str,
    now: datetime,
    *topics: str,
    buttons: bool = False,
    answered: str | None = None,
) -> int:
    """A question with the reply to it; returns the number of the message. `answered`: the topic of the answer."""
    receive(session, conversation_id, text, now)
    conversation = session.get_one(Conversation, conversation_id)
    seq = conversation.last_seq
    understanding = Understanding(
        intent=None,
        confidence=0.2,
        action=action,
        topic=answered,
        candidates=tuple(Candidate(each, 0.2) for each in topics),
    )
    append(
        session,
        conversation,
        Author.BOT,
        "A reply.",
        now=now,
        buttons=[Button(f"About {each}", {"topic": each}) for each in topics] if buttons else (),
        in_reply_to=seq,
        understanding=understanding.as_json(),
    )
    return session.scalars(
        select(Message.id).where(Message.conversation_id == conversation_id, Message.seq == seq)
    ).one()
