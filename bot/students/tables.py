"""What a file of rows is made of, and how large it may be."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.i18n.translate import mark
from bot.students.findings import Refused, shown

MOST_ROWS = 50_000
MOST_COLUMNS = 150
MOST_CHARACTERS = 10_000
"""In one cell."""


class Odd(StrEnum):
    """A cell whose value nobody typed."""

    FORMULA = "formula"
    ERROR = "error"


Cell = str | int | float | bool | date | datetime | Odd | None


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`kind` tells how the file was read: "xlsx", or the encoding of a CSV. `other_sheets` were not read."""

    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    kind: str
    other_sheets: tuple[str, ...] = ()


def table_of(rows: Iterator[tuple[int, list[Cell]]], kind: str, other_sheets: tuple[str, ...] = ()) -> Table:
    """The table of numbered rows: the first that is not empty holds the headers, empty ones are left out.

    Raises:
        Refused: there is nothing, or too much.
    """
    headers: tuple[str, ...] | None = None
    found: list[Row] = []
    for line, raw in rows:
        cells = _without_blank_end(raw)
        if not cells:
            continue
        if len(cells) > MOST_COLUMNS:
            raise Refused(
                mark("Line {number} has more than {most} columns."),
                mark("Keep the columns of the template; the data dictionary lists them."),
                number=line,
                most=MOST_COLUMNS,
            )
        if any(isinstance(cell, str) and len(cell) > MOST_CHARACTERS for cell in cells):
            raise Refused(
                mark("Line {number} has a cell of more than {most} characters."),
                mark("Look for a quotation mark that is not closed, and correct it."),
                number=line,
                most=MOST_CHARACTERS,
            )
        if headers is None:
            headers = tuple("" if cell is None else shown(str(cell).strip()) for cell in cells)
            continue
        if len(found) == MOST_ROWS:
            raise Refused(
                mark("The file has more than {most} rows."),
                mark("Split it into files of at most {most} rows."),
                most=MOST_ROWS,
            )
        found.append(Row(line, cells))
    if headers is None:
        raise Refused(mark("The file is empty."), mark("Export it again with one row for each student."))
    return Table(headers, tuple(found), kind, other_sheets)


def _without_blank_end(cells: list[Cell]) -> tuple[Cell, ...]:
    last = len(cells)
    while last and (cells[last - 1] is None or (isinstance(value := cells[last - 1], str) and not value.strip())):
        last -= 1
    return tuple(cells[:last])
