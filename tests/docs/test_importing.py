"""The data dictionary and the template say what the import reads."""

from pathlib import Path

from bot.config import ROOT
from bot.students.files import MOST_BYTES, read_table
from bot.students.importing import read_mapping, read_rows
from bot.students.ownership import SCHOOL_OWNED
from bot.students.tables import MOST_COLUMNS, MOST_ROWS
from bot.students.vocabulary import CHOICE_WORDS, COLUMNS, HEADERS, REQUIRED, choices_of, kind_of

PAGE = ROOT / "docs" / "importing-students.md"
TEMPLATES = ROOT / "docs" / "templates"
KINDS = {
    "text": "text",
    "date": "date",
    "yes_no": "yes or no",
    "number": "whole number",
    "choice": "a word of the list below",
    "countries": "countries, separated by `\\|`",
    "country": "country",
    "language": "one of our languages",
    "language_tag": "language",
}


def column_row(column: str) -> str:
    needed = "needed" if column in REQUIRED else ""
    owner = "school" if column in SCHOOL_OWNED or column == "source_id" else "student"
    headers = ", ".join(HEADERS[column])
    return f"| `{column}` | {KINDS[kind_of(column)]} | {owner} | {needed} | {headers} |".replace("|  |", "| |")


def choice_row(fact: str, code: str) -> str:
    return f"| `{fact}` | `{code}` | {', '.join(CHOICE_WORDS[fact][code])} |"


def rows_of(page: Path, first: str) -> list[str]:
    """The rows of the table whose header begins with this text."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(first)) + 2
    end = next((place for place in range(start, len(lines)) if not lines[place].startswith("|")), len(lines))
    return lines[start:end]


def test_the_dictionary_has_every_column_with_its_headers():
    assert rows_of(PAGE, "| Column |") == [column_row(column) for column in COLUMNS]


def test_the_dictionary_has_every_word_of_every_choice():
    assert rows_of(PAGE, "| Fact |") == [choice_row(fact, code) for fact in CHOICE_WORDS for code in choices_of(fact)]


def test_the_limits_are_those_of_the_code():
    text = " ".join(PAGE.read_text(encoding="utf-8").split())

    assert f"{MOST_BYTES // 1024 // 1024} MB, {MOST_ROWS:,} rows, {MOST_COLUMNS} columns" in text


def test_the_template_has_every_column_and_is_read_without_a_fault():
    table = read_table((TEMPLATES / "students.csv").read_bytes())
    rows, faults, warnings = read_rows(table)

    assert table.headers == COLUMNS
    assert (len(rows), faults, warnings) == (2, [], [])
    assert {column for row in rows for column in row.values} == set(COLUMNS)


def test_the_example_of_a_mapping_is_one():
    mapping = read_mapping((TEMPLATES / "mapping.yml").read_text(encoding="utf-8"))

    assert mapping["email"] == ("E-mail JUNIA",)
    assert mapping["programme_type"] == ()
