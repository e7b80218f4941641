"""What a student is told, word by word, in English: the source of every catalogue."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from bot.paperwork.answer import PersonalAnswer, path_summary, personal_sentence
from bot.paperwork.rules import path
from bot.paperwork.schema import Procedure
from bot.students.facts import Facts, facts_from

Make = Callable[..., Procedure]
RULE = {"en": "The rule.", "fr": "La règle."}
ARRIVED = {"date_of_entry": "2026-09-12", "date_of_entry_kind": "real"}


def with_figures(text: str) -> str:
    return text.replace("{{ cvec_fee }}", "€105")


def answer(procedure: Procedure, facts: dict[str, Any], today: date, language: str = "en") -> PersonalAnswer:
    read = facts_from(facts)
    (step,) = path([procedure], read, today)
    return personal_sentence(step, read, language, today, fill=with_figures)


@pytest.fixture
def validation(a_procedure: Make) -> Procedure:
    return a_procedure(opens="date_of_entry", due="date_of_entry + 3 months", legal_duty=True)


@dataclass(frozen=True)
class Told:
    facts: dict[str, Any]
    today: date
    text: str


@pytest.mark.parametrize(
    "told",
    [
        Told(ARRIVED, date(2026, 9, 20), "By 12 December 2026, because you arrived on 12 September 2026."),
        Told(
            {"date_of_entry": "2027-01-10", "date_of_entry_kind": "planned"},
            date(2026, 11, 24),
            "By 10 April 2027, if you arrive on 10 January 2027 as planned. You can do it from 10 January 2027 on.",
        ),
        Told(
            ARRIVED,
            date(2026, 12, 23),
            "The date was 12 December 2026 (11 days ago). You arrived on 12 September 2026. Do it today for €105.",
        ),
        Told(
            ARRIVED,
            date(2026, 12, 13),
            "The date was 12 December 2026 (1 day ago). You arrived on 12 September 2026. Do it today for €105.",
        ),
        Told(
            {"date_of_entry": "2026-09-13", "date_of_entry_kind": "real"},
            date(2026, 9, 20),
            "By 13 December 2026, because you arrived on 13 September 2026. This is a Sunday: do it before.",
        ),
        Told(
            {"date_of_entry": "2026-09-25", "date_of_entry_kind": "real"},
            date(2026, 9, 30),
            "By 25 December 2026, because you arrived on 25 September 2026. "
            "This is a public holiday in France: do it before.",
        ),
        Told(
            {**ARRIVED, "steps_done": {"validate_visa": "2026-10-02"}},
            date(2026, 11, 24),
            "You did this on 2 October 2026. The rule.",
        ),
        Told(
            {},
            date(2026, 11, 24),
            "The rule. I cannot give you your own date yet, because something is not in your record. "
            "On which day did you arrive, or will you arrive, in France?",
        ),
        Told(
            {**ARRIVED, "visa_start": "2026-09-20"},
            date(2026, 11, 24),
            "Your record says that you arrived on 12 September 2026, but your visa starts on 20 September 2026. "
            "One of the two must be wrong, so there is no date yet. "
            "On which day did you arrive, or will you arrive, in France?",
        ),
    ],
    ids=lambda told: told.text[:60],
)
def test_every_situation_is_told_with_its_reason(validation: Procedure, told: Told) -> None:
    assert answer(validation, told.facts, told.today).text == told.text


def test_a_step_that_is_not_needed_says_why(a_procedure: Make) -> None:
    procedure = a_procedure(who=[{"when": "always", "then": "not_needed", "because": RULE}])

    told = answer(procedure, {}, date(2026, 11, 24))

    assert (told.text, told.asks_for, told.offer_person) == ("You do not need to do this. The rule.", None, False)


def test_a_step_that_the_record_shows_as_done_says_why(a_procedure: Make) -> None:
    procedure = a_procedure(who=[{"when": "always", "then": "done", "because": RULE}])

    assert answer(procedure, {}, date(2026, 11, 24)).text == "This is done. The rule."


def test_an_unclear_rule_offers_a_person(a_procedure: Make) -> None:
    procedure = a_procedure(who=[{"when": "always", "then": "unclear", "because": RULE}])

    told = answer(procedure, {}, date(2026, 11, 24))

    assert (told.text, told.asks_for, told.offer_person) == ("The rule.", None, True)


def test_a_step_that_has_no_date_yet_can_be_done_and_asks(a_procedure: Make) -> None:
    told = answer(a_procedure(due="enrolment_date - 1 day"), {}, date(2026, 8, 20))

    assert told.text == "The rule. You can do this now. On which day do you enrol at the school?"
    assert (told.asks_for, told.offer_person) == ("enrolment_date", False)


def test_a_note_on_the_date_is_said_with_it(a_procedure: Make) -> None:
    procedure = a_procedure(due="programme_start + 30 days", note={"en": "Our advice.", "fr": "Notre conseil."})

    told = answer(procedure, {"programme_start": "2026-09-07"}, date(2026, 9, 8))

    assert told.text == "By 7 October 2026, because your programme starts on 7 September 2026. Our advice."


def test_what_comes_first_is_named(a_procedure: Make) -> None:
    procedures = [a_procedure("cvec"), a_procedure("health_registration", depends_on=["cvec"], due="programme_end")]
    facts = Facts(programme_end=date(2027, 6, 30))
    today = date(2026, 9, 8)
    step = next(each for each in path(procedures, facts, today) if each.slug == "health_registration")

    told = personal_sentence(step, facts, "en", today, fill=with_figures)

    assert told.text == "By 30 June 2027, because your programme ends on 30 June 2027. This comes first: Do cvec."


def test_a_special_deed_is_said_because_the_general_answer_does_not(a_procedure: Make) -> None:
    row = {"when": "always", "then": "applies", "because": RULE, "do": {"en": "Ask.", "fr": "Demandez."}}

    told = answer(a_procedure(due="programme_end", who=[row]), {"programme_end": "2027-06-30"}, date(2026, 9, 8))

    assert told.text == "By 30 June 2027, because your programme ends on 30 June 2027. Ask."


def test_sentences_of_the_procedure_say_when_they_come_in_english(a_procedure: Make) -> None:
    late = a_procedure(due="programme_start")
    facts, today = {"programme_start": "2026-09-07"}, date(2026, 11, 24)

    assert [answer(late, facts, today, language).partly_english for language in ("en", "fr", "ar")] == [
        False,
        False,
        True,
    ]


def test_a_plain_date_is_wholly_in_the_language_of_the_reader(validation: Procedure) -> None:
    assert answer(validation, ARRIVED, date(2026, 9, 20), "ar").partly_english is False


def test_the_summary_puts_overdue_first_then_dates_then_the_rest(a_procedure: Make) -> None:
    procedures = [
        a_procedure("visale", due="programme_end"),
        a_procedure("cvec", due="programme_start"),
        a_procedure("lease"),
        a_procedure("tax_return", opens="job_start"),
        a_procedure("permit_renewal", opens="visa_expiry - 4 months", due="visa_expiry - 2 months"),
        a_procedure("minor_card", who=[{"when": "always", "then": "unclear", "because": RULE}]),
        a_procedure("nomination"),
    ]
    facts = Facts(
        programme_start=date(2026, 11, 13),
        programme_end=date(2027, 6, 30),
        visa_expiry=date(2027, 8, 31),
        steps_done={"nomination": date(2026, 3, 1)},
    )
    today = date(2026, 11, 24)

    told = path_summary(path(procedures, facts, today), "en", today)

    assert told.text.splitlines() == [
        "This is what is left to do:",
        "",
        "- **Do cvec**: The date was 13 November 2026 (11 days ago).",
        "- **Do visale**: by 30 June 2027.",
        "- **Do permit_renewal**: from 30 April 2027 to 30 June 2027.",
        "- **Do lease**: you can do this now.",
        "- **Do minor_card**: please ask a person of the office, the rule is not clear for you.",
        "- **Do tax_return**: no date yet. On which day does your job start?",
    ]


def test_the_summary_stops_after_six_lines_and_counts_the_rest(a_procedure: Make) -> None:
    slugs = ["cvec", "visale", "lease", "tax_return", "transcript", "nomination", "moving_out"]
    today = date(2026, 11, 24)

    seven = path_summary(path([a_procedure(slug) for slug in slugs], Facts(), today), "en", today)
    six = path_summary(path([a_procedure(slug) for slug in slugs[:6]], Facts(), today), "en", today)

    assert (len(seven.text.splitlines()), seven.text.splitlines()[-1]) == (10, "And 1 more step.")
    assert len(six.text.splitlines()) == 8


def test_when_nothing_is_left_the_summary_says_so() -> None:
    assert path_summary((), "en", date(2026, 11, 24)).text == "Nothing is left to do that I know of."
