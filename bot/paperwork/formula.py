"""The small language of dates in procedures: `max(programme_start, date_of_entry?) + 30 days`.

    formula  = term { ("+" | "-") number unit }          unit: day(s), week(s), month(s), year(s)
    term     = fact [ "?" ]                              "?": go on without it when it is unknown
             | 2026-07-01                                the day on which a law came into force, say
             | "max" | "min" | "first" "(" formula { "," formula } ")"
             | "birthday" "(" age ")" | "month_end" "(" formula ")" | "(" formula ")"
             | "next" | "last" "(" day month "," formula ")"    month: january … december

`next(15 may, visa_start)` is the first 15 May on or after that date, `last(15 april, programme_start)` the last one on
or before it.
`first` is the first of its dates that is known. Months and years follow the calendar, forward and back; a day that does
not exist becomes the last day of its month, and someone born on 29 February has a birthday on the 28th in common years.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from dateutil.relativedelta import relativedelta

from bot.students.facts import DATE_FACTS, Facts

SCHOOL_YEAR_STARTS_IN = 9
COMMON_YEAR = 2027
COMPUTED = ("today", "school_year_start", "permit_expiry")
NAMES = (*DATE_FACTS, *COMPUTED)
FUNCTIONS = ("max", "min", "first", "birthday", "month_end", "next", "last")
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years"}
TOKEN = re.compile(r"\s*(?:(?P<day>\d{4}-\d{2}-\d{2})|(?P<number>\d+)|(?P<name>[a-z_]+)|(?P<sign>[-+(),?]))", re.ASCII)


class FormulaError(ValueError):
    """A formula that cannot be read; the message says where and what is possible."""


@dataclass(frozen=True)
class Basis:
    """A date of the record that decided a computed one."""

    fact: str
    day: date


@dataclass(frozen=True)
class Computed:
    """What a formula gives for one student: a day, or the names of the facts it lacks."""

    day: date | None
    missing: tuple[str, ...] = ()
    basis: Basis | None = None
    """The fact that decided, so that the reason can be said."""


def school_year_start(today: date) -> date:
    """The last 1 September: what comes back every year starts again on it."""
    year = today.year if today.month >= SCHOOL_YEAR_STARTS_IN else today.year - 1
    return date(year, SCHOOL_YEAR_STARTS_IN, 1)


class Node(Protocol):
    def value(self, facts: Facts, today: date) -> Computed: ...

    def names(self) -> frozenset[str]: ...


@dataclass(frozen=True)
class Name:
    name: str
    optional: bool = False

    def value(self, facts: Facts, today: date) -> Computed:
        match self.name:
            case "today":
                return Computed(today)
            case "school_year_start":
                return Computed(school_year_start(today))
            case "permit_expiry":
                fact = "card_expiry" if facts.card_expiry is not None else "visa_expiry"
            case _:
                fact = self.name
        day: date | None = getattr(facts, fact)
        if day is None:
            return Computed(None, () if self.optional else (fact,))
        return Computed(day, basis=Basis(fact, day))

    def names(self) -> frozenset[str]:
        return frozenset(("card_expiry", "visa_expiry") if self.name == "permit_expiry" else (self.name,))


@dataclass(frozen=True)
class FixedDay:
    day: date

    def value(self, facts: Facts, today: date) -> Computed:
        return Computed(self.day)

    def names(self) -> frozenset[str]:
        return frozenset()


@dataclass(frozen=True)
class Birthday:
    age: int

    def value(self, facts: Facts, today: date) -> Computed:
        if facts.birth_date is None:
            return Computed(None, ("birth_date",))
        return Computed(facts.birth_date + relativedelta(years=self.age), basis=Basis("birth_date", facts.birth_date))

    def names(self) -> frozenset[str]:
        return frozenset({"birth_date"})


@dataclass(frozen=True)
class Choice:
    function: str
    parts: tuple[Node, ...]

    def value(self, facts: Facts, today: date) -> Computed:
        values = [part.value(facts, today) for part in self.parts]
        known = [value for value in values if value.day is not None]
        missing = tuple(dict.fromkeys(name for value in values for name in value.missing))
        if self.function == "first":
            return known[0] if known else Computed(None, missing)
        if missing or not known:
            # All parts optional and none known: the first is the one to ask for.
            return Computed(None, missing or tuple(sorted(self.parts[0].names())))
        pick = max if self.function == "max" else min
        return pick(known, key=lambda value: value.day or date.min)

    def names(self) -> frozenset[str]:
        return frozenset().union(*(part.names() for part in self.parts))


@dataclass(frozen=True)
class MonthEnd:
    part: Node

    def value(self, facts: Facts, today: date) -> Computed:
        inner = self.part.value(facts, today)
        return inner if inner.day is None else Computed(inner.day + relativedelta(day=31), basis=inner.basis)

    def names(self) -> frozenset[str]:
        return self.part.names()


@dataclass(frozen=True)
class EveryYear:
    """The nearest one of a day that comes every year, from a date on or up to it."""

    month: int
    day: int
    is_next: bool
    part: Node

    def value(self, facts: Facts, today: date) -> Computed:
        inner = self.part.value(facts, today)
        if inner.day is None:
            return inner
        found = inner.day.replace(month=self.month, day=self.day)
        if self.is_next and found < inner.day:
            found += relativedelta(years=1)
        if not self.is_next and found > inner.day:
            found -= relativedelta(years=1)
        return Computed(found, basis=inner.basis)

    def names(self) -> frozenset[str]:
        return self.part.names()


@dataclass(frozen=True)
class Shift:
    part: Node
    by: relativedelta

    def value(self, facts: Facts, today: date) -> Computed:
        inner = self.part.value(facts, today)
        return inner if inner.day is None else Computed(inner.day + self.by, basis=inner.basis)

    def names(self) -> frozenset[str]:
        return self.part.names()


@dataclass(frozen=True)
class Formula:
    text: str
    root: Node

    def value(self, facts: Facts, today: date) -> Computed:
        """Pure. Never raises for dates that `Facts` accepts."""
        return self.root.value(facts, today)

    def names(self) -> frozenset[str]:
        """The facts it reads."""
        return self.root.names()


def parse_formula(text: str) -> Formula:
    """Raises FormulaError naming the place and what is possible there."""
    parser = _Parser(text)
    root = parser.formula()
    parser.expect("", "the end")
    return Formula(text, root)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.next
        self.at += 1
        return token

    def expect(self, token: str, words: str) -> None:
        if self.next != token:
            raise self.wrong(words)
        self.at += 1

    def wrong(self, wanted: str) -> FormulaError:
        found = repr(self.next) if self.next else "the end"
        return FormulaError(f"{self.text!r}: {found} stands where {wanted} should be")

    def formula(self) -> Node:
        node = self.term()
        while self.next in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            node = Shift(node, self.span(sign))
        return node

    def span(self, sign: int) -> relativedelta:
        number = self.number("a number of days, weeks, months or years")
        unit = UNITS.get(self.next.removesuffix("s"))
        if unit is None:
            raise self.wrong("days, weeks, months or years")
        self.at += 1
        return relativedelta(**{unit: sign * number})  # type: ignore[arg-type]

    def number(self, words: str) -> int:
        # Three digits at most: a longer shift could leave the calendar.
        if not self.next.isdigit() or len(self.next) > 3:
            raise self.wrong(words)
        return int(self.take())

    def term(self) -> Node:
        if self.next == "(":
            self.at += 1
            node = self.formula()
            self.expect(")", "a closing bracket")
            return node
        if self.next in FUNCTIONS:
            return self.function(self.take())
        if DAY.fullmatch(self.next):
            return self.fixed_day()
        if self.next not in NAMES:
            raise self.wrong(f"a date ({', '.join(NAMES)}) or a function ({', '.join(FUNCTIONS)})")
        name = self.take()
        if self.next == "?":
            self.at += 1
            return Name(name, optional=True)
        return Name(name)

    def fixed_day(self) -> Node:
        try:
            return FixedDay(date.fromisoformat(self.take()))
        except ValueError as error:
            raise FormulaError(f"{self.text!r}: {self.tokens[self.at - 1]} is no day of the calendar") from error

    def function(self, name: str) -> Node:
        self.expect("(", "an opening bracket")
        if name == "birthday":
            node: Node = Birthday(self.number("an age in years"))
        elif name == "month_end":
            node = MonthEnd(self.formula())
        elif name in ("next", "last"):
            day, month = self.day_of_the_year()
            self.expect(",", "a comma")
            node = EveryYear(month, day, name == "next", self.formula())
        else:
            parts = [self.formula()]
            while self.next == ",":
                self.at += 1
                parts.append(self.formula())
            node = Choice(name, tuple(parts))
        self.expect(")", "a closing bracket")
        return node

    def day_of_the_year(self) -> tuple[int, int]:
        """(day, month). 29 February does not come every year, so it is refused."""
        day = self.number("a day of the month")
        if self.next not in MONTHS:
            raise self.wrong("a month in full, january to december")
        month = MONTHS.index(self.take()) + 1
        if not 1 <= day <= calendar.monthrange(COMMON_YEAR, month)[1]:
            raise FormulaError(f"{self.text!r}: {MONTHS[month - 1]} has no day {day} every year")
        return day, month


def _tokens(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise FormulaError(f"{text!r}: {text[at:].lstrip()[:10]!r} is no part of a formula")
        yield match.group().strip()
        at = match.end()
