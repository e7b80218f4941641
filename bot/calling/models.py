"""Who was called to the desk because of what, so that nobody is called twice."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class CallKind(StrEnum):
    MAIL = "mail"
    """By mail, of a request that waits; `number` is that of the case."""
    WAIT = "wait"
    """In a browser, of a request that waits; `number` is that of the case."""
    WROTE = "wrote"
    """In a browser, of words in one's own conversation; `number` is the seq of the last that was told."""


class DeskCall(Base):
    """The last thing that a colleague was called for in a conversation, or saw by themselves on an open page."""

    __tablename__ = "desk_calls"
    __table_args__ = (
        UniqueConstraint("conversation_id", "staff_id", "kind"),
        {"info": personal(Erasing.DELETE_ROWS, "tells when a person asked for help")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    kind: Mapped[CallKind] = mapped_column(String(10))
    number: Mapped[int]
    at: Mapped[datetime]
