"""The shape of knowledge/: what a topic, a figure, the school's facts and the urgent texts must say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, field_validator, model_validator

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$")]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=60)]

AnswerableGroup = Literal[
    "housing",
    "french_classes",
    "buddy",
    "paperwork",
    "welcome_session",
    "tutoring",
    "associations",
    "career",
    "english_programmes",
    "exchange_application",
    "erasmus_partnerships",
    "alumni",
    "inclusion",
    "transport",
    "health",
    "emergency",
]
ANSWERABLE_GROUPS: tuple[str, ...] = get_args(AnswerableGroup)
GROUPS: tuple[str, ...] = (*ANSWERABLE_GROUPS, "small_talk", "human", "out_of_scope")

Audience = Literal[
    "everyone",
    "eu",
    "non_eu",
    "uk",
    "algeria",
    "exchange",
    "degree",
    "erasmus",
    "minor",
    "lille",
    "bordeaux",
    "chateauroux",
]


Variant = Literal[
    "eu",
    "uk",
    "algeria",
    "quebec",
    "refugee",
    "non_eu",
    "exchange",
    "degree",
    "short_stay",
    "lille",
    "bordeaux",
    "chateauroux",
    "minor",
    "adult",
    "over_30",
    "vls_ts",
    "vls_t",
]
"""For whom a part of an answer is written; see bot.answers.variants for when each holds."""

Family = Literal["citizenship", "programme", "campus", "age", "visa"]

FAMILIES: Mapping[Variant, Family] = {
    "eu": "citizenship",
    "uk": "citizenship",
    "algeria": "citizenship",
    "quebec": "citizenship",
    "refugee": "citizenship",
    "non_eu": "citizenship",
    "exchange": "programme",
    "degree": "programme",
    "short_stay": "programme",
    "lille": "campus",
    "bordeaux": "campus",
    "chateauroux": "campus",
    "minor": "age",
    "adult": "age",
    "over_30": "age",
    "vls_ts": "visa",
    "vls_t": "visa",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceEntry(_Strict):
    title: Annotated[str, StringConstraints(min_length=3, max_length=200)]
    url: HttpUrl
    checked_on: date


class InLanguages(_Strict):
    en: str
    fr: str

    def get(self, language: str) -> str:
        return self.fr if language == "fr" else self.en

    def values(self) -> tuple[str, str]:
        return self.en, self.fr


class ShortInLanguages(InLanguages):
    en: Short
    fr: Short


RecordName = Literal[
    "housing",
    "french",
    "buddy",
    "placement",
    "career",
    "mentoring",
    "welcome_session",
    "paperwork_help",
    "events",
]
"""What of a student's record may answer a topic; each has a function in actions/records.py."""


class TopicFile(_Strict):
    """topics/<slug>/topic.yml."""

    group: AnswerableGroup
    owner: str
    audience: list[Audience] = Field(min_length=1)
    title: ShortInLanguages
    question: ShortInLanguages
    sources: list[SourceEntry] = Field(min_length=1)
    valid_until: date
    facts: list[str] = Field(default_factory=list)
    next: list[Slug] = Field(default_factory=list, max_length=3)
    procedure: Slug | None = None
    record: RecordName | None = None
    variants: list[Variant] = Field(default_factory=list)
    """The parts of the text that depend on the student, from the most special to the most general."""
    ask_office: bool = False


class Figure(_Strict):
    """One amount of figures.yml."""

    value: Decimal
    unit: Literal["EUR", "hours"]
    title: InLanguages
    valid_from: date
    review_by: date
    source: SourceEntry

    @field_validator("value", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        # YAML reads 877.50 as a float; its shortest text is the amount that was written.
        return str(value) if isinstance(value, float) else value


class DeskHours(_Strict):
    """Opening hours of the desk on one weekday (0 = Monday), on a French clock."""

    weekday: int = Field(ge=0, le=6)
    opens: Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d$")]
    closes: Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d$")]


class SchoolFact(_Strict):
    """Something only the school knows. `value` None: the office has not told us yet."""

    title: InLanguages
    value: InLanguages | None = None
    checked_on: date | None = None

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if (self.value is None) != (self.checked_on is None):
            raise ValueError("give `value` and `checked_on` together: what the office said, and when")
        return self


class School(_Strict):
    """school.yml: what the office says of itself. Empty means that it has not told us."""

    name: str
    mail_domains: list[str] = Field(min_length=1)
    desk_hours: list[DeskHours] | None = None
    facts: dict[Slug, SchoolFact] = Field(default_factory=dict)


class UrgentKind(_Strict):
    """One kind of danger of urgent.yml: its topic, the words that show it, the fixed text in every language."""

    topic: Slug
    words: dict[str, list[str]]
    text: dict[str, str]


@dataclass(frozen=True)
class Page:
    """The text of a topic in one language: for everybody, by variant, and what is shown on "More"."""

    lead: str
    variants: Mapping[str, str]
    more: str

    @property
    def whole(self) -> str:
        return "\n\n".join(part for part in (self.lead, *self.variants.values(), self.more) if part)


LONGEST_ANSWER = 120
"""Words before the reader stops reading, in whatever form an answer is shown."""


def word_count(text: str) -> int:
    """A figure or a fact of the school counts as one word."""
    whole = re.sub(r"\{\{.*?\}\}", "100", text)
    return sum(any(sign.isalnum() for sign in word) for word in whole.split())


def first_paragraph(text: str) -> str:
    """The short form of a variant."""
    return text.partition("\n\n")[0]


@dataclass(frozen=True)
class Topic:
    """A topic as loaded: its file and its pages by language."""

    slug: str
    file: TopicFile
    pages: Mapping[str, Page]
