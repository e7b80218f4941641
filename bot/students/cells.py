"""One cell of an import → the value that the record keeps."""

import re
import unicodedata
from contextlib import suppress
from datetime import date, datetime
from difflib import get_close_matches
from functools import cache
from typing import Any

from babel import Locale

from bot.i18n.translate import mark
from bot.students.facts import EARLIEST, LATEST
from bot.students.findings import Refused
from bot.students.people import LONGEST_NAME
from bot.students.tables import Cell, Odd
from bot.students.vocabulary import FALSE_WORDS, IDENTITY, TRUE_WORDS, kind_of, plain, words_of

CLEARS = "-"
"""In a cell of a fact: forget what is recorded."""
SEVERAL = "|"
"""Between the nationalities of one person."""
MOST_HOURS = 8784
"""Of a leap year; the bound of `hours_this_permit_year`."""

_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})[-/](\d{{1,2}})[-/](\d{{1,2}}){_TIME}", re.ASCII)
_DAY_FIRST = re.compile(rf"(\d{{1,2}})\s?[/.\- ]\s?(\d{{1,2}})\s?[/.\- ]\s?(\d{{4}}|\d{{2}}){_TIME}", re.ASCII)
_DAY_AND_WORD = re.compile(r"(?:([^\W\d]+)\.?,? )?(\d{1,2})(?:er|st|nd|rd|th)?[ -]([^\W\d]+)\.?,?[ -](\d{4}|\d{2})")
_WORD_FIRST = re.compile(r"[^\W\d]+\.? \d{1,2}(?:st|nd|rd|th)?,? (?:\d{4}|\d{2})")
_SHORTENED = re.compile(r"\d+(?:[.,]\d+)?E\+\d+", re.IGNORECASE | re.ASCII)
_SAMPLE = "01/09/2026"


def read_cell(column: str, cell: Cell) -> Any:
    """The value as JSON; None where the cell clears the fact. The cell is not empty.

    Raises:
        Refused: not a value of this column; says what is wrong and how to mend it.
    """
    if cell is Odd.FORMULA:
        raise Refused(
            mark("The cell holds a formula."), mark("Copy the column and paste it as values, then save the file again.")
        )
    if cell is Odd.ERROR:
        raise Refused(mark("The cell holds an error of Excel."), mark("Type the value into the cell."))
    text = as_text(cell)
    if text == CLEARS:
        if column in IDENTITY:
            raise Refused(
                mark("This column cannot be cleared: every record needs it."),
                mark("Write the value, or leave it empty."),
            )
        return None
    match kind_of(column):
        case "date":
            return _date(cell, text)
        case "yes_no":
            return _yes_no(cell, text)
        case "number":
            return _number(text)
        case "countries":
            return list(dict.fromkeys(_listed(column, part.strip()) for part in text.split(SEVERAL) if part.strip()))
        case "text":
            return _identity(column, text)
        case _:
            return _listed(column, text)


