"""Reads of student records: who somebody is, and the facts of the rules."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.i18n.translate import say
from bot.students.facts import Facts, facts_from
from bot.students.models import Student

CAMPUS_CITIES = {"lille": "Lille", "bordeaux": "Bordeaux", "chateauroux": "Châteauroux"}

HOUSING_STATES = ("received", "waiting_list", "accepted", "refused", "withdrawn", "not_applied")
"""What `HousingApplication.state` may be. not_applied: the row holds wishes of the student and nothing else."""


def student_by_email(session: Session, email: str) -> Student | None:
    """The student of a school mailbox, in any case of letters."""
    return session.scalar(select(Student).where(Student.email == email.strip().lower()))


def facts_of(student: Student, steps_done: dict[str, date]) -> Facts:
    """The record as the rules take it; `steps_done` (slug → day) lives in another table.

    Raises:
        FactsError: the stored facts have a name or a value that is not one.
    """
    return facts_from({**student.facts, "steps_done": steps_done})


def city_of(student: Student, language: str) -> str:
    """The city of the campus; the whole country where no campus is recorded."""
    return CAMPUS_CITIES.get(str(student.facts.get("campus"))) or say(language, "France")
