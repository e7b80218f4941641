"""The shapes that other programs read: the facts that go in, and the path as `accueil path --json` prints it."""

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.paperwork.rules import Flag, Status
from bot.students.facts import Facts, StepSlug


class _Printed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StepSource(_Printed):
    title: str
    url: str
    checked_on: date
    valid_until: date


class PathStep(_Printed):
    """One step; title and reasons are in the language asked for."""

    slug: StepSlug
    title: str
    status: Status
    due: date | None = Field(description="The last day on which the step is in time.")
    opens: date | None
    overdue: bool
    provisional: bool = Field(description="The dates rest on a planned day of arrival.")
    flags: list[Flag] = Field(description="What to know of the due date; a flag never moves it.")
    because: list[str] = Field(min_length=1)
    missing_facts: list[str]
    source: StepSource


class Path(_Printed):
    today: date
    steps: list[PathStep] = Field(description="The most urgent first.")


def path_schema() -> dict[str, Any]:
    """JSON schema (2020-12): a file of facts is an instance of it, what is printed for it one of `#/$defs/Path`."""
    facts = Facts.model_json_schema()
    printed = Path.model_json_schema()
    # Null is unknown, here as everywhere: nothing is known to be done.
    facts["properties"]["steps_done"] = {"anyOf": [facts["properties"]["steps_done"], {"type": "null"}]}
    definitions = {**facts.pop("$defs", {}), **printed.pop("$defs", {}), "Path": printed}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **facts, "$defs": definitions}
