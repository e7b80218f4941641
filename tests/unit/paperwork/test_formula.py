"""The language of dates: calendar arithmetic, unknown facts, refusals."""

import re
from datetime import date

import pytest

from bot.paperwork.formula import Basis, Computed, FormulaError, parse_formula, school_year_start
from bot.students.facts import Facts

TODAY = date(2026, 11, 24)


def day_of(text: str, **facts: object) -> date | None:
    return parse_formula(text).value(Facts.model_validate(facts), TODAY).day


@pytest.mark.parametrize(
    ("entry", "text", "expected"),
    [
        (date(2026, 9, 12), "date_of_entry + 3 months", date(2026, 12, 12)),
        (date(2026, 11, 30), "date_of_entry + 3 months", date(2027, 2, 28)),
        (date(2027, 11, 30), "date_of_entry + 3 months", date(2028, 2, 29)),
        (date(2026, 8, 31), "date_of_entry - 2 months", date(2026, 6, 30)),
        (date(2026, 8, 31), "date_of_entry + 1 month", date(2026, 9, 30)),
        (date(2028, 2, 29), "date_of_entry + 1 year", date(2029, 2, 28)),
        (date(2026, 9, 1), "date_of_entry - 1 day", date(2026, 8, 31)),
        (date(2026, 9, 1), "date_of_entry + 2 weeks", date(2026, 9, 15)),
        (date(2026, 9, 1), "date_of_entry + 30 days", date(2026, 10, 1)),
        (date(2026, 9, 1), "month_end(date_of_entry)", date(2026, 9, 30)),
        (date(2028, 2, 3), "month_end(date_of_entry)", date(2028, 2, 29)),
        (date(2026, 1, 31), "date_of_entry + 1 month + 1 month", date(2026, 3, 28)),
    ],
)
def test_months_follow_the_calendar_and_stop_at_the_last_day(entry: date, text: str, expected: date) -> None:
    assert day_of(text, date_of_entry=entry) == expected


@pytest.mark.parametrize(
    ("born", "age", "expected"),
    [
        (date(2008, 9, 2), 18, date(2026, 9, 2)),
        (date(2008, 2, 29), 18, date(2026, 2, 28)),
        (date(2008, 2, 29), 20, date(2028, 2, 29)),
    ],
)
def test_a_birthday_on_29_february_falls_on_the_28th_in_common_years(born: date, age: int, expected: date) -> None:
    assert day_of(f"birthday({age})", birth_date=born) == expected


def test_the_latest_of_several_dates_says_which_fact_decided() -> None:
    facts = Facts(programme_start=date(2026, 9, 7), date_of_entry=date(2026, 9, 20))

    value = parse_formula("max(programme_start, date_of_entry) + 30 days").value(facts, TODAY)

    assert value == Computed(date(2026, 10, 20), basis=Basis("date_of_entry", date(2026, 9, 20)))


def test_the_earliest_of_several_dates_is_taken() -> None:
    assert day_of(
        "min(birthday(18), visa_expiry - 2 months)", birth_date=date(2009, 3, 4), visa_expiry=date(2027, 3, 31)
    ) == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("start", "text", "expected"),
    [
        (date(2026, 9, 7), "last(15 april, programme_start)", date(2026, 4, 15)),
        (date(2027, 1, 11), "last(15 october, programme_start)", date(2026, 10, 15)),
        (date(2026, 4, 15), "last(15 april, programme_start)", date(2026, 4, 15)),
        (date(2026, 4, 14), "last(15 april, programme_start)", date(2025, 4, 15)),
        (date(2026, 9, 7), "next(20 january, programme_start)", date(2027, 1, 20)),
        (date(2027, 1, 20), "next(20 january, programme_start)", date(2027, 1, 20)),
        (date(2027, 1, 21), "next(20 january, programme_start)", date(2028, 1, 20)),
        (date(2028, 2, 29), "next(28 february, programme_start) + 1 day", date(2029, 3, 1)),
    ],
)
def test_a_day_that_comes_every_year_is_the_nearest_one_on_this_side(start: date, text: str, expected: date) -> None:
    assert day_of(text, programme_start=start) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("next(31 april, programme_start)", "april has no day 31 every year"),
        ("next(29 february, programme_start)", "february has no day 29 every year"),
        ("next(0 may, programme_start)", "may has no day 0 every year"),
        ("last(15 avril, programme_start)", "'avril' stands where a month in full, january to december should be"),
        ("last(15 may)", "')' stands where a comma should be"),
    ],
)
def test_a_day_that_does_not_come_every_year_is_refused(text: str, words: str) -> None:
    with pytest.raises(FormulaError, match=re.escape(words)):
        parse_formula(text)


