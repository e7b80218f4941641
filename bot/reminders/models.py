"""Reminders: each is a job with a key of its own, so that none is sent twice; what students do not want; campaigns."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class ReminderKind(StrEnum):
    STEP = "step"
    BOOKING = "booking"
    CAMPAIGN = "campaign"


class ReminderState(StrEnum):
    PLANNED = "planned"
    SENT = "sent"
    SKIPPED = "skipped"
    """Not sent, for good; `reason` says why."""


class Reminder(Base):
    """One job. Unique per (student, subject, day): planning twice adds nothing."""

    __tablename__ = "reminders"
    __table_args__ = (
        UniqueConstraint("student_id", "subject", "day"),
        Index("ix_reminders_due", "state", "due_at"),
        {"info": personal(Erasing.DELETE_ROWS, "what a person was reminded of")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    kind: Mapped[ReminderKind] = mapped_column(String(10))
    subject: Mapped[str] = mapped_column(String(80))
    """Slug of the step, `booking:<id>`, or `campaign:<id>`."""
    day: Mapped[date]
    """The day for which it was planned, in France."""
    due_at: Mapped[datetime]
    """Moves on when the hour is quiet or the week is full."""
    state: Mapped[ReminderState] = mapped_column(String(10), default=ReminderState.PLANNED)
    reason: Mapped[str | None] = mapped_column(String(40))
    channel: Mapped[str | None] = mapped_column(String(20))
    sent_at: Mapped[datetime | None]


class ReminderChoice(Base):
    """A kind of reminder that a student does not want; `all` is every kind."""

    __tablename__ = "reminder_choices"
    __table_args__ = (
        UniqueConstraint("student_id", "kind"),
        {"info": personal(Erasing.DELETE_ROWS, "what a person does not want to be sent")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    """all | step | booking | campaign"""
    chosen_at: Mapped[datetime]


class Campaign(Base):
    """One reminder of a step to everybody stuck at it; a share is left out on purpose, to see what it changes."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("left_out >= 0 AND left_out <= 0.5", name="left_out_share"),
        {"info": personal(Erasing.NOTHING, "a campaign of the office")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    step: Mapped[str] = mapped_column(String(60))
    chosen_by: Mapped[dict[str, Any]]
    """Facts that students must have: {"campus": "lille", …}."""
    left_out: Mapped[float]
    """Share of students who get no message, 0 to 0.5."""
    started_at: Mapped[datetime]
    started_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class CampaignMember(Base):
    """One student of a campaign and the arm that chance gave."""

    __tablename__ = "campaign_members"
    __table_args__ = (
        UniqueConstraint("campaign_id", "student_id"),
        {"info": personal(Erasing.DELETE_ROWS, "that a person was stuck at a step")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    gets_message: Mapped[bool]
