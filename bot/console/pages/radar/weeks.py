"""The view of the weeks: how much was written, who answered, how long it took, in which languages, on what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from babel.dates import get_day_names

from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.console.pages.radar.charts import Series, bar, stacks, week_grid
from bot.i18n.formats import date_words
from bot.i18n.languages import language_name, locale_of
from bot.i18n.translate import mark, say
from bot.radar.queries import figures_of_weeks
from bot.radar.rules import FEW, Shown, is_small
from bot.radar.weeks import (
    WEEK,
    Figures,
    Name,
    Outcome,
    Times,
    most,
    of_name,
    parts_shown,
    spoken_most,
    times_by_week,
    together,
    week_words,
)
from bot.radar.wording import length_words

LENGTHS = (4, 12, 26, 52)
"""Weeks that can be shown, this one included."""
DEFAULT_LENGTH = 12
MOST_TOPICS = 12
OUTCOMES = {
    Outcome.ANSWERED: mark("answered by the assistant alone"),
    Outcome.PERSON: mark("with a person"),
    Outcome.NEITHER: mark("no answer"),
}
JUDGED = ("yes", "no")
COLOURS = {Outcome.ANSWERED: "one", Outcome.PERSON: "two", Outcome.NEITHER: "three"}


@dataclass(frozen=True)
class Weeks:
    """What was counted, by Monday, and the same as one; `has_hours`: the desk's opening hours are known."""

    by_monday: Mapping[date, Figures]
    has_hours: bool

    @cached_property
    def whole(self) -> Figures:
        return together(self.by_monday.values())

    @cached_property
    def helpful(self) -> dict[date, dict[str, Any]]:
        return _helpful_by_week(self.by_monday)

    @cached_property
    def times(self) -> dict[Name, tuple[Times, dict[date, Times]]]:
        """Of all weeks together and of each, by what took the time."""
        return {
            name: times_by_week({monday: of_name(figures, name) for monday, figures in self.by_monday.items()})
            for name in (Name.WAIT, Name.WAIT_OPEN, Name.SECONDS)
        }


def weeks_until(services: Services, now: datetime, length: int) -> Weeks:
    hours = services.knowledge.school.desk_hours
    today = day_in_france(now)
    with services.database.read() as session:
        found = figures_of_weeks(session, today - WEEK * (length - 1), today, hours)
    return Weeks(found, has_hours=bool(hours))


def view_of(services: Services, weeks: Weeks, language: str) -> dict[str, Any]:
    """What radar_weeks.html shows."""
    whole = weeks.whole
    languages = [(code, language_name(code, language), count) for code, count in spoken_most(weeks.by_monday.values())]
    rows = [_row(monday, figures, weeks, language) for monday, figures in weeks.by_monday.items()]
    names = [row["name"] for row in rows]
    return {
        "has_talks": bool(of_name(whole, Name.TALKS)),
        "rows": list(reversed(rows)),
        "is_hidden": any(None in row["parts"].values() for row in rows),
        "outcomes": [(COLOURS[each], say(language, OUTCOMES[each])) for each in Outcome],
        "talks_chart": stacks(
            say(language, "Conversations by week"),
            names,
            [
                Series(say(language, OUTCOMES[each]), COLOURS[each], [row["parts"][each] for row in rows])
                for each in Outcome
            ],
            say(language, "hidden"),
        ),
        "whole": _times_row({name: whole for name, (whole, _) in weeks.times.items()}, language),
        "has_hours": weeks.has_hours,
        "spoken": _bars([(name, count) for _, name, count in languages]),
        "columns": [(code, name) for code, name, _ in languages],
        "topics": _bars(_topics(services, whole, language)),
        "hours_chart": week_grid(
            say(language, "Messages of students by weekday and hour"), _days(language), list(_hours(whole))
        ),
        "hours": _busiest(whole, language),
        "helpful": _helpful(whole),
    }


def _row(monday: date, figures: Figures, weeks: Weeks, language: str) -> dict[str, Any]:
    total, parts = parts_shown(of_name(figures, Name.TALKS), list(Outcome))
    return {
        "name": week_words(monday, language),
        "day": date_words(monday, language),
        "total": total,
        "parts": parts,
        "share": share_words(parts[Outcome.ANSWERED], total),
        "helpful": weeks.helpful[monday],
        "spoken": _spoken(figures),
        **_times_row({name: by_week[monday] for name, (_, by_week) in weeks.times.items()}, language),
    }


def _times_row(times: Mapping[Name, Times], language: str) -> dict[str, Any]:
    return {
        "wait": _times(times[Name.WAIT], language, 60),
        "wait_open": _times(times[Name.WAIT_OPEN], language, 60),
        "reply": _times(times[Name.SECONDS], language, 1),
    }


def _times(times: Times, language: str, unit: int) -> dict[str, Any]:
    lengths = (times.median, times.p90)
    median, p90 = ("–" if each is None else length_words(unit * each, language) for each in lengths)
    return {"base": times.base, "median": median, "p90": p90}


