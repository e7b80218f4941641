"""Writes of the path: a step is done, is not, or is where a student is stuck. Transactions are the caller's."""

from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.clock import day_in_france
from bot.errors import InvalidField
from bot.paperwork.models import StepDone, StepStuck
from bot.paperwork.queries import steps_done
from bot.paperwork.rules import done_on
from bot.paperwork.schema import Procedure
from bot.students.facts import EARLIEST
from bot.students.models import Student
from bot.students.records import facts_of


def mark_done(session: Session, student: Student, procedure: Procedure, on: date, now: datetime) -> date:
    """Record that the step was done on that day, and return the day that now counts.

    Done already keeps the first day. A step that comes back is done anew once its new round has begun: the day of the
    earlier round is replaced.

    Raises:
        InvalidField: the day has not come yet, lies in an earlier round, or is no day of a student's life.
    """
    today = day_in_france(now)
    if on > today:
        raise InvalidField(f"{on} has not come yet; give the day on which the step was done.", field="on")
    if on < EARLIEST:
        raise InvalidField(f"{on} lies before {EARLIEST}; check the year.", field="on")
    row = _locked(session, student.id, procedure.slug)
    done = steps_done(session, student.id)
    if (first := done_on(procedure, facts_of(student, done), today)) is not None:
        return first
    if done_on(procedure, facts_of(student, {**done, procedure.slug: on}), today) is None:
        raise InvalidField(f"{on} belongs to an earlier round of this step, which has to be done again.", field="on")
    if row is None:
        row = StepDone(student_id=student.id, step=procedure.slug, done_on=on, recorded_at=now)
        session.add(row)
    row.done_on, row.recorded_at = on, now
    session.execute(delete(StepStuck).where(StepStuck.student_id == student.id, StepStuck.step == procedure.slug))
    _touch(student, now)
    session.flush()
    return on


def undo_done(session: Session, student: Student, slug: str, now: datetime, earlier: date | None = None) -> bool:
    """Forget that the step was done; False when it was not. `earlier`, a day of the round before, comes back."""
    row = _locked(session, student.id, slug)
    if row is None or row.done_on == earlier:
        return False
    if earlier is None:
        session.delete(row)
    else:
        row.done_on, row.recorded_at = earlier, now
    _touch(student, now)
    session.flush()
    return True


def note_stuck(session: Session, student: Student, slug: str, now: datetime) -> None:
    """Remember that the student asked for help with the step; said again, the first time stays."""
    stuck = select(StepStuck.id).where(StepStuck.student_id == student.id, StepStuck.step == slug)
    if session.scalar(stuck) is None:
        session.add(StepStuck(student_id=student.id, step=slug, since=now))
        session.flush()


def _locked(session: Session, student_id: int, slug: str) -> StepDone | None:
    """The row, with the student held against a second writer: two presses at once must not make two rows."""
    session.flush()
    session.execute(select(Student.id).where(Student.id == student_id).with_for_update())
    return session.scalar(
        select(StepDone)
        .where(StepDone.student_id == student_id, StepDone.step == slug)
        .execution_options(populate_existing=True)
    )


def _touch(student: Student, now: datetime) -> None:
    """The path changed: whoever follows it (a calendar, say) sees that by the time of the record."""
    student.updated_at = max(student.updated_at, now)
