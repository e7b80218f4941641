"""The audit log: append only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from bot.identity.models import AuditEntry


def record(
    session: Session,
    action: str,
    *,
    staff_id: int | None,
    now: datetime,
    conversation_id: UUID | None = None,
    **details: Any,
) -> None:
    session.add(AuditEntry(at=now, staff_id=staff_id, action=action, conversation_id=conversation_id, details=details))
