"""French classes: the level a student was placed at and the class they are in."""

from datetime import date

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class CourseEnrolment(Base):
    """One student's French class. `level` is a CEFR level once the test is marked."""

    __tablename__ = "course_enrolments"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "what a person studies")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), unique=True)
    level: Mapped[str | None] = mapped_column(String(4))
    class_name: Mapped[str | None] = mapped_column(String(80))
    weekday: Mapped[int | None]
    """0 = Monday."""
    starts_at: Mapped[str | None] = mapped_column(String(5))
    """HH:MM on a French clock."""
    first_session: Mapped[date | None]
