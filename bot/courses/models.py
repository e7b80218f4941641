"""French: what a student's level is thought to be, certificates asked for. The classes are offers (bot.bookings)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class Placement(Base):
    """A student's level of French. The self-check is advice until somebody of the office confirms a level."""

    __tablename__ = "placements"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "how well a person speaks French")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), unique=True)
    level: Mapped[str | None] = mapped_column(String(2))
    """What the self-check says, A1 … C2; None while it is going on."""
    answers: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Of the self-check, in order: [{"item": slug, "answer": "easily" | "with_difficulty" | "no"}]."""
    taken_at: Mapped[datetime | None]
    confirmed_level: Mapped[str | None] = mapped_column(String(2))
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    confirmed_at: Mapped[datetime | None]


class CertificateRequest(Base):
    """A student asked for the certificate of a French class; the office makes it."""

    __tablename__ = "certificate_requests"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "what a person asked for")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offers.id", ondelete="CASCADE"))
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
