"""The words of knowledge/adverts.yml as patterns over folded text, and the way back to what was written. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

WordLists = Mapping[str, list[str]]
"""Language → entries."""

_UNSPACED = {"ar": ".{0,40}?", "zh": ".{0,12}?"}
"""Languages in which a word may stand inside another one or without spaces, with what `...` may leap over there."""
_GAP = r"\W+(?:\w+\W+){0,8}?"
_APOSTROPHES = "'’`´ʼ"
_TATWEEL = "\u0640"
_TOKEN = re.compile(r"[\w€*]+")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？؟；])|\n")


@dataclass(frozen=True)
class Folded:
    """`text` without case, accents and typographic signs; `places[i]`: where its sign i stands in `original`."""

    original: str
    text: str
    places: tuple[int, ...]

    def written(self, start: int, end: int) -> str:
        """What was written where the folded text has [start, end)."""
        return self.original[self.places[start] : self.places[end - 1] + 1]


def fold(text: str) -> Folded:
    """Digits of every script become ASCII; signs that nobody sees are left out."""
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        for each in _plain(sign):
            signs.append(each)
            places.append(place)
    return Folded(text, "".join(signs), tuple(places))


def _plain(sign: str) -> str:
    if sign in _APOSTROPHES or sign.isspace():
        return " "
    if sign == _TATWEEL or unicodedata.category(sign) == "Cf":
        return ""
    unfolded = (each for each in unicodedata.normalize("NFKD", sign.casefold()) if not unicodedata.combining(each))
    return "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in unfolded)


def sentences(text: str) -> Iterator[Folded]:
    """Each sentence or line that says something, folded."""
    for part in _SENTENCE_END.split(text):
        if part.strip():
            yield fold(part.strip())


def pattern(lists: Iterable[WordLists]) -> re.Pattern[str]:
    """Any entry of any language; without entries a pattern that matches nothing."""
    entries = [_entry(entry, code) for words in lists for code, entries in words.items() for entry in entries]
    # Of two that begin alike the longer one is meant: "charges included" before "charges".
    return re.compile("|".join(sorted(entries, key=len, reverse=True)) or r"(?!)")


def _entry(entry: str, language: str) -> str:
    gap, next_to = (_UNSPACED[language], r"\W*") if language in _UNSPACED else (_GAP, r"\W+")
    parts = (next_to.join(_choice(each, language) for each in part.split(" + ")) for part in entry.split(" ... "))
    return gap.join(parts)


def _choice(part: str, language: str) -> str:
    either = "|".join(_phrase(each, language) for each in part.split("/"))
    return f"(?:{either})" if language in _UNSPACED else rf"(?<!\w)(?:{either})(?!\w)"


def _phrase(phrase: str, language: str) -> str:
    tokens = _TOKEN.findall(fold(phrase).text)
    if not tokens:
        raise ValueError(f"{phrase!r} has no word in it")
    joint = r"\W*" if language == "zh" else r"\W+"
    whole = joint.join(re.escape(each.rstrip("*")) + (r"\w*" if each.endswith("*") else "") for each in tokens)
    # "no" and "how many" are two letters in Arabic and stand inside many words.
    return rf"(?<!\w){whole}(?!\w)" if language == "ar" and len(whole) == 2 else whole
