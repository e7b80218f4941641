"""Every fact and every value of it has words."""

from typing import Any, Literal, get_args, get_origin

import pytest

from bot.students.facts import Facts
from bot.students.labels import CHOICES, FACT_NAMES, YES_OR_NO, choices_of, value_words
from bot.students.people import PERSON_FIELDS


def _kinds(annotation: Any) -> list[Any]:
    inner = [kind for part in get_args(annotation) for kind in _kinds(part)]
    return [annotation, *inner]


def test_every_fact_has_a_name() -> None:
    assert set(FACT_NAMES) == {*Facts.model_fields, *PERSON_FIELDS}


def test_every_choice_of_every_fact_has_words() -> None:
    choices = {
        fact: set(get_args(kind))
        for fact, field in Facts.model_fields.items()
        if fact != "steps_done"
        for kind in _kinds(field.annotation)
        if get_origin(kind) is Literal
    }

    assert {fact: set(words) for fact, words in CHOICES.items()} == choices


def test_every_fact_that_is_yes_or_no_is_known() -> None:
    assert set(YES_OR_NO) == {fact for fact, field in Facts.model_fields.items() if bool in _kinds(field.annotation)}


@pytest.mark.parametrize(
    ("fact", "value", "words"),
    [
        ("date_of_entry", "2026-09-12", "12 September 2026"),
        ("document_held", "vls_t", "Temporary student visa VLS-T"),
        ("wants_buddy", False, "No"),
        ("nationality", ["MA", "FR"], "Morocco, France"),
        ("country_of_residence", "MA", "Morocco"),
        ("birth_certificate_language", "es", "Spanish"),
        ("hours_this_permit_year", 120, "120"),
        ("earlier_stays", [], "none"),
        ("earlier_stays", [{"entry": "2025-06-01", "exit": "2025-07-20"}], "1 June 2025 to 20 July 2025"),
        ("family_name", "Brahmi", "Brahmi"),
        ("guarantor", None, "not known"),
    ],
)
def test_a_value_is_said_in_words(fact: str, value: Any, words: str) -> None:
    assert value_words(fact, value, "en") == words


def test_buttons_are_offered_where_the_values_are_few() -> None:
    assert choices_of("wants_buddy", "en") == [(True, "Yes"), (False, "No")]
    assert choices_of("campus", "en") == [("lille", "Lille"), ("bordeaux", "Bordeaux"), ("chateauroux", "Châteauroux")]
    assert choices_of("lease_start", "en") == []
