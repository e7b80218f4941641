"""What a student would like: seven wishes, each may be left open, changed and taken out. Pure but for `keep`.

Wishes are a note for the office. They apply for nothing and nothing is promised: who has no application gets a row of
state `not_applied`, so that the note is never taken for one.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, get_args

from dateutil.relativedelta import relativedelta

from bot.i18n.formats import date_words, money
from bot.i18n.translate import mark, say
from bot.students.facts import Facts
from bot.students.models import HousingApplication, Student
from bot.students.records import CAMPUS_CITIES

Wish = Literal["kind", "sharing", "budget", "campus", "from", "until", "access"]
WISHES: tuple[Wish, ...] = get_args(Wish)
"""In the order in which they are asked."""

NAMES: Mapping[Wish, str] = {
    "kind": mark("Kind of room"),
    "sharing": mark("Alone or shared"),
    "budget": mark("Budget"),
    "campus": mark("Near which campus"),
    "from": mark("From"),
    "until": mark("Until"),
    "access": mark("Access needs"),
}
QUESTIONS: Mapping[Wish, str] = {
    "kind": mark("Which kind of room would you like?"),
    "sharing": mark("Would you like to live alone or to share?"),
    "budget": mark(
        "How much can you pay a month at most, charges included? Write the number of euros, 450 for example."
    ),
    "campus": mark("Near which campus?"),
    "from": mark("From which day do you need it?"),
    "until": mark("Until which day do you need it?"),
    "access": mark(
        "Do you need a room with special access? This says something about your health, so I note it only if you "
        "agree. Colleagues of the international office can then read it, it serves to find a room and nothing "
        "else, and you can take it out here at any time."
    ),
}
CHOICES: Mapping[Wish, Mapping[str, str]] = {
    "kind": {
        "shared_facilities": mark("Room, shared kitchen and bathroom"),
        "own_bathroom": mark("Room with its own bathroom"),
        "studio": mark("Studio with a kitchenette"),
        "flat": mark("Flat with a separate bedroom"),
        "any": mark("Any kind"),
    },
    "sharing": {"alone": mark("Alone"), "shared": mark("Shared"), "any": mark("Both are fine")},
    "campus": {code: mark(city) for code, city in CAMPUS_CITIES.items()},
    "access": {
        "step_free": mark("I agree, note: step-free access"),
        "adapted": mark("I agree, note: adapted bathroom"),
        "talk": mark("I agree, note: please ask me"),
    },
}
ACCESS_WORDS: Mapping[str, str] = {
    "step_free": mark("step-free access"),
    "adapted": mark("adapted bathroom"),
    "talk": mark("please ask me"),
}
LEAST_BUDGET, MOST_BUDGET = 100, 5000
"""Euros a month; outside, the number is taken for a slip of the finger."""
LENGTHS = (4, 6, 10, 12)
"""Months offered as the end of a stay."""
MOST_DAYS_OFFERED = 5


@dataclass(frozen=True)
class Refused:
    """Why a value is not taken; `reason` is a source string."""

    reason: str


def checked(wishes: Mapping[str, Any], name: str, value: object, today: date) -> object | Refused:
    """The value as it is stored, or why not. Values come out of buttons of any age and out of typed text."""
    match name:
        case "kind" | "sharing" | "campus":
            return value if value in CHOICES[name] else Refused(OLD_CHOICE)
        case "access":
            return {"need": value, "agreed_on": today.isoformat()} if value in ACCESS_WORDS else Refused(OLD_CHOICE)
        case "budget":
            return value if isinstance(value, int) and LEAST_BUDGET <= value <= MOST_BUDGET else Refused(NO_BUDGET)
        case "from" | "until":
            return _day(wishes, name, str(value), today)
        case _:
            return Refused(OLD_CHOICE)


OLD_CHOICE = mark("This choice no longer exists. Choose again, please.")
NO_BUDGET = mark("I need a sum in euros a month, between 100 and 5000. Write the number alone, 450 for example.")
PAST_DAY = mark("This day is past. Choose again, please.")
WRONG_ORDER = mark("The end must come after the beginning. Choose again, please.")


def _day(wishes: Mapping[str, Any], name: Literal["from", "until"], value: str, today: date) -> object | Refused:
    day = _as_day(value)
    if day is None:
        return Refused(OLD_CHOICE)
    if day < today:
        return Refused(PAST_DAY)
    other = _as_day(wishes.get("until" if name == "from" else "from"))
    if other is not None and (day >= other if name == "from" else day <= other):
        return Refused(WRONG_ORDER)
    return day.isoformat()


def _as_day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def days_offered(name: Literal["from", "until"], wishes: Mapping[str, Any], facts: Facts, today: date) -> list[date]:
    """The days on the buttons: those of the record first, then the turns of months."""
    if name == "from":
        own = [facts.lease_start, facts.date_of_entry, facts.programme_start]
        turns = [date(today.year, today.month, 1) + relativedelta(months=each) for each in range(1, MOST_DAYS_OFFERED)]
        least = today
    else:
        own = [facts.leaving_date, facts.programme_end]
        start = _as_day(wishes.get("from")) or today
        turns = [_end_of_month(start + relativedelta(months=each - 1)) for each in LENGTHS]
        least = start + relativedelta(days=1)
    possible = dict.fromkeys(day for day in (*own, *turns) if day is not None and day >= least)
    return sorted(list(possible)[:MOST_DAYS_OFFERED])


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def keep(student: Student, name: Wish, value: object | None, today: date) -> None:
    """Store a checked wish; None takes it out. Where there is no application, the row says so."""
    application = student.housing
    if application is None:
        application = HousingApplication(state="not_applied", wishes={}, updated_on=today)
        student.housing = application
    # A new dict: the column sees assignments only.
    rest = {key: each for key, each in application.wishes.items() if key != name}
    application.wishes = rest if value is None else {**rest, name: value}


def wishes_of(student: Student) -> Mapping[str, Any]:
    return student.housing.wishes if student.housing is not None else {}


def next_open(wishes: Mapping[str, Any], after: str) -> Wish | None:
    """The next wish that is not noted yet, behind `after` in the order."""
    return next((each for each in WISHES[WISHES.index(after) + 1 :] if each not in wishes), None)


def value_words(name: str, value: Any, language: str) -> str:
    """One wish in words; "" for a value that this version does not know."""
    match name:
        case "kind" | "sharing" | "campus":
            label = CHOICES[name].get(value)
            return say(language, label) if label else ""
        case "access":
            words = ACCESS_WORDS.get(value.get("need", "")) if isinstance(value, Mapping) else None
            return say(language, words) if words else ""
        case "budget":
            if not isinstance(value, int):
                return ""
            return say(language, "at most {amount} a month, charges included", amount=money(Decimal(value), language))
        case _:
            day = _as_day(value)
            return date_words(day, language) if day is not None else ""


def lines(wishes: Mapping[str, Any], language: str) -> list[str]:
    """A line of Markdown for each wish that is noted."""
    return [
        f"- **{say(language, NAMES[name])}**: {words}"
        for name in WISHES
        if name in wishes and (words := value_words(name, wishes[name], language))
    ]
