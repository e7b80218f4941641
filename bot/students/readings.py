"""What a message says of its writer's own record ("I arrive a week later", "mon visa est un VLS-T"). Pure.

Nothing is guessed: words that allow several values leave the fact open, and questions, wishes, denials and other people
correct nothing. Values are those of bot.students.facts, as JSON.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from babel import Locale

from bot.i18n.languages import locales_of
from bot.students.dates import Asked, Direction, Found, days_in, number_of
from bot.students.facts import COUNTRIES, DATE_FACTS, Facts, group_of
from bot.students.phrases import WRITTEN, Choice, Phrases, Tense, fold, languages_of, phrases

LAST_DAYS = {"visa_start": "visa_expiry", "programme_start": "programme_end", "date_of_entry": "leaving_date"}
"""What the second day of "from … to …" is."""
USUAL: Mapping[str, Direction] = {
    "leaving_date": "future",
    "visa_expiry": "future",
    "card_expiry": "future",
    "programme_end": "future",
    "results_date": "future",
    "internship_start": "future",
    "birth_date": "past",
    "visa_granted_on": "past",
    "lease_signed_on": "past",
}
"""Where to look for the year that is not said; `near` for the others."""
AFTER = {"job_start": "work_status", "lease_start": "housing_status", "visa_expiry": "document_held"}
"""A date that goes with another fact: "I found a job, I start on 5 October"."""
CONTRASTED = frozenset(
    {
        "document_held",
        "housing_status",
        "guarantor",
        "bank_account",
        "health_cover",
        "grant",
        "programme_type",
        "campus",
        "school",
        "semester",
    }
)
"""Facts whose values have names of their own; those of the others ("work", "leave") may mean anything."""
TYPED = ("nationality", "country_of_residence", "birth_certificate_language")
"""Facts whose values are names that everybody knows: countries, languages."""
LONGEST_NUMBER = 3
"""Words around a number that is an answer by itself."""
LONGEST_YES = 3
"""Words of an agreement, "yes" included."""
SENTENCE_END = re.compile(r"[!?\n]+|\.+(?=\s|$)")
MASK = "\x01"
"""Stands for the signs of a date, so that no other pattern reads them."""


@dataclass(frozen=True)
class Reading:
    """`changes`: fact → value. `open`: facts that the message is about without saying which value → those it allows
    (none named: any)."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    open: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.changes or self.open)


@dataclass(frozen=True)
class Reply:
    """An answer to a question of ours: the values that it allows, or that the writer does not know or gives up."""

    values: tuple[Any, ...] = ()
    is_unknown: bool = False
    is_cancelled: bool = False


def read_changes(text: str, language: str, facts: Facts, today: date) -> Reading:
    """What a message says of the record of its writer; the language of the talk first, then our others."""
    for code in languages_of(text, language):
        if reading := _Message(fold(text), phrases(code), code, facts, today).read():
            return reading
    return Reading()


def read_value(fact: str, text: str, language: str, facts: Facts, today: date) -> Reply:
    """What a text answers when we asked for this fact; an empty Reply when it cannot be read as an answer."""
    plain = fold(text).strip(" .!,")
    for code in languages_of(text, language):
        words = phrases(code)
        if any(pattern.fullmatch(plain) for pattern in words.cancels):
            return Reply(is_cancelled=True)
        if any(pattern.fullmatch(plain) for pattern in words.knows_not):
            return Reply(is_unknown=True)
        if values := _values(fact, plain, words, code, facts, today):
            return Reply(values)
    return Reply()


def agrees(text: str, language: str) -> bool | None:
    """Whether a short text says yes, or no; None: neither."""
    plain = fold(text).strip(" .!,")
    if len(plain.split()) > LONGEST_YES or "?" in plain:
        return None
    answers = (_agreed(plain, phrases(code)) for code in languages_of(text, language))
    return next((answer for answer in answers if answer is not None), None)


def asks_something(text: str, language: str) -> bool:
    """Whether a text is a question of its own."""
    plain = fold(text)
    return "?" in plain or any(
        pattern.search(plain) for code in languages_of(text, language) for pattern in phrases(code).asks
    )


