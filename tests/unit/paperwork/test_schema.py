"""What a procedure must say, and what is refused when it is read."""

from typing import Any

import pytest

from bot.content.loader import parse
from bot.errors import ContentError
from bot.paperwork.schema import Procedure, check_order

BOTH = {"en": "Words", "fr": "Mots"}


def a_procedure(**changes: Any) -> dict[str, Any]:
    return {
        "slug": "cvec",
        "title": BOTH,
        "who": [{"when": "always", "then": "applies", "because": BOTH}],
        "due": "enrolment_date - 1 day",
        "legal_duty": True,
        "do": BOTH,
        "late": BOTH,
        "sources": [{"title": "A source", "url": "https://example.org", "checked_on": "2026-11-23"}],
        "facts": ["CVE-01"],
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
        "owner": "international_office",
        **changes,
    }


def read(**changes: Any) -> Procedure:
    return parse(Procedure, a_procedure(**changes), "cvec.yml")


def test_a_complete_procedure_is_read() -> None:
    assert read().slug == "cvec"


NOT_NEEDED = {"when": {"fact": "grant", "in": ["none"]}, "then": "not_needed", "because": BOTH}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slug": "pay_cvec"}, "cvec.yml: slug: "),
        ({"title": {"en": "Words"}}, "cvec.yml: title.fr: Field required"),
        ({"who": []}, "cvec.yml: who: "),
        ({"who": [NOT_NEEDED]}, "the last case must say `when: always`"),
        (
            {"who": [{"when": "always", "then": "applies", "because": BOTH}] * 2},
            "only the last case may say `when: always`",
        ),
        (
            {"who": [{"when": "always", "then": "not_needed", "because": BOTH, "due": "today"}]},
            "only a case that applies has dates",
        ),
        ({"due": "enrolment - 1 day"}, "cvec.yml: due: Value error, 'enrolment - 1 day': 'enrolment' stands where"),
        ({"sources": []}, "cvec.yml: sources: "),
        ({"valid_until": "2025-01-01"}, "valid_until must lie after valid_from"),
        ({"depends_on": ["cvec"]}, "depends_on names the step itself"),
        ({"depends_on": ["enrolment"]}, "cvec.yml: depends_on.0: "),
        ({"deadline": "today"}, "cvec.yml: deadline: Extra inputs are not permitted"),
    ],
)
def test_a_procedure_that_is_wrong_names_file_field_and_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContentError) as refusal:
        read(**changes)

    assert words in str(refusal.value)


def test_steps_that_wait_for_each_other_are_refused() -> None:
    first, second = read(depends_on=["visale"]), read(slug="visale", depends_on=["cvec"])

    with pytest.raises(ContentError) as refusal:
        check_order([first, second])

    assert "depends_on goes in a circle" in str(refusal.value)


def test_steps_in_a_row_are_accepted() -> None:
    check_order([read(), read(slug="health_registration", depends_on=["cvec", "arrival_and_enrolment"])])
