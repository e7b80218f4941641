"""The days that a text names, in each of our languages, relative to a day and to what the record holds. Pure.

Nothing is guessed: where words allow several days, all of them are given; where they name none ("not before October",
31 February), none is.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from dateutil.relativedelta import relativedelta

from bot.students.phrases import Phrases, fold, languages_of, phrases

Direction = Literal["future", "past", "near"]
"""Where to look for a year or a month that is left out; `near`: closest to the recorded day, else to today."""

SHORT_YEAR = 100
LONGEST_SHIFT = 1000
"""Longer spans could leave the calendar, and nobody means them."""


@dataclass(frozen=True)
class Asked:
    """In what light a date is read."""

    today: date
    direction: Direction = "near"
    recorded: date | None = None


@dataclass(frozen=True)
class Found:
    """A place in a folded text that names a day. `days` gives every day it may mean, none where it names no day."""

    start: int
    end: int
    days: Callable[[Asked], tuple[date, ...]]
    is_vague: bool = False
    """A month, or a bound: the day itself is not said."""
    weekday: int | None = None
    """Of a weekday by itself."""


def day_in(text: str, language: str, today: date, direction: Direction = "near") -> date | None:
    """The one day that a text names ("yesterday", "le 12 octobre"); None when it names none or more than one."""
    for code in languages_of(text, language):
        found = days_in(fold(text), phrases(code))
        if found:
            days = found[0].days(Asked(today, direction))
            return days[0] if len(found) == len(days) == 1 else None
    return None


def days_in(text: str, words: Phrases) -> list[Found]:
    """Every place of a folded text that names a day, in order; the longest reading of a place counts."""
    chosen: list[Found] = []
    for each in sorted(_candidates(text, words), key=lambda found: (found.start - found.end, found.start)):
        if all(each.end <= other.start or each.start >= other.end for other in chosen):
            chosen.append(each)
    ordered = sorted(chosen, key=lambda found: found.start)
    return [_bounded(each, text, words) for each in _with_weekdays(ordered, text)]


def _with_weekdays(found: list[Found], text: str) -> Iterator[Found]:
    """ "Monday, 14 September" is one day, and none when 14 September is no Monday."""
    position = 0
    while position < len(found):
        pair = found[position : position + 2]
        weekdays = [each.weekday for each in pair if each.weekday is not None]
        if len(pair) < 2 or len(weekdays) != 1 or text[pair[0].end : pair[1].start].strip(" ,"):
            yield pair[0]
            position += 1
        else:
            day = pair[0] if pair[1].weekday is not None else pair[1]
            yield replace(day, start=pair[0].start, end=pair[1].end, days=_on(weekdays[0], day.days))
            position += 2


def _on(weekday: int, days: Callable[[Asked], tuple[date, ...]]) -> Callable[[Asked], tuple[date, ...]]:
    return lambda asked: tuple(day for day in days(asked) if day.weekday() == weekday)


def _bounded(found: Found, text: str, words: Phrases) -> Found:
    """ "before the 5th" names no day."""
    bound = words.bounds.search(text[: found.start])
    return found if bound is None else replace(found, start=bound.start(), days=_no_day, is_vague=True)


def _no_day(_asked: Asked) -> tuple[date, ...]:
    return ()


_ISO = re.compile(r"(?<!\d)(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)")
_NUMERIC = re.compile(
    r"(?<![\d/.-])(?P<day>\d{1,2})(?:(?P<sign>[/.-])(?P<month>\d{1,2})(?P=sign)(?P<year>\d{4}|\d\d)|/(?P<month2>\d{1,2}))(?![\d/-]|\.\d)"
)


def _candidates(text: str, words: Phrases) -> Iterator[Found]:
    for match in _ISO.finditer(text):
        yield _place(match, _given(int(match["day"]), int(match["month"]), int(match["year"])))
    for match in _NUMERIC.finditer(text):
        year = int(match["year"]) if match["year"] else None
        yield _place(match, _given(int(match["day"]), int(match["month"] or match["month2"]), year))
    for ahead, pattern in words.days:
        for match in pattern.finditer(text):
            yield _place(match, _from_today(timedelta(days=ahead)))
    for name, read in _READERS.items():
        for pattern in words.of_calendar[name]:
            for match in pattern.finditer(text):
                weekday = words.weekdays[match["weekday"]] if name == "weekday" else None
                yield replace(_place(match, read(match, words)), is_vague=name == "month", weekday=weekday)


def _place(match: re.Match[str], days: Callable[[Asked], tuple[date, ...]]) -> Found:
    return Found(match.start(), match.end(), days)


def _given(day: int, month: int, year: int | None) -> Callable[[Asked], tuple[date, ...]]:
    """A day of a month; the direction finds the year where none is given."""

    def days(asked: Asked) -> tuple[date, ...]:
        if year is not None:
            return _real([(year if year >= SHORT_YEAR else _full_year(year, asked.today), month, day)])
        around = range(asked.today.year - 1, asked.today.year + 3)
        return _towards(_real([(each, month, day) for each in around]), asked)

    return days


def _full_year(short: int, today: date) -> int:
    """26 is 2026; what lies more than ten years ahead was in the last century."""
    century = today.year // SHORT_YEAR * SHORT_YEAR
    return century + short if century + short <= today.year + 10 else century - SHORT_YEAR + short


def _real(parts: Sequence[tuple[int, int, int]]) -> tuple[date, ...]:
    found = []
    for year, month, day in parts:
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    return tuple(found)


def _towards(days: Sequence[date], asked: Asked) -> tuple[date, ...]:
    """The one of several days that lies in the direction asked for."""
    if asked.direction == "future":
        days = [day for day in days if day >= asked.today]
        return tuple(days[:1])
    if asked.direction == "past":
        days = [day for day in days if day <= asked.today]
        return tuple(days[-1:])
    middle = asked.recorded or asked.today
    return tuple(sorted(days, key=lambda day: (abs(day - middle), day))[:1])


def _from_today(by: timedelta | relativedelta) -> Callable[[Asked], tuple[date, ...]]:
    return lambda asked: (asked.today + by,)


def _spans(match: re.Match[str], words: Phrases) -> list[relativedelta]:
    """The lengths that "two weeks" may mean; more than one for the French quinze jours."""
    if match["fixed"]:
        lengths = next(
            lengths for name, lengths in words.spans.items() if re.fullmatch(name, match["fixed"]) is not None
        )
    else:
        unit = next(unit for pattern, unit in words.units if pattern.fullmatch(match["unit"]))
        lengths = [(number_of(match["number"], words), unit)]
    return [relativedelta(**{unit: number}) for number, unit in lengths if number <= LONGEST_SHIFT]  # type: ignore[arg-type]


def number_of(text: str, words: Phrases) -> int:
    """A number in digits or as a word that the language has for it."""
    return int(text) if text.isdigit() else next(n for pattern, n in words.numbers if pattern.fullmatch(text))


def _day_number(match: re.Match[str], words: Phrases) -> int:
    day = match["day"]
    return int(day) if day.isdigit() else words.nth[day]


def _ahead(match: re.Match[str], words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    spans = _spans(match, words)
    return lambda asked: tuple(asked.today + span for span in spans)


def _behind(match: re.Match[str], words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    spans = _spans(match, words)
    return lambda asked: tuple(asked.today - span for span in spans)


def _later(match: re.Match[str], words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    spans = _spans(match, words)
    return lambda asked: () if asked.recorded is None else tuple(asked.recorded + span for span in spans)


def _earlier(match: re.Match[str], words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    spans = _spans(match, words)
    return lambda asked: () if asked.recorded is None else tuple(asked.recorded - span for span in spans)


def _next(match: re.Match[str], words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    weekday = words.weekdays[match["weekday"]]

    def days(asked: Asked) -> tuple[date, ...]:
        coming = _coming(weekday, asked.today)
        # Of a day that still comes this week, some people mean this one and some the one after it.
        is_this_week = coming.isocalendar()[:2] == asked.today.isocalendar()[:2]
        return (coming, coming + timedelta(weeks=1)) if is_this_week else (coming,)

    return days


def _next_week(match: re.Match[str], words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    weekday = words.weekdays[match["weekday"]]
    return lambda asked: (asked.today + timedelta(days=7 - asked.today.weekday() + weekday),)


def _last(match: re.Match[str], words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    weekday = words.weekdays[match["weekday"]]
    return lambda asked: (_coming(weekday, asked.today - timedelta(days=8)),)


def _weekday(match: re.Match[str], words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    weekday = words.weekdays[match["weekday"]]

    def days(asked: Asked) -> tuple[date, ...]:
        # Of today, people say "today".
        day = _coming(weekday, asked.today - timedelta(days=8 if asked.direction == "past" else 0))
        return (day,)

    return days


def _coming(weekday: int, today: date) -> date:
    """The next such day after today."""
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _named(match: re.Match[str], words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    year, month = match["year"], match["month"]
    number = int(month) if month.isdigit() else words.months[month]
    return _given(_day_number(match, words), number, int(year) if year else None)


def _of_month(match: re.Match[str], _words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    day = int(match["day"])

    def days(asked: Asked) -> tuple[date, ...]:
        """Of this month, the next or the last one, and of the recorded month: "the 12th" may mean either."""
        first = asked.today.replace(day=1)
        months = [first + relativedelta(months=offset) for offset in (-1, 0, 1, 2)]
        near = _towards(_real([(each.year, each.month, day) for each in months]), replace(asked, recorded=None))
        if asked.recorded is None:
            return near
        same = _towards(_real([(asked.recorded.year, asked.recorded.month, day)]), asked)
        return tuple(sorted({*near, *same}))

    return days


def _month(_match: re.Match[str], _words: Phrases) -> Callable[[Asked], tuple[date, ...]]:
    return _no_day


_READERS: Mapping[str, Callable[[re.Match[str], Phrases], Callable[[Asked], tuple[date, ...]]]] = {
    "ahead": _ahead,
    "behind": _behind,
    "later": _later,
    "earlier": _earlier,
    "next": _next,
    "next_week": _next_week,
    "last": _last,
    "weekday": _weekday,
    "dates": _named,
    "day": _of_month,
    "month": _month,
}
