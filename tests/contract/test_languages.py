"""Every language answers the same questions."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog

from bot.answers.urgent import build_door
from bot.channels.web.pages import widget_strings
from bot.content.loader import load_knowledge
from bot.conversations.words import greeting
from bot.i18n.catalogues import PLACEHOLDER, check_catalogues, check_spaces
from bot.i18n.formats import date_words, money, number, weekday_words
from bot.i18n.languages import BY_CODE, CODES, LANGUAGES, Language, language_name, negotiate
from bot.i18n.translate import say
from bot.identity.linking import CANCEL_WORDS
from bot.paperwork.wording import BY

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {
    "suicide": "3114",
    "danger": "112",
    "assault": "17",
    "fire": "18",
    "lost_passport": "ANEF",
    "border_refusal": "112",
    "housing_scam": "17",
    "homeless_tonight": "115",
}
"""What the text of each kind of danger must name (facts EMG-01, EMG-04, EMG-06)."""
DOOR = build_door(load_knowledge(ROOT / "knowledge").urgent)
DAY = date(2026, 12, 1)

MACHINE = {
    "en": "I am a machine",
    "fr": "Je suis une machine",
    "es": "Soy una máquina",
    "pt": "Sou uma máquina",
    "uk": "Я машина",
    "ar": "أنا برنامج آلي",
    "zh": "我是机器",
}
DATES = {
    "en": "1 December 2026",
    "fr": "1er décembre 2026",
    "es": "1 de diciembre de 2026",
    "pt": "1 de dezembro de 2026",
    "uk": "1 грудня 2026 р.",
    "ar": "1 ديسمبر 2026",
    "zh": "2026年12月1日",
}
AMOUNTS = {
    "en": ("€1,234.50", "€100"),
    "fr": ("1 234,50 €", "100 €"),
    "es": ("1.234,50 €", "100 €"),
    "pt": ("1 234,50 €", "100 €"),
    "uk": ("1 234,50 EUR", "100 EUR"),
    "ar": ("1,234.50 €", "100 €"),
    "zh": ("€1,234.50", "€100"),
}

every_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)


def plain(text: str) -> str:
    """Without the marks of direction and with plain spaces."""
    marks = dict.fromkeys(map(ord, "\u200e\u200f\u061c")) | dict.fromkeys(map(ord, "\u00a0\u202f"), " ")
    return text.translate(marks)


def test_the_catalogues_hold_every_sentence_in_every_language() -> None:
    assert list(check_catalogues(ROOT)) == []


def test_the_seven_languages_are_there() -> None:
    assert CODES == ("en", "fr", "es", "pt", "uk", "ar", "zh")


@every_language
def test_its_direction_is_that_of_its_script(language: Language) -> None:
    assert language.direction == Locale.parse(language.code).text_direction


@every_language
def test_it_names_itself_and_is_named_in_every_other(language: Language) -> None:
    assert language.name.casefold() == language_name(language.code, language.code).casefold()
    assert {code for code in CODES if language_name(language.code, code) in ("", language.code)} == set()


@every_language
def test_the_greeting_says_that_one_talks_to_a_machine(language: Language) -> None:
    assert MACHINE[language.code].casefold() in greeting(language.code).casefold()


@every_language
def test_dates_are_written_as_its_readers_write_them(language: Language) -> None:
    assert plain(date_words(DAY, language.code)) == DATES[language.code]
    assert "2026" in weekday_words(DAY, language.code)


@every_language
def test_amounts_are_written_as_its_readers_write_them(language: Language) -> None:
    written = tuple(plain(money(Decimal(value), language.code)) for value in ("1234.5", "100"))

    assert written == AMOUNTS[language.code]
    assert number(Decimal(964), language.code) == "964"


@every_language
def test_a_personal_date_is_one_sentence_with_both_days(language: Language) -> None:
    due, day = date_words(DAY, language.code), date_words(date(2026, 9, 1), language.code)
    sentence = say(language.code, BY["date_of_entry"], date=due, day=day)

    assert (sentence.count(due), sentence.count(day), "{" in sentence) == (1, 1, False)


@every_language
def test_every_string_of_the_widget_is_said_with_the_words_that_it_fills_in(language: Language) -> None:
    ours, english = widget_strings(language.code), widget_strings("en")

    assert ours.keys() == english.keys()
    assert {key for key, text in ours.items() if not text.strip()} == set()
    assert {key: sorted(PLACEHOLDER.findall(text)) for key, text in ours.items()} == {
        key: sorted(PLACEHOLDER.findall(text)) for key, text in english.items()
    }


@every_language
def test_danger_has_a_text_with_the_numbers(language: Language) -> None:
    for kind in DOOR.kinds:
        text = DOOR.text(kind, language.code)
        assert NUMBERS[kind] in text
        assert text == DOOR.kinds[kind].text[language.code]


@every_language
def test_browsers_that_ask_for_it_get_it(language: Language) -> None:
    assert negotiate(f"{language.code};q=0.9, tlh;q=1.0") == language.code
    assert BY_CODE[negotiate(language.code.upper())] == language


def test_a_question_of_ours_can_be_cancelled_in_every_language() -> None:
    cancels = {
        "en": "cancel",
        "fr": "annuler",
        "es": "cancelar",
        "pt": "cancelar",
        "uk": "скасувати",
        "ar": "إلغاء",
        "zh": "取消",
    }

    assert set(cancels) == set(CODES)
    assert set(cancels.values()) - CANCEL_WORDS == set()


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("Qui vient ?", True),
        ("Qui vient\N{NO-BREAK SPACE}?", False),
        ("Écrivez « oui\N{NO-BREAK SPACE}».", True),
        ("Écrivez «\N{NO-BREAK SPACE}oui »\N{NO-BREAK SPACE}: merci.", True),
        ("Écrivez «\N{NO-BREAK SPACE}oui\N{NO-BREAK SPACE}»\N{NO-BREAK SPACE}: merci.", False),
        ("{name} : {value}", True),
        ("Ouvert de 9:00 à 12:00, voir https://junia.com.", False),
        ("Des chiffres et - _ . : / + uniquement.", False),
    ],
)
def test_a_plain_space_at_a_french_mark_is_a_fault(text: str, is_plain: bool):
    catalogue = Catalog(locale="fr")
    catalogue.add("A text", text)

    assert [text in fault or repr(text) in fault for fault in check_spaces(catalogue)] == [True] * is_plain
