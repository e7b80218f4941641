import pytest

from bot.students.facts import COUNTRIES, facts_from
from bot.students.vocabulary import (
    CHOICE_WORDS,
    COLUMNS,
    COUNTRY_WORDS,
    HEADERS,
    IDENTITY,
    choices_of,
    kind_of,
    plain,
    words_of,
)


def test_every_column_has_headers_and_every_choice_its_words():
    assert set(HEADERS) == set(COLUMNS)
    assert set(CHOICE_WORDS) == {column for column in COLUMNS if kind_of(column) == "choice"}
    assert {fact: set(words) for fact, words in CHOICE_WORDS.items()} == {
        fact: set(choices_of(fact)) for fact in CHOICE_WORDS
    }
    assert set(COUNTRY_WORDS) <= COUNTRIES


def test_no_header_stands_for_two_columns():
    meant: dict[str, set[str]] = {}
    for column in COLUMNS:
        for header in (column, *HEADERS[column]):
            meant.setdefault(plain(header), set()).add(column)

    assert {header: columns for header, columns in meant.items() if len(columns) > 1} == {}


@pytest.mark.parametrize("fact", sorted(CHOICE_WORDS))
def test_no_word_stands_for_two_values(fact: str):
    meant: dict[str, set[str]] = {}
    for code, words in CHOICE_WORDS[fact].items():
        for word in (code, *words):
            meant.setdefault(plain(word), set()).add(code)

    assert {word: codes for word, codes in meant.items() if len(codes) > 1} == {}


@pytest.mark.parametrize("column", [column for column in COLUMNS if column not in IDENTITY and words_of(column)])
def test_every_word_is_a_value_that_a_record_may_hold(column: str):
    for code in set(words_of(column).values()):
        facts_from({column: [code] if column == "nationality" else code})


@pytest.mark.parametrize("code", sorted(COUNTRIES))
def test_a_country_is_known_by_its_code_and_its_names(code: str):
    assert words_of("nationality")[plain(code)] == code
