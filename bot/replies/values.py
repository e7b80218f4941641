"""The values of a canned reply's variables for one conversation, in the language of the text."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from bot.content.loader import Knowledge
from bot.i18n.formats import date_words
from bot.identity.models import Staff
from bot.paperwork.queries import view_of
from bot.paperwork.rules import Status
from bot.paperwork.schema import Procedure
from bot.students.facts import FactsError
from bot.students.models import Student
from bot.students.records import CAMPUS_CITIES


def values_of(
    session: Session,
    student: Student | None,
    staff: Staff,
    procedures: Sequence[Procedure],
    knowledge: Knowledge,
    desk: str,
    language: str,
    today: date,
) -> dict[str, str]:
    """Variable → value; what is not known is left out: without a linked record all that is about the student."""
    values = {"staff_name": staff.name, "desk": desk}
    if student is None:
        return values
    values["first_name"] = student.given_name
    if campus := CAMPUS_CITIES.get(str(student.facts.get("campus"))):
        values["campus"] = campus
    if arrival := student.facts.get("date_of_entry"):
        values["arrival"] = date_words(date.fromisoformat(str(arrival)), language)
    try:
        view = view_of(session, student, procedures, knowledge, language, today)
    except FactsError:
        # A record that cannot be read fills nothing: the colleague sees gaps, not an error.
        return values
    if step := next((each for each in view.left if each.status is Status.OPEN), None):
        values["next_step"] = step.title.get(language)
    return values
