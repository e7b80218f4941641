"""Reads of student records: who somebody is, the facts of the rules, where their housing stands."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.i18n.formats import date_words
from bot.i18n.translate import mark, say
from bot.students.facts import Facts, facts_from
from bot.students.models import Student

CAMPUS_CITIES = {"lille": "Lille", "bordeaux": "Bordeaux", "chateauroux": "Châteauroux"}

_HOUSING_SENTENCES = {
    "received": mark("Your application for a room in {city} has arrived; it is not decided yet."),
    "waiting_list": mark("Your application for a room in {city} is on the waiting list."),
    "accepted": mark("Your application for a room in {city} is accepted."),
    "accepted_with_residence": mark("Your application for a room in {city} is accepted: {residence}."),
    "refused": mark("Your application for a room in {city} was not accepted."),
    "withdrawn": mark("Your application for a room in {city} is withdrawn, as you asked."),
}
_HOUSING_ADVICE = {
    "received": mark("Until you hear more, keep looking elsewhere as well: rooms are scarce."),
    "waiting_list": mark("Keep looking elsewhere as well: nobody can promise when a room becomes free."),
    "accepted": mark("Read the contract before you sign it, and insure the room from the first day."),
    "refused": mark("Ask me how to find another room, and I can pass you on to a person."),
    "withdrawn": mark("If that was a mistake, ask me for a person of the office."),
}
HOUSING_STATES = tuple(_HOUSING_ADVICE)
"""What `HousingApplication.state` may be."""


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


def housing_answer(student: Student, language: str) -> str:
    """Where this student's application for a room stands, and since when."""
    city = city_of(student, language)
    application = student.housing
    if application is None:
        first = say(language, "I see no application for a room in {city} in your record.", city=city)
        then = say(language, "If you did apply, it may not have reached us yet: a person of the office can look it up.")
        return f"{first} {then}"
    state = application.state
    key = "accepted_with_residence" if state == "accepted" and application.residence else state
    first = say(language, _HOUSING_SENTENCES[key], city=city, residence=application.residence)
    since = say(language, "That is how it stands since {date}.", date=date_words(application.updated_on, language))
    return f"{first} {since} {say(language, _HOUSING_ADVICE[state])}"
