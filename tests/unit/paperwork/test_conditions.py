"""Conditions in three values, and what is refused when they are read."""

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.paperwork.conditions import Condition, Verdict
from bot.students.facts import Facts

TODAY = date(2026, 11, 24)
CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)

EXCHANGE = {"fact": "programme_type", "in": ["exchange", "ka131"]}
CARD = {"fact": "document_held", "in": ["student_card"]}


def verdict(condition: Any, **facts: object) -> Verdict:
    return CONDITION.validate_python(condition).verdict(Facts.model_validate(facts), TODAY)


def test_always_holds() -> None:
    assert verdict("always") == Verdict(True)


def test_a_fact_holds_does_not_or_is_missing() -> None:
    assert verdict(EXCHANGE, programme_type="ka131") == Verdict(True)
    assert verdict(EXCHANGE, programme_type="degree") == Verdict(False)
    assert verdict(EXCHANGE) == Verdict(None, ("programme_type",))


def test_if_unknown_settles_a_missing_fact() -> None:
    assert verdict({**EXCHANGE, "if_unknown": False}) == Verdict(False)
    assert verdict({**EXCHANGE, "if_unknown": True}) == Verdict(True)
    assert verdict({**EXCHANGE, "if_unknown": False}, programme_type="exchange") == Verdict(True)


def test_a_yes_or_no_fact_is_compared_with_true_or_false() -> None:
    condition = {"fact": "pays_tuition_to_junia", "in": [True]}

    assert verdict(condition, pays_tuition_to_junia=True) == Verdict(True)
    assert verdict(condition, pays_tuition_to_junia=False) == Verdict(False)


def test_the_group_is_asked_for_by_nationality() -> None:
    condition = {"fact": "nationality_group", "in": ["eu_eea_ch"]}

    assert verdict(condition) == Verdict(None, ("nationality",))
    assert verdict(condition, nationality=["DZ", "GB"]) == Verdict(None, ("nationality_group",))
    assert verdict(condition, nationality=["DZ", "FR"]) == Verdict(True)


def test_known_is_always_decided() -> None:
    assert verdict({"fact": "diploma_obtained_on", "known": True}) == Verdict(False)
    assert verdict({"fact": "diploma_obtained_on", "known": False}) == Verdict(True)
    assert verdict({"fact": "diploma_obtained_on", "known": True}, diploma_obtained_on=TODAY) == Verdict(True)


def test_a_step_is_done_from_its_day_on() -> None:
    done = {"step": "admission_letter", "done": True}

    assert verdict(done) == Verdict(False)
    assert verdict(done, steps_done={"admission_letter": "2026-11-24"}) == Verdict(True)
    assert verdict(done, steps_done={"admission_letter": "2026-11-25"}) == Verdict(False)
    assert verdict({"step": "admission_letter", "done": False}, steps_done={"visale": "2026-05-01"}) == Verdict(True)


@pytest.mark.parametrize(
    ("comparison", "day_before", "same_day", "day_after"),
    [
        ("before", True, False, False),
        ("on_or_before", True, True, False),
        ("after", False, False, True),
        ("on_or_after", False, True, True),
    ],
)
def test_dates_are_compared_with_and_without_the_day_itself(
    comparison: str, day_before: bool, same_day: bool, day_after: bool
) -> None:
    condition = {"date": "programme_end", comparison: "visa_expiry"}
    expiry = date(2027, 2, 19)

    assert [
        verdict(condition, programme_end=end, visa_expiry=expiry).holds
        for end in (date(2027, 2, 18), expiry, date(2027, 2, 20))
    ] == [day_before, same_day, day_after]


def test_a_comparison_names_every_date_it_lacks() -> None:
    condition = {"date": "programme_end", "on_or_before": "visa_expiry"}

    assert verdict(condition) == Verdict(None, ("programme_end", "visa_expiry"))
    assert verdict({**condition, "if_unknown": False}) == Verdict(False)


def test_one_false_part_settles_all_whatever_is_unknown() -> None:
    condition = {"all": [EXCHANGE, CARD]}

    assert verdict(condition, programme_type="degree") == Verdict(False)
    assert verdict(condition, programme_type="exchange") == Verdict(None, ("document_held",))
    assert verdict(condition, programme_type="exchange", document_held="student_card") == Verdict(True)


def test_one_true_part_settles_any_whatever_is_unknown() -> None:
    condition = {"any": [EXCHANGE, CARD]}

    assert verdict(condition, programme_type="exchange") == Verdict(True)
    assert verdict(condition, programme_type="degree") == Verdict(None, ("document_held",))
    assert verdict(condition, programme_type="degree", document_held="vls_ts") == Verdict(False)


def test_not_turns_the_answer_and_keeps_the_question() -> None:
    assert verdict({"not": EXCHANGE}, programme_type="degree") == Verdict(True)
    assert verdict({"not": EXCHANGE}, programme_type="exchange") == Verdict(False)
    assert verdict({"not": EXCHANGE}) == Verdict(None, ("programme_type",))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("never", "not a condition; write always"),
        ({}, "not a condition; write always"),
        ({"if": []}, "not a condition; write always"),
        ({"fact": "programme", "in": ["exchange"]}, "there is no fact programme"),
        ({"fact": "programme_type", "in": ["erasmus"]}, "programme_type is never 'erasmus'; it is one of exchange"),
        ({"fact": "programme_type", "in": []}, "at least 1 item"),
        ({"fact": "programme_end", "in": ["2026-09-01"]}, "programme_end has no list of values"),
        ({"fact": "programme", "known": True}, "there is no fact programme"),
        ({"date": "programme_end"}, "exactly one of before"),
        ({"date": "programme_end", "before": "today", "after": "today"}, "exactly one of before"),
        ({"date": "soon", "before": "today"}, "'soon' stands where a date"),
        ({"date": 5, "before": "today"}, "5 is no formula"),
        ({"all": []}, "at least 1 item"),
        ({"all": [EXCHANGE], "any": [CARD]}, "Extra inputs are not permitted"),
    ],
)
def test_a_condition_that_cannot_be_read_says_why(condition: Any, words: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        CONDITION.validate_python(condition)

    assert words in str(refusal.value)
