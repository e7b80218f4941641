"""The files of `accueil match-buddies`: rows into people, pairs into rows. docs/buddies.md has the columns."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cache
from io import StringIO
from typing import Any

from babel.core import Locale

from bot.buddies.matching.people import Buddy, Newcomer, Person, language_of
from bot.buddies.matching.reasons import Reason, left_words, reason_words
from bot.buddies.matching.solve import Matching
from bot.i18n.languages import DEFAULT
from bot.i18n.translate import mark
from bot.students.findings import Finding, Refused, shown
from bot.students.report import FORMULA_SIGNS, as_text
from bot.students.tables import Cell, Odd, Row, Table

PERSON_COLUMNS = ("id", "campus", "languages", "arrival", "departure", "interests", "field", "gender", "same_gender")
OPTIONAL = ("same_field", "excluded")
NEEDED = ("id", "campus", "languages")
PAIR_COLUMNS = ("newcomer_id", "buddy_id")
OUT_COLUMNS = ("newcomer_id", "buddy_id", "score", "reasons")
MOST_CAPACITY = 50
LONGEST = 200
YES, NO = ("yes", "oui", "true", "1"), ("no", "non", "false", "0", "")


def read_newcomers(table: Table) -> tuple[tuple[Newcomer, ...], tuple[Finding, ...]]:
    """(people, faults); with faults the people are not to be used."""
    return _read(table, Newcomer, PERSON_COLUMNS, OPTIONAL)


def read_buddies(table: Table) -> tuple[tuple[Buddy, ...], tuple[Finding, ...]]:
    """As `read_newcomers`, with `capacity`."""
    return _read(table, Buddy, (*PERSON_COLUMNS, "capacity"), OPTIONAL)


def read_pairs(table: Table) -> tuple[tuple[tuple[str, str], ...], tuple[Finding, ...]]:
    """(newcomer id, buddy id) of an earlier PAIRS.csv; rows without a buddy say nothing."""
    faults = _header_faults(table, PAIR_COLUMNS, PAIR_COLUMNS)
    if faults:
        return (), faults
    at = {name: table.headers.index(name) for name in PAIR_COLUMNS}
    pairs, found = [], []
    for row in table.rows:
        try:
            newcomer_id, buddy_id = (_unquoted(_text(row, at[name])) for name in PAIR_COLUMNS)
        except Refused as refused:
            found.append(refused.at(row.line, "newcomer_id"))
            continue
        if not newcomer_id:
            found.append(Finding(row.line, "newcomer_id", "", mark("This is empty."), mark("Fill it in.")))
        elif buddy_id:
            pairs.append((newcomer_id, buddy_id))
    return tuple(pairs), tuple(found)


def _read(
    table: Table, kind: type[Any], columns: tuple[str, ...], optional: tuple[str, ...]
) -> tuple[tuple[Any, ...], tuple[Finding, ...]]:
    faults = list(_header_faults(table, (*columns, *optional), columns))
    if faults:
        return (), tuple(faults)
    at = {name: place for place, name in enumerate(table.headers)}
    people: list[Any] = []
    seen: dict[str, int] = {}
    for row in table.rows:
        values: dict[str, Any] = {}
        for name in (*columns, *optional):
            cell = row.cells[at[name]] if name in at and at[name] < len(row.cells) else None
            try:
                values[name] = READERS[name](cell)
            except Refused as refused:
                faults.append(refused.at(row.line, name, "" if cell is None else cell))
            if name in NEEDED and values.get(name) in ("", ()) and name in values:
                faults.append(Finding(row.line, name, "", mark("This is empty."), mark("Fill it in.")))
        faults += _row_faults(row, values, seen)
        if not faults:
            people.append(kind(**values))
    return tuple(people), tuple(faults)


def _row_faults(row: Row, values: dict[str, Any], seen: dict[str, int]) -> Iterator[Finding]:
    arrival, departure = values.get("arrival"), values.get("departure")
    if arrival and departure and departure < arrival:
        problem, fix = mark("The departure comes before the arrival."), mark("Correct one of them.")
        yield Finding(row.line, "departure", departure.isoformat(), problem, fix)
    if identity := values.get("id"):
        if identity in seen:
            problem = mark("Line {line} has this id already.")
            yield Finding(
                row.line, "id", shown(identity), problem, mark("Give each person one row."), {"line": seen[identity]}
            )
        seen.setdefault(identity, row.line)


def _header_faults(table: Table, known: Sequence[str], needed: Sequence[str]) -> tuple[Finding, ...]:
    found = [
        Finding(None, name, "", mark("This column is missing."), mark("Add it; its cells may be empty."))
        for name in needed
        if name not in table.headers
    ]
    twice = sorted({name for name in table.headers if name and table.headers.count(name) > 1})
    found += [
        Finding(None, name, "", mark("This column is there twice."), mark("Take one of them out.")) for name in twice
    ]
    return tuple(found)


def _text(row: Row, place: int) -> str:
    return _as_text(row.cells[place]) if place < len(row.cells) else ""


def _as_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if cell is Odd.FORMULA:
        raise Refused(
            mark("The cell holds a formula."), mark("Copy the column and paste it as values, then save the file again.")
        )
    if cell is Odd.ERROR:
        raise Refused(mark("The cell holds an error of Excel."), mark("Type the value into the cell."))
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    if len(text) > LONGEST * 5:
        raise Refused(mark("This is longer than {most} characters."), mark("Shorten it."), most=LONGEST * 5)
    return text


def _words(cell: Cell) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in _as_text(cell).split("|") if part.strip()))


def _languages(cell: Cell) -> tuple[str, ...]:
    tags = _words(cell)
    for tag in tags:
        if language_of(tag) not in _known_languages():
            raise Refused(
                mark("{tag} is not a language tag."),
                mark("Write BCP 47 tags with | between them, such as fr|pt-BR|uk."),
                tag=shown(tag),
            )
    return tags


@cache
def _known_languages() -> frozenset[str]:
    """Those that the CLDR has a name for: more than it has formats for (`ary`, `ay`)."""
    return frozenset(Locale.parse(DEFAULT).languages)


def _day(cell: Cell) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = _as_text(cell)
    if not text:
        return None
    with suppress(ValueError):
        if len(text) == len("2026-09-01"):
            return date.fromisoformat(text)
    raise Refused(mark("This is not a date of the calendar."), mark("Write it as 2026-09-01, or leave it empty."))


def _yes(cell: Cell) -> bool:
    text = _as_text(cell).casefold()
    if text in YES:
        return True
    if text in NO:
        return False
    raise Refused(mark("This is neither yes nor no."), mark("Write yes or no."))


def _capacity(cell: Cell) -> int:
    text = _as_text(cell)
    if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= MOST_CAPACITY:
        return int(text)
    raise Refused(
        mark("This is not a number of newcomers."), mark("Write a whole number from 0 to {most}."), most=MOST_CAPACITY
    )


READERS: dict[str, Callable[[Cell], Any]] = {
    "id": _as_text,
    "campus": _as_text,
    "languages": _languages,
    "arrival": _day,
    "departure": _day,
    "interests": _words,
    "field": _as_text,
    "gender": _as_text,
    "same_gender": _yes,
    "same_field": _yes,
    "capacity": _capacity,
    "excluded": lambda cell: frozenset(_words(cell)),
}


def pairs_csv(matching: Matching, newcomers: Sequence[Person]) -> str:
    """One row for each newcomer, in the order of the input: the buddy with the reasons, or why there is none."""
    pairs = {each.newcomer_id: each for each in matching.pairs}
    left = {each.newcomer_id: each for each in matching.left}
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(OUT_COLUMNS)
    for newcomer in newcomers:
        if (pair := pairs.get(newcomer.id)) is not None:
            row = (pair.newcomer_id, pair.buddy_id, f"{pair.score:.4f}", _said(pair.reasons))
        else:
            row = (newcomer.id, "", "", left_words(left[newcomer.id].why, DEFAULT))
        writer.writerow([as_text(value) for value in row])
    return out.getvalue()


def _said(reasons: Sequence[Reason]) -> str:
    return "|".join(reason_words(each, DEFAULT).replace("|", "/") for each in reasons)


def _unquoted(value: str) -> str:
    """What `_safe` made of an id, taken back."""
    return value[1:] if value.startswith("'") and value[1:].startswith(FORMULA_SIGNS) else value
