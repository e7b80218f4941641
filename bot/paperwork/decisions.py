"""A student hears in the conversation what the school decided about a correction."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.deeds import deed_button
from bot.conversations.messages import Button
from bot.conversations.models import Author, Control, Conversation, Kind, Message
from bot.conversations.service import append, locked_conversation
from bot.i18n.translate import say
from bot.students.labels import fact_name, value_words
from bot.students.models import FactRequest
from bot.students.requests import ACCEPTED, OPEN


def tell_decision(session: Session, request: FactRequest, now: datetime) -> Message | None:
    """Write the decision into the conversation that the student used last.

    Nothing is written while the request is open, or for a student who has linked no conversation.
    """
    if request.state == OPEN:
        return None
    latest = session.scalar(
        select(Conversation.id)
        .where(Conversation.student_id == request.student_id)
        .order_by(Conversation.updated_at.desc(), Conversation.id)
        .limit(1)
    )
    if latest is None:
        return None
    conversation = locked_conversation(session, latest)
    language = conversation.language
    wish = f"**{fact_name(request.fact, language)}**: {value_words(request.fact, request.wanted, language)}"
    buttons: tuple[Button, ...]
    if request.state == ACCEPTED:
        text = say(language, "The office has changed your record as you asked: {wish}.", wish=wish)
        buttons = (deed_button(say(language, "What do I have to do?"), "path_left"),)
    else:
        text = say(
            language,
            "The office has looked at your wish and has not changed your record: {wish}. If you think that this is a "
            "mistake, ask for a person.",
            wish=wish,
        )
        buttons = (Button(say(language, "Talk to a person"), {"effect": "request_person"}),)
    if conversation.control == Control.STAFF:
        # The bot is silent, and nobody would take up its buttons; what the office decided is said all the same.
        return append(session, conversation, Author.SYSTEM, text, kind=Kind.NOTICE, now=now)
    return append(session, conversation, Author.BOT, text, kind=Kind.NOTICE, now=now, buttons=buttons)
