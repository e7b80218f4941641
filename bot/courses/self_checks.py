"""The self-check in a student's record: kept, and said together with the level that the office confirmed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.bookings.rules import LEVELS
from bot.clock import day_in_france
from bot.conversations.deeds import deed_button
from bot.conversations.messages import Button
from bot.courses.models import Placement
from bot.courses.placement import Given
from bot.i18n.formats import date_words
from bot.i18n.translate import say
from bot.identity.models import Staff
from bot.students.models import Student


def placement_of(session: Session, student_id: int) -> Placement | None:
    return session.scalar(select(Placement).where(Placement.student_id == student_id))


def keep_self_check(
    session: Session, student: Student, level: str | None, given: Sequence[Given], now: datetime
) -> Placement:
    """In place of an earlier self-check; what the office confirmed stays. `level` None (before A1) is kept as A1."""
    # Two conversations of one student may end at the same moment; the row of the student makes them wait.
    session.execute(select(Student.id).where(Student.id == student.id).with_for_update())
    placement = placement_of(session, student.id)
    if placement is None:
        placement = Placement(student_id=student.id)
        session.add(placement)
    placement.level = level or LEVELS[0]
    placement.answers = [{"item": each.statement.slug, "answer": str(each.reply)} for each in given]
    placement.taken_at = now
    session.flush()
    return placement


def level_answer(session: Session, student: Student, language: str) -> str:
    """The level of this student: confirmed by whom and when, self-checked, or not known."""
    placement = placement_of(session, student.id)
    sentences = (_confirmed(session, placement, language), _checked(placement, language)) if placement else ()
    return " ".join(filter(None, sentences)) or say(
        language, "No level of French is in your record yet. A self-check gives you an idea of where you stand."
    )


def check_button(language: str) -> Button:
    return deed_button(say(language, "Take the self-check (5 minutes)"), "placement_start")


def _confirmed(session: Session, placement: Placement, language: str) -> str | None:
    level, at = placement.confirmed_level, placement.confirmed_at
    if level is None:
        return None
    staff = session.get(Staff, placement.confirmed_by) if placement.confirmed_by is not None else None
    if staff is None or at is None:
        return say(language, "Your level of French is {level}: the office has confirmed it.", level=level)
    return say(
        language,
        "Your level of French is {level}, confirmed by {name} on {date}.",
        level=level,
        name=staff.name,
        date=date_words(day_in_france(at), language),
    )


def _checked(placement: Placement, language: str) -> str | None:
    if placement.level is None or placement.taken_at is None:
        return None
    day = date_words(day_in_france(placement.taken_at), language)
    if placement.confirmed_level is not None:
        return say(
            language,
            "Your own self-check of {date} said about {level}; the confirmed level counts.",
            date=day,
            level=placement.level,
        )
    return say(
        language,
        "Your own self-check of {date} says about {level}. This is advice: the office confirms your level.",
        date=day,
        level=placement.level,
    )
