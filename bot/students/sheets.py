"""The first sheet of an XLSX workbook, row by row.

openpyxl reads what belongs to the workbook: its parts, styles and shared strings. Its reader of cells builds an object
for each and takes longer than an import may, so the cells are read here, straight from the parser of XML.
"""

import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any
from xml.parsers import expat

from bot.i18n.translate import mark
from bot.students.findings import Refused, shown
from bot.students.tables import MOST_COLUMNS, Cell, Odd, Table, table_of

MOST_UNPACKED = 150 * 1024 * 1024
"""Of the parts of a workbook together: 50,000 rows of every column stay well below."""
PIECE = 1 << 20
"""Bytes of XML between two looks for whole rows."""
MOST_RANGES = 10
"""Merged ranges that are named."""

_LETTERS = re.compile(r"[A-Z]{1,3}")


@dataclass
class Sheet:
    """Where the cells of the first visible sheet are, and what their numbers mean."""

    archive: zipfile.ZipFile
    path: str
    others: tuple[str, ...]
    strings: list[str]
    date_styles: frozenset[int]
    epoch: datetime


def read_xlsx(content: bytes) -> Table:
    """Raises Refused: no workbook, or one that is too large or has merged cells."""
    try:
        check_size(content)
        # The reader warns of styles and extensions that are of no interest here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sheet = open_sheet(content)
        return table_of(rows_of(sheet), "xlsx", sheet.others)
    except Refused:
        raise
    except Exception as error:
        # A damaged or forged workbook makes the readers fail in any way.
        raise Refused(
            mark("This is no Excel workbook that can be read."),
            mark("Open it in Excel and save it again as .xlsx, or as CSV UTF-8."),
        ) from error


def open_sheet(content: bytes) -> Sheet:
    """Raises anything at all when the archive is no workbook."""
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet

    reader: Any = ExcelReader(BytesIO(content), read_only=True, keep_links=False)
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    sheets = [(sheet, rel) for sheet, rel in reader.parser.find_sheets() if "chartsheet" not in rel.Type]
    chosen, rel = next((pair for pair in sheets if pair[0].state == "visible"), sheets[0])
    return Sheet(
        archive=reader.archive,
        path=rel.target,
        others=tuple(shown(sheet.name) for sheet, _ in sheets if sheet is not chosen),
        strings=reader.shared_strings,
        date_styles=frozenset(reader.wb._date_formats),
        epoch=reader.wb.epoch,
    )


def check_size(content: bytes) -> None:
    """Raises Refused for an archive that would fill the memory: unpacking stops at the sizes that it states."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED:
            raise Refused(
                mark("The workbook unpacks to more than {most} MB."),
                mark("Copy the rows with values into a new workbook, or save them as CSV UTF-8."),
                most=MOST_UNPACKED // 1024 // 1024,
            )


def rows_of(sheet: Sheet) -> Iterator[tuple[int, list[Cell]]]:
    """The number of each row as Excel shows it, and its cells.

    Raises:
        Refused: cells are merged, found at the end of the sheet.
    """
    reading = _Reading(sheet)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    parser.EntityDeclHandler = _no_entities
    with sheet.archive.open(sheet.path) as part:
        while piece := part.read(PIECE):
            parser.Parse(piece, False)
            yield from reading.taken()
    parser.Parse(b"", True)
    yield from reading.taken()
    if reading.merged:
        raise Refused(
            mark("Cells are merged: {ranges}."),
            mark("Undo the merging in Excel, so that each row has its own values."),
            ranges=", ".join(reading.merged[:MOST_RANGES]) + (" …" if len(reading.merged) > MOST_RANGES else ""),
        )


def _no_entities(*_: object) -> None:
    raise ValueError("a sheet declares no entities")


@dataclass
class _Reading:
    """What the parser has seen so far of one sheet."""

    sheet: Sheet
    merged: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[Cell]]] = field(default_factory=list)
    line: int = 0
    cells: list[Cell] = field(default_factory=list)
    column: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)
    is_text: bool = False
    is_formula: bool = False
    in_phonetics: bool = False
    dates: dict[str, Cell] = field(default_factory=dict)

    def taken(self) -> list[tuple[int, list[Cell]]]:
        rows, self.rows = self.rows, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(" ")[2]:
            case "c":
                self.attributes, self.pieces, self.is_formula = attributes, [], False
                self.column = _column(attributes["r"]) if "r" in attributes else self.column + 1
            case "v":
                self.is_text = True
            case "t":
                self.is_text = not self.in_phonetics
            case "f":
                self.is_formula = True
            case "row":
                self.line = int(attributes.get("r", self.line + 1))
                self.cells, self.column = [], 0
            case "rPh":
                self.in_phonetics = True
            case "mergeCell":
                self.merged.append(shown(attributes.get("ref", "?")))

    def end(self, name: str) -> None:
        match name.rpartition(" ")[2]:
            case "c":
                value = self._value()
                if value is not None:
                    # One cell too far to the right is enough to refuse the row.
                    place = min(self.column, MOST_COLUMNS + 1)
                    self.cells += [None] * (place - len(self.cells))
                    self.cells[place - 1] = value
            case "v" | "t":
                self.is_text = False
            case "row":
                self.rows.append((self.line, self.cells))
            case "rPh":
                self.in_phonetics = False

    def text(self, data: str) -> None:
        if self.is_text:
            self.pieces.append(data)

    def _value(self) -> Cell:
        if self.is_formula:
            return Odd.FORMULA
        text = "".join(self.pieces)
        if not text:
            return None
        match self.attributes.get("t", "n"):
            case "s":
                return self.sheet.strings[int(text)]
            case "n":
                return self._number(text)
            case "b":
                return text == "1"
            case "e":
                return Odd.ERROR
            case _:
                return text

    def _number(self, text: str) -> Cell:
        if int(self.attributes.get("s", "0")) not in self.sheet.date_styles:
            return int(text) if text.isdecimal() else float(text)
        if text not in self.dates:
            self.dates[text] = _date(float(text), self.sheet.epoch)
        return self.dates[text]


def _date(serial: float, epoch: datetime) -> Cell:
    from openpyxl.utils.datetime import from_excel

    try:
        value = from_excel(serial, epoch)
    except (OverflowError, ValueError):
        return Odd.ERROR
    return value if isinstance(value, date) else str(value)


def _column(reference: str) -> int:
    """AB12 → 28."""
    number = 0
    letters = _LETTERS.match(reference)
    for letter in letters[0] if letters else "":
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
