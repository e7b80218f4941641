"""Typed answers of the sign-up."""

from datetime import date

import pytest

from bot.buddies.typed import campus_in, capacity_in, days_of, is_answer, languages_in, own_words_of

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "language", "tags"),
    [
        ("Spanish and English", "en", ("es", "en")),
        ("english, some French", "en", ("en", "fr")),
        ("espagnol et anglais", "fr", ("es", "en")),
        ("Español, inglés", "es", ("es", "en")),
        ("中文和英语", "zh", ("zh", "en")),
        ("العربية والفرنسية", "ar", ("ar",)),
        ("Deutsch", "en", ("de",)),
        ("fr, en", "en", ("fr", "en")),
        ("english english", "en", ("en",)),
        ("Klingonish", "en", ()),
        ("", "en", ()),
        ("xx yy", "en", ()),
    ],
)
def test_languages_are_read_by_their_names(text, language, tags):
    assert languages_in(text, language) == tags


@pytest.mark.parametrize(
    ("text", "campus"),
    [("Lille", "lille"), ("at chateauroux", "chateauroux"), ("Châteauroux", "chateauroux"), ("Paris", None)],
)
def test_a_campus_is_read_by_its_city(text, campus):
    assert campus_in(text) == campus


def test_two_cities_are_no_answer():
    assert campus_in("Lille or Bordeaux") is None


@pytest.mark.parametrize(
    ("text", "language", "days"),
    [
        ("12 January 2027 to 30 June 2027", "en", (date(2027, 1, 12), date(2027, 6, 30))),
        ("du 12/01/2027 au 30/06/2027", "fr", (date(2027, 1, 12), date(2027, 6, 30))),
        ("30 June", "en", (date(2027, 6, 30),)),
        ("31/02/2027", "en", ()),
        ("soon", "en", ()),
    ],
)
def test_days_are_read_in_order(text, language, days):
    assert days_of(text, language, TODAY, (None, None)) == days


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("two of them: 2", 2), ("99", 6), ("0", 0), ("1 or 2", None)])
def test_a_number_is_read(text, number):
    assert capacity_in(text) == number


def test_interests_of_the_list_are_told_from_own_words():
    labels = {"cooking": "la cuisine", "sport": "le sport"}

    assert own_words_of("cuisine, échecs et le sport", labels, 200) == (("cooking", "sport"), "échecs")
    assert own_words_of("a" * 150 + ", " + "b" * 60, labels, 200) == ((), "a" * 150)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("Spanish", True), ("Is there a French class?", False), ("word " * 15, False), ("   ", False)],
)
def test_only_a_short_text_that_asks_nothing_is_an_answer(text, is_one):
    assert is_answer(text, "en") is is_one
