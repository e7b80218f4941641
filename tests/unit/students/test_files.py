import zipfile
from datetime import datetime
from io import BytesIO

import openpyxl
import pytest

from bot.students import sheets, tables
from bot.students.files import MOST_BYTES, read_table
from bot.students.findings import Refused
from bot.students.tables import Odd, Row

FIRST = datetime(2026, 9, 1)  # noqa: DTZ001  (Excel knows no zones)
TEXT = 'email;prénom;note\nzoé@student.junia.com;Zoé;"a;b"\n'


def workbook(*rows: list[object], title: str = "Etudiants") -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    return made


def as_bytes(made: openpyxl.Workbook) -> bytes:
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def problem_of(content: bytes) -> str:
    with pytest.raises(Refused) as refused:
        read_table(content)
    finding = refused.value.at()
    assert finding.fix_words("en")
    return finding.problem_words("en")


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "windows-1252"), ("latin-1", "windows-1252")],
)
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encoding_and_delimiter_are_found(encoding: str, kind: str, delimiter: str, newline: str):
    text = TEXT.replace('"a;b"', "§").replace(";", delimiter).replace("§", f'"a{delimiter}b"').replace("\n", newline)

    table = read_table(text.encode(encoding))

    assert table.headers == ("email", "prénom", "note")
    assert table.rows == (Row(2, ("zoé@student.junia.com", "Zoé", f"a{delimiter}b")),)
    assert table.kind == kind


def test_lines_are_those_of_the_file():
    text = 'sep=;\nemail;note\n\na@b.fr;"two\nlines"\n;;\nc@d.fr;x\n'

    assert [(row.line, row.cells) for row in read_table(text.encode()).rows] == [
        (4, ("a@b.fr", "two\nlines")),
        (7, ("c@d.fr", "x")),
    ]


def test_a_semicolon_in_a_quoted_header_does_not_decide_the_delimiter():
    assert read_table(b'"a;b;c;d",email\n1,2\n').headers == ("a;b;c;d", "email")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\r\n\r\n", "The file is empty."),
        (b"email;name\na\x00b;c\n", "The file holds NUL bytes: it is not text, or it is text in UTF-16."),
        ("email;nom\n".encode("utf-16"), "The file holds NUL bytes: it is not text, or it is text in UTF-16."),
        ("a;é\n".encode() + "b;é\n".encode("cp1252"), "The file mixes two encodings: line 2 is not UTF-8, others are."),
        (b'a;b\n1;2\n3;"open\n', "Line 3 cannot be read: a quotation mark is not closed, or stands inside a cell."),
        (b"\xd0\xcf\x11\xe0old", "This is an old or a password-protected Excel file."),
        (b"PK\x03\x04nothing", "This is no Excel workbook that can be read."),
        (";".join(f"c{n}" for n in range(200)).encode(), "Line 1 has more than 150 columns."),
        (b"a;b\n" + b"x" * 10_001 + b";1\n", "Line 2 has a cell of more than 10000 characters."),
        (b"x" * (MOST_BYTES + 1), "The file is larger than 20 MB."),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, problem: str):
    assert problem_of(content) == problem


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 2)

    assert len(read_table(b"a\n1\n2\n").rows) == 2
    assert problem_of(b"a\n1\n2\n3\n") == "The file has more than 2 rows."


def test_a_workbook_is_read_with_its_dates_numbers_and_line_numbers():
    made = workbook(["email", "start", "hours", "yes", "text"], [], ["a@b.fr", FIRST, 12, True, "=not a formula"])
    made.active["E3"].data_type = "s"
    made.create_sheet("Autres")

    table = read_table(as_bytes(made))

    assert table.headers == ("email", "start", "hours", "yes", "text")
    assert table.rows == (Row(3, ("a@b.fr", FIRST, 12, True, "=not a formula")),)
    assert (table.kind, table.other_sheets) == ("xlsx", ("Autres",))


def test_a_hidden_first_sheet_is_passed_over():
    made = workbook(["email"], ["hidden@b.fr"], title="Hidden")
    made.active.sheet_state = "hidden"
    made.create_sheet("Shown").append(["email"])
    made["Shown"].append(["a@b.fr"])

    assert read_table(as_bytes(made)).rows == (Row(2, ("a@b.fr",)),)


def test_dates_of_a_workbook_of_1904_are_the_same_days():
    made = workbook(["start"], [FIRST])
    made.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904

    assert read_table(as_bytes(made)).rows == (Row(2, (FIRST,)),)


def test_formulas_and_errors_are_marked():
    made = workbook(["a", "b"], ["=1+1", "#REF!"])
    made.active["B2"].data_type = "e"

    assert read_table(as_bytes(made)).rows == (Row(2, (Odd.FORMULA, Odd.ERROR)),)


def test_merged_cells_are_refused_by_their_place():
    made = workbook(["a", "b"], ["1", "2"])
    made.active.merge_cells("A2:B2")

    assert problem_of(as_bytes(made)) == "Cells are merged: A2:B2."


def test_a_workbook_with_a_cell_far_to_the_right_is_refused():
    made = workbook(["a"])
    made.active["XFD1"] = "x"

    assert problem_of(as_bytes(made)) == "Line 1 has more than 150 columns."


def test_an_empty_workbook_is_refused():
    assert problem_of(as_bytes(openpyxl.Workbook())) == "The file is empty."


def test_an_archive_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sheets, "MOST_UNPACKED", 1000)

    assert problem_of(as_bytes(workbook(["a"]))) == "The workbook unpacks to more than 0 MB."


def test_a_real_bomb_is_refused():
    out = BytesIO(as_bytes(workbook(["a"])))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", b"\x00" * (sheets.MOST_UNPACKED + 1))

    assert problem_of(out.getvalue()) == "The workbook unpacks to more than 150 MB."


def test_entities_in_a_sheet_are_refused():
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(as_bytes(workbook(["a"])))) as source, zipfile.ZipFile(out, "w") as made:
        for part in source.namelist():
            content = source.read(part)
            if part == "xl/worksheets/sheet1.xml":
                content = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + content
            made.writestr(part, content)

    assert problem_of(out.getvalue()) == "This is no Excel workbook that can be read."
