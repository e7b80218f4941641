"""Conditions on the facts of one student, in three values: they hold, they do not, or a named fact is missing.

In YAML a condition is one of

    always                                                  holds
    {fact: grant, in: [none, other]}                        the fact has one of these values
    {fact: diploma_obtained_on, known: true}                the fact is recorded (or, with false, is not)
    {step: admission_letter, done: true}                    another step is done (or, with false, is not)
    {date: programme_end, on_or_before: permit_expiry}      two formulas compared: before, on_or_before,
                                                            after or on_or_after
    {all: [...]}   {any: [...]}   {not: ...}

`if_unknown: true|false` on a fact or a date says how to go on without it, where asking would not be worth it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetPydanticSchema,
    Tag,
    model_validator,
)
from pydantic_core import core_schema

from bot.paperwork.formula import Formula, FormulaError, parse_formula
from bot.students.facts import Facts, StepSlug


@dataclass(frozen=True)
class Verdict:
    """`holds` is None when it cannot be decided; `missing` then names the facts to ask for."""

    holds: bool | None
    missing: tuple[str, ...] = ()


def _read_formula(value: object) -> Formula:
    if isinstance(value, Formula):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no formula; write text such as date_of_entry + 3 months")
    try:
        return parse_formula(value)
    except FormulaError as error:
        raise ValueError(str(error)) from error


FormulaText = Annotated[
    Formula, GetPydanticSchema(lambda _source, _handler: core_schema.no_info_plain_validator_function(_read_formula))
]


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Always(_Condition):
    always: Literal[True] = True

    def verdict(self, facts: Facts, today: date) -> Verdict:
        return Verdict(True)


class FactIn(_Condition):
    fact: str
    values: Annotated[tuple[str | bool, ...], Field(alias="in", min_length=1)]
    if_unknown: bool | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        possible = _values_of(self.fact)
        if wrong := [value for value in self.values if value not in possible]:
            raise ValueError(f"{self.fact} is never {wrong[0]!r}; it is one of {', '.join(map(str, possible))}")
        return self

    def verdict(self, facts: Facts, today: date) -> Verdict:
        value = getattr(facts, self.fact)
        if value is None:
            return _unknown((asked_as(self.fact, facts),), self.if_unknown)
        return Verdict(value in self.values)


class FactKnown(_Condition):
    fact: str
    known: bool

    @model_validator(mode="after")
    def _exists(self) -> Self:
        if self.fact not in Facts.model_fields:
            raise ValueError(f"there is no fact {self.fact}; the names are in bot/students/facts.py")
        return self

    def verdict(self, facts: Facts, today: date) -> Verdict:
        return Verdict((getattr(facts, self.fact) is not None) is self.known)


class StepIsDone(_Condition):
    """Whether the student did another step, in whatever round: what one step proves, another need not ask."""

    step: StepSlug
    done: bool

    def verdict(self, facts: Facts, today: date) -> Verdict:
        day = facts.steps_done.get(self.step)
        return Verdict((day is not None and day <= today) is self.done)


class DateCompared(_Condition):
    left: Annotated[FormulaText, Field(alias="date")]
    before: FormulaText | None = None
    on_or_before: FormulaText | None = None
    after: FormulaText | None = None
    on_or_after: FormulaText | None = None
    if_unknown: bool | None = None

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        if len(self.formulas()) != 2:
            raise ValueError("compare the date with exactly one of before, on_or_before, after, on_or_after")
        return self

    def formulas(self) -> list[Formula]:
        """The date and the one it is compared with."""
        others = (self.before, self.on_or_before, self.after, self.on_or_after)
        return [self.left, *(each for each in others if each is not None)]

    def verdict(self, facts: Facts, today: date) -> Verdict:
        left, right = (each.value(facts, today) for each in self.formulas())
        if left.day is None or right.day is None:
            return _unknown((*left.missing, *right.missing), self.if_unknown)
        if self.before is not None:
            return Verdict(left.day < right.day)
        if self.on_or_before is not None:
            return Verdict(left.day <= right.day)
        if self.after is not None:
            return Verdict(left.day > right.day)
        return Verdict(left.day >= right.day)


class AllOf(_Condition):
    parts: Annotated["tuple[Condition, ...]", Field(alias="all", min_length=1)]

    def verdict(self, facts: Facts, today: date) -> Verdict:
        return _joined([part.verdict(facts, today) for part in self.parts], decisive=False)


class AnyOf(_Condition):
    parts: Annotated["tuple[Condition, ...]", Field(alias="any", min_length=1)]

    def verdict(self, facts: Facts, today: date) -> Verdict:
        return _joined([part.verdict(facts, today) for part in self.parts], decisive=True)


class Not(_Condition):
    part: Annotated["Condition", Field(alias="not")]

    def verdict(self, facts: Facts, today: date) -> Verdict:
        inner = self.part.verdict(facts, today)
        return inner if inner.holds is None else Verdict(not inner.holds)


def _kind(value: Any) -> str | None:
    if value == "always" or isinstance(value, Always):
        return "always"
    if isinstance(value, BaseModel):
        return next(name for name, kind in KINDS.items() if isinstance(value, kind))
    if not isinstance(value, dict):
        return None
    if "fact" in value:
        return "known" if "known" in value else "fact"
    return next((name for name in ("step", "date", "all", "any", "not") if name in value), None)


KINDS: dict[str, type[_Condition]] = {
    "always": Always,
    "fact": FactIn,
    "known": FactKnown,
    "step": StepIsDone,
    "date": DateCompared,
    "all": AllOf,
    "any": AnyOf,
    "not": Not,
}


def _spelled_out(value: Any) -> Any:
    return {} if value == "always" else value


Condition = Annotated[
    Annotated[Annotated[Always, BeforeValidator(_spelled_out)], Tag("always")]
    | Annotated[FactIn, Tag("fact")]
    | Annotated[FactKnown, Tag("known")]
    | Annotated[StepIsDone, Tag("step")]
    | Annotated[DateCompared, Tag("date")]
    | Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")],
    Discriminator(
        _kind,
        custom_error_type="condition",
        custom_error_message=(
            "not a condition; write always, a fact with in or known, a step done, a date compared, all, any or not"
        ),
    ),
]


def asked_as(fact: str, facts: Facts) -> str:
    """The fact to ask for when this one is missing: people know their nationality, not its group."""
    if fact == "nationality_group" and facts.nationality is None:
        return "nationality"
    return fact


def _unknown(missing: Iterable[str], if_unknown: bool | None) -> Verdict:
    return Verdict(None, tuple(dict.fromkeys(missing))) if if_unknown is None else Verdict(if_unknown)


def _joined(verdicts: list[Verdict], decisive: bool) -> Verdict:
    """One decisive part settles it, whatever else is unknown."""
    if any(verdict.holds is decisive for verdict in verdicts):
        return Verdict(decisive)
    if all(verdict.holds is not None for verdict in verdicts):
        return Verdict(not decisive)
    return Verdict(None, tuple(dict.fromkeys(name for verdict in verdicts for name in verdict.missing)))


def _values_of(fact: str) -> tuple[str | bool, ...]:
    field = Facts.model_fields.get(fact)
    if field is None:
        raise ValueError(f"there is no fact {fact}; the names are in bot/students/facts.py")
    for kind in get_args(field.annotation):
        if get_origin(kind) is Literal:
            return get_args(kind)
        if kind is bool or bool in get_args(kind):
            return (True, False)
    raise ValueError(f"{fact} has no list of values; compare it as a date, or ask whether it is known")
