"""What students write about their own facts, in each language, and what it changes: tests/data/readings/<code>.yml."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.i18n.languages import CODES
from bot.students.facts import DATE_FACTS, facts_from
from bot.students.labels import CHOICES
from bot.students.phrases import phrases
from bot.students.readings import Reply, agrees, asks_something, read_changes, read_value

FOLDER = Path(__file__).resolve().parents[2] / "data" / "readings"
TODAY = date(2026, 8, 24)
"""A Monday."""
RECORD = {
    "date_of_entry": "2026-09-12",
    "date_of_entry_kind": "planned",
    "leaving_date": "2027-06-30",
    "housing_status": "searching",
    "document_held": "vls_ts",
    "visa_start": "2026-09-01",
    "visa_expiry": "2027-08-31",
    "programme_start": "2026-09-07",
    "campus": "lille",
}
FACTS = facts_from(RECORD)


def _phrases() -> list[Any]:
    return [
        pytest.param(language, phrase, id=f"{language}: {phrase['text']}")
        for language in CODES
        for phrase in yaml.safe_load((FOLDER / f"{language}.yml").read_text(encoding="utf-8"))
    ]


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize(("language", "phrase"), _phrases())
def test_a_phrase_changes_what_it_says_and_nothing_else(language: str, phrase: dict[str, Any]) -> None:
    reading = read_changes(phrase["text"], language, FACTS, TODAY)

    assert dict(reading.changes) == {fact: _as_json(value) for fact, value in phrase.get("changes", {}).items()}
    assert dict(reading.open) == {
        fact: tuple(_as_json(value) for value in values) for fact, values in phrase.get("ask", {}).items()
    }


def test_each_language_has_its_share_of_phrases() -> None:
    counts = {code: sum(1 for each in _phrases() if each.values[0] == code) for code in CODES}

    assert {code for code, count in counts.items() if count < (40 if code in ("en", "fr") else 12)} == set()


def test_a_message_in_another_language_than_the_talk_is_read_too() -> None:
    reading = read_changes("J'arrive une semaine plus tard", "en", FACTS, TODAY)

    assert reading.changes["date_of_entry"] == "2026-09-19"


def test_a_shift_of_a_date_that_nobody_recorded_is_asked() -> None:
    reading = read_changes("I arrive a week later", "en", facts_from({}), TODAY)

    assert (dict(reading.changes), dict(reading.open)) == ({}, {"date_of_entry": ()})


def test_two_values_for_one_fact_are_asked() -> None:
    reading = read_changes("My visa is VLS-T and I received my residence card", "en", FACTS, TODAY)

    assert (dict(reading.changes), dict(reading.open)) == ({}, {"document_held": ("vls_t", "student_card")})


@pytest.mark.parametrize("text", ["", "?!", "\x00", "1" * 4000, "monday " * 500, "我" * 4000, "((((" * 900])
def test_text_that_says_nothing_changes_nothing(text: str) -> None:
    assert not read_changes(text, "en", FACTS, TODAY)


@pytest.mark.parametrize(
    ("fact", "text", "language", "values"),
    [
        ("date_of_entry", "the 18th", "en", ("2026-08-18", "2026-09-18")),
        ("date_of_entry", "I will arrive on the 18th", "en", ("2026-09-18",)),
        ("date_of_entry", "I arrived on Monday", "en", ("2026-08-17",)),
        ("date_of_entry", "vendredi prochain", "fr", ("2026-08-28", "2026-09-04")),
        ("date_of_entry", "9月18日", "zh", ("2026-09-18",)),
        ("date_of_entry", "в понеділок", "uk", ("2026-08-31",)),
        ("date_of_entry", "18/9/26", "es", ("2026-09-18",)),
        ("date_of_entry", "una semana más tarde", "es", ("2026-09-19",)),
        ("date_of_entry", "in October", "en", ()),
        ("date_of_entry", "from 1 September to 3 September", "en", ()),
        ("lease_start", "I leave on 20 January", "en", ()),
        ("birth_date", "3 May", "en", ()),
        ("birth_date", "3 May 2004", "en", ("2004-05-03",)),
        ("birth_date", "03/05/98", "en", ()),
        ("guarantor", "no", "en", ()),
        ("guarantor", "je n'ai pas de garant", "fr", ("none",)),
        ("guarantor", "my father or Visale", "en", ("person", "visale")),
        ("document_held", "VLS TS", "ar", ("vls_ts",)),
        ("housing_status", "合租", "zh", ("shared",)),
        ("wants_buddy", "так", "uk", (True,)),
        ("wants_buddy", "我不想要学伴", "zh", (False,)),
        ("date_of_entry_kind", "sim", "pt", ("real",)),
        ("date_of_entry_kind", "لا", "ar", ("planned",)),
        ("hours_this_permit_year", "about 120 hours", "en", (120,)),
        ("hours_this_permit_year", "between 100 and 120", "en", ()),
        ("nationality", "Maroc et France", "fr", (["MA", "FR"],)),
        ("nationality", "Vietname", "pt", (["VN"],)),
        ("nationality", "Vietnã", "pt", (["VN"],)),
        ("nationality", "Guinea-Bissau", "en", (["GW"],)),
        ("country_of_residence", "Перу", "uk", ("PE",)),
        ("nationality_group", "Turquía", "es", ("turkey",)),
        ("birth_certificate_language", "arabe", "fr", ("ar",)),
        ("earlier_stays", "não", "pt", ([],)),
        ("plan_after", "go home", "en", ("leave",)),
        ("programme_type", "a double degree", "en", ("double_degree",)),
        ("housing_status", "un studio non meublé", "fr", ("private_unfurnished",)),
        ("lease_start", "on the twenty first of September", "en", ("2026-09-21",)),
        ("lease_start", "le premier octobre", "fr", ("2026-10-01",)),
        ("lease_start", "10月1日", "zh", ("2026-10-01",)),
    ],
)
def test_an_answer_to_our_question_is_read(fact: str, text: str, language: str, values: tuple[Any, ...]) -> None:
    assert read_value(fact, text, language, FACTS, TODAY) == Reply(values)


@pytest.mark.parametrize(
    ("text", "language", "reply"),
    [
        ("I don't know yet", "en", Reply(is_unknown=True)),
        ("je ne sais pas encore", "fr", Reply(is_unknown=True)),
        ("不知道", "zh", Reply(is_unknown=True)),
        ("cancel", "en", Reply(is_cancelled=True)),
        ("скасувати", "uk", Reply(is_cancelled=True)),
    ],
)
def test_not_knowing_and_giving_up_are_read(text: str, language: str, reply: Reply) -> None:
    assert read_value("date_of_entry", text, language, FACTS, TODAY) == reply


@pytest.mark.parametrize(
    ("text", "language", "answer"),
    [
        ("Yes, please!", "en", True),
        ("ok", "fr", True),
        ("没错", "zh", True),
        ("نعم", "ar", True),
        ("ні", "uk", False),
        ("não, obrigada", "pt", False),
        ("不对", "zh", False),
        ("yes?", "en", None),
        ("yes and I also found a flat", "en", None),
        ("maybe", "en", None),
        ("", "en", None),
    ],
)
def test_a_short_yes_or_no_is_read(text: str, language: str, answer: bool | None) -> None:
    assert agrees(text, language) is answer


@pytest.mark.parametrize(
    ("text", "language", "asks"),
    [
        ("What is the CVEC", "en", True),
        ("12 September?", "en", True),
        ("comment faire", "fr", True),
        ("如果我晚到", "zh", True),
        ("12 September", "en", False),
        ("my mother", "en", False),
    ],
)
def test_a_question_of_its_own_is_seen(text: str, language: str, asks: bool) -> None:
    assert asks_something(text, language) is asks


def test_every_date_fact_is_said_in_english_and_french() -> None:
    said = {code: {fact for fact, _tense, _pattern in phrases(code).facts} for code in ("en", "fr")}

    assert {code: set(DATE_FACTS) - facts for code, facts in said.items()} == {"en": set(), "fr": set()}


def test_every_language_names_every_choice() -> None:
    """The values of a fact with its own buttons can be typed as well."""
    others = ("date_of_entry_kind", "nationality_group")
    typed = {fact: set(values) for fact, values in CHOICES.items() if fact not in others}

    for code in CODES:
        named = {
            fact: set(choice.names) | {value for values, _ in choice.whole for value in values}
            for fact, choice in phrases(code).choices.items()
        }
        assert {fact: values - named[fact] for fact, values in typed.items() if values - named[fact]} == {}, code
