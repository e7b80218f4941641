"""What a record holds after some of its facts changed."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from bot.students.facts import Facts, FactsError, facts_from
from bot.students.people import PERSON_FIELDS

IN_ORDER = (
    ("programme_start", "programme_end"),
    ("date_of_entry", "leaving_date"),
    ("visa_start", "visa_expiry"),
)
"""The second day of each pair cannot lie before the first."""


def changed_facts(facts: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """As `merged`, with the order of the days checked.

    Raises:
        FactsError: a name or a value that is not one, or days in the wrong order.
    """
    after = merged(facts, changes)
    known = facts_from(after)
    if problems := tuple(
        f"{last}: {getattr(known, last)} lies before {first}, {getattr(known, first)}; correct one of the two"
        for first, last in out_of_order(known, changes)
    ):
        raise FactsError(problems)
    return after


def merged(facts: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The stored facts after `changes`, as JSON without what is unknown; keys of PERSON_FIELDS are passed over.

    A new nationality drops a group that was recorded for the old one, unless it is protection or is given as well.

    Raises:
        FactsError: a name or a value that is not one.
    """
    fresh = {name: value for name, value in changes.items() if name not in PERSON_FIELDS}
    if "steps_done" in fresh:
        raise FactsError(("steps_done: kept in a table of its own; record the step there",))
    checked = facts_from(fresh).model_dump(mode="json", include=set(fresh))
    after = {**facts, **checked}
    moved = "nationality" in checked and checked["nationality"] != facts.get("nationality")
    if moved and "nationality_group" not in fresh and facts.get("nationality_group") != "refugee_or_protected":
        after.pop("nationality_group", None)
    return {name: value for name, value in after.items() if value is not None}


def out_of_order(facts: Facts, touched: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of IN_ORDER whose days are the wrong way round; of each at least one is among `touched`."""
    names = frozenset(touched)
    pairs = [(first, last) for first, last in IN_ORDER if names & {first, last}]
    return [(first, last) for first, last in pairs if _lies_before(getattr(facts, last), getattr(facts, first))]


def _lies_before(day: date | None, other: date | None) -> bool:
    return day is not None and other is not None and day < other
