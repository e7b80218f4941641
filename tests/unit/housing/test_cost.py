"""What a room costs after the aid that is due or not, and what a typed sum means."""

from datetime import date
from decimal import Decimal

import pytest

from bot.housing.answer import room_cost
from bot.housing.cost import Rent, is_plausible, rent_in
from bot.students.facts import facts_from

TODAY = date(2026, 11, 24)
NON_EU = {
    "nationality": ["MA"],
    "document_held": "vls_ts",
    "grant": "none",
    "campus": "lille",
    "birth_date": "2004-05-03",
}
EU = {"nationality": ["DE"], "grant": "erasmus", "campus": "bordeaux", "programme_type": "degree", "guarantor": "none"}


@pytest.fixture
def cost(knowledge, procedures):
    def run(rent: Rent, today: date = TODAY, **facts: object):
        return room_cost(knowledge, procedures, facts_from(facts), rent, "en", today)

    return run


@pytest.mark.parametrize(
    ("text", "rent"),
    [
        ("450", Rent(Decimal(450))),
        ("450 €", Rent(Decimal(450))),
        ("about 450 euros", Rent(Decimal(450))),
        ("450,50 €", Rent(Decimal("450.5"))),
        ("1 200", Rent(Decimal(1200))),
        ("1.200 €", Rent(Decimal(1200))),
        ("٤٥٠", Rent(Decimal(450))),
        ("450 + 40", Rent(Decimal(450), Decimal(40))),
        ("450 € de loyer et 40 € de charges", Rent(Decimal(450), Decimal(40))),
        ("how much is it?", None),
        ("is 450 € a lot?", None),
        ("I have 2 questions about the deposit of my room", None),
        ("450 40 30", None),
        ("", None),
    ],
)
def test_a_typed_sum_is_rent_or_rent_and_charges(text: str, rent: Rent | None) -> None:
    assert rent_in(text) == rent


@pytest.mark.parametrize(("rent", "plausible"), [(49, False), (50, True), (5000, True), (5001, False)])
def test_a_slip_of_the_finger_is_no_rent(rent: int, plausible: bool) -> None:
    assert is_plausible(Rent(Decimal(rent))) is plausible


@pytest.mark.parametrize(
    ("facts", "aid", "first"),
    [
        (NON_EU, "none", "**A month: €490.** No housing aid comes off for you."),
        ({**NON_EU, "document_held": "vls_t"}, "none", "**A month: €490.** No housing aid comes off for you."),
        ({**NON_EU, "work_status": "job"}, "unclear", "**A month: plan with €490.** Do not count on housing aid."),
        ({**NON_EU, "grant": "erasmus"}, "unclear", "**A month: plan with €490.** Do not count on housing aid."),
        (
            {**NON_EU, "lease_start": "2026-05-01"},
            "unclear",
            "**A month: plan with €490.** Do not count on housing aid.",
        ),
        ({}, "unknown", "**A month: plan with €490.** Do not count on housing aid."),
    ],
)
def test_without_a_sure_aid_the_full_rent_is_the_answer(cost, facts, aid, first) -> None:
    found = cost(Rent(Decimal(450), Decimal(40)), **facts)

    assert (found.aid, found.text.split("\n\n")[0]) == (aid, first)


@pytest.mark.parametrize("facts", [EU, {**NON_EU, "grant": "social_criteria"}])
def test_where_aid_is_possible_the_range_goes_down_to_what_the_simulator_says_without_an_amount(cost, facts) -> None:
    found = cost(Rent(Decimal(450)), **facts)

    assert found.aid == "possible"
    assert found.text.split("\n\n")[0] == (
        "**A month: from €450 down to €450 less what the CAF simulator shows you.** Use the simulator on caf.fr with "
        "this rent: I have no checked amount and guess none. Plan with €450 until the CAF has decided."
    )


def test_outside_the_eu_the_exceptions_are_named_but_not_with_a_temporary_visa(cost) -> None:
    exceptions = "Do not count on it. Two more cases to ask the CAF about"

    assert exceptions in cost(Rent(Decimal(450)), **NON_EU).text
    assert exceptions not in cost(Rent(Decimal(450)), **{**NON_EU, "document_held": "vls_t"}).text
    assert exceptions not in cost(Rent(Decimal(450)), **{**NON_EU, "programme_type": "bip"}).text


def test_the_rule_is_dated_and_past_its_review_it_says_so(cost) -> None:
    dated = (
        "This is the rule since 1 July 2026 (Loi 2026-103 of 19 February 2026, art. 179), "
        "as we read it on 23 November 2026."
    )
    late = "This should have been checked again by 15 January 2027"

    assert dated in cost(Rent(Decimal(450)), **NON_EU).text
    assert late not in cost(Rent(Decimal(450)), date(2027, 1, 14), **NON_EU).text
    assert late in cost(Rent(Decimal(450)), date(2027, 1, 15), **NON_EU).text


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ("private_furnished", "at most €900. With the first month, have up to €1,390 ready."),
        ("private_unfurnished", "at most €450. With the first month, have up to €940 ready."),
        ("searching", "at most €450 unfurnished (one month's rent), €900 furnished (two months')."),
    ],
)
def test_the_deposit_is_counted_on_the_rent_without_charges(cost, status: str, line: str) -> None:
    assert (
        f"**Deposit** in a private lease: {line}"
        in cost(Rent(Decimal(450), Decimal(40)), **{**NON_EU, "housing_status": status}).text
    )


@pytest.mark.parametrize(
    ("campus", "rent", "words"),
    [
        ("lille", 840, "within its rent limit for your campus city, €840 with charges"),
        ("lille", 841, "above its rent limit for your campus city, €840 with charges"),
        ("bordeaux", 840, "within its rent limit for your campus city, €840 with charges"),
        ("chateauroux", 680, "within its rent limit for your campus city, €680 with charges"),
        ("chateauroux", 681, "above its rent limit for your campus city, €680 with charges"),
    ],
)
def test_the_rent_limit_of_visale_is_that_of_the_campus_city(cost, campus: str, rent: int, words: str) -> None:
    facts = {**NON_EU, "campus": campus, "guarantor": "none", "lease_signed_on": "2026-12-20"}

    assert f"**Visale**: {words}" in cost(Rent(Decimal(rent)), **facts).text


def test_who_cannot_have_visale_is_told_no_limit(cost) -> None:
    facts = {**NON_EU, "guarantor": "person"}

    assert "**Visale**" not in cost(Rent(Decimal(450)), **facts).text
