"""Reads of what a student has done, and of the whole path with it."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.content.loader import Knowledge
from bot.paperwork.models import StepDone, StepStuck
from bot.paperwork.replies import View
from bot.paperwork.schema import Procedure
from bot.students.models import Student
from bot.students.records import facts_of


def steps_done(session: Session, student_id: int) -> dict[str, date]:
    """Slug of the step → the day it was done."""
    rows = session.scalars(select(StepDone).where(StepDone.student_id == student_id))
    return {row.step: row.done_on for row in rows}


def steps_stuck(session: Session, student_id: int) -> frozenset[str]:
    """Slugs of the steps with which the student asked for help."""
    return frozenset(session.scalars(select(StepStuck.step).where(StepStuck.student_id == student_id)))


def view_of(
    session: Session,
    student: Student,
    procedures: Sequence[Procedure],
    knowledge: Knowledge,
    language: str,
    today: date,
) -> View:
    """The student's path as on this day.

    Raises:
        FactsError: the stored facts have a name or a value that is not one.
    """
    return View(
        procedures=() if student.is_local else tuple(procedures),
        facts=facts_of(student, steps_done(session, student.id)),
        today=today,
        language=language,
        knowledge=knowledge,
        stuck=steps_stuck(session, student.id),
    )