def with_kind(changes: Mapping[str, Any], today: date) -> dict[str, Any]:
    """A day of entry that is still to come is planned, any other is real."""
    if changes.get("date_of_entry") is None:
        return dict(changes)
    is_planned = date.fromisoformat(changes["date_of_entry"]) > today
    return {**changes, "date_of_entry_kind": "planned" if is_planned else "real"}


def load_words() -> None:
    """Make the words of all languages ready: the first reading in a language costs up to 0.2 s otherwise."""
    for code in WRITTEN:
        phrases(code)
        _country_names(code)
        _language_names(code)


@dataclass(frozen=True)
class _Trigger:
    """Where a sentence says which fact a date belongs to."""

    start: int
    end: int
    fact: str
    tense: Tense


class _Message:
    """One message under the patterns of one language."""

    def __init__(self, text: str, words: Phrases, language: str, facts: Facts, today: date) -> None:
        self.words, self.language, self.facts, self.today = words, language, facts, today
        self.dates = days_in(text, words)
        self.text = text
        for found in self.dates:
            self.text = self.text[: found.start] + MASK * (found.end - found.start) + self.text[found.end :]
        self.denied: list[tuple[int, int]] = []
        """Where a date is set aside ("not the 10th"): such a denial denies nothing else."""
        self.dates = [found for found in self.dates if not self._is_denied(found)]
        self.values: dict[str, list[Any]] = {}
        """Fact → every value that was read."""
        self.left: dict[str, list[Any]] = {}
        """Fact that is talked about without one value → the values that the words allow."""

    def read(self) -> Reading:
        for start, end in _pieces(self.text, SENTENCE_END, 0, len(self.text)):
            sentence = self.text[start:end]
            is_question = self.text[end : end + 3].strip().startswith("?") or _found(self.words.asks, sentence.strip())
            if not is_question or _found(self.words.requests, sentence):
                self._sentence(start, end)
        changes = {fact: values[0] for fact, values in self.values.items() if len(values) == 1}
        left = {fact: tuple(values) for fact, values in (self.left | self.values).items() if fact not in changes}
        return Reading(with_kind(changes, self.today), left)

    def _is_denied(self, found: Found) -> bool:
        denial = self.words.instead.search(self.text[: found.start])
        if denial is not None:
            self.denied.append(denial.span())
        return denial is not None

    def _sentence(self, start: int, end: int) -> None:
        clauses = list(_pieces(self.text, self.words.splits_or_corrects, start, end))
        for clause in clauses:
            self._matters(*clause)
            self._choices(self.text[slice(*clause)])
            self._names(self.text[slice(*clause)])
        self._corrected(clauses)
        carried: _Trigger | None = None
        for clause in clauses:
            carried = self._days(*clause, carried) or carried

    def _days(self, start: int, end: int, carried: _Trigger | None) -> _Trigger | None:
        """Give each date of a clause to its fact; the last fact talked about is carried into the next clause."""
        clause = self.text[start:end]
        triggers = list(self._triggers(start, end))
        dates = [found for found in self.dates if start <= found.start < end]
        is_vague = any(found.is_vague for found in dates)
        blockers = (*self.words.others, *(() if is_vague else self.words.nots))
        if self._is_blocked(clause, triggers, start, blockers):
            return triggers[-1] if triggers else carried
        previous: Found | None = None
        first: _Trigger | None = None
        for found in dates:
            trigger = _owner(found, triggers) or carried
            if trigger is None:
                continue
            fact, tense = trigger.fact, trigger.tense
            is_second = previous is not None and first is not None and fact == first.fact and fact in LAST_DAYS
            if is_second and previous and self.words.until.match(self.text[previous.end : found.start]):
                fact, tense = LAST_DAYS[fact], "any"
            self._day(fact, tense, found)
            previous, first = found, first or trigger
        if not dates and triggers:
            self._without_day(triggers[-1], clause)
        return triggers[-1] if triggers else None

    def _triggers(self, start: int, end: int) -> Iterator[_Trigger]:
        """The facts that a clause talks about, in order; of two that overlap the longer one."""
        clause = self.text[start:end]
        found = [
            _Trigger(start + match.start(), start + match.end(), fact, tense)
            for fact, tense, pattern in self.words.facts
            if fact not in TYPED
            for match in pattern.finditer(clause)
        ]
        found += [
            _Trigger(start + match.start(), start + match.end(), fact, "any")
            for fact, pattern in self.words.after
            if AFTER[fact] in self.values or AFTER[fact] in self.left
            for match in pattern.finditer(clause)
        ]
        chosen: list[_Trigger] = []
        for each in sorted(found, key=lambda trigger: trigger.start - trigger.end):
            if all(each.end <= other.start or each.start >= other.end for other in chosen):
                chosen.append(each)
        return iter(sorted(chosen, key=lambda trigger: trigger.start))

    def _is_blocked(
        self, clause: str, triggers: Iterable[_Trigger], start: int, blockers: Iterable[re.Pattern[str]]
    ) -> bool:
        """Whether a denial or another person stands outside what names the fact."""
        inside = [(trigger.start - start, trigger.end - start) for trigger in triggers if trigger.tense == "any"]
        inside += [(first - start, last - start) for first, last in self.denied]
        inside += [match.span() for pattern in self.words.wrong for match in pattern.finditer(clause)]
        return any(not _within(match.span(), inside) for each in blockers for match in each.finditer(clause))

    def _day(self, fact: str, tense: Tense, found: Found) -> None:
        recorded = getattr(self.facts, fact)
        direction = USUAL.get(fact, "near") if tense == "any" else tense
        days = found.days(Asked(self.today, direction, recorded))
        self._add(fact, [day.isoformat() for day in days])

    def _without_day(self, trigger: _Trigger, clause: str) -> None:
        """Something about a date changed, but to which day is not said."""
        is_past = trigger.tense == "past"
        arrived = is_past and trigger.fact == "date_of_entry" and self.facts.date_of_entry_kind != "real"
        is_changed = _found((*self.words.changed, *self.words.wrong), clause)
        if trigger.fact in DATE_FACTS and (arrived or is_changed):
            self._add(trigger.fact, [])

    def _matters(self, start: int, end: int) -> None:
        """A fact that is said to be wrong, without a value."""
        clause = self.text[start:end]
        if not _found(self.words.wrong, clause) or any(self._triggers(start, end)):
            return
        inside = [match.span() for pattern in self.words.wrong for match in pattern.finditer(clause)]
        blockers = (*self.words.nots, *self.words.others, *self.words.wishes)
        if any(not _within(match.span(), inside) for each in blockers for match in each.finditer(clause)):
            return
        for fact, pattern in self.words.matters:
            if pattern.search(clause):
                self._add(fact, [])

    def _corrected(self, clauses: Sequence[tuple[int, int]]) -> None:
        """ "Not X but Y", "Y, not X": Y counts where both are values of one fact."""
        texts = [self.text[start:end].strip() for start, end in clauses]
        for pair in itertools.pairwise(texts):
            denied = [text for text in pair if _found(self.words.nots, text)]
            said = [text for text in pair if not _found((*self.words.nots, *self.words.asks), text)]
            if len(denied) != 1 or len(said) != 1 or _found((*self.words.others, *self.words.wishes), " ".join(pair)):
                continue
            for fact in CONTRASTED & self.words.choices.keys():
                choice = self.words.choices[fact]
                wrong, right = _choices_in(denied[0], choice), _choices_in(said[0], choice)
                if wrong and len(right) == 1 and right[0] not in wrong:
                    self._add(fact, [_typed(right[0])])

    def _choices(self, clause: str) -> None:
        for match in (match for pattern in self.words.hours if (match := pattern.search(clause))):
            if not _outside(self.words.nots, clause, match.span()):
                self._add("hours_this_permit_year", [number_of(match["number"], self.words)])
        for fact, choice in self.words.choices.items():
            readings = list(self._said(fact, choice, clause))
            certain = {values for values in readings if len(values) == 1}
            for values in certain or readings[:1]:
                self._add(fact, [_typed(each) for each in values])

    def _said(self, fact: str, choice: Choice, clause: str) -> Iterator[tuple[str, ...]]:
        blockers = (*self.words.nots, *self.words.others, *self.words.wishes)
        for values, pattern in choice.whole:
            for match in pattern.finditer(clause):
                if not _outside(blockers, clause, match.span()):
                    yield values
        for pattern in (*choice.says, *(choice.then if fact in self.left else ())):
            for match in pattern.finditer(clause):
                if not _outside(blockers, clause, match.span()):
                    yield (_group(match),)

    def _names(self, clause: str) -> None:
        """Countries and languages by name, behind the words that say whose they are."""
        for fact, _tense, pattern in self.words.facts:
            if fact in TYPED and (match := pattern.search(clause)):
                if _outside((*self.words.nots, *self.words.others), clause, match.span()):
                    continue
                if (named := _named(fact, clause[match.end() :], self.language)) or fact == "nationality":
                    self._add(fact, named)

    def _add(self, fact: str, values: Iterable[Any]) -> None:
        read = list(values)
        kept = (self.values if len(read) == 1 else self.left).setdefault(fact, [])
        kept += [value for value in read if value not in kept]


