"""What was decided about questions that were not understood, the phrases taken from them, and retrainings."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class Verdict(StrEnum):
    ASSIGNED = "assigned"
    """Its group was given to a topic."""
    IGNORED = "ignored"
    SNOOZED = "snoozed"


class QuestionDecision(Base):
    """What a colleague decided about one question; the question itself stays in `messages` alone."""

    __tablename__ = "question_decisions"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "points at what a person asked")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), unique=True)
    verdict: Mapped[Verdict] = mapped_column(String(10))
    until: Mapped[datetime | None]
    """When a snoozed question comes back."""
    assignment_id: Mapped[int | None] = mapped_column(
        ForeignKey("phrase_assignments.id", ondelete="SET NULL"), index=True
    )
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime]


class PhraseAssignment(Base):
    """Phrases that one group of questions gave to a topic, as a colleague wrote them: without names and numbers."""

    __tablename__ = "phrase_assignments"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "phrases that a colleague freed of what names a person")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(String(80))
    phrases: Mapped[list[dict[str, Any]]]
    """[{"language", "text", "use"}]; see bot.upkeep.phrases.Phrase."""
    is_written: Mapped[bool]
    """False where the folder is read-only: then the phrases are a patch to download."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    taken_back_at: Mapped[datetime | None]


class Stage(StrEnum):
    """Where a retraining is."""

    ASKED = "asked"
    TRAINING = "training"
    READY = "ready"
    SWITCHING = "switching"
    IN_USE = "in_use"
    GOING_BACK = "going_back"
    WENT_BACK = "went_back"
    REFUSED = "refused"
    """The new model is worse."""
    DISCARDED = "discarded"
    FAILED = "failed"


class Retraining(Base):
    """One training beside the running model. At most one is open: the database holds it, so two clicks start one."""

    __tablename__ = "retrainings"
    __table_args__ = (
        Index(
            "uq_retrainings_open",
            "subject",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        {"info": personal(Erasing.NOTHING, "models and their scores")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(20), default="model")
    stage: Mapped[Stage] = mapped_column(String(12), default=Stage.ASKED)
    progress: Mapped[str] = mapped_column(String(200), default="")
    tries: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any] | None]
    """bot.upkeep.report.Report."""
    former: Mapped[dict[str, Any] | None]
    """bot.answers.trained.Current of the model before the switch."""
    trouble: Mapped[str] = mapped_column(String(300), default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    """When the stage was entered."""
    ended_at: Mapped[datetime | None]
    """Empty while it is under way or waits for somebody."""
