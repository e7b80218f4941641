"""What a change of facts does to the path, in at most five lines."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from bot.paperwork.consequences import MOST_LINES, consequences
from bot.paperwork.rules import path
from bot.paperwork.schema import Procedure
from bot.students.facts import facts_from

Make = Callable[..., Procedure]
TODAY = date(2026, 11, 24)
RULE = {"en": "The rule.", "fr": "La règle."}
PLANNED = {"date_of_entry": "2026-12-12", "date_of_entry_kind": "planned"}


def told(procedures: list[Procedure], before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return consequences(
        path(procedures, facts_from(before), TODAY), path(procedures, facts_from(after), TODAY), "en", TODAY
    )


@pytest.fixture
def for_visas(a_procedure: Make) -> Procedure:
    return a_procedure(
        due="date_of_entry + 3 months",
        title={"en": "Validate", "fr": "Valider"},
        who=[
            {"when": {"fact": "document_held", "in": ["vls_ts"]}, "then": "applies", "because": RULE},
            {"when": {"fact": "document_held", "in": ["student_card"]}, "then": "done", "because": RULE},
            {"when": "always", "then": "not_needed", "because": RULE},
        ],
    )


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({"document_held": "vls_ts"}, {"document_held": "vls_t"}, ["No longer needed: **Validate**."]),
        (
            {"document_held": "vls_t"},
            {"document_held": "vls_ts"},
            ["New: **Validate**: by 12 March 2027, if you arrive as planned."],
        ),
        ({"document_held": "vls_ts"}, {"document_held": "student_card"}, ["Done by this: **Validate**."]),
        (
            {"document_held": "vls_ts"},
            {"document_held": "vls_ts", "date_of_entry": "2026-12-19"},
            ["**Validate**: now by 19 March 2027, no longer by 12 March 2027."],
        ),
        ({}, {"document_held": "vls_ts"}, ["**Validate**: by 12 March 2027, if you arrive as planned."]),
        ({"document_held": "vls_ts"}, {"document_held": "vls_ts", "campus": "lille"}, []),
        ({"document_held": "vls_t"}, {"document_held": "exemption"}, []),
    ],
)
def test_each_kind_of_change_has_its_line(
    for_visas: Procedure, before: dict[str, Any], after: dict[str, Any], lines: list[str]
) -> None:
    assert told([for_visas], PLANNED | before, PLANNED | after) == lines


def test_more_than_five_lines_are_counted(a_procedure: Make) -> None:
    slugs = ("cvec", "lease", "visale", "home_insurance", "bank_account", "transport_pass", "housing_aid")
    many = [a_procedure(slug=slug, title={"en": slug, "fr": slug}, due="date_of_entry + 1 month") for slug in slugs]

    lines = told(many, PLANNED, {**PLANNED, "date_of_entry": "2026-12-19"})

    assert len(lines) == MOST_LINES
    assert lines[-1] == "And 3 more steps change."
