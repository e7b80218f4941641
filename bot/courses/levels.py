"""What a student's level of French is taken to be, and how the office confirms it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.courses.models import Placement
from bot.students.models import Student


def level_of(session: Session, student_id: int) -> str | None:
    """The confirmed level, else that of the finished self-check; None where neither is known."""
    placement = session.scalar(select(Placement).where(Placement.student_id == student_id))
    return (placement.confirmed_level or placement.level) if placement is not None else None


def confirm_level(session: Session, student: Student, level: str, now: datetime, *, staff_id: int) -> bool:
    """The office says what the level is, whatever the self-check found. False: it was so already."""
    placement = session.scalar(select(Placement).where(Placement.student_id == student.id).with_for_update())
    if placement is None:
        placement = Placement(student_id=student.id)
        session.add(placement)
    elif placement.confirmed_level == level:
        return False
    placement.confirmed_level, placement.confirmed_by, placement.confirmed_at = level, staff_id, now
    session.flush()
    return True


def unconfirmed(session: Session) -> Sequence[tuple[Placement, Student]]:
    """Finished self-checks that nobody of the office has looked at, the oldest first."""
    rows = session.execute(
        select(Placement, Student)
        .join(Student, Placement.student_id == Student.id)
        .where(Placement.level.is_not(None), Placement.confirmed_level.is_(None))
        .order_by(Placement.taken_at, Placement.id)
    )
    return [(placement, student) for placement, student in rows]
