"""Bytes of a CSV or XLSX file → one table of cells with the line of each row."""

import csv
import re
from collections.abc import Iterator
from io import StringIO

from bot.i18n.translate import mark
from bot.students.findings import Refused
from bot.students.sheets import read_xlsx
from bot.students.tables import Cell, Table, table_of

MOST_BYTES = 20 * 1024 * 1024
DELIMITERS = ";,\t"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
ZIP = b"PK\x03\x04"

_UTF8_PAIR = re.compile(rb"[\xc3\xc5][\x80-\xbf]")


def read_table(content: bytes) -> Table:
    """CSV in any of the usual encodings and with any of DELIMITERS, or the first sheet of an Excel workbook.

    Raises:
        Refused: not a table that can be read; says why and what to do.
    """
    if len(content) > MOST_BYTES:
        raise Refused(
            mark("The file is larger than {most} MB."),
            mark("Take out columns that are not in the template, or split the file."),
            most=MOST_BYTES // 1024 // 1024,
        )
    if not content.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise Refused(mark("The file is empty."), mark("Export it again with one row for each student."))
    if content.startswith(OLD_EXCEL):
        raise Refused(
            mark("This is an old or a password-protected Excel file."),
            mark("Open it in Excel and save it as .xlsx without a password, or as CSV UTF-8."),
        )
    return read_xlsx(content) if content.startswith(ZIP) else _csv(content)


def _csv(content: bytes) -> Table:
    text, encoding = _decoded(content)
    first, _, rest = text.partition("\n")
    skipped = 0
    if re.fullmatch(r"sep=.\r?", first):
        text, skipped = rest, 1
    rows = _rows_of_text(text, _delimiter(text), skipped)
    return table_of(rows, encoding)


def _decoded(content: bytes) -> tuple[str, str]:
    if b"\x00" in content:
        raise Refused(
            mark("The file holds NUL bytes: it is not text, or it is text in UTF-16."),
            mark("Save it as CSV UTF-8, or as .xlsx."),
        )
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        if _UTF8_PAIR.search(content):
            raise Refused(
                mark("The file mixes two encodings: line {number} is not UTF-8, others are."),
                mark("Export it again as CSV UTF-8 in one piece."),
                number=content.count(b"\n", 0, error.start) + 1,
            ) from error
    try:
        return content.decode("cp1252"), "windows-1252"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def _delimiter(text: str) -> str:
    """The sign that cuts the first row into the most columns."""
    first = next((line for line in StringIO(text) if line.strip()), "")
    outside = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=outside.count)


def _rows_of_text(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[Cell]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refused(
                mark("Line {number} cannot be read: a quotation mark is not closed, or stands inside a cell."),
                mark("Double the quotation marks inside the cell, or take them out."),
                number=before + skipped + 1,
            ) from error
        yield before + skipped + 1, list(cells)
        before = reader.line_num