def _values(fact: str, plain: str, words: Phrases, language: str, facts: Facts, today: date) -> tuple[Any, ...]:
    """The values of one fact that a short answer names; none when it names none."""
    if fact in DATE_FACTS:
        return _answered_days(fact, plain, words, facts, today)
    if fact in TYPED:
        return tuple(_named(fact, plain, language))
    if fact == "nationality_group":
        groups = [group_of([code]) for code in _names_in(plain, _country_names(language), language).values()]
        return tuple(dict.fromkeys(group for group in groups if group is not None))
    if fact == "earlier_stays":
        return _answered_stays(plain, words, today)
    if fact == "hours_this_permit_year":
        numbers = re.findall(r"\d+", plain)
        is_short = len(plain.split()) <= LONGEST_NUMBER or _found(words.hours, plain)
        return (int(numbers[0]),) if is_short and len(numbers) == 1 and len(numbers[0]) < 5 else ()
    if fact == "date_of_entry_kind":
        agreed = _agreed(plain, words)
        return () if agreed is None else ("real" if agreed else "planned",)
    choice = words.choices.get(fact)
    found = _choices_in(plain, choice, words.nots) if choice else ()
    if choice is None or "true" not in {value for values, _ in choice.whole for value in values}:
        return found
    said = [
        values[0]
        for values, pattern in choice.whole
        if (match := pattern.search(plain)) and not _outside(words.nots, plain, match.span())
    ]
    if len(said) == 1:
        return (said[0] == "true",)
    agreed = _agreed(plain, words)
    return () if agreed is None else (agreed,)


