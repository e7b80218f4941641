"""The words in which students write about their own facts, one file per language: bot/students/words/<code>.yml.

A pattern is a regular expression over folded text (see `fold`). It may hold the parts {have}, {value}, {span},
{number}, {weekday}, {month}, {day}, {nth} and {year}; what each matches comes from the file as well.

    numbers, units, spans, months, weekdays    the words of quantities and of the calendar; Babel brings the usual names
    nth                     the days of a month in words, for {nth}: a day in digits or in words
    days, ahead, behind, next, last, weekday, dates, day, month    how a day is named
    later, earlier          a shift of the date that the record holds
    bounds                  "before", "around": the day itself is not said
    instead                 stands before the date that is wrong
    until, and, but         what joins two dates, two clauses, a denial and its correction
    requests                questions that ask for a correction
    asks, nots, others, wishes    what makes a sentence no statement about the writer's own facts
    wrong                   "is wrong", "correct": what stands beside a fact of `facts` or `matters` is to be asked
    matters                 fact → what a fact without a date is called
    facts                   fact → how one says that a date belongs to it; for the entry by tense
    choices                 fact → `values` (value → its names), `says` (sentences around a {value}), `then` (the same,
                            once the message is about this fact), `whole` (value, or values with | between them →
                            sentences that say it)
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from babel import Locale

from bot.i18n.languages import CODES

FOLDER = Path(__file__).resolve().parent / "words"
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Everything stays text: "no" and "true" are words here."""
WRITTEN = frozenset(file.stem for file in FOLDER.glob("??.yml"))
"""Languages whose words are there; in another one nothing is read."""
SCRIPTS = {
    "uk": re.compile("[\u0400-\u04ff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "zh": re.compile("[\u4e00-\u9fff]"),
}
"""Languages with letters of their own; all the others share one alphabet."""

Tense = Literal["future", "past", "any"]


def fold(text: str) -> str:
    """Small letters without accents, one space between words, ASCII digits and punctuation."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_SIGNS).casefold())
    plain = "".join(_digit(sign) for sign in decomposed if not unicodedata.combining(sign))
    return re.sub(r"[^\S\n]+", " ", plain).strip()


_SIGNS = str.maketrans({"’": "'", "`": "'", "ʼ": "'", "،": ",", "؛": ";", "؟": "?", "。": "\n", "、": ",", "–": "-"})


def _digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign


def languages_of(text: str, first: str) -> tuple[str, ...]:
    """The languages in which a text may be written: `first`, the language of the talk, before the others."""
    own = tuple(code for code, letters in SCRIPTS.items() if letters.search(text))
    shared = tuple(code for code in CODES if code not in SCRIPTS)
    possible = own or (shared if re.search("[a-z]", text, re.IGNORECASE) else (first,))
    return tuple(sorted((code for code in possible if code in WRITTEN), key=lambda code: code != first))


@dataclass(frozen=True)
class Choice:
    """How the value of one fact is said. Patterns with {value} have one group for each value."""

    names: Mapping[str, Sequence[re.Pattern[str]]]
    """Value → its names by themselves, for an answer to our question."""
    says: Sequence[re.Pattern[str]]
    then: Sequence[re.Pattern[str]]
    whole: Sequence[tuple[tuple[str, ...], re.Pattern[str]]]
    """(the values that a sentence leaves open, the sentence)"""


@dataclass(frozen=True)
class Phrases:
    """The compiled file of one language; what each part is for is said in the module."""

    numbers: Sequence[tuple[re.Pattern[str], int]]
    units: Sequence[tuple[re.Pattern[str], str]]
    spans: Mapping[str, Sequence[tuple[int, str]]]
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    nth: Mapping[str, int]
    """A day of a month in words → its number."""
    days: Sequence[tuple[int, re.Pattern[str]]]
    of_calendar: Mapping[str, Sequence[re.Pattern[str]]]
    """ahead, behind, later, earlier, next, last, weekday, dates, day, month → patterns"""
    bounds: re.Pattern[str]
    instead: re.Pattern[str]
    until: re.Pattern[str]
    splits: re.Pattern[str]
    splits_or_corrects: re.Pattern[str]
    asks: Sequence[re.Pattern[str]]
    requests: Sequence[re.Pattern[str]]
    """ "Can you change …" asks for a correction."""
    nots: Sequence[re.Pattern[str]]
    others: Sequence[re.Pattern[str]]
    wishes: Sequence[re.Pattern[str]]
    changed: Sequence[re.Pattern[str]]
    wrong: Sequence[re.Pattern[str]]
    cancels: Sequence[re.Pattern[str]]
    knows_not: Sequence[re.Pattern[str]]
    yes: Sequence[re.Pattern[str]]
    no: Sequence[re.Pattern[str]]
    facts: Sequence[tuple[str, Tense, re.Pattern[str]]]
    after: Sequence[tuple[str, re.Pattern[str]]]
    """Fact → how a date is given to it once the matter is clear: "I found a job, I start on …"."""
    matters: Sequence[tuple[str, re.Pattern[str]]]
    hours: Sequence[re.Pattern[str]]
    choices: Mapping[str, Choice]


DAY = r"0?[1-9]|[12]\d|3[01]"
OF_CALENDAR = ("ahead", "behind", "later", "earlier", "next", "next_week", "last", "weekday", "dates", "day", "month")

LISTS = (
    "asks",
    "requests",
    "nots",
    "others",
    "wishes",
    "changed",
    "wrong",
    "cancels",
    "knows_not",
    "yes",
    "no",
    "hours",
)


@lru_cache
def phrases(language: str) -> Phrases:
    raw = _read(language)
    build = _Builder(language, raw)
    joints = [*raw["and"]]
    return Phrases(
        numbers=[(build.plain(word), int(number)) for number, words in raw["numbers"].items() for word in words],
        units=[(build.plain(word), unit) for unit, words in raw["units"].items() for word in words],
        spans={fold(words): [(int(n), str(unit)) for n, unit in lengths] for words, lengths in raw["spans"].items()},
        months=build.months,
        weekdays=build.weekdays,
        nth=build.nth,
        days=[(int(ahead), pattern) for ahead, words in raw["days"].items() for pattern in build.all(words)],
        of_calendar={name: build.all(raw.get(name, ())) for name in OF_CALENDAR}
        | {"month": build.all([*raw["month"], f"(?:{'|'.join(raw['bounds'])}) ?{{month}}(?: {{year}})?"])},
        bounds=re.compile(f"(?:{build.text('|'.join(raw['bounds']))}) ?$"),
        instead=re.compile(f"(?:{build.text('|'.join(raw['instead']))}) ?$"),
        until=re.compile(f"^ ?(?:{build.text('|'.join(raw['until']))}) ?$"),
        splits=build.splits(joints),
        splits_or_corrects=build.splits([*joints, *raw["but"]]),
        **{name: build.all(raw[name]) for name in LISTS},
        facts=list(build.facts()),
        after=[(fact, pattern) for fact, words in raw["after"].items() for pattern in build.all(words)],
        matters=[(fact, pattern) for fact, words in raw["matters"].items() for pattern in build.all(words)],
        choices={fact: build.choice(entry) for fact, entry in raw["choices"].items()},
    )


def _read(language: str) -> dict[str, Any]:
    """The file of the language with the names that all languages share."""
    raw, shared = (
        yaml.load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"), LOADER)  # noqa: S506
        for name in (language, "any")
    )
    for fact, entry in shared["choices"].items():
        values = raw["choices"].setdefault(fact, {}).setdefault("values", {})
        for value, names in entry["values"].items():
            values[value] = [*names, *values.get(value, ())]
    return dict(raw)


class _Builder:
    """Turns the patterns of one file into compiled ones."""

    def __init__(self, language: str, raw: Mapping[str, Any]) -> None:
        self.language, self.raw = language, raw
        locale = Locale.parse(language)
        self.months = _names(locale.months, raw["months"])
        self.weekdays = _names(locale.days, raw["weekdays"])
        self.nth = {fold(name): int(number) for number, names in raw["nth"].items() for name in names}
        gap = raw.get("gap", " ")
        number = "|".join((r"\d{1,4}", *(word for words in raw["numbers"].values() for word in words)))
        unit = "|".join(word for words in raw["units"].values() for word in words)
        fixed = "|".join((*raw["spans"], r"(?!)"))
        self.parts = {
            "{have}": raw["have"],
            "{span}": f"(?:(?P<fixed>{fixed})|(?P<number>{number}){gap}(?P<unit>{unit}))",
            "{number}": f"(?P<number>{number})",
            "{weekday}": f"(?P<weekday>{_any_of(self.weekdays)})",
            "{month}": rf"(?<!\d)(?P<month>{_any_of(self.months)})\.?",
            "{day}": rf"(?<!\d)(?P<day>{DAY})(?![\d/])",
            "{nth}": rf"(?<!\d)(?P<day>{DAY}|{_any_of(self.nth)})(?![\d/])",
            "{year}": r"(?P<year>(?:19|20)\d\d)(?!\d)",
        }

    def text(self, pattern: str) -> str:
        for part, replacement in self.parts.items():
            pattern = pattern.replace(part, replacement)
        return _fold_pattern(pattern)

    def plain(self, word: str) -> re.Pattern[str]:
        """A word by itself, wherever it stands."""
        return re.compile(_fold_pattern(word))

    def all(self, patterns: Iterable[str]) -> list[re.Pattern[str]]:
        return [self.one(pattern) for pattern in patterns]

    def one(self, pattern: str) -> re.Pattern[str]:
        before, after = ("(?<!\\w)", "(?!\\w)") if self.language != "zh" else ("", "")
        if self.language == "ar":
            before = "(?<!\\w)[وف]?"
        text = self.text(pattern)
        return re.compile(text if text.startswith("^") else f"{before}(?:{text}){after}")

    def splits(self, joints: Sequence[str]) -> re.Pattern[str]:
        words = self.text("|".join(joints))
        joined = f"(?:{words})" if self.language == "zh" else rf"(?<=\s)(?:{words})(?=\s)"
        return re.compile(f"[,;:()]+|{joined}")

    def facts(self) -> Iterator[tuple[str, Tense, re.Pattern[str]]]:
        tenses: tuple[Tense, ...] = ("future", "past", "any")
        for fact, entry in self.raw["facts"].items():
            by_tense = entry if isinstance(entry, dict) else {"any": entry}
            for tense in tenses:
                yield from ((fact, tense, pattern) for pattern in self.all(by_tense.get(tense, ())))

    def choice(self, entry: Mapping[str, Any]) -> Choice:
        values: Mapping[str, Sequence[str]] = entry.get("values", {})
        groups = "|".join(f"(?P<{value}>{'|'.join(names)})" for value, names in values.items() if value != "none")
        around = {
            kind: [self.one(words.replace("{value}", f"(?:{groups})")) for words in entry.get(kind, ())]
            for kind in ("says", "then")
        }
        return Choice(
            names={value: self.all(names) for value, names in values.items()},
            says=around["says"],
            then=around["then"],
            whole=[
                (tuple(values_left.split("|")), pattern)
                for values_left, words in entry.get("whole", {}).items()
                for pattern in self.all(words)
            ],
        )


def _fold_pattern(pattern: str) -> str:
    """As `fold`, but what has a meaning in a regular expression stays."""
    decomposed = unicodedata.normalize("NFKD", pattern.translate(_SIGNS))
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _any_of(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def _names(tables: Any, more: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Every form of the names of months or weekdays, without full stops → its number."""
    found: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for width in ("abbreviated", "wide"):
            for number, name in tables[context][width].items():
                if len(short := fold(str(name)).strip(".")) > 1:
                    found[short] = int(number)
    return found | {fold(name): int(number) for number, names in more.items() for name in names}
