"""The shape of knowledge/: what a topic, a figure, the school's facts and the urgent texts must say."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, field_validator

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


class ShortInLanguages(InLanguages):
    en: Short
    fr: Short


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
    record: Literal["housing", "french", "buddy"] | None = None
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


class School(_Strict):
    """school.yml: what the office says of itself. Empty means that it has not told us."""

    name: str
    mail_domains: list[str] = Field(min_length=1)
    desk_hours: list[DeskHours] | None = None


class UrgentKind(_Strict):
    """One kind of danger of urgent.yml: the words that show it and the fixed text, in every language."""

    words: dict[str, list[str]]
    text: dict[str, str]


class Topic(BaseModel):
    """A topic as loaded: its file and its texts by language."""

    model_config = ConfigDict(frozen=True)

    slug: Slug
    file: TopicFile
    texts: dict[str, str]