def test_a_fixed_day_is_itself_and_rests_on_no_fact() -> None:
    assert parse_formula("min(2026-07-01, lease_start)").value(Facts(), TODAY) == Computed(None, ("lease_start",))
    assert parse_formula("2026-07-01 - 1 day").value(Facts(), TODAY) == Computed(date(2026, 6, 30))
    with pytest.raises(FormulaError, match="2026-02-30 is no day of the calendar"):
        parse_formula("2026-02-30")


def test_a_missing_fact_is_named() -> None:
    value = parse_formula("max(programme_start, date_of_entry) + 30 days").value(
        Facts(programme_start=date(2026, 9, 7)), TODAY
    )

    assert value == Computed(None, ("date_of_entry",))


def test_an_optional_fact_is_left_out_when_unknown() -> None:
    assert day_of("max(programme_start?, date_of_entry?)", date_of_entry=date(2026, 9, 7)) == date(2026, 9, 7)


def test_when_no_optional_fact_is_known_the_first_is_asked_for() -> None:
    value = parse_formula("max(programme_start?, date_of_entry?)").value(Facts(), TODAY)

    assert value == Computed(None, ("programme_start",))


def test_an_optional_fact_alone_gives_no_date_and_asks_nothing() -> None:
    assert parse_formula("visa_granted_on?").value(Facts(), TODAY) == Computed(None)


def test_first_takes_the_first_that_is_known() -> None:
    text = "first(lease_signed_on, lease_start?) - 1 day"

    assert day_of(text, lease_signed_on=date(2026, 9, 2), lease_start=date(2026, 9, 5)) == date(2026, 9, 1)
    assert day_of(text, lease_start=date(2026, 9, 5)) == date(2026, 9, 4)
    assert parse_formula(text).value(Facts(), TODAY) == Computed(None, ("lease_signed_on",))


def test_the_permit_expiry_is_that_of_the_card_and_else_of_the_visa() -> None:
    both = {"card_expiry": date(2027, 8, 31), "visa_expiry": date(2026, 8, 31)}

    assert day_of("permit_expiry", **both) == date(2027, 8, 31)
    assert day_of("permit_expiry", visa_expiry=date(2026, 8, 31)) == date(2026, 8, 31)
    assert parse_formula("permit_expiry").value(Facts(), TODAY) == Computed(None, ("visa_expiry",))


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 8, 31), date(2025, 9, 1)),
        (date(2026, 9, 1), date(2026, 9, 1)),
        (date(2027, 1, 15), date(2026, 9, 1)),
    ],
)
def test_a_school_year_starts_on_1_september(today: date, expected: date) -> None:
    assert school_year_start(today) == expected
    assert parse_formula("school_year_start").value(Facts(), today).day == expected


def test_a_formula_knows_the_facts_it_reads() -> None:
    formula = parse_formula("max(birthday(18) - 2 months, visa_granted_on?, first(permit_expiry, today))")

    assert formula.names() == {"birth_date", "visa_granted_on", "card_expiry", "visa_expiry", "today"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the end stands where a date"),
        ("date_of_entry +", "the end stands where a number"),
        ("date_of_entry + 3", "the end stands where days, weeks, months or years"),
        ("date_of_entry + 3 moons", "'moons' stands where days, weeks, months or years"),
        ("date_of_entry + 1000 years", "'1000' stands where a number"),
        ("date_of_arrival + 3 months", "'date_of_arrival' stands where a date"),
        ("guarantor", "'guarantor' stands where a date"),
        ("max date_of_entry", "'date_of_entry' stands where an opening bracket"),
        ("max(date_of_entry", "the end stands where a closing bracket"),
        ("birthday(eighteen)", "'eighteen' stands where an age"),
        ("date_of_entry visa_expiry", "'visa_expiry' stands where the end"),
        ("date_of_entry * 2", "'* 2' is no part of a formula"),
        ("(date_of_entry", "the end stands where a closing bracket"),
    ],
)
def test_a_formula_that_cannot_be_read_says_where(text: str, words: str) -> None:
    with pytest.raises(FormulaError) as refusal:
        parse_formula(text)

    assert words in str(refusal.value)
