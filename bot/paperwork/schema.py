"""The shape of knowledge/procedures/<slug>.yml, and the loader that reads them."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator, model_validator

from bot.content.loader import parse, read_yaml
from bot.content.schema import InLanguages, SourceEntry
from bot.errors import ContentError
from bot.paperwork.conditions import Always, Condition, FormulaText
from bot.students.facts import STEP_SLUGS, Facts, StepSlug


class Outcome(StrEnum):
    """What a case says of a step for the student it fits."""

    APPLIES = "applies"
    NOT_NEEDED = "not_needed"
    DONE = "done"
    """The record shows it, without a date."""
    UNCLEAR = "unclear"
    """The rule is not clear for this person: a person of the office looks at it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Case(_Strict):
    """One row of `who`. A row that applies may bring its own dates and texts in place of those of the procedure."""

    when: Condition
    then: Outcome
    because: InLanguages
    title: InLanguages | None = None
    opens: FormulaText | None = None
    due: FormulaText | None = None
    note: InLanguages | None = None
    do: InLanguages | None = None
    late: InLanguages | None = None

    @model_validator(mode="after")
    def _only_what_applies_has_dates(self) -> Self:
        extras = (self.opens, self.due, self.note, self.do, self.late)
        if self.then is not Outcome.APPLIES and any(each is not None for each in extras):
            raise ValueError("only a case that applies has dates and texts of its own; take them out")
        return self


class Place(_Strict):
    """Where it is done."""

    title: InLanguages
    url: HttpUrl


class Recurring(_Strict):
    """A step that comes back: what was done before this day belongs to an earlier round."""

    done_since: FormulaText


class Procedure(_Strict):
    """One step of the path, as data. `who` is read from the top; the first case that fits decides."""

    slug: StepSlug
    title: InLanguages
    who: Annotated[tuple[Case, ...], Field(min_length=1)]
    opens: FormulaText | None = None
    due: FormulaText | None = None
    note: InLanguages | None = None
    """Said together with the date, where the date is not a rule of law."""
    requires_facts: tuple[str, ...] = ()
    """Facts without which nobody can say whether it is to be done now, even where a row of `who` fits."""
    depends_on: tuple[StepSlug, ...] = ()
    needs: tuple[InLanguages, ...] = ()
    where: Place | None = None
    legal_duty: bool
    """The law asks for it: nothing that is missing keeps it from being open."""
    recurring: Recurring | None = None
    remind: tuple[FormulaText, ...] = ()
    """Days on which to remind of it before its date; left out: two weeks and three days before."""
    do: InLanguages
    late: InLanguages
    sources: Annotated[tuple[SourceEntry, ...], Field(min_length=1)]
    facts: Annotated[tuple[str, ...], Field(min_length=1)]
    """The research notes it rests on."""
    valid_from: date
    valid_until: date
    owner: str

    @field_validator("who")
    @classmethod
    def _total(cls, cases: tuple[Case, ...]) -> tuple[Case, ...]:
        if not isinstance(cases[-1].when, Always):
            raise ValueError("the last case must say `when: always`, so that everybody is told something")
        if any(isinstance(case.when, Always) for case in cases[:-1]):
            raise ValueError("only the last case may say `when: always`; the ones below it would never be read")
        return cases

    @field_validator("requires_facts")
    @classmethod
    def _are_facts(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [name for name in names if name not in Facts.model_fields]:
            raise ValueError(f"there is no fact {wrong[0]}; the names are in bot/students/facts.py")
        return names

    @model_validator(mode="after")
    def _valid_for_a_while(self) -> Self:
        if self.valid_until <= self.valid_from:
            raise ValueError("valid_until must lie after valid_from")
        if self.slug in self.depends_on:
            raise ValueError("depends_on names the step itself; take it out")
        return self


def load_procedures(folder: Path) -> tuple[Procedure, ...]:
    """Every <slug>.yml of the folder, by slug. Raises ContentError naming file, field and fix, or the cycle."""
    procedures = tuple(_read(path) for path in sorted(folder.glob("*.yml")))
    if not procedures:
        raise ContentError(f"{folder}: there is no procedure in it; write one as <slug>.yml.")
    check_order(procedures)
    return procedures


def _read(path: Path) -> Procedure:
    if path.stem not in STEP_SLUGS:
        raise ContentError(f"{path}: {path.stem} is no step; name the file after one of {', '.join(STEP_SLUGS)}.")
    value: Any = read_yaml(path)
    if not isinstance(value, dict) or "slug" in value:
        raise ContentError(f"{path}: write the fields of a procedure; the slug is the name of the file.")
    return parse(Procedure, {**value, "slug": path.stem}, str(path))


def check_order(procedures: Sequence[Procedure]) -> None:
    """Raises ContentError when steps wait for each other in a circle."""
    try:
        TopologicalSorter({each.slug: each.depends_on for each in procedures}).prepare()
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise ContentError(f"procedures: depends_on goes in a circle ({circle}); take one of them out.") from error
