from datetime import date
from decimal import Decimal

import pytest

from bot.i18n.detect import detect, switched_language
from bot.i18n.formats import date_words, money
from bot.i18n.languages import language_name, negotiate


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "en"),
        ("fr-FR,fr;q=0.9,en;q=0.5", "fr"),
        ("en;q=0.2, ar-EG;q=0.8", "ar"),
        ("zh-Hant-TW", "zh"),
        ("de-DE,de", "en"),
        ("*", "en"),
        (";;;q=x", "en"),
    ],
)
def test_the_best_of_our_languages_is_negotiated(header, expected):
    assert negotiate(header) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I find a room in Lille?", "en"),
        ("Bonjour je cherche un logement", "fr"),
        ("como faço para renovar o meu visto", "pt"),
        ("Коли мені потрібно підтвердити візу?", "uk"),
        ("متى يجب أن أصادق على تأشيرتي؟", "ar"),
        ("我什么时候需要验证签证？", "zh"),
        ("merci", None),
        ("ok", None),
        ("", None),
    ],
)
def test_a_language_is_detected_only_when_sure(text, expected):
    assert detect(text) == expected


@pytest.mark.parametrize(
    ("text", "current", "expected"),
    [
        ("Bonjour, je cherche un logement à Lille", "en", "fr"),
        ("titre de séjour renewal how long", "en", None),
        ("what is the titre de séjour", "en", None),
        ("merci", "en", None),
        ("Bonjour, je cherche un logement à Lille", "fr", None),
    ],
)
def test_french_terms_in_an_english_sentence_do_not_switch(text, current, expected):
    assert switched_language(text, current) == expected


def test_dates_and_amounts_are_written_as_the_reader_writes_them():
    day = date(2026, 12, 12)

    assert [date_words(day, code) for code in ("en", "fr", "es")] == [
        "12 December 2026",
        "12 décembre 2026",
        "12 de diciembre de 2026",
    ]
    assert [money(Decimal("877.50"), "fr"), money(Decimal(100), "en"), money(Decimal(100), "fr")] == [
        "877,50\xa0€",
        "€100",
        "100\xa0€",
    ]


def test_portuguese_is_that_of_portugal():
    assert [money(Decimal("877.50"), "pt"), language_name("pl", "pt"), language_name("cs", "pt")] == [
        "877,50\xa0€",
        "polaco",
        "checo",
    ]
