"""The statements of the French self-check: the shape of knowledge/placement.yml, and the loader that reads it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, field_validator, model_validator

from bot.bookings.rules import LEVELS
from bot.content.loader import parse, read_yaml
from bot.content.schema import Slug
from bot.i18n.languages import CODES

PER_LEVEL = 3
"""Statements by which one level is judged at most; see bot.courses.placement."""
FEWEST = 5
FEWEST_AT_THE_TOP = 3


class Skill(StrEnum):
    LISTENING = "listening"
    READING = "reading"
    SPEAKING = "speaking"
    WRITING = "writing"


@dataclass(frozen=True)
class Statement:
    """Something that one can do in French from a level on; `text` in every language of ours."""

    slug: str
    level: str
    skill: Skill
    text: Mapping[str, str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=140)]


class StatementEntry(_Strict):
    skill: Skill
    en: Sentence
    fr: Sentence
    es: Sentence
    pt: Sentence
    uk: Sentence
    ar: Sentence
    zh: Sentence

    def text(self) -> dict[str, str]:
        return {code: getattr(self, code) for code in CODES}


class Reference(_Strict):
    """What the statements lean on; they are not its sentences."""

    title: str
    url: HttpUrl


class SelfCheckFile(_Strict):
    """placement.yml: by level, then by slug, in the order in which they are asked."""

    source: Reference
    statements: dict[str, dict[Slug, StatementEntry]] = Field(min_length=1)

    @field_validator("statements")
    @classmethod
    def _every_level(cls, levels: dict[str, dict[str, StatementEntry]]) -> dict[str, dict[str, StatementEntry]]:
        if tuple(levels) != LEVELS:
            raise ValueError(f"write the levels {', '.join(LEVELS)}, each once and in this order")
        for level, entries in levels.items():
            _check_level(level, list(entries.values()))
        return levels

    @model_validator(mode="after")
    def _no_repeats(self) -> "SelfCheckFile":
        slugs = Counter(slug for entries in self.statements.values() for slug in entries)
        if twice := [slug for slug, times in slugs.items() if times > 1]:
            raise ValueError(f"two statements are called {twice[0]}; give each its own slug")
        texts = Counter(
            (code, text)
            for entries in self.statements.values()
            for e in entries.values()
            for code, text in e.text().items()
        )
        if same := [where for where, times in texts.items() if times > 1]:
            raise ValueError(f"the sentence {same[0][1]!r} ({same[0][0]}) stands there twice; write another one")
        return self

    def as_statements(self) -> tuple[Statement, ...]:
        return tuple(
            Statement(slug, level, entry.skill, entry.text())
            for level, entries in self.statements.items()
            for slug, entry in entries.items()
        )


def _check_level(level: str, entries: list[StatementEntry]) -> None:
    is_top = level == LEVELS[-1]
    fewest, skills = (FEWEST_AT_THE_TOP, 3) if is_top else (FEWEST, len(Skill))
    if len(entries) < fewest:
        raise ValueError(f"{level} has {len(entries)} statements; write at least {fewest}")
    if len({entry.skill for entry in entries}) < skills:
        raise ValueError(
            f"{level} asks for too few skills; write statements for at least {skills} of {', '.join(Skill)}"
        )
    if len({entry.skill for entry in entries[:PER_LEVEL]}) < PER_LEVEL:
        raise ValueError(f"{level} begins with one skill twice; its first {PER_LEVEL} statements need different ones")


def load_statements(path: Path) -> tuple[Statement, ...]:
    """In the order of the file. Raises ContentError naming file, field and fix."""
    return parse(SelfCheckFile, read_yaml(path), str(path)).as_statements()
