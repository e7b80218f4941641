"""What may stand in a canned reply, and how it is filled."""

import pytest

from bot.i18n.languages import CODES
from bot.replies.rules import VARIABLES, Draft, Part, chosen_language, fallback_note, faults_of, fill

RIGHT = Draft("Welcome", "welcome-day", True, {"en": "Hello {first_name}!"})


def faults(**changes: object) -> dict[str, str]:
    return faults_of(Draft(**{**vars(RIGHT), **changes}).tidy(), "en")


def test_a_right_draft_has_no_fault():
    assert faults() == {}


@pytest.mark.parametrize("code", CODES)
def test_every_language_may_have_a_text(code):
    assert faults(texts={code: "Hello {first_name}"}) == {}


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_may_be_used(name):
    assert faults(texts={"en": f"({{{name}}})"}) == {}


def test_a_draft_is_tidied_before_it_is_looked_at():
    typed = Draft(" Welcome ", " /Welcome ", False, {"en": " Hello\r\nyou \n", "fr": "  "})

    assert typed.tidy() == Draft("Welcome", "welcome", False, {"en": "Hello\nyou"})


@pytest.mark.parametrize("shortcut", ["", "à-la", "two words", "a--b", "-a", "x" * 31, "a/b", "a\x00"])
def test_a_wrong_shortcut_is_refused_with_the_fix(shortcut):
    assert faults(shortcut=shortcut) == {
        "shortcut": "Write at most 30 small letters without accents, digits and hyphens: welcome-day."
    }


@pytest.mark.parametrize("name", ["", " ", "x" * 121, "a\x00b"])
def test_a_name_that_is_missing_or_too_long_is_refused(name):
    assert faults(name=name) == {"name": "Give it a name of at most 120 characters."}


def test_a_reply_needs_a_text_in_one_language():
    assert faults(texts={"en": " ", "fr": ""}) == {"text_en": "Write the text in at least one language."}


@pytest.mark.parametrize("wrong", ["{firstname}", "{}", "{first_name", "}", "{FIRST_NAME}", "{first_name.x}", "{0}"])
def test_what_is_no_variable_is_named_in_the_language_it_stands_in(wrong):
    found = faults(texts={"en": "Hello", "fr": f"Bonjour {wrong}"})

    assert list(found) == ["text_fr"]
    assert found["text_fr"].startswith(f"{wrong} is not a variable. Known are: {{first_name}}, ")


def test_a_text_that_is_too_long_says_by_how_much():
    assert faults(texts={"es": "x" * 3001}) == {"text_es": "The text has 3001 characters; at most 3000 fit."}


def test_known_values_are_put_in_and_unknown_ones_stay_gaps():
    filled = fill("Hi {first_name}, {campus} waits on {arrival}.", "en", {"first_name": "Amina", "campus": "Lille"})

    assert filled.gaps == ("arrival",)
    assert filled.parts == (
        Part("Hi "),
        Part("Amina"),
        Part(", "),
        Part("Lille"),
        Part(" waits on "),
        Part("", "arrival"),
        Part("."),
    )


def test_a_value_is_never_read_as_a_variable_itself():
    assert fill("{first_name}", "en", {"first_name": "{campus}", "campus": "Lille"}).parts == (Part("{campus}"),)


@pytest.mark.parametrize(
    ("written", "wanted", "taken"),
    [
        (("en", "fr", "es"), "es", "es"),
        (("en", "fr"), "es", "en"),
        (("fr", "pt"), "es", "fr"),
        (("pt",), "es", "pt"),
    ],
)
def test_the_students_language_is_taken_else_english_else_french_else_any(written, wanted, taken):
    assert chosen_language(dict.fromkeys(written, "x"), wanted) == taken


def test_another_language_than_the_students_is_said():
    assert fallback_note("en", "es", "en") == "There is no text in Spanish: this is the one in English."
    assert fallback_note("es", "es", "en") == ""
