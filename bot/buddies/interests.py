"""The list of interests of knowledge/buddies.yml: codes with their labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.config import ROOT
from bot.errors import ContentError
from bot.i18n.languages import DEFAULT


@dataclass(frozen=True)
class Interests:
    """Code → language → label, in the order of the file."""

    labels: Mapping[str, Mapping[str, str]]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.labels)

    def label(self, code: str, language: str) -> str:
        """In the reader's language, or in English."""
        labels = self.labels[code]
        return labels.get(language) or labels[DEFAULT]


@lru_cache
def known_interests() -> Interests:
    """Those of our own file. Raises ContentError as `load_interests`."""
    return load_interests(ROOT / "knowledge" / "buddies.yml")


def interest_words(word: str, language: str) -> str:
    """An interest of the list in the reader's language; a word of a person's own as it is."""
    interests = known_interests()
    return interests.label(word, language) if word in interests.labels else word


@cache
def interest_name(code: str, language: str) -> str:
    """What an interest is called where a pair is explained; own words are themselves."""
    known = load_interests(ROOT / "knowledge" / "buddies.yml")
    return known.label(code, language) if code in known.labels else code


class _Labels(BaseModel):
    model_config = ConfigDict(extra="allow")

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)


class _File(BaseModel):
    """What is of interest here of knowledge/buddies.yml; the weights are read by the matcher."""

    interests: dict[str, _Labels] = Field(min_length=1)


def load_interests(file: Path) -> Interests:
    """Raises ContentError naming the file and the field."""
    try:
        read = _File.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ContentError(f"{file.name}: {error}") from error
    return Interests({code: labels.model_dump() for code, labels in read.interests.items()})
