"""How much of a wait lies in opening hours, and what is said of it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.content.schema import DeskHours
from bot.handoff.hours import opening_time, opening_time_ago, usual_wait
from bot.handoff.words import usual_wait_words

HOURS = [DeskHours(weekday=day, opens="09:00", closes="17:00") for day in range(5)]


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (at(24, 9), at(24, 10, 30), timedelta(minutes=90)),
        # From Friday 16:30 over the weekend to Monday 9:10, on a French clock.
        (at(27, 15, 30), at(30, 8, 10), timedelta(minutes=40)),
        (at(28, 9), at(29, 20), timedelta()),
        # Christmas is a Friday.
        (at(24, 15, 0, 12), at(28, 9, 0, 12), timedelta(hours=2)),
        (at(24, 12), at(24, 11), timedelta()),
    ],
)
def test_only_time_in_which_the_desk_is_open_counts(start, end, expected):
    assert opening_time(HOURS, start, end) == expected


def test_the_change_of_the_clock_makes_the_working_day_no_longer():
    hours = [DeskHours(weekday=6, opens="01:00", closes="04:00")]

    assert opening_time(hours, datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)) == timedelta(
        hours=4
    )


def test_while_the_hours_are_unknown_the_clock_counts():
    assert opening_time(None, at(28, 9), at(28, 21)) == timedelta(hours=12)


@pytest.mark.parametrize(
    ("end", "span", "expected"),
    [
        (at(24, 10, 30), timedelta(minutes=90), at(24, 9)),
        (at(24, 20), timedelta(hours=1), at(24, 15)),
        # From Monday 9:10 back over the weekend to Friday 16:30, on a French clock.
        (at(30, 8, 10), timedelta(minutes=40), at(27, 15, 30)),
        # Christmas is a Friday.
        (at(28, 9, 0, 12), timedelta(hours=2), at(24, 15, 0, 12)),
        (at(24, 10), timedelta(hours=3000), None),
    ],
)
def test_who_waits_since_that_instant_or_before_has_waited_so_long(end, span, expected):
    since = opening_time_ago(HOURS, end, span)

    assert since == expected
    if since is not None:
        assert opening_time(HOURS, since, end) == span
        assert opening_time(HOURS, since + timedelta(seconds=1), end) < span


def test_while_the_hours_are_unknown_that_instant_is_one_on_the_clock():
    assert opening_time_ago(None, at(28, 21), timedelta(hours=12)) == at(28, 9)


def test_the_usual_wait_is_the_middle_one_and_nothing_is_said_of_four():
    waits = [timedelta(minutes=each) for each in (1, 90, 4, 10, 400)]

    assert usual_wait(waits) == timedelta(minutes=10)
    assert usual_wait(waits[:4]) is None


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(seconds=20), "within 5 minutes of opening time."),
        (timedelta(minutes=11), "within 15 minutes of opening time."),
        (timedelta(minutes=91), "within 2 hours of opening time."),
    ],
)
def test_a_wait_is_rounded_up(wait, words):
    assert usual_wait_words("en", wait).endswith(words)
