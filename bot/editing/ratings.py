"""Whether an answer helped: one word of the student for a topic in a conversation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.messages import answered_topic
from bot.conversations.models import Message
from bot.editing.models import Rating, Reason
from bot.errors import InvalidField, NotFound


def rate(
    session: Session, conversation_id: UUID, seq: int, now: datetime, *, helpful: bool, reason: Reason | None = None
) -> Rating:
    """Keep what the student pressed under an answer; pressed again for the same topic, the last one counts.

    Raises:
        NotFound: there is no such message, or it answers no topic.
        InvalidField: a reason why something helped.
    """
    message = session.scalar(select(Message).where(Message.conversation_id == conversation_id, Message.seq == seq))
    topic = answered_topic(message.understanding) if message is not None else None
    if message is None or topic is None:
        raise NotFound("There is no answer with this number.")
    if helpful and reason is not None:
        raise InvalidField("A reason is only asked where an answer did not help.", field="reason")
    rating = session.scalar(
        select(Rating).where(Rating.conversation_id == conversation_id, Rating.topic == topic).with_for_update()
    )
    if rating is None:
        rating = Rating(conversation_id=conversation_id, topic=topic)
        session.add(rating)
    rating.message_id, rating.language = message.id, message.language
    rating.helpful, rating.reason, rating.created_at = helpful, reason, now
    session.flush()
    return rating
