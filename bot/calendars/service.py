"""Private calendar addresses: given, found, stopped. Transactions are the caller's."""

import secrets
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from bot.conversations.service import hash_token
from bot.errors import NotFound
from bot.identity.models import AccessToken
from bot.students.models import Student

PURPOSE = "calendar"
MOST_FEEDS = 5
"""Addresses of one student that work at the same time; a telephone, a computer and a few that were lost."""
TOKEN_BYTES = 32


def give_feed(session: Session, student: Student, now: datetime) -> tuple[AccessToken, str]:
    """A new address and its secret (shown once). The oldest one stops when there are too many."""
    session.execute(select(Student.id).where(Student.id == student.id).with_for_update())
    working = session.scalars(_working(student).order_by(AccessToken.created_at, AccessToken.id)).all()
    for oldest in working[: max(0, len(working) - MOST_FEEDS + 1)]:
        oldest.revoked_at = now
    token = secrets.token_urlsafe(TOKEN_BYTES)
    feed = AccessToken(purpose=PURPOSE, token_hash=hash_token(token), student_id=student.id, created_at=now)
    session.add(feed)
    session.flush()
    return feed, token


def stop_feed(session: Session, student: Student, feed_id: int, now: datetime) -> bool:
    """Stop one address of this student; False when it did not work any more."""
    feed = session.scalar(_working(student).where(AccessToken.id == feed_id))
    if feed is None:
        return False
    feed.revoked_at = now
    session.flush()
    return True


def stop_feeds(session: Session, student: Student, now: datetime) -> None:
    """Stop every address of this student."""
    session.execute(
        update(AccessToken)
        .where(AccessToken.purpose == PURPOSE, AccessToken.student_id == student.id, AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def _working(student: Student) -> Select[AccessToken]:
    return select(AccessToken).where(
        AccessToken.purpose == PURPOSE, AccessToken.student_id == student.id, AccessToken.revoked_at.is_(None)
    )


def student_of_feed(session: Session, token: str) -> Student:
    """Whose calendar this address opens.

    Raises:
        NotFound: unknown, stopped or erased; which of them is not told.
    """
    student = session.scalar(
        select(Student)
        .join(AccessToken, AccessToken.student_id == Student.id)
        .where(
            AccessToken.purpose == PURPOSE,
            AccessToken.token_hash == hash_token(token),
            AccessToken.revoked_at.is_(None),
        )
    )
    if student is None:
        raise NotFound
    return student
