"""Small procedures made for these tests, so that they do not change with the content."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.paperwork.schema import Procedure

ProcedureMaker = Callable[..., Procedure]


@pytest.fixture
def a_procedure() -> ProcedureMaker:
    def make(slug: str = "validate_visa", **changes: Any) -> Procedure:
        both = {"en": "Words", "fr": "Mots"}
        return Procedure.model_validate(
            {
                "slug": slug,
                "title": {"en": f"Do {slug}", "fr": f"Faire {slug}"},
                "who": [{"when": "always", "then": "applies", "because": {"en": "The rule.", "fr": "La règle."}}],
                "legal_duty": False,
                "do": both,
                "late": {"en": "Do it today for {{ cvec_fee }}.", "fr": "Faites-le aujourd'hui pour {{ cvec_fee }}."},
                "sources": [{"title": "A source", "url": "https://example.org/", "checked_on": "2026-11-23"}],
                "facts": ["VAL-01"],
                "valid_from": "2026-01-01",
                "valid_until": "2027-01-01",
                "owner": "international_office",
                **changes,
            }
        )

    return make
