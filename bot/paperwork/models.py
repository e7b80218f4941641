"""What a student has already done of their path."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class StepDone(Base):
    """One step a student has done, by its slug."""

    __tablename__ = "steps_done"
    __table_args__ = (
        UniqueConstraint("student_id", "step"),
        {"info": personal(Erasing.DELETE_ROWS, "a person's papers")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(String(60))
    done_on: Mapped[date]
    recorded_at: Mapped[datetime]


class StepStuck(Base):
    """A step with which a student asked for help ("I can't"): gone when the step is done or the student gets on."""

    __tablename__ = "steps_stuck"
    __table_args__ = (
        UniqueConstraint("student_id", "step"),
        {"info": personal(Erasing.DELETE_ROWS, "where a person is stuck")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(String(60))
    since: Mapped[datetime]
