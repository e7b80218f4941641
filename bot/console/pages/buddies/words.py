"""What the page of buddies says: states, reasons, names."""

from collections.abc import Callable

from bot.buddies.matching import Reason, left_words, reason_words
from bot.buddies.models import AlertReason, BuddyRunRow, EndReason, PairingState, RunState
from bot.i18n.languages import language_name
from bot.i18n.translate import mark, say, say_n
from bot.students.models import Student
from bot.students.records import CAMPUS_CITIES

STATES = {
    PairingState.PLANNED: mark("planned"),
    PairingState.PROPOSED: mark("asked"),
    PairingState.ACCEPTED: mark("both said yes"),
    PairingState.DECLINED: mark("declined"),
    PairingState.EXPIRED: mark("no answer"),
    PairingState.ENDED: mark("ended"),
    PairingState.UNDONE: mark("taken back"),
}
RUNS = {
    RunState.DRAFT: mark("draft"),
    RunState.PUBLISHED: mark("published"),
    RunState.UNDONE: mark("taken back"),
}
ENDS = {
    EndReason.LANGUAGE: mark("the language"),
    EndReason.TIME: mark("no time"),
    EndReason.PLANS: mark("plans changed"),
    EndReason.OTHER: mark("another reason"),
    EndReason.NO_ANSWER: mark("no answer"),
    EndReason.TROUBLE: mark("trouble"),
    EndReason.LEFT: mark("one of the two left"),
    EndReason.OFFICE: mark("by the office"),
}
ALERTS = {
    AlertReason.SILENCE: mark("Silence: no answer, or not met by day 14"),
    AlertReason.TROUBLE: mark("There is trouble"),
    AlertReason.NO_MORE_MATCH: mark("Nobody else fits"),
}
WEIGHTS = {
    "languages": mark("Languages in common"),
    "rare_language": mark("A language other than English and French"),
    "interests": mark("Interests in common"),
    "field": mark("Same field"),
    "wish": mark("Wish for the same field"),
    "overlap": mark("Time here together"),
}


def person_name(student: Student | None, language: str) -> str:
    return f"{student.given_name} {student.family_name}" if student is not None else say(language, "erased")


def campus_name(campus: str) -> str:
    return CAMPUS_CITIES.get(campus, campus)


def row_words(row: BuddyRunRow, language: str, label: Callable[[str], str]) -> list[str]:
    """Why these two, or why nobody."""
    if row.why_none is not None:
        return [left_words(row.why_none, language)]
    return [reason_words(Reason(each["code"], each["values"]), language, label) for each in row.reasons]


def missing_words(campus: str, tag: str, count: int, language: str) -> str:
    return say_n(
        language,
        "{count} more place with somebody who speaks {tongue} in {campus}",
        "{count} more places with somebody who speaks {tongue} in {campus}",
        count,
        count=count,
        tongue=language_name(tag, language),
        campus=campus_name(campus),
    )