def as_text(cell: Cell) -> str:
    """As a person reads the cell: 12.0 is 12, and signs that look alike are one sign."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, datetime):
        cell = cell.date()
    return " ".join(unicodedata.normalize("NFC", str(cell)).split())


def _date(cell: Cell, text: str) -> str:
    if isinstance(cell, date):
        return _plausible(cell.date() if isinstance(cell, datetime) else cell)
    if isinstance(cell, int | float):
        raise Refused(
            mark("This is a number, not a date."),
            mark("Format the column as a date in Excel, or write {sample}."),
            sample=_SAMPLE,
        )
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(int(found[3]), int(found[2]), found[1])
    if found := _DAY_FIRST.fullmatch(text):
        return _day(int(found[1]), int(found[2]), found[3])
    if found := _DAY_AND_WORD.fullmatch(text):
        month = _months().get(plain(found[3]))
        if month is not None and (found[1] is None or plain(found[1]) in _weekdays()):
            return _day(int(found[2]), month, found[4])
    if _WORD_FIRST.fullmatch(text):
        raise Refused(mark("The day comes first."), mark("Write it as {sample} or 1 sept. 2026."), sample=_SAMPLE)
    raise Refused(mark("This is not a date."), mark("Write it as {sample} or 2026-09-01."), sample=_SAMPLE)


def _day(day: int, month: int, year: str) -> str:
    if len(year) == 2:
        raise Refused(
            mark("The year has two digits only."),
            mark("Write the year with four digits, as in {sample}."),
            sample=_SAMPLE,
        )
    if month > 12 >= day > 0:
        raise Refused(
            mark("There is no month {month}: the day comes first."),
            mark("Write it as {sample}, if that is the day that is meant."),
            month=month,
            sample=f"{month:02}/{day:02}/{year}",
        )
    with suppress(ValueError):
        return _plausible(date(int(year), month, day))
    raise Refused(mark("There is no such day in the calendar."), mark("Write it as {sample}."), sample=_SAMPLE)


def _plausible(day: date) -> str:
    if not EARLIEST <= day <= LATEST:
        raise Refused(
            mark("The date is not between {first} and {last}."),
            mark("Check the year."),
            first=EARLIEST.isoformat(),
            last=LATEST.isoformat(),
        )
    return day.isoformat()


def _yes_no(cell: Cell, text: str) -> bool:
    word = plain(text)
    if isinstance(cell, bool):
        return cell
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise Refused(mark("This is neither yes nor no."), mark("Write oui or non, yes or no, vrai or faux, 1 or 0."))


def _number(text: str) -> int:
    if re.fullmatch(r"\d{1,5}", text, re.ASCII) and int(text) <= MOST_HOURS:
        return int(text)
    raise Refused(
        mark("This is not a whole number up to {most}."), mark("Write digits only, 120 say."), most=MOST_HOURS
    )


def _listed(column: str, text: str) -> str:
    words = words_of(column)
    word = plain(text)
    if word in words:
        return words[word]
    if kind_of(column) in ("country", "countries"):
        near = get_close_matches(word, words, n=1)
        if near:
            raise Refused(
                mark("There is no country of this name."),
                mark("Write {code}, if {name} is meant; several are separated by |."),
                code=words[near[0]],
                name=near[0].title(),
            )
        raise Refused(
            mark("There is no country of this name."),
            mark("Write its two-letter code (FR) or its name in French or English; several are separated by |."),
        )
    if kind_of(column) == "language_tag":
        raise Refused(
            mark("There is no language of this name."),
            mark("Write its code (fr for French) or its name in French or English."),
        )
    raise Refused(
        mark("This is none of the values of this column."),
        mark("Write one of {values}; the data dictionary has the words for them."),
        values=", ".join(dict.fromkeys(words.values())),
    )


def _identity(column: str, text: str) -> str:
    if _SHORTENED.fullmatch(text):
        raise Refused(
            mark("Excel has shortened this number."),
            mark("Format the column as text in Excel and type the number again."),
        )
    if len(text) > LONGEST_NAME and column != "email":
        raise Refused(
            mark("The text has {count} characters."),
            mark("Shorten it to {most}."),
            count=len(text),
            most=LONGEST_NAME,
        )
    if not text.isprintable():
        raise Refused(mark("The text holds signs that cannot be printed."), mark("Type it again."))
    return text.lower() if column == "email" else text


@cache
def _months() -> dict[str, int]:
    """Plain names of months in French and English, long and short."""
    found = {"fev": 2, "juill": 7, "sep": 9, "sept": 9, "aou": 8}
    for language in ("fr", "en"):
        months = Locale(language).months["format"]
        for width in ("wide", "abbreviated"):
            found |= {plain(str(name)): number for number, name in months[width].items()}
    return found


@cache
def _weekdays() -> frozenset[str]:
    days = (Locale(language).days["format"][width] for language in ("fr", "en") for width in ("wide", "abbreviated"))
    return frozenset(plain(str(name)) for names in days for name in names.values())
