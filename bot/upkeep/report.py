"""What a model trained beside the running one does better and worse."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel


class Side(BaseModel):
    """Shares (0 to 1) of the held-out questions."""

    recognised: float
    answered: float
    wrong: float
    unsure: float
    """Asked back, or not known."""


class TopicChange(BaseModel):
    """How many held-out questions of a topic are recognised."""

    label: str
    before: int
    after: int
    of: int


class RegressionResult(BaseModel):
    """`before`, `after`: right | asked | astray | wrong | unknown (see bot.bench.nlu.Decided.outcome)."""

    language: str
    label: str
    text: str
    before: str
    after: str


class Report(BaseModel):
    """Written by the training as `report.json` beside the new archive. `model`: the archive's name."""

    model: str
    fingerprint: str
    before: Side
    after: Side
    questions: int
    topics: list[TopicChange]
    regressions: list[RegressionResult]
    is_worse: bool

    @property
    def winners(self) -> list[TopicChange]:
        return _sorted(each for each in self.topics if each.after > each.before)

    @property
    def losers(self) -> list[TopicChange]:
        return _sorted(each for each in self.topics if each.after < each.before)


def report_file(models: Path) -> Path:
    """Where a training beside the running model leaves what it found."""
    return models / "beside" / "report.json"


def write_report(models: Path, report: Report) -> None:
    """As a whole: it is read when the training has ended."""
    partial = report_file(models).with_suffix(".partial")
    partial.write_text(report.model_dump_json(indent=2), encoding="utf-8")
    partial.replace(report_file(models))


def _sorted(changes: Iterable[TopicChange]) -> list[TopicChange]:
    return sorted(changes, key=lambda each: (-abs(each.after - each.before), each.label))
