"""Newcomers and buddies as the matcher takes them."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Person:
    """`id` is any text of the caller's; unique among newcomers, and among buddies."""

    id: str
    campus: str
    languages: tuple[str, ...]
    """BCP 47 tags, the best spoken first; compared by their first subtag (`pt-BR` and `pt` are one language)."""
    arrival: date | None = None
    """None: no limit on that side, the person is here already."""
    departure: date | None = None
    """The last day here; None: stays."""
    interests: tuple[str, ...] = ()
    field: str = ""
    gender: str = ""
    """Empty where not told."""
    same_gender: bool = False
    """Only with somebody of the same gender; a gender that is not told satisfies nobody's wish."""
    same_field: bool = False
    """Rather with somebody of the same field: a wish, not a limit."""
    excluded: frozenset[str] = frozenset()
    """Ids of the other side with whom this person is never paired."""


@dataclass(frozen=True)
class Newcomer(Person):
    pass


@dataclass(frozen=True)
class Buddy(Person):
    capacity: int = 1
    """How many newcomers at most, 0 or more."""


def language_of(tag: str) -> str:
    """The language of a tag: `pt-BR` → `pt`."""
    return tag.replace("_", "-").partition("-")[0].strip().lower()


def plain(words: str) -> str:
    """An interest or a field as it is compared: no accents, no capitals, single spaces."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", words) if not unicodedata.combining(sign))
    return re.sub(r"[\W_]+", " ", bare).strip().casefold()