def share_words(part: Shown, base: Shown) -> str:
    return f"{round(100 * part / base)} %" if part is not None and base else "–"


def _spoken(figures: Figures) -> dict[str, Shown]:
    """By code, with those of few hidden and what would tell of them: the conversations of a week are known."""
    counts = of_name(figures, Name.LANGUAGE)
    return parts_shown(counts, list(counts))[1]


def _topics(services: Services, figures: Figures, language: str) -> list[tuple[str, int]]:
    known = services.knowledge.topics
    return [
        (known[slug].file.title.get(language) if slug in known else slug, count)
        for slug, count in most(of_name(figures, Name.TOPIC), MOST_TOPICS)
    ]


def _bars(counts: list[tuple[str, int]]) -> list[tuple[str, int, Any]]:
    largest = max((count for _, count in counts), default=0)
    return [(name, count, bar(count, largest)) for name, count in counts]


def _days(language: str) -> list[str]:
    names = get_day_names("wide", locale=locale_of(language))
    return [str(names[day]).capitalize() for day in range(7)]


def _hours(figures: Figures) -> Iterator[list[int]]:
    counts = of_name(figures, Name.HOUR)
    for day in range(7):
        found = [counts[f"{day}-{hour:02}"] for hour in range(24)]
        yield [count if count >= FEW else 0 for count in found]


def _busiest(figures: Figures, language: str) -> list[tuple[str, str, int]]:
    """(day, hour, messages) of the ten busiest hours."""
    days = _days(language)
    return [(days[int(key[0])], f"{key[2:]}:00", count) for key, count in most(of_name(figures, Name.HOUR), 10)]


def _helpful(figures: Figures) -> dict[str, Any]:
    total, parts = parts_shown(of_name(figures, Name.HELPFUL), JUDGED)
    return {"total": total, "yes": parts["yes"], "share": share_words(parts["yes"], total)}


def _helpful_by_week(by_monday: Mapping[date, Figures]) -> dict[date, dict[str, Any]]:
    """As _helpful, of each week. What is hidden is the whole less the weeks that are shown, so it must be many."""
    said = {monday: of_name(figures, Name.HELPFUL) for monday, figures in by_monday.items()}
    found = {monday: _helpful(figures) for monday, figures in by_monday.items()}
    hidden = [monday for monday in found if found[monday]["yes"] is None]
    rest = sorted((monday for monday in found if found[monday]["yes"]), key=lambda monday: said[monday].total())
    while hidden and rest and (len(hidden) < 2 or any(is_small(sum(said[m][key] for m in hidden)) for key in JUDGED)):
        hidden.append(rest.pop(0))
    for monday in hidden:
        found[monday] |= {"yes": None, "share": share_words(None, None)}
    return found


def csv_rows(services: Services, weeks: Weeks, language: str) -> Iterator[tuple[str, ...]]:
    """One line for each figure of each week: week, first day, figure, group, value."""
    hidden = say(language, "hidden")

    def shown(value: Shown) -> str:
        return hidden if value is None else str(value)

    for monday, figures in weeks.by_monday.items():
        head = (week_words(monday, language), monday.isoformat())
        total, parts = parts_shown(of_name(figures, Name.TALKS), list(Outcome))
        yield (*head, say(language, "Conversations"), say(language, "in all"), shown(total))
        for each in Outcome:
            yield (*head, say(language, "Conversations"), say(language, OUTCOMES[each]), shown(parts[each]))
        for name, words, unit in TIMED:
            times = weeks.times[name][1][monday]
            if name is Name.WAIT_OPEN and not weeks.has_hours:
                continue
            yield (*head, say(language, words), say(language, "counted"), shown(times.base))
            yield (*head, say(language, words), say(language, "median ({unit})", unit=unit), _plain(times.median))
            yield (*head, say(language, words), say(language, "90 % within ({unit})", unit=unit), _plain(times.p90))
        helpful = weeks.helpful[monday]
        yield (*head, say(language, SATISFACTION), say(language, "in all"), shown(helpful["total"]))
        yield (*head, say(language, SATISFACTION), say(language, HELPED), shown(helpful["yes"]))
        for code, count in sorted(_spoken(figures).items()):
            yield (*head, say(language, LANGUAGES), language_name(code, language), shown(count))
        for topic, number in _topics(services, figures, language):
            yield (*head, say(language, TOPICS), topic, str(number))


TIMED = (
    (Name.WAIT, mark("Wait for a person"), "min"),
    (Name.WAIT_OPEN, mark("Wait for a person, in opening hours"), "min"),
    (Name.SECONDS, mark("Reply of the assistant"), "s"),
)
SATISFACTION, HELPED = mark("Satisfaction"), mark("said that the answer helped")
LANGUAGES, TOPICS = mark("Languages"), mark("Topics answered")


def _plain(value: int | None) -> str:
    return "" if value is None else str(value)
