"""What students ask the school to correct in their record, and what was decided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.students.facts import FactsError
from bot.students.models import FactChange, FactRequest, Origin, Student
from bot.students.ownership import SCHOOL_OWNED
from bot.students.people import PERSON_FIELDS, person_problem
from bot.students.service import changed_facts, set_facts

OPEN, ACCEPTED, REFUSED = "open", "accepted", "refused"


class AlreadyDecided(Exception):
    """A colleague was faster; `state` says how they decided."""

    def __init__(self, state: str) -> None:
        super().__init__(f"decided already: {state}")
        self.state = state


def recorded(student: Student, fact: str) -> Any:
    """What the record holds of a fact or of the person's name and address; None: unknown."""
    return getattr(student, fact) if fact in PERSON_FIELDS else student.facts.get(fact)


def ask_correction(
    session: Session, student: Student, fact: str, wanted: Any, now: datetime
) -> tuple[FactRequest, bool]:
    """Ask the school for another value of a fact that it owns, and whether that is news to it.

    One request is open per fact: asking for the same again changes nothing, asking for something else replaces what was
    wanted and takes its place at the end of the queue.

    Raises:
        FactsError: the school does not own this fact, or the value is not one.
    """
    value = _checked(student, fact, wanted)
    known = session.scalar(
        select(FactRequest).where(
            FactRequest.student_id == student.id, FactRequest.fact == fact, FactRequest.state == OPEN
        )
    )
    if known is not None:
        if known.wanted == value:
            return known, False
        known.wanted, known.asked_at = value, now
        session.flush()
        return known, True
    request = FactRequest(student_id=student.id, fact=fact, wanted=value, state=OPEN, asked_at=now)
    session.add(request)
    session.flush()
    return request, True


def open_requests(session: Session, student_id: int | None = None) -> Sequence[FactRequest]:
    """What waits for a decision, of everybody or of one student; the longest waiting first."""
    waiting = select(FactRequest).where(FactRequest.state == OPEN).order_by(FactRequest.asked_at, FactRequest.id)
    if student_id is not None:
        waiting = waiting.where(FactRequest.student_id == student_id)
    return session.scalars(waiting).all()


def decide(session: Session, request: FactRequest, accepted: bool, staff_id: int, now: datetime) -> list[FactChange]:
    """Accept a request, which changes the record, or refuse it. The student is told by the caller.

    Returns:
        The rows of history of what changed; none when it was refused, or the record said so already.

    Raises:
        AlreadyDecided: somebody decided before.
        FactsError: the value no longer fits the record; nothing is written.
    """
    held = session.scalars(
        select(FactRequest)
        .where(FactRequest.id == request.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if held.state != OPEN:
        raise AlreadyDecided(held.state)
    changes: list[FactChange] = []
    if accepted:
        student = session.get_one(Student, held.student_id)
        changes = set_facts(session, student, {held.fact: held.wanted}, Origin.STAFF, now, staff_id)
    held.state = ACCEPTED if accepted else REFUSED
    held.decided_at, held.decided_by = now, staff_id
    session.flush()
    return changes


def _checked(student: Student, fact: str, wanted: Any) -> Any:
    """The value as the record would store it."""
    if fact not in SCHOOL_OWNED:
        raise FactsError((f"{fact}: the student changes this alone; use set_facts",))
    if fact not in PERSON_FIELDS:
        return changed_facts(student.facts, {fact: wanted}).get(fact)
    if problem := person_problem(fact, wanted):
        raise FactsError((f"{fact}: {problem}",))
    return wanted.strip()
