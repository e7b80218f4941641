"""What a student's own record says on a topic: one function for each `record:` of a topic.yml."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from actions._turn import Turn
from bot.answers.topics import Personal
from bot.bootstrap import Services
from bot.buddies.records import buddy_answer
from bot.content.schema import RecordName
from bot.courses.records import french_answer
from bot.students.facts import Facts
from bot.students.models import Student
from bot.students.records import housing_answer


@dataclass(frozen=True)
class Asked:
    """A question of a linked student, inside a read transaction."""

    services: Services
    turn: Turn
    session: Session
    student: Student
    facts: Facts


def _housing(asked: Asked) -> Personal:
    return Personal(housing_answer(asked.student, asked.turn.language), can_link=True, is_whole_answer=True)


def _french(asked: Asked) -> Personal:
    text = french_answer(asked.session, asked.student, asked.turn.language, asked.turn.today)
    return Personal(text, can_link=True, is_whole_answer=True)


def _buddy(asked: Asked) -> Personal:
    return Personal(
        buddy_answer(asked.session, asked.student, asked.turn.language), can_link=True, is_whole_answer=True
    )


RECORDS: Mapping[RecordName, Callable[[Asked], Personal]] = {
    "housing": _housing,
    "french": _french,
    "buddy": _buddy,
}
