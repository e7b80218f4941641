"""What somebody has to be told about their pair and did not see happen: queued with the deed, told by tending.py.

A row of the outbox holds who and what, no words: they are made when it is told, of what stands then.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from bot.conversations.models import OutboxEntry

CHANNEL = "buddy"


class NoteKind(StrEnum):
    ACCEPTED = "accepted"
    """The other said yes as well."""
    DECLINED = "declined"
    """The proposal fell through on the other side."""
    TOO_LATE = "too_late"
    """Their own answer did not come in time."""
    ENDED = "ended"
    """The accepted pair is over."""
    LOST = "lost"
    """The other was erased, and the open pairing with them: its number leads nowhere when this is told."""


def queue(session: Session, student_id: int, kind: NoteKind, now: datetime, *, pairing_id: int) -> None:
    """Tell this person, once; nothing is sent in this transaction."""
    session.add(
        OutboxEntry(
            channel=CHANNEL,
            key=f"buddy:{kind}:{pairing_id}:{student_id}",
            # `student_id` is what an erasure looks for.
            payload={"student_id": student_id, "kind": str(kind), "pairing_id": pairing_id},
            next_at=now,
        )
    )
    session.flush()
