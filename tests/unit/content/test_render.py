import pytest

from bot.content.render import render
from bot.content.schema import Figure
from bot.errors import ContentError

FIGURES = {
    "tax": Figure.model_validate(
        {
            "value": 877.50,
            "unit": "EUR",
            "title": {"en": "Tax", "fr": "Taxe"},
            "valid_from": "2026-01-01",
            "review_by": "2027-01-01",
            "source": {"title": "A page", "url": "https://example.org/", "checked_on": "2026-11-23"},
        }
    )
}


def test_a_figure_is_written_in_the_language_of_the_text():
    assert render("Pay {{ tax }}.", FIGURES, "en") == "Pay €877.50."
    assert render("Payez {{tax}}.", FIGURES, "fr") == "Payez 877,50\xa0€."


def test_an_unknown_figure_is_an_error_with_its_name():
    with pytest.raises(ContentError, match=r"The figure fee is not in figures\.yml"):
        render("Pay {{ fee }}.", FIGURES, "en")
