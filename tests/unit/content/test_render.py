from datetime import date
from pathlib import Path

import pytest

from bot.content.loader import Knowledge, parse_page
from bot.content.render import render
from bot.content.schema import Figure, School
from bot.errors import ContentError

FIGURE = Figure.model_validate(
    {
        "value": 877.50,
        "unit": "EUR",
        "title": {"en": "Tax", "fr": "Taxe"},
        "valid_from": "2026-01-01",
        "review_by": "2027-01-01",
        "source": {"title": "A page", "url": "https://example.org/", "checked_on": "2026-11-23"},
    }
)
TITLE = {"en": "the deadlines", "fr": "les dates limites"}
SCHOOL = School.model_validate(
    {
        "name": "JUNIA",
        "mail_domains": ["student.junia.com"],
        "facts": {
            "deadlines": {"title": TITLE},
            "hours": {"title": TITLE, "value": {"en": "At 9.", "fr": "À 9 h."}, "checked_on": "2026-12-01"},
        },
    }
)
KNOWLEDGE = Knowledge(Path(), {}, {"tax": FIGURE}, SCHOOL, {})
TODAY = date(2026, 11, 25)


def test_a_figure_is_written_in_the_language_of_the_text():
    assert render("Pay {{ tax }}.", KNOWLEDGE, "en", TODAY) == "Pay €877.50."
    assert render("Payez {{tax}}.", KNOWLEDGE, "fr", TODAY) == "Payez 877,50\xa0€."


def test_a_figure_past_its_review_is_not_given_as_the_present_one():
    assert render("Pay {{ tax }}.", KNOWLEDGE, "en", date(2027, 1, 1)) == (
        "Pay €877.50 (on 23 November 2026; it may have changed, see the [official page](https://example.org/))."
    )


def test_what_the_office_has_not_told_is_said_to_be_unknown():
    assert render("{{ school.deadlines }}", KNOWLEDGE, "fr", TODAY) == (
        "Le bureau international ne m'a pas encore dit\N{NO-BREAK SPACE}: les dates limites."
    )


def test_what_the_office_has_told_is_shown_as_it_said_it():
    assert render("{{ school.hours }}", KNOWLEDGE, "fr", TODAY) == "À 9 h."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Pay {{ fee }}.", r"The figure fee is not in figures\.yml"),
        ("{{ school.fee }}", r"The fact fee is not in school\.yml"),
    ],
)
def test_an_unknown_name_is_an_error_that_says_it(text, message):
    with pytest.raises(ContentError, match=message):
        render(text, KNOWLEDGE, "en", TODAY)


def test_a_fact_of_the_school_needs_its_date():
    with pytest.raises(ValueError, match="give `value` and `checked_on` together"):
        School.model_validate(
            {"name": "J", "mail_domains": ["x"], "facts": {"a_fact": {"title": TITLE, "value": TITLE}}}
        )


PAGE = "For all.\n\n## eu\nNo visa.\n\nDetails.\n\n## non_eu\nA visa.\n\n<!-- more -->\nThe rest."


def test_a_page_has_a_common_part_its_variants_and_the_rest():
    page = parse_page(PAGE, ["eu", "non_eu"], "en.md")

    assert page.lead == "For all."
    assert page.variants == {"eu": "No visa.\n\nDetails.", "non_eu": "A visa."}
    assert page.more == "The rest."


@pytest.mark.parametrize("variants", [["eu"], ["non_eu", "eu"], [], ["eu", "non_eu", "uk"]])
def test_the_headings_of_a_page_are_its_variants_in_their_order(variants):
    with pytest.raises(ContentError, match=r"its ## headings must be the `variants` of topic\.yml"):
        parse_page(PAGE, variants, "en.md")


def test_a_page_begins_with_a_sentence_for_everybody():
    with pytest.raises(ContentError, match="begin with a sentence for everybody"):
        parse_page("## eu\nNo visa.", ["eu"], "en.md")
