"""One-time rights of an account: a new password by a link from a mail, and the second step of a sign-in."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.conversations.service import hash_token
from bot.errors import NotSignedIn
from bot.identity.models import Staff, StaffPass


class Purpose(StrEnum):
    RESET = "reset"
    CODE = "code"


LIFE = {Purpose.RESET: timedelta(minutes=30), Purpose.CODE: timedelta(minutes=5)}
MOST_TRIES = 5


def give_pass(session: Session, staff: Staff, purpose: Purpose, now: datetime) -> str:
    """The token of a new right; one that was given before for the same is void. Those that are over are deleted."""
    session.execute(delete(StaffPass).where(StaffPass.staff_id == staff.id, StaffPass.purpose == purpose))
    session.execute(delete(StaffPass).where(StaffPass.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(
        StaffPass(
            staff_id=staff.id,
            purpose=purpose,
            token_hash=hash_token(token),
            created_at=now,
            expires_at=now + LIFE[purpose],
        )
    )
    session.flush()
    return token


def holder_of(session: Session, token: str, purpose: Purpose, now: datetime) -> tuple[Staff, StaffPass]:
    """Whose right this is; it stays good. Locked, so that of two who use it at once one does.

    Raises:
        NotSignedIn: no such right, used, too late, tried too often, or the account is disabled; which is not told.
    """
    row = session.scalar(
        select(StaffPass)
        .where(StaffPass.token_hash == hash_token(token), StaffPass.purpose == purpose)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or row.used_at is not None or row.expires_at <= now or row.tries >= MOST_TRIES:
        raise NotSignedIn
    staff = session.get_one(Staff, row.staff_id, populate_existing=True)
    if staff.disabled:
        raise NotSignedIn
    return staff, row


def void_passes(session: Session, staff: Staff) -> None:
    session.execute(delete(StaffPass).where(StaffPass.staff_id == staff.id))
