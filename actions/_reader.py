"""The reader of an answer about bookings: who asks, in which language, at which moment."""

from datetime import datetime, time

from sqlalchemy.orm import Session

from actions._turn import Turn
from bot.bookings.answer import Reader
from bot.bootstrap import Services
from bot.clock import PARIS, day_in_france
from bot.courses.levels import level_of


def reader_of(services: Services, turn: Turn, session: Session) -> Reader:
    student = turn.student(session)
    level = level_of(session, student.id) if student is not None else None
    return Reader(session, student, turn.language, moment_of(services, turn), level)


def moment_of(services: Services, turn: Turn) -> datetime:
    """Now; where a question is asked as on another day, noon of that day."""
    now = services.clock.now()
    return now if turn.today == day_in_france(now) else datetime.combine(turn.today, time(12), PARIS)
