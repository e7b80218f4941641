"""What a student's own record says on a topic: one function for each `record:` of a topic.yml."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from actions._reader import moment_of, reader_of
from actions._turn import Turn
from bot.answers.topics import Personal
from bot.bookings.answer import Said, service_answer, this_week_answer
from bot.bookings.models import Service
from bot.bootstrap import Services
from bot.buddies.answer import buddy_answer
from bot.content.schema import RecordName
from bot.courses.records import french_answer
from bot.courses.self_checks import check_button, level_answer
from bot.housing.answer import my_housing
from bot.students.facts import Facts
from bot.students.models import Student


@dataclass(frozen=True)
class Asked:
    """A question of a linked student, inside a read transaction."""

    services: Services
    turn: Turn
    session: Session
    student: Student
    facts: Facts


def _housing(asked: Asked) -> Personal:
    services, turn = asked.services, asked.turn
    own = my_housing(services.knowledge, services.procedures, asked.student, asked.facts, turn.language, turn.today)
    return Personal(
        own.text,
        own.sources,
        own.buttons,
        can_link=True,
        is_whole_answer=True,
        partly_english=own.partly_english,
    )


def _french(asked: Asked) -> Personal:
    now = moment_of(asked.services, asked.turn)
    text, buttons = french_answer(asked.session, asked.student, asked.turn.language, now)
    return Personal(text, buttons=buttons, can_link=True, is_whole_answer=True)


def _buddy(asked: Asked) -> Personal:
    now = moment_of(asked.services, asked.turn)
    own = buddy_answer(asked.session, asked.student, asked.turn.language, now)
    return Personal(own.text, buttons=own.buttons, can_link=True, is_whole_answer=True)


def _placement(asked: Asked) -> Personal:
    language = asked.turn.language
    text = level_answer(asked.session, asked.student, language)
    return Personal(text, buttons=(check_button(language),), can_link=True)


def _appointment(service: Service) -> Callable[[Asked], Personal]:
    def said(asked: Asked) -> Personal:
        return _beside(service_answer(reader_of(asked.services, asked.turn, asked.session), service))

    return said


def _events(asked: Asked) -> Personal:
    return _beside(this_week_answer(reader_of(asked.services, asked.turn, asked.session)))


def _beside(said: Said | None) -> Personal:
    """What can be booked stands before the general text; nothing where nothing can."""
    return Personal(said.text, buttons=said.buttons, can_link=True) if said is not None else Personal()


RECORDS: Mapping[RecordName, Callable[[Asked], Personal]] = {
    "housing": _housing,
    "french": _french,
    "buddy": _buddy,
    "placement": _placement,
    "career": _appointment(Service.CAREER),
    "mentoring": _appointment(Service.MENTORING),
    "welcome_session": _appointment(Service.WELCOME_SESSION),
    "paperwork_help": _appointment(Service.PAPERWORK),
    "events": _events,
}
