"""What an import has to say about a file, a row or a cell, in words that the reader's language can take."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from bot.i18n.translate import say

LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """`problem` and `fix` are marked English sentences, filled with `details`.

    `line` is that of the file; None means the file as a whole.
    """

    line: int | None
    field: str
    value: str
    problem: str
    fix: str = ""
    details: Mapping[str, Any] = attribute(default_factory=dict)

    def problem_words(self, language: str) -> str:
        return say(language, self.problem, **self.details)

    def fix_words(self, language: str) -> str:
        return say(language, self.fix, **self.details) if self.fix else ""


class Refused(Exception):
    """A file or a cell that cannot be read; what is wrong, without the place."""

    def __init__(self, problem: str, fix: str, **details: Any) -> None:
        super().__init__(problem)
        self.problem, self.fix, self.details = problem, fix, details

    def at(self, line: int | None = None, field: str = "", value: object = "") -> Finding:
        return Finding(line, field, shown(value), self.problem, self.fix, self.details)


def shown(value: object) -> str:
    """A value of the file as it may stand in a report or on a terminal: short, without control characters."""
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in str(value))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
