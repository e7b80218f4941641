from datetime import date, datetime

import pytest

from bot.students.cells import read_cell
from bot.students.findings import Refused
from bot.students.tables import Odd


@pytest.mark.parametrize(
    "cell",
    [
        "01/09/2026",
        "1/9/2026",
        "01-09-2026",
        "1.9.2026",
        "2026-09-01",
        "2026/09/01",
        "1 sept. 2026",
        "1er septembre 2026",
        "1er  Septembre\u00a02026",
        "mardi 1er septembre 2026",
        "1 September 2026",
        "1st Sep 2026",
        "01/09/2026 00:00",
        "2026-09-01T00:00:00",
        date(2026, 9, 1),
        datetime(2026, 9, 1),  # noqa: DTZ001  (Excel knows no zones)
    ],
)
def test_a_date_in_a_french_or_iso_form_is_read(cell: object):
    assert read_cell("programme_start", cell) == "2026-09-01"


@pytest.mark.parametrize(
    ("month", "expected"),
    [("févr.", 2), ("fev", 2), ("août", 8), ("AOUT", 8), ("déc.", 12), ("juil.", 7), ("juin", 6), ("March", 3)],
)
def test_months_are_read_with_and_without_accents(month: str, expected: int):
    assert read_cell("birth_date", f"12 {month} 2004") == f"2004-{expected:02}-12"


@pytest.mark.parametrize(
    ("cell", "problem", "fix"),
    [
        (
            "09/14/2026",
            "There is no month 14: the day comes first.",
            "Write it as 14/09/2026, if that is the day that is meant.",
        ),
        ("01/09/26", "The year has two digits only.", "Write the year with four digits, as in 01/09/2026."),
        ("1 sept. 26", "The year has two digits only.", "Write the year with four digits, as in 01/09/2026."),
        ("31/02/2026", "There is no such day in the calendar.", "Write it as 01/09/2026."),
        ("0/09/2026", "There is no such day in the calendar.", "Write it as 01/09/2026."),
        ("September 1, 2026", "The day comes first.", "Write it as 01/09/2026 or 1 sept. 2026."),
        ("vers 1 sept. 2026", "This is not a date.", "Write it as 01/09/2026 or 2026-09-01."),
        ("2026-09-01T22:00:00Z", "This is not a date.", "Write it as 01/09/2026 or 2026-09-01."),
        ("soon", "This is not a date.", "Write it as 01/09/2026 or 2026-09-01."),
        ("=TODAY()", "This is not a date.", "Write it as 01/09/2026 or 2026-09-01."),
        (46266, "This is a number, not a date.", "Format the column as a date in Excel, or write 01/09/2026."),
        ("01/09/1026", "The date is not between 1900-01-01 and 2199-12-31.", "Check the year."),
        (Odd.FORMULA, "The cell holds a formula.", "Copy the column and paste it as values, then save the file again."),
        (Odd.ERROR, "The cell holds an error of Excel.", "Type the value into the cell."),
    ],
)
def test_another_date_is_refused_with_its_fix(cell: object, problem: str, fix: str):
    with pytest.raises(Refused) as refused:
        read_cell("programme_start", cell)

    finding = refused.value.at()
    assert (finding.problem_words("en"), finding.fix_words("en")) == (problem, fix)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *((word, True) for word in ("oui", "OUI", "yes", "vrai", "True", "1", 1, True)),
        *((word, False) for word in ("non", "no", "Faux", "false", "0", 0, 0.0, False)),
    ],
)
def test_yes_and_no_are_read_in_both_languages(cell: object, expected: bool):
    assert read_cell("wants_buddy", cell) is expected


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("nationality", "Maroc", ["MA"]),
        ("nationality", "fr", ["FR"]),
        ("nationality", "Côte d'Ivoire | Ivory Coast", ["CI"]),
        ("nationality", "Allemagne|United Kingdom", ["DE", "GB"]),
        ("country_of_residence", "Viêt Nam", "VN"),
        ("country_of_residence", "États-Unis", "US"),
        ("language", "Français", "fr"),
        ("language", "anglais", "en"),
        ("language", "中文", "zh"),
        ("birth_certificate_language", "arabe", "ar"),
        ("campus", "Châteauroux", "chateauroux"),
        ("school", "JUNIA ISEN", "isen"),
        ("programme_type", "Double diplôme", "double_degree"),
        ("programme_type", "exchange", "exchange"),
        ("document_held", "VLS-TS", "vls_ts"),
        ("housing_status", "colocation", "shared"),
        ("hours_this_permit_year", 120.0, 120),
        ("hours_this_permit_year", "120", 120),
        ("source_id", 12345.0, "12345"),
        ("source_id", "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("email", "Amina@Student.JUNIA.com", "amina@student.junia.com"),
        ("family_name", "  Ben   Ali ", "Ben Ali"),
        ("campus", "-", None),
    ],
)
def test_a_cell_becomes_the_value_that_the_record_keeps(column: str, cell: object, expected: object):
    assert read_cell(column, cell) == expected


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("nationality", "Marok", "There is no country of this name."),
        ("nationality", "Maroc|Atlantis", "There is no country of this name."),
        ("campus", "Paris", "This is none of the values of this column."),
        ("language", "klingon", "This is none of the values of this column."),
        ("birth_certificate_language", "klingonish", "There is no language of this name."),
        ("wants_buddy", "peut-être", "This is neither yes nor no."),
        ("hours_this_permit_year", "9000", "This is not a whole number up to 8784."),
        ("hours_this_permit_year", "-3", "This is not a whole number up to 8784."),
        ("source_id", "1,2E+07", "Excel has shortened this number."),
        ("given_name", "-", "This column cannot be cleared: every record needs it."),
        ("given_name", "a" * 81, "The text has 81 characters."),
        ("given_name", "a\u202eb", "The text holds signs that cannot be printed."),
    ],
)
def test_a_value_that_is_none_is_refused(column: str, cell: object, problem: str):
    with pytest.raises(Refused) as refused:
        read_cell(column, cell)

    assert refused.value.at().problem_words("en") == problem


def test_a_near_country_is_named():
    with pytest.raises(Refused) as refused:
        read_cell("nationality", "Marok")

    assert refused.value.at().fix_words("en") == "Write MA, if Maroc is meant; several are separated by |."
