"""Reads of French classes."""

from datetime import date, time

from babel.dates import format_time, get_day_names
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.courses.models import CourseEnrolment
from bot.i18n.formats import date_words
from bot.i18n.translate import say
from bot.students.models import Student


def french_answer(session: Session, student: Student, language: str, today: date) -> str:
    """The French class of this student: level, class, weekday and time, first session; or what is missing for one."""
    enrolment = session.scalar(select(CourseEnrolment).where(CourseEnrolment.student_id == student.id))
    if enrolment is None:
        first = say(language, "You have no French class yet: I see neither a test nor an enrolment in your record.")
        return f"{first} {_ask_a_person(language)}"
    if enrolment.class_name is None:
        return f"{_no_class(enrolment, language)} {_ask_a_person(language)}"
    sentences = (_class(enrolment, language), _when(enrolment, language), _first(enrolment, language, today))
    return " ".join(filter(None, sentences))


def _no_class(enrolment: CourseEnrolment, language: str) -> str:
    if enrolment.level is None:
        return say(language, "You have no French class yet: the result of your placement test is not in your record.")
    return say(
        language, "You have no French class yet: your level is {level}, a class is not assigned.", level=enrolment.level
    )


def _class(enrolment: CourseEnrolment, language: str) -> str:
    if enrolment.level is None:
        return say(language, "Your French class is {name}.", name=enrolment.class_name)
    return say(
        language, "Your French class is {name}, your level {level}.", name=enrolment.class_name, level=enrolment.level
    )


def _when(enrolment: CourseEnrolment, language: str) -> str:
    if enrolment.weekday is None or enrolment.starts_at is None:
        return say(language, "Its day and time are not set yet.")
    locale = "en_GB" if language == "en" else language
    return say(
        language,
        "It meets every {weekday} at {time}.",
        weekday=get_day_names("wide", "format", locale)[enrolment.weekday],
        time=format_time(time.fromisoformat(enrolment.starts_at), "short", locale=locale),
    )


def _first(enrolment: CourseEnrolment, language: str, today: date) -> str | None:
    if enrolment.first_session is None:
        return None
    day = date_words(enrolment.first_session, language)
    if enrolment.first_session == today:
        return say(language, "The first session is today, {date}.", date=day)
    if enrolment.first_session > today:
        return say(language, "The first session is on {date}.", date=day)
    return say(language, "The first session was on {date}.", date=day)


def _ask_a_person(language: str) -> str:
    return say(language, "A person of the office can tell you what comes next.")
