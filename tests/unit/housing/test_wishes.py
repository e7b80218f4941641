"""Which wishes are taken and how they are said."""

from datetime import date

import pytest

from bot.housing.wishes import (
    NO_BUDGET,
    OLD_CHOICE,
    PAST_DAY,
    WISHES,
    WRONG_ORDER,
    Refused,
    checked,
    days_offered,
    keep,
    lines,
    next_open,
    wishes_of,
)
from bot.students.facts import facts_from
from bot.students.models import HousingApplication, Student

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("kind", "studio", "studio"),
        ("kind", "castle", Refused(OLD_CHOICE)),
        ("sharing", "any", "any"),
        ("campus", "bordeaux", "bordeaux"),
        ("campus", "paris", Refused(OLD_CHOICE)),
        ("budget", 100, 100),
        ("budget", 99, Refused(NO_BUDGET)),
        ("budget", 5001, Refused(NO_BUDGET)),
        ("budget", "450", Refused(NO_BUDGET)),
        ("from", "2027-01-10", "2027-01-10"),
        ("from", "2026-11-23", Refused(PAST_DAY)),
        ("from", "soon", Refused(OLD_CHOICE)),
        ("until", "2027-02-01", "2027-02-01"),
        ("access", "step_free", {"need": "step_free", "agreed_on": "2026-11-24"}),
        ("access", "wings", Refused(OLD_CHOICE)),
        ("pet", "cat", Refused(OLD_CHOICE)),
    ],
)
def test_a_wish_is_taken_as_it_is_or_refused_with_a_reason(name, value, stored) -> None:
    assert checked({}, name, value, TODAY) == stored


def test_the_end_comes_after_the_beginning_whichever_is_given_first() -> None:
    assert checked({"from": "2027-01-10"}, "until", "2027-01-10", TODAY) == Refused(WRONG_ORDER)
    assert checked({"from": "2027-01-10"}, "until", "2027-01-11", TODAY) == "2027-01-11"
    assert checked({"until": "2027-01-10"}, "from", "2027-01-10", TODAY) == Refused(WRONG_ORDER)


def test_the_days_of_the_record_are_offered_before_the_turns_of_months() -> None:
    facts = facts_from({"date_of_entry": "2026-12-12", "programme_start": "2026-09-07", "leaving_date": "2027-06-20"})

    assert days_offered("from", {}, facts, TODAY) == [
        date(2026, 12, 1),
        date(2026, 12, 12),
        date(2027, 1, 1),
        date(2027, 2, 1),
        date(2027, 3, 1),
    ]
    assert days_offered("until", {"from": "2027-01-01"}, facts, TODAY) == [
        date(2027, 4, 30),
        date(2027, 6, 20),
        date(2027, 6, 30),
        date(2027, 10, 31),
        date(2027, 12, 31),
    ]


def student(housing: HousingApplication | None = None) -> Student:
    return Student(facts={}, housing=housing)


def test_wishes_without_an_application_never_look_like_one() -> None:
    amina = student()

    keep(amina, "kind", "studio", TODAY)

    assert amina.housing is not None
    assert (amina.housing.state, amina.housing.updated_on, wishes_of(amina)) == (
        "not_applied",
        TODAY,
        {"kind": "studio"},
    )


def test_wishes_leave_an_application_as_it_is() -> None:
    since = date(2026, 11, 1)
    amina = student(HousingApplication(state="waiting_list", wishes={"budget": 400}, updated_on=since))

    keep(amina, "kind", "flat", TODAY)
    keep(amina, "budget", None, TODAY)

    assert amina.housing is not None
    assert (amina.housing.state, amina.housing.updated_on, wishes_of(amina)) == (
        "waiting_list",
        since,
        {"kind": "flat"},
    )


def test_taking_out_what_was_never_noted_leaves_an_empty_note() -> None:
    amina = student()

    keep(amina, "kind", None, TODAY)

    assert wishes_of(amina) == {}


def test_the_next_question_is_the_next_open_one_behind() -> None:
    assert next_open({}, "kind") == "sharing"
    assert next_open({"sharing": "any", "budget": 450}, "kind") == "campus"
    assert next_open({}, WISHES[-1]) is None


def test_wishes_are_said_in_order_and_what_is_not_understood_is_left_out() -> None:
    wishes = {
        "until": "2027-06-30",
        "access": {"need": "adapted", "agreed_on": "2026-11-24"},
        "budget": 450,
        "kind": "castle",
        "sharing": "alone",
    }

    assert lines(wishes, "en") == [
        "- **Alone or shared**: Alone",
        "- **Budget**: at most €450 a month, charges included",
        "- **Until**: 30 June 2027",
        "- **Access needs**: adapted bathroom",
    ]
