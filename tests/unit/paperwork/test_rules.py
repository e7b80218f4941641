"""Statuses, dates, flags and order of the path."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from bot.paperwork.rules import DateReason, Flag, RuleReason, Status, WaitsFor, day_flags, path
from bot.paperwork.schema import Procedure
from bot.paperwork.wording import step_as_json
from bot.students.facts import Facts

TODAY = date(2026, 11, 24)
Make = Callable[..., Procedure]
RULE = {"en": "The rule.", "fr": "La règle."}


def statuses(procedures: list[Procedure], facts: Facts, today: date = TODAY) -> dict[str, Status]:
    return {step.slug: step.status for step in path(procedures, facts, today)}


def test_a_late_step_is_open_and_overdue(a_procedure: Make) -> None:
    procedure = a_procedure(due="date_of_entry + 1 month")

    (step,) = path([procedure], Facts(date_of_entry=date(2026, 9, 1)), TODAY)

    assert (step.status, step.due, step.overdue) == (Status.OPEN, date(2026, 10, 1), True)


def test_a_step_that_is_not_needed_has_no_dates(a_procedure: Make) -> None:
    procedure = a_procedure(
        due="date_of_entry + 1 month", who=[{"when": "always", "then": "not_needed", "because": RULE}]
    )

    (step,) = path([procedure], Facts(date_of_entry=date(2026, 9, 1)), TODAY)

    assert (step.status, step.due, step.opens, step.overdue) == (Status.NOT_NEEDED, None, None, False)


def test_a_step_whose_need_is_not_done_is_blocked_and_names_it(a_procedure: Make) -> None:
    first, second = a_procedure("cvec"), a_procedure("health_registration", depends_on=["cvec"])

    steps = {step.slug: step for step in path([first, second], Facts(), TODAY)}

    assert steps["cvec"].status is Status.OPEN
    assert steps["health_registration"].status is Status.BLOCKED
    assert steps["health_registration"].because[-1] == WaitsFor(first.title)


def test_a_need_that_is_done_opens_the_step(a_procedure: Make) -> None:
    first, second = a_procedure("cvec"), a_procedure("health_registration", depends_on=["cvec"])
    facts = Facts(steps_done={"cvec": date(2026, 8, 1)})

    assert statuses([first, second], facts) == {"cvec": Status.DONE, "health_registration": Status.OPEN}


def test_a_need_that_does_not_concern_the_student_opens_the_step(a_procedure: Make) -> None:
    first = a_procedure("cvec", who=[{"when": "always", "then": "not_needed", "because": RULE}])
    second = a_procedure("health_registration", depends_on=["cvec"])

    assert statuses([first, second], Facts()) == {"health_registration": Status.OPEN, "cvec": Status.NOT_NEEDED}


def test_a_need_without_a_procedure_does_not_block(a_procedure: Make) -> None:
    second = a_procedure("health_registration", depends_on=["arrival_and_enrolment"])

    assert statuses([second], Facts()) == {"health_registration": Status.OPEN}


def test_a_legal_duty_is_open_whatever_is_missing_and_names_it(a_procedure: Make) -> None:
    first = a_procedure("cvec")
    duty = a_procedure("validate_visa", depends_on=["cvec"], legal_duty=True, opens="date_of_entry")

    steps = {step.slug: step for step in path([first, duty], Facts(date_of_entry=date(2026, 9, 1)), TODAY)}

    assert steps["validate_visa"].status is Status.OPEN
    assert steps["validate_visa"].because[-1] == WaitsFor(first.title)


def test_a_legal_duty_is_blocked_until_the_entry(a_procedure: Make) -> None:
    duty = a_procedure("validate_visa", legal_duty=True, opens="date_of_entry")

    assert statuses([duty], Facts(date_of_entry=date(2026, 11, 25))) == {"validate_visa": Status.BLOCKED}
    assert statuses([duty], Facts(date_of_entry=date(2026, 11, 24))) == {"validate_visa": Status.OPEN}


def test_a_missed_deadline_stays_open_although_a_need_is_not_done(a_procedure: Make) -> None:
    first = a_procedure("cvec")
    late = a_procedure("health_registration", depends_on=["cvec"], due="programme_start + 30 days")

    assert statuses([first, late], Facts(programme_start=date(2026, 9, 7)))["health_registration"] is Status.OPEN


def test_a_rule_that_is_not_clear_is_unknown_and_asks_for_no_fact(a_procedure: Make) -> None:
    unclear = a_procedure(who=[{"when": "always", "then": "unclear", "because": RULE}])

    (step,) = path([unclear], Facts(), TODAY)

    assert (step.status, step.missing_facts) == (Status.UNKNOWN, ())
    assert step.because == (RuleReason(unclear.who[0].because),)


def test_undecided_cases_that_all_say_the_same_do_not_matter(a_procedure: Make) -> None:
    rows = [
        {"when": {"fact": "grant", "in": ["none"]}, "then": "not_needed", "because": RULE},
        {"when": "always", "then": "not_needed", "because": RULE},
    ]

    assert statuses([a_procedure(who=rows)], Facts()) == {"validate_visa": Status.NOT_NEEDED}


def test_an_undecided_case_that_says_something_else_makes_the_step_unknown(a_procedure: Make) -> None:
    rows = [
        {"when": {"fact": "grant", "in": ["none"]}, "then": "applies", "because": RULE},
        {"when": "always", "then": "not_needed", "because": RULE},
    ]

    (step,) = path([a_procedure(who=rows)], Facts(), TODAY)

    assert (step.status, step.missing_facts) == (Status.UNKNOWN, ("grant",))


def test_a_case_brings_its_own_title_dates_and_deed(a_procedure: Make) -> None:
    row: dict[str, Any] = {
        "when": {"fact": "document_held", "in": ["vls_to_exchange"]},
        "then": "applies",
        "because": RULE,
        "title": {"en": "Ask for a card", "fr": "Demander une carte"},
        "due": "date_of_entry + 2 months",
        "do": {"en": "Ask.", "fr": "Demandez."},
    }
    procedure = a_procedure(
        due="date_of_entry + 3 months", who=[row, {"when": "always", "then": "applies", "because": RULE}]
    )
    entry = date(2026, 11, 1)

    (special,) = path([procedure], Facts(document_held="vls_to_exchange", date_of_entry=entry), TODAY)
    (plain,) = path([procedure], Facts(document_held="vls_ts", date_of_entry=entry), TODAY)

    assert (special.title.en, special.due, special.do_is_special) == ("Ask for a card", date(2027, 1, 1), True)
    assert (plain.title.en, plain.due, plain.do_is_special) == ("Do validate_visa", date(2027, 2, 1), False)


def test_the_reason_names_the_fact_and_whether_it_is_planned(a_procedure: Make) -> None:
    procedure = a_procedure(due="date_of_entry + 3 months")
    entry = date(2027, 1, 10)

    (planned,) = path([procedure], Facts(date_of_entry=entry, date_of_entry_kind="planned"), TODAY)
    (real,) = path([procedure], Facts(date_of_entry=entry, date_of_entry_kind="real"), TODAY)

    assert (planned.provisional, planned.because[1]) == (True, DateReason("date_of_entry", entry, planned=True))
    assert (real.provisional, real.because[1]) == (False, DateReason("date_of_entry", entry))


@pytest.mark.parametrize(
    ("day", "flags"),
    [
        (date(2026, 12, 12), ()),
        (date(2026, 12, 13), (Flag.SUNDAY,)),
        (date(2026, 12, 25), (Flag.HOLIDAY,)),
        (date(2026, 11, 1), (Flag.SUNDAY, Flag.HOLIDAY)),
        (date(2027, 3, 29), (Flag.HOLIDAY,)),
        (date(2027, 5, 6), (Flag.HOLIDAY,)),
        (date(2027, 5, 17), (Flag.HOLIDAY,)),
        (date(2027, 7, 14), (Flag.HOLIDAY,)),
        (date(2026, 12, 26), ()),
    ],
)
def test_sundays_and_french_holidays_are_flagged(day: date, flags: tuple[Flag, ...]) -> None:
    assert day_flags(day) == flags


def test_the_most_urgent_comes_first(a_procedure: Make) -> None:
    procedures = [
        a_procedure("transcript", who=[{"when": "always", "then": "not_needed", "because": RULE}]),
        a_procedure("lease"),
        a_procedure("visale", due="programme_end"),
        a_procedure("cvec", due="programme_start"),
        a_procedure("tax_return", opens="programme_end"),
        a_procedure("bank_account", due="leaving_date"),
        a_procedure("work_hours", opens="job_start"),
        a_procedure("nomination"),
    ]
    facts = Facts(
        programme_start=date(2026, 9, 7),
        programme_end=date(2027, 6, 30),
        leaving_date=date(2027, 1, 31),
        steps_done={"nomination": date(2026, 3, 1)},
    )

    assert [step.slug for step in path(procedures, facts, TODAY)] == [
        "cvec",
        "bank_account",
        "visale",
        "lease",
        "tax_return",
        "work_hours",
        "nomination",
        "transcript",
    ]


def test_the_json_has_exactly_the_fields_of_the_contract(a_procedure: Make) -> None:
    procedure = a_procedure(opens="date_of_entry", due="date_of_entry + 3 months")

    (step,) = path([procedure], Facts(date_of_entry=date(2026, 9, 12), date_of_entry_kind="real"), TODAY)

    assert step_as_json(step, "fr") == {
        "slug": "validate_visa",
        "title": "Faire validate_visa",
        "status": "open",
        "due": "2026-12-12",
        "opens": "2026-09-12",
        "overdue": False,
        "provisional": False,
        "flags": [],
        "because": ["La règle.", step_as_json(step, "fr")["because"][1]],
        "missing_facts": [],
        "source": {
            "title": "A source",
            "url": "https://example.org/",
            "checked_on": "2026-11-23",
            "valid_until": "2027-01-01",
        },
    }
    assert step_as_json(step, "en")["because"] == ["The rule.", "You arrived on 12 September 2026."]
