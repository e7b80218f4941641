"""Opening hours on a French clock: whether the desk is open, when it opens, how much of a wait lies in them. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from statistics import median

import holidays

from bot.clock import PARIS
from bot.content.schema import DeskHours

FEWEST_WAITS = 5
"""Below this nothing is said about how long it takes: one slow morning would speak for all."""
MOST_DAYS = 400
"""Longer waits are cut: nobody waits so long, but a clock may be wrong."""


def is_open(hours: list[DeskHours], now: datetime) -> bool:
    local = now.astimezone(PARIS)
    return any(opens <= local < closes for opens, closes in _slots(hours, local.date()))


def next_opening(hours: list[DeskHours], now: datetime) -> datetime | None:
    """When the desk opens next, on a French clock; None when no slot is given."""
    local = now.astimezone(PARIS)
    for days in range(15):
        for opens, _closes in sorted(_slots(hours, local.date() + timedelta(days=days))):
            if opens > local:
                return opens
    return None


def opening_time(hours: list[DeskHours] | None, start: datetime, end: datetime) -> timedelta:
    """How much of the time between two instants the desk was open; all of it while the hours are unknown."""
    if hours is None:
        return max(end - start, timedelta())
    total, day = timedelta(), start.astimezone(PARIS).date()
    last = min(end.astimezone(PARIS).date(), day + timedelta(days=MOST_DAYS))
    while day <= last:
        for opens, closes in _slots(hours, day):
            # In UTC: between two instants of one zone Python subtracts what the clocks show.
            overlap = min(closes.timestamp(), end.timestamp()) - max(opens.timestamp(), start.timestamp())
            total += timedelta(seconds=max(overlap, 0))
        day += timedelta(days=1)
    return total


def opening_time_ago(hours: list[DeskHours] | None, end: datetime, span: timedelta) -> datetime | None:
    """The latest instant from which until `end` the desk was open for so long: who waits since then or before has
    waited for `span`. None when it was not in MOST_DAYS."""
    if hours is None:
        return end - span
    today = end.astimezone(PARIS).date()
    for days in range(MOST_DAYS):
        for opens, closes in sorted(_slots(hours, today - timedelta(days=days)), reverse=True):
            # In UTC, as above.
            first, last = opens.astimezone(UTC), min(closes.astimezone(UTC), end)
            if last - first >= span:
                return last - span
            span -= max(last - first, timedelta())
    return None


def usual_wait(waits: Sequence[timedelta]) -> timedelta | None:
    """The wait that half of the students did not exceed; None when too few are known."""
    return timedelta(seconds=median(wait.total_seconds() for wait in waits)) if len(waits) >= FEWEST_WAITS else None


def _slots(hours: list[DeskHours], day: date) -> Iterator[tuple[datetime, datetime]]:
    """From when to when the desk is open on a day; never on a public holiday."""
    if _is_holiday(day):
        return
    for slot in hours:
        if slot.weekday == day.weekday():
            yield tuple(datetime.combine(day, time.fromisoformat(each), PARIS) for each in (slot.opens, slot.closes))  # type: ignore[misc]


@cache
def _is_holiday(day: date) -> bool:
    return day in holidays.country_holidays("FR", years=day.year)
