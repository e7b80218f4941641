"""Weeks on a French calendar, medians of few and of many, minutes in which the desk is open."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.content.schema import DeskHours
from bot.radar.weeks import (
    Times,
    hour_key,
    mondays,
    most,
    open_minutes,
    parts_shown,
    span_of,
    spoken_most,
    times_by_week,
    times_of,
    week_of,
    week_words,
)

HOURS = [DeskHours(weekday=day, opens="09:00", closes="12:00") for day in range(5)]


def test_a_week_begins_on_monday_at_midnight_in_france():
    assert week_of(datetime(2026, 11, 22, 22, 59, tzinfo=UTC)) == date(2026, 11, 16)
    assert week_of(datetime(2026, 11, 22, 23, 0, tzinfo=UTC)) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("monday", "hours"), [(date(2026, 10, 19), 169), (date(2027, 3, 22), 167), (date(2026, 11, 23), 168)]
)
def test_a_week_in_which_the_clocks_change_is_an_hour_longer_or_shorter(monday: date, hours: int):
    begin, end = (each.astimezone(UTC) for each in span_of(monday))

    assert end - begin == timedelta(hours=hours)


def test_weeks_are_named_as_iso_names_them():
    assert [week_words(each, "en") for each in mondays(date(2026, 12, 27), date(2027, 1, 4))] == [
        "2026-W52",
        "2026-W53",
        "2027-W01",
    ]
    assert week_words(date(2026, 11, 23), "fr") == "2026-S48"
    assert mondays(date(2026, 12, 8), date(2026, 12, 1)) == []


def test_an_hour_is_one_of_the_french_week():
    assert hour_key(datetime(2026, 11, 22, 23, 30, tzinfo=UTC)) == "0-00"
    assert hour_key(datetime(2026, 7, 6, 6, 0, tzinfo=UTC)) == "0-08"


def test_the_median_and_the_p90_are_lengths_that_were_measured():
    assert times_of({"1": 5, "10": 4, "100": 1}) == Times(10, 1, 10)
    assert times_of({"3": 9, "200": 1}) == Times(10, 3, 3)
    assert times_of({"3": 8, "200": 2}) == Times(10, 3, 200)


def test_times_of_few_are_not_told():
    assert times_of({"3": 4}) == Times(None, None, None)
    assert times_of({"3": 5}) == Times(5, 3, 3)
    assert times_of({}) == Times(0, None, None)


def test_a_week_of_few_times_takes_the_smallest_other_with_it():
    first, second, third = mondays(date(2026, 11, 2), date(2026, 11, 16))
    told, untold, none = Times(7, 3, 3), Times(None, None, None), Times(0, None, None)

    def told_of(*counts: int) -> tuple[Times, list[Times]]:
        whole, weeks = times_by_week({m: {"3": n} for m, n in zip((first, second, third), counts, strict=True)})
        return whole, list(weeks.values())

    assert told_of(7, 7, 0) == (Times(14, 3, 3), [told, told, none])
    assert told_of(3, 6, 0) == (Times(9, 3, 3), [untold, untold, none])
    assert told_of(3, 8, 7) == (Times(18, 3, 3), [untold, Times(8, 3, 3), untold])
    # Five from two weeks that can only be told together: 1 and 4 are few, but which is which is not said.
    assert told_of(1, 4, 0) == (Times(5, 3, 3), [untold, untold, none])
    assert told_of(2, 1, 0) == (untold, [untold, untold, none])
    # Hidden parts that can only be 4 each tell themselves.
    assert told_of(4, 4, 0) == (untold, [untold, untold, none])


def test_parts_of_few_people_are_hidden_and_so_is_what_would_tell_of_them():
    assert parts_shown({"a": 20, "b": 9}, ("a", "b", "c")) == (29, {"a": 20, "b": 9, "c": 0})
    assert parts_shown({"a": 20, "b": 9, "c": 2}, ("a", "b", "c")) == (31, {"a": 20, "b": None, "c": None})
    assert parts_shown({"a": 3, "b": 1}, ("a", "b", "c")) == (None, {"a": None, "b": None, "c": 0})


def test_the_largest_groups_come_first_and_small_ones_not_at_all():
    assert most({"visa": 7, "bank": 7, "cvec": 9, "lease": 4}) == [("cvec", 9), ("bank", 7), ("visa", 7)]
    assert most({"visa": 7, "cvec": 9}, 1) == [("cvec", 9)]


def test_one_person_who_writes_in_five_weeks_does_not_make_a_language_of_many():
    weeks = [{("language", "uk"): 1, ("language", "fr"): 4, ("language", "en"): 7, ("topic", "visa"): 9}] * 5
    weeks[0] = {("language", "fr"): 5}

    assert spoken_most(weeks) == [("en", 28), ("fr", 21)]
    assert spoken_most([]) == []


@pytest.mark.parametrize(
    ("begin", "end", "minutes"),
    [
        ("2026-11-23T09:10", "2026-11-23T09:25", 15),
        ("2026-11-23T11:30", "2026-11-24T09:10", 40),
        ("2026-11-20T11:00", "2026-11-23T10:00", 120),
        # 11 November is a public holiday.
        ("2026-11-10T11:00", "2026-11-12T09:30", 90),
        ("2026-11-21T08:00", "2026-11-22T20:00", 0),
    ],
)
def test_only_the_opening_hours_count(begin: str, end: str, minutes: int):
    found = open_minutes(HOURS, *(datetime.fromisoformat(f"{each}+01:00") for each in (begin, end)))

    assert found == minutes
