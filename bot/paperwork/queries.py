"""Reads of what a student has done."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.paperwork.models import StepDone


def steps_done(session: Session, student_id: int) -> dict[str, date]:
    """Slug of the step → the day it was done."""
    rows = session.scalars(select(StepDone).where(StepDone.student_id == student_id))
    return {row.step: row.done_on for row in rows}
