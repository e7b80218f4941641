"""Dates, times and amounts in the reader's language; never by hand."""

from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from bot.i18n.languages import locale_of


def date_words(day: date, language: str) -> str:
    """12 December 2026, 12 décembre 2026, …"""
    return _first_of_month(day, language, str(format_date(day, "long", locale=locale_of(language))))


def weekday_words(day: date, language: str) -> str:
    """Saturday 12 December 2026."""
    return _first_of_month(day, language, str(format_date(day, "full", locale=locale_of(language))))


def _first_of_month(day: date, language: str, words: str) -> str:
    """French says 1er janvier, which the CLDR patterns do not know."""
    return words.replace("1 ", "1er ", 1) if language == "fr" and day.day == 1 else words


def money(value: Decimal, language: str, currency: str = "EUR") -> str:
    """€100, 877,50 €: cents only where there are any."""
    if value != value.to_integral_value():
        return str(format_currency(value, currency, locale=locale_of(language)))
    pattern = Locale.parse(locale_of(language)).currency_formats["standard"].pattern.replace(".00", "")
    return str(format_currency(value, currency, format=pattern, locale=locale_of(language), currency_digits=False))


def number(value: Decimal, language: str) -> str:
    return str(format_decimal(value, locale=locale_of(language)))
