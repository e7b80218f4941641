from datetime import UTC, datetime

import pytest

from bot.content.schema import DeskHours, School
from bot.handoff.hours import is_open, next_opening
from bot.handoff.words import person_requested

HOURS = [DeskHours(weekday=day, opens="09:00", closes="17:00") for day in range(5)]
TUESDAY_NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


def school(hours):
    return School(name="JUNIA", mail_domains=["student.junia.com"], desk_hours=hours)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (TUESDAY_NOON, True),
        (datetime(2026, 11, 24, 7, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 24, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 28, 11, 0, tzinfo=UTC), False),
        (datetime(2026, 12, 25, 11, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 14, 10, 0, tzinfo=UTC), False),
    ],
)
def test_the_desk_is_open_on_working_days_on_a_french_clock(instant, expected):
    assert is_open(HOURS, instant) is expected


def test_on_friday_evening_the_next_opening_is_monday_morning():
    opening = next_opening(HOURS, datetime(2026, 11, 27, 18, 0, tzinfo=UTC))

    assert opening.isoformat() == "2026-11-30T09:00:00+01:00"


def test_before_christmas_the_holiday_and_the_weekend_are_passed_over():
    opening = next_opening(HOURS, datetime(2026, 12, 24, 18, 0, tzinfo=UTC))

    assert opening.isoformat() == "2026-12-28T09:00:00+01:00"


def test_unknown_hours_are_said_to_be_unknown():
    assert "I do not know the office's opening hours" in person_requested("en", school(None), TUESDAY_NOON)


def test_a_closed_desk_says_when_it_opens():
    text = person_requested("en", school(HOURS), datetime(2026, 11, 27, 18, 0, tzinfo=UTC))

    assert "opens again on Monday 30 November 2026 at 09:00" in text.replace("Monday, ", "Monday ")


def test_an_open_desk_says_so():
    assert "The desk is open now" in person_requested("en", school(HOURS), TUESDAY_NOON)
