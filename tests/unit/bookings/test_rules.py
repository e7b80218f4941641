"""Levels, overlaps, weekly patterns over the days when the clock changes, weeks that begin on Monday."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.bookings.models import OfferKind, Service
from bot.bookings.rules import (
    HOLD,
    Fit,
    OfferData,
    Span,
    When,
    faults_of,
    held_until,
    instant,
    is_over,
    level_fit,
    overlap,
    period,
    span,
    weekly,
)
from bot.students.findings import Refused

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def meeting(hours: float, length: float = 1) -> Span:
    return Span(NOW + hours * HOUR, NOW + (hours + length) * HOUR)


@pytest.mark.parametrize(
    ("own", "wanted", "fit"),
    [
        ("B1", "B1", Fit.RIGHT),
        ("B1", "B2", Fit.NEAR),
        ("B1", "A2", Fit.NEAR),
        ("A1", "B1", Fit.FAR),
        ("C2", "A1", Fit.FAR),
        (None, "B1", Fit.UNKNOWN),
        ("B1", None, Fit.UNKNOWN),
    ],
)
def test_how_a_level_fits(own, wanted, fit):
    assert level_fit(own, wanted) == fit


@pytest.mark.parametrize(("start", "is_both"), [(-1, False), (-0.5, True), (0, True), (0.5, True), (1, False)])
def test_touching_ends_do_not_overlap(start, is_both):
    one, other = [meeting(0), meeting(50)], [meeting(20), meeting(start)]

    assert (overlap(one, other), overlap(other, one)) == (is_both, is_both)


def test_what_still_starts_once_is_not_over():
    spans = [meeting(-3), meeting(2)]

    assert (is_over(spans, NOW), is_over(spans, NOW + 2 * HOUR), is_over([], NOW)) == (False, True, True)


def test_a_place_is_kept_a_day_but_not_beyond_the_last_start():
    assert held_until([meeting(2), meeting(100)], NOW) == NOW + HOLD
    assert held_until([meeting(2)], NOW) == NOW + 2 * HOUR


def test_six_in_the_evening_stays_six_in_the_evening_when_the_clock_goes_back():
    spans = weekly(date(2026, 10, 20), time(18), time(20), date(2026, 11, 3))

    assert [(each.starts_at, each.ends_at) for each in spans] == [
        (datetime(2026, 10, 20, 16, tzinfo=UTC), datetime(2026, 10, 20, 18, tzinfo=UTC)),
        (datetime(2026, 10, 27, 17, tzinfo=UTC), datetime(2026, 10, 27, 19, tzinfo=UTC)),
        (datetime(2026, 11, 3, 17, tzinfo=UTC), datetime(2026, 11, 3, 19, tzinfo=UTC)),
    ]


def test_and_when_it_goes_forward():
    spans = weekly(date(2027, 3, 23), time(18), time(20), date(2027, 3, 30))

    assert [each.starts_at.hour for each in spans] == [17, 16]


def test_a_meeting_over_the_change_is_as_long_as_it_really_is():
    over = span(date(2026, 10, 25), time(1), time(4))

    assert over.ends_at - over.starts_at == 4 * HOUR


@pytest.mark.parametrize(("day", "at"), [(date(2026, 10, 25), time(2, 30)), (date(2027, 3, 28), time(2, 30))])
def test_an_hour_that_the_clock_shows_twice_or_never_is_refused(day, at):
    with pytest.raises(Refused, match="changes in the night"):
        instant(day, at)


@pytest.mark.parametrize("at", [time(1, 59), time(3)])
def test_the_hours_around_the_change_are_moments(at):
    assert instant(date(2027, 3, 28), at) in (
        datetime(2027, 3, 28, 0, 59, tzinfo=UTC),
        datetime(2027, 3, 28, 1, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("until", "starts", "ends", "problem"),
    [
        (date(2026, 9, 1), time(18), time(20), "comes before the first"),
        (date(2036, 9, 1), time(18), time(20), "more than"),
        (None, time(18), time(18), "not after the start"),
        (None, time(20), time(18), "not after the start"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(until, starts, ends, problem):
    with pytest.raises(Refused, match=problem):
        weekly(date(2026, 9, 8), starts, ends, until)


@pytest.mark.parametrize(
    ("when", "since", "before"),
    [
        (When.TODAY, NOW, datetime(2026, 11, 24, 23, tzinfo=UTC)),
        (When.WEEK, NOW, datetime(2026, 11, 29, 23, tzinfo=UTC)),
        (When.NEXT_WEEK, datetime(2026, 11, 29, 23, tzinfo=UTC), datetime(2026, 12, 6, 23, tzinfo=UTC)),
        (When.ALL, NOW, None),
    ],
)
def test_weeks_begin_on_monday_at_midnight_in_france(when, since, before):
    assert period(when, NOW) == (since, before)


def test_on_sunday_this_week_ends_tonight_and_the_clock_change_moves_midnight():
    sunday = datetime(2026, 10, 25, 12, tzinfo=UTC)

    assert period(When.WEEK, sunday) == (sunday, datetime(2026, 10, 25, 23, tzinfo=UTC))
    assert period(When.WEEK, datetime(2026, 10, 18, 12, tzinfo=UTC))[1] == datetime(2026, 10, 18, 22, tzinfo=UTC)


CLASS = {"code": "a", "kind": OfferKind.FRENCH_CLASS, "title_en": "French", "level": "A1", "meetings": (meeting(1),)}
SLOT = {
    "code": "a",
    "kind": OfferKind.APPOINTMENT,
    "title_en": "Coaching",
    "service": Service.CAREER,
    "places": 1,
    "meetings": (meeting(1),),
}


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        (CLASS, []),
        (SLOT, []),
        ({**CLASS, "level": None}, ["level"]),
        ({**CLASS, "service": Service.CAREER}, ["service"]),
        ({**CLASS, "places": 0}, ["places"]),
        ({**CLASS, "meetings": ()}, ["date"]),
        ({**CLASS, "meetings": (meeting(1), meeting(1.5))}, ["date"]),
        ({**CLASS, "meetings": (meeting(1), meeting(2))}, []),
        ({**CLASS, "code": "", "title_en": ""}, ["code", "title_en"]),
        ({**CLASS, "title_en": "x" * 121, "room": "y" * 121}, ["title_en", "room"]),
        ({**SLOT, "service": None, "places": None}, ["service", "places"]),
        ({**SLOT, "level": "A1"}, ["level"]),
        ({**SLOT, "meetings": (meeting(1), meeting(3))}, ["date"]),
    ],
)
def test_everything_that_keeps_it_from_being_an_offer_is_named(values, fields):
    assert [each.field for each in faults_of(OfferData(**values))] == fields