def _choices_in(text: str, choice: Choice, blockers: Iterable[re.Pattern[str]] = ()) -> tuple[str, ...]:
    """The values that a text names, as they stand in the file; "double degree" names no degree."""
    named = [
        (match.span(), value)
        for value, names in choice.names.items()
        for name in names
        if (match := name.search(text)) and not _outside(blockers, text, match.span())
    ]
    longest = [
        value
        for span, value in named
        if not any(other != span and _within(span, [other]) for other, each in named if each != value)
    ]
    return tuple(dict.fromkeys(longest))


def _answered_days(fact: str, plain: str, words: Phrases, facts: Facts, today: date) -> tuple[Any, ...]:
    """The day of an answer; nothing when it talks about another date."""
    found = days_in(plain, words)
    about = {each for each, _tense, pattern in words.facts if each in DATE_FACTS and pattern.search(plain)}
    if len(found) != 1 or (about and fact not in about) or (fact == "birth_date" and not re.search(r"\d{4}", plain)):
        return ()
    tenses = [each for name, each, pattern in words.facts if name == fact and pattern.search(plain) and each != "any"]
    direction: Direction = "past" if "past" in tenses else "future" if "future" in tenses else USUAL.get(fact, "near")
    days = found[0].days(Asked(today, direction, getattr(facts, fact)))
    return tuple(day.isoformat() for day in days)


