"""The whole path against cases that somebody else worked out from the research notes, without seeing the procedures.

Each names only what the notes decide; `why` gives the row of the checklist, the notes and the convention that decide.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.paperwork.rules import path
from bot.paperwork.schema import load_procedures
from bot.paperwork.wording import step_as_json
from bot.students.facts import STEP_SLUGS, Facts, facts_from

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "tests" / "data" / "path").glob("*.yml"))
PROCEDURES = load_procedures(ROOT / "knowledge" / "procedures")


@dataclass(frozen=True)
class Case:
    slug: str
    name: str
    facts: Facts
    today: date
    expected: dict[str, Any]


CASES = [
    Case(file.stem, entry["name"], facts_from(entry["facts"]), entry["today"], entry["expect"])
    for file in FILES
    for entry in yaml.safe_load(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.slug}: {case.name}")
def test_a_step_comes_out_as_the_notes_have_it(case: Case) -> None:
    step = next(each for each in path(PROCEDURES, case.facts, case.today) if each.slug == case.slug)
    shown = step_as_json(step, "en")

    expected = {key: value.isoformat() if isinstance(value, date) else value for key, value in case.expected.items()}
    # A day may carry more flags than the one that a case is about.
    shown["flags"] = [flag for flag in shown["flags"] if flag in expected.get("flags", [])]
    assert {key: shown[key] for key in expected} == expected


def test_every_step_has_cases_of_its_own() -> None:
    assert {file.stem for file in FILES} == set(STEP_SLUGS)
