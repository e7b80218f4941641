"""Cases: each time a person is asked for, from the request to the end."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class Reason(StrEnum):
    ASKED = "asked"
    NOT_UNDERSTOOD = "not_understood"
    FAILED_TURN = "failed_turn"
    URGENT = "urgent"
    TAKEOVER = "takeover"
    """A colleague stepped in without a request."""


class Case(Base):
    """One request for a person. At most one is open in a conversation: the database holds it."""

    __tablename__ = "cases"
    __table_args__ = (
        Index(
            "uq_cases_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        {"info": personal(Erasing.DELETE_ROWS, "tells when a person asked for help")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    reason: Mapped[Reason] = mapped_column(String(20))
    opened_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    closed_at: Mapped[datetime | None]
