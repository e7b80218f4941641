"""The address of one download of one's data: opaque, good for a quarter of an hour and for one use."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.conversations.models import Conversation
from bot.conversations.service import hash_token
from bot.errors import NotFound
from bot.identity.audit import record
from bot.identity.models import AccessToken
from bot.privacy.export import export_text
from bot.privacy.reach import person_of_conversation

PURPOSE = "export"
LIFE = timedelta(minutes=15)


def make_link(session: Session, conversation: Conversation, now: datetime) -> str:
    """The token of a new address; one that was made before in this conversation no longer works."""
    session.execute(
        update(AccessToken)
        .where(
            AccessToken.purpose == PURPOSE,
            AccessToken.conversation_id == conversation.id,
            AccessToken.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    token = secrets.token_urlsafe(32)
    session.add(
        AccessToken(
            purpose=PURPOSE,
            token_hash=hash_token(token),
            student_id=conversation.student_id,
            conversation_id=conversation.id,
            created_at=now,
            expires_at=now + LIFE,
        )
    )
    session.flush()
    return token


def export_behind(session: Session, token: str, now: datetime) -> str:
    """The copy that this address opens, once.

    Raises:
        NotFound: there is no such address, it was used, its time is over, or the conversation was unlinked meanwhile;
            which of them is not told.
    """
    row = session.scalar(
        select(AccessToken)
        .where(AccessToken.token_hash == hash_token(token), AccessToken.purpose == PURPOSE)
        .with_for_update()
    )
    if row is None or row.used_at is not None or row.revoked_at is not None:
        raise NotFound
    if row.expires_at is None or row.expires_at <= now or row.conversation_id is None:
        raise NotFound
    conversation = session.get_one(Conversation, row.conversation_id)
    if conversation.student_id != row.student_id:
        raise NotFound
    row.used_at = now
    return given_export(session, conversation, now)


def given_export(session: Session, conversation: Conversation, now: datetime) -> str:
    """A copy for whoever holds this conversation; that it was given is in the audit log."""
    person = person_of_conversation(session, conversation)
    text = export_text(session, person, now, conversation.language)
    record(session, "export", staff_id=None, now=now, conversation_id=conversation.id)
    return text
