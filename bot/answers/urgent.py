"""The urgent door: danger gets a fixed answer before anything else. Needs neither Rasa nor the database.

Two looks at a message: the words of knowledge/urgent.yml, and a small model of its own for what people write without
any of these words. Where no model is trained yet, or it cannot be read, the words alone decide.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.content.schema import UrgentKind
from bot.i18n.languages import DEFAULT

_UNSPACED = ("ar", "zh")
"""Languages in which a word may stand inside another one (clitics) or without spaces."""

LONGEST = 4000
LONGEST_FOR_MODEL = 600
"""Characters: a message in danger says so at its start, and encoding time grows with the length."""


class DangerModel(Protocol):
    """Which kind of danger a text shows in meaning, None for none. Never raises."""

    def __call__(self, text: str, /) -> str | None: ...


def no_model(_text: str, /) -> str | None:
    return None


@dataclass(frozen=True)
class UrgentDoor:
    kinds: Mapping[str, UrgentKind]
    patterns: Mapping[str, re.Pattern[str]]
    model: DangerModel = no_model

    def text(self, kind: str, language: str) -> str:
        texts = self.kinds[kind].text
        return texts.get(language) or texts[DEFAULT]

    def kind_of(self, text: str) -> str | None:
        """Which danger a message shows, in whatever language it is written; None for none."""
        # A sign may unfold into many; the danger is said in what fits a message.
        folded = fold(text[:LONGEST])[:LONGEST]
        found = next((kind for kind, pattern in self.patterns.items() if pattern.search(folded)), None)
        if found is None and any(character.isalpha() for character in folded):
            found = self.model(text[:LONGEST_FOR_MODEL])
        return found if found in self.kinds else None

    def is_urgent(self, text: str) -> bool:
        return self.kind_of(text) is not None


def fold(text: str) -> str:
    """Without case, accents, typographic apostrophes and repeated spaces."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'").replace("`", "'").casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def build_door(kinds: Mapping[str, UrgentKind], model: DangerModel = no_model) -> UrgentDoor:
    patterns = {}
    for kind, entry in kinds.items():
        alternatives = [
            re.escape(fold(word)) if language in _UNSPACED else rf"(?<!\w){re.escape(fold(word))}(?!\w)"
            for language, words in entry.words.items()
            for word in words
        ]
        patterns[kind] = re.compile("|".join(alternatives))
    return UrgentDoor(kinds, patterns, model)
