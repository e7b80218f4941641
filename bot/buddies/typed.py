"""Answers of the sign-up that were typed instead of tapped. Pure; None: the text was about something else."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache

from babel import Locale

from bot.buddies.profiles import MOST_CAPACITY, MOST_LANGUAGES
from bot.i18n.languages import LANGUAGES, locales_of
from bot.students.dates import Asked, days_in
from bot.students.phrases import fold, languages_of, phrases
from bot.students.readings import asks_something
from bot.students.records import CAMPUS_CITIES

MOST_WORDS = 14
"""A longer text is a story, no answer."""
MASK = "\0"
AUTONYMS = ("de", "it", "nl", "pl", "tr", "ro", "ru", "ja", "ko", "hi", "vi", "el", "cs", "sv", "hu", "fa", "id", "ca")
"""Languages that people also write by the name these have for themselves, beside those of the interface."""


def is_answer(text: str, language: str) -> bool:
    """Whether a text may be an answer at all: short, and no question of its own."""
    return 0 < len(text.split()) <= MOST_WORDS and not asks_something(text, language)


def languages_in(text: str, language: str) -> tuple[str, ...]:
    """Tags of the languages that a text names, in order: "Spanish and English" → ("es", "en")."""
    plain = fold(text)
    words = re.findall(r"[a-z]{2}", plain) if re.fullmatch(r"[a-z]{2}(?:[\s,;/|]+[a-z]{2})*", plain) else []
    if words and all(word in _codes() for word in words):
        return tuple(dict.fromkeys(words))[:MOST_LANGUAGES]
    names: dict[str, str] = dict(_own_names())
    for code in {"en", language, *languages_of(text, language)}:
        names = {**_names_in(code), **names}
    found: dict[int, str] = {}
    for name in sorted((name for name in names if name in plain), key=len, reverse=True):
        is_chinese = re.fullmatch(r"[\u4e00-\u9fff]+", name) is not None
        pattern = re.escape(name) if is_chinese else rf"(?<!\w){re.escape(name)}(?!\w)"
        if match := re.search(pattern, plain):
            found[match.start()] = names[name]
            plain = plain[: match.start()] + MASK * len(name) + plain[match.end() :]
    return tuple(dict.fromkeys(tag for _, tag in sorted(found.items())))[:MOST_LANGUAGES]


@lru_cache
def _codes() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").languages) if len(code) == 2)


@lru_cache
def _names_in(language: str) -> Mapping[str, str]:
    return {
        fold(str(name)): code
        for locale in locales_of(language)
        for code, name in Locale.parse(locale).languages.items()
        if code in _codes() and len(str(name)) > 1
    }


@lru_cache
def _own_names() -> Mapping[str, str]:
    of_interface = {fold(each.name): each.code for each in LANGUAGES}
    return {**{fold(str(Locale(code).get_language_name(code))): code for code in AUTONYMS}, **of_interface}


def campus_in(text: str) -> str | None:
    plain = fold(text)
    named = [campus for campus, city in CAMPUS_CITIES.items() if re.search(rf"\b{fold(city)}\b", plain)]
    return named[0] if len(named) == 1 else None


def days_of(text: str, language: str, today: date, recorded: Sequence[date | None]) -> tuple[date, ...]:
    """The days that a text names, in order; none where one of them is unclear. `recorded`: what each may be near to."""
    for code in languages_of(text, language):
        found = days_in(fold(text), phrases(code))
        if not found:
            continue
        days = []
        for place, each in enumerate(found):
            near = recorded[min(place, len(recorded) - 1)] if recorded else None
            meant = each.days(Asked(today, "near" if near is not None else "future", near))
            if len(meant) != 1:
                return ()
            days.append(meant[0])
        return tuple(days)
    return ()


def capacity_in(text: str) -> int | None:
    """The number that a text is about, whether or not it can be."""
    numbers = re.findall(r"\d+", fold(text))
    return min(int(numbers[0][:4]), MOST_CAPACITY + 1) if len(numbers) == 1 else None


def _bare(label: str) -> str:
    """ "La cuisine" is "cuisine"."""
    return re.sub(r"^(?:(?:le|la|les|el|los|las)\s+|l')", "", fold(label))


def own_words_of(text: str, labels: Mapping[str, str], longest: int) -> tuple[tuple[str, ...], str]:
    """(codes of `labels` that a text names, the rest as words separated by commas)."""
    by_label = {_bare(label): code for code, label in labels.items()}
    codes, words = [], []
    for piece in re.split(r"[,;\n،、]| and | et | y | e ", text):
        word = " ".join(piece.split()).strip(" .!")
        if code := by_label.get(_bare(word)):
            codes.append(code)
        elif word:
            words.append(word)
    kept: list[str] = []
    for word in dict.fromkeys(words):
        if len(", ".join([*kept, word])) <= longest:
            kept.append(word)
    return tuple(dict.fromkeys(codes)), ", ".join(kept)
