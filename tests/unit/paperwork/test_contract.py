"""The schema that `accueil path --schema` prints agrees with what is read and what is printed."""

from datetime import date
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from bot.paperwork.contract import path_schema
from bot.paperwork.rules import path
from bot.paperwork.wording import step_as_json
from bot.students.facts import STEP_SLUGS, Facts, FactsError, facts_from
from tests.contract.test_procedures import PROCEDURES
from tests.unit.paperwork.test_path_properties import FACTS

SCHEMA = path_schema()
FACTS_FILE = jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True)
PRINTED = jsonschema_rs.Draft202012Validator(
    {**SCHEMA["$defs"]["Path"], "$defs": SCHEMA["$defs"]}, validate_formats=True
)
EXAMPLE = {
    "nationality": ["IN"],
    "programme_type": "exchange",
    "campus": "lille",
    "document_held": "vls_ts",
    "visa_start": "2026-08-20",
    "visa_expiry": "2027-02-19",
    "date_of_entry": "2026-09-01",
    "date_of_entry_kind": "real",
    "programme_start": "2026-09-07",
    "steps_done": {"admission_letter": "2026-05-05"},
}
TODAY = date(2026, 9, 15)


def printed(facts: Facts) -> dict[str, Any]:
    steps = [step_as_json(step, "en") for step in path(PROCEDURES, facts, TODAY)]
    return {"today": TODAY.isoformat(), "steps": steps}


def test_the_example_of_the_contract_comes_out_as_written() -> None:
    steps = {step["slug"]: step for step in printed(facts_from(EXAMPLE))["steps"]}

    visa = steps["validate_visa"]
    assert (visa["status"], visa["due"], visa["overdue"]) == ("open", "2026-12-01", False)
    assert steps.keys() == set(STEP_SLUGS)
    assert visa.keys() == {
        "slug", "title", "status", "due", "opens", "overdue", "provisional", "flags", "because", "missing_facts",
        "source",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "fits"),
    [
        (EXAMPLE, True),
        ({}, True),
        (dict.fromkeys(Facts.model_fields), True),
        ({"campus": "paris"}, False),
        ({"campuss": "lille"}, False),
        ({"visa_start": "1 September"}, False),
        ({"steps_done": {"fly": "2026-05-05"}}, False),
        ({"pays_tuition_to_junia": "yes"}, False),
    ],
)
def test_a_file_of_facts_is_refused_by_the_schema_where_the_command_refuses_it(
    facts: dict[str, Any], fits: bool
) -> None:
    assert FACTS_FILE.is_valid(facts) is fits
    if fits:
        facts_from(facts)
    else:
        with pytest.raises(FactsError):
            facts_from(facts)


@given(facts=FACTS)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_whatever_the_facts_are_what_is_printed_fits_the_schema(facts: Facts) -> None:
    assert [error.message for error in PRINTED.iter_errors(printed(facts))] == []


def test_something_else_does_not_fit_it() -> None:
    good = printed(facts_from({}))
    step = good["steps"][0]

    for change in ({"status": "late"}, {"due": "soon"}, {"flags": ["monday"]}, {"because": []}, {"extra": 1}):
        assert not PRINTED.is_valid({**good, "steps": [{**step, **change}]})
    assert not PRINTED.is_valid({"steps": []})
