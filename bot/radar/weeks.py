"""Weeks on a French calendar, and what is said of them: counts, medians, opening hours. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from bot.clock import PARIS, day_in_france
from bot.content.schema import DeskHours
from bot.i18n.translate import say
from bot.paperwork.rules import french_holidays
from bot.radar.rules import FEW, Shown, hidden_groups, is_small

WEEK = timedelta(days=7)
LONGEST_WAIT = 14 * 24 * 60
"""Minutes: what took longer counts as this."""
LONGEST_REPLY = 3600
"""Seconds."""


class Name(StrEnum):
    """What is counted of a week; each has keys of its own."""

    TALKS = "talks"
    """Conversations in which a student wrote, by Outcome."""
    MESSAGES = "messages"
    """By author."""
    LANGUAGE = "language"
    """Conversations in which a student wrote, by language; one in two languages counts in both."""
    TOPIC = "topic"
    """Conversations in which the topic was answered, by topic."""
    HOUR = "hour"
    """Messages of students by weekday and hour in France: `0-09` is Monday from nine to ten."""
    REPLY = "reply"
    """Replies of the assistant, by what was decided."""
    SECONDS = "seconds"
    """Replies of the assistant, by the seconds they took, rounded up."""
    WAIT = "wait"
    """Requests for a person that were taken, by the minutes until then, rounded up."""
    WAIT_OPEN = "wait_open"
    """The same, counting the opening hours of the desk alone."""
    REQUEST = "request"
    """Requests for a person, by the week in which they were made: `made`."""
    HELPFUL = "helpful"
    """Conversations in which a student said of an answer that it helped (`yes`) or not (`no`); or both."""
    KEPT = "kept"
    """That the week was counted."""


class Outcome(StrEnum):
    ANSWERED = "answered"
    """The assistant answered; no person was asked for and none wrote."""
    PERSON = "person"
    """A person was asked for, or wrote."""
    NEITHER = "neither"
    """Greetings and questions that nobody answered."""


Counts = Mapping[str, int]
Figures = Mapping[tuple[str, str], int]
"""(name, key) → count, of one week."""


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week_of(instant: datetime) -> date:
    """The Monday of its week, in France."""
    return monday_of(day_in_france(instant))


def span_of(monday: date) -> tuple[datetime, datetime]:
    """From the first instant of a week to the first of the next one; 167 or 169 hours when the clocks change."""
    return datetime.combine(monday, time.min, PARIS), datetime.combine(monday + WEEK, time.min, PARIS)


def mondays(first: date, last: date) -> list[date]:
    """Of the weeks from that of `first` to that of `last`."""
    begin = monday_of(first)
    return [begin + WEEK * number for number in range((monday_of(last) - begin).days // 7 + 1)]


def week_words(monday: date, language: str) -> str:
    """2026-W48, the ISO week; 2026-S48 in French."""
    year, week, _ = monday.isocalendar()
    return say(language, "{year}-W{week}", year=year, week=f"{week:02}")


def of_name(figures: Figures, name: Name) -> Counter[str]:
    return Counter({key: count for (found, key), count in figures.items() if found == name and count})


def together(weeks: Iterable[Figures]) -> Counter[tuple[str, str]]:
    """Several weeks as one."""
    found: Counter[tuple[str, str]] = Counter()
    for figures in weeks:
        found.update(figures)
    return found


@dataclass(frozen=True)
class Times:
    """How long something took, of `base` cases; None where too few of them were timed."""

    base: Shown
    median: int | None
    p90: int | None


def times_of(counts: Counts) -> Times:
    """`counts`: length → how often. Hidden below FEW."""
    lengths = sorted((int(length), count) for length, count in counts.items())
    base = sum(count for _, count in lengths)
    if base < FEW:
        return Times(None if base else 0, None, None)
    return Times(base, _percentile(lengths, base, 50), _percentile(lengths, base, 90))


def times_by_week(by_monday: Mapping[date, Counts]) -> tuple[Times, dict[date, Times]]:
    """Of all weeks together and of each: the weeks of few are hidden, and those without which they could be told."""
    bases = {str(monday): sum(counts.values()) for monday, counts in by_monday.items()}
    hidden = hidden_groups(bases, {})
    whole = times_of(sum((Counter(counts) for counts in by_monday.values()), Counter()))
    untold = Times(None, None, None)
    if hidden is None or whole.base is None:
        return untold, {monday: untold if bases[str(monday)] else times_of({}) for monday in by_monday}
    return whole, {
        monday: untold if str(monday) in hidden else times_of(counts) for monday, counts in by_monday.items()
    }


def _percentile(lengths: Sequence[tuple[int, int]], base: int, percent: int) -> int:
    """The smallest length that so many percent do not exceed."""
    needed, passed = -(-base * percent // 100), 0
    for length, count in lengths:
        passed += count
        if passed >= needed:
            return length
    raise ValueError("no lengths")


def parts_shown(counts: Counts, keys: Sequence[str]) -> tuple[Shown, dict[str, Shown]]:
    """A total and its parts, with those of few people hidden, and what would tell of them."""
    total = sum(counts.get(key, 0) for key in keys)
    hidden = hidden_groups({key: counts.get(key, 0) for key in keys}, {})
    if is_small(total) or hidden is None:
        return None, {key: None if counts.get(key) else 0 for key in keys}
    return total, {key: None if key in hidden else counts.get(key, 0) for key in keys}


def most(counts: Counts, number: int | None = None) -> list[tuple[str, int]]:
    """The groups of at least FEW, the largest first."""
    found = sorted(
        ((key, count) for key, count in counts.items() if count >= FEW), key=lambda each: (-each[1], each[0])
    )
    return found[:number]


def spoken_most(weeks: Iterable[Figures]) -> list[tuple[str, int]]:
    """Languages with their conversations, the most spoken first.

    Only those that had at least FEW in one of the weeks: over several weeks one person counts several times.
    """
    counted = [of_name(figures, Name.LANGUAGE) for figures in weeks]
    largest = {code: max(week[code] for week in counted) for week in counted for code in week}
    return [(code, count) for code, count in most(sum(counted, Counter())) if largest[code] >= FEW]


def open_minutes(hours: Sequence[DeskHours], begin: datetime, end: datetime) -> int:
    """Minutes between two instants in which the desk was open, rounded up."""
    seconds = sum(
        max(0.0, (min(end, closes) - max(begin, opens)).total_seconds()) for opens, closes in _slots(hours, begin, end)
    )
    return -(-int(seconds) // 60)


def _slots(hours: Sequence[DeskHours], begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    day, last = day_in_france(begin), day_in_france(end)
    while day <= last:
        if day not in french_holidays(day.year):
            for slot in hours:
                if slot.weekday == day.weekday():
                    opens, closes = (
                        datetime.combine(day, time.fromisoformat(text), PARIS) for text in (slot.opens, slot.closes)
                    )
                    yield opens, closes
        day += timedelta(days=1)


def hour_key(instant: datetime) -> str:
    local = instant.astimezone(PARIS)
    return f"{local.weekday()}-{local.hour:02}"