def _answered_stays(plain: str, words: Phrases, today: date) -> tuple[Any, ...]:
    """No stay at all, or one from a day to another; each answer is one list."""
    named = [found.days(Asked(today, "past")) for found in days_in(plain, words)]
    if not named:
        return ([],) if _agreed(plain, words) is False else ()
    days = sorted(day for days in named for day in days)
    if len(named) != 2 or any(len(days) != 1 for days in named) or days[-1] > today:
        return ()
    return ([{"entry": days[0].isoformat(), "exit": days[-1].isoformat()}],)


def _agreed(plain: str, words: Phrases) -> bool | None:
    """Yes or no at the beginning of an answer."""
    if any(pattern.match(plain) for pattern in words.no):
        return False
    return True if any(pattern.match(plain) for pattern in words.yes) else None


def _pieces(text: str, split: re.Pattern[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    """(start, end) of what stands between the places where a text is split."""
    at = start
    for match in split.finditer(text, start, end):
        if text[at : match.start()].strip():
            yield at, match.start()
        at = match.end()
    if text[at:end].strip():
        yield at, end


def _found(patterns: Iterable[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _outside(patterns: Iterable[re.Pattern[str]], text: str, span: tuple[int, int]) -> bool:
    """Whether one of the patterns stands in the text anywhere else than inside `span`."""
    return any(not _within(match.span(), [span]) for pattern in patterns for match in pattern.finditer(text))


def _within(span: tuple[int, int], spans: Iterable[tuple[int, int]]) -> bool:
    return any(first <= span[0] and span[1] <= last for first, last in spans)


def _owner(found: Found, triggers: list[_Trigger]) -> _Trigger | None:
    """The fact named last before a date, else the first one after it."""
    before = [trigger for trigger in triggers if trigger.start < found.start]
    return before[-1] if before else next(iter(triggers), None)


def _group(match: re.Match[str]) -> str:
    """The value whose name stands in a sentence."""
    return next(name for name, text in match.groupdict().items() if text is not None)


def _typed(value: str) -> str | bool:
    return {"true": True, "false": False}.get(value, value)


def _named(fact: str, text: str, language: str) -> list[Any]:
    """The values of a fact of TYPED that a text names."""
    if fact == "birth_certificate_language":
        return list(dict.fromkeys(_names_in(text, _language_names(language), language).values()))
    codes = list(dict.fromkeys(_names_in(text, _country_names(language), language).values()))
    if fact == "nationality":
        return [codes] if codes else []
    # Everybody here lives in France, and nobody means that as an answer about home.
    return [code for code in codes if code != "FR"]


def _names_in(text: str, names: Mapping[str, str], language: str) -> dict[int, str]:
    """Place → code of every name in a text, in order; "Guinea-Bissau" holds no Guinea."""
    found: dict[int, str] = {}
    for name in sorted((name for name in names if name in text), key=len, reverse=True):
        pattern = re.escape(name) if language == "zh" else rf"(?<!\w){re.escape(name)}(?!\w)"
        if match := re.search(pattern, text):
            found[match.start()] = names[name]
            text = text[: match.start()] + MASK * len(name) + text[match.end() :]
    return dict(sorted(found.items()))


@lru_cache
def _country_names(language: str) -> Mapping[str, str]:
    return {
        fold(str(name)): code
        for locale in locales_of(language)
        for code, name in Locale.parse(locale).territories.items()
        if code in COUNTRIES
    }


@lru_cache
def _language_names(language: str) -> Mapping[str, str]:
    return {
        fold(str(name)): code
        for locale in locales_of(language)
        for code, name in Locale.parse(locale).languages.items()
        if re.fullmatch(r"[a-z]{2}", code) and len(str(name)) > 1
    }
