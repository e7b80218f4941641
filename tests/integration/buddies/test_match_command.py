"""`accueil match-buddies` as somebody types it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from openpyxl import Workbook
from typer.testing import CliRunner

from bot.__main__ import whole_app

HEAD = "id,campus,languages,arrival,departure,interests,field,gender,same_gender"
NEWCOMERS = f"""{HEAD},excluded
n1,Lille,es|en,2026-09-01,2027-01-31,chess|music,HEI,woman,no,
n2,lille,es,2026-09-10,2027-01-31,,ISA,,no,
n3,lille,uk,2026-09-10,2027-01-31,,ISA,,no,
n4,bordeaux,en,,,,,,,b1
"""
BUDDIES = f"""{HEAD},capacity
b1,Lille,en|fr,,,Chess,HEI,man,,2
b2,Lille,es|fr,,,,,,,1
"""
Match = Callable[..., Result]


@pytest.fixture
def match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Match:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(NEWCOMERS, encoding="utf-8")
    (tmp_path / "b.csv").write_text(BUDDIES, encoding="utf-8")
    named = ("match-buddies", "--newcomers", "a.csv", "--buddies", "b.csv", "--out", "pairs.csv")
    return lambda *more: CliRunner().invoke(whole_app(), [*named, *more])


def test_every_newcomer_gets_a_row_with_the_buddy_or_the_reason(match: Match):
    ran = match()

    assert ran.exit_code == 0
    assert Path("pairs.csv").read_text(encoding="utf-8").splitlines() == [
        "newcomer_id,buddy_id,score,reasons",
        "n1,b1,0.5769,You both speak English.|You both like: chess.|You are both in HEI.|"
        "You are both here for several months.",
        "n2,b2,0.5708,You both speak Spanish.",
        "n3,,,No buddy at this campus speaks one of these languages.",
        "n4,,,No buddy is signed up at this campus.",
    ]
    assert ran.stdout.splitlines() == [
        "2 of 4 newcomers paired with 2 buddies, 0 of them with a group.",
        "Total score 1.1477.",
        "1. on the waiting list: n3 (No buddy at this campus speaks one of these languages.)",
        "2. on the waiting list: n4 (No buddy is signed up at this campus.)",
        "1 more English speaker needed in bordeaux.",
        "1 more Ukrainian speaker needed in lille.",
    ]


def test_each_term_is_explained_when_asked(match: Match):
    assert match("--explain").stdout.splitlines()[0] == (
        "n1 – b1: 0.5769 (languages 0.50, rare_language 0.00, interests 0.33, field 1.00, wish 1.00, overlap 1.00)"
    )


def test_pairs_of_an_earlier_run_stay_and_those_that_cannot_are_named(match: Match):
    Path("keep.csv").write_text(
        "newcomer_id,buddy_id,score,reasons\nn1,b2,,\nn3,b1,,\nn9,b1,,\nn4,,,\n", encoding="utf-8"
    )

    ran = match("--keep", "keep.csv")

    rows = Path("pairs.csv").read_text(encoding="utf-8").splitlines()
    assert [row.partition(",0")[0] for row in rows[1:3]] == ["n1,b2", "n2,,,Everybody who fits has no free place."]
    assert ran.stderr.splitlines() == [
        "n3 and b1 are not kept: the limits do not allow the pair any more.",
        "n9 and b1 are not kept: the newcomer is not in the file.",
    ]


def test_every_fault_is_named_by_file_line_and_column_and_nothing_is_written(match: Match):
    Path("pairs.csv").write_text("of before", encoding="utf-8")
    Path("a.csv").write_text(
        f"{HEAD}\nn1,lille,klingon!,1/9/26,,,,,maybe\nn1,,en,2026-09-02,2026-09-01,,,,\n", encoding="utf-8"
    )

    ran = match()

    assert ran.exit_code == 1
    assert ran.stderr.splitlines() == [
        'a.csv, line 2, languages "klingon!": klingon! is not a language tag. Write BCP 47 tags with | between them, '
        "such as fr|pt-BR|uk.",
        'a.csv, line 2, arrival "1/9/26": This is not a date of the calendar. Write it as 2026-09-01, or leave it '
        "empty.",
        'a.csv, line 2, same_gender "maybe": This is neither yes nor no. Write yes or no.',
        "a.csv, line 3, campus: This is empty. Fill it in.",
        'a.csv, line 3, departure "2026-09-01": The departure comes before the arrival. Correct one of them.',
        'a.csv, line 3, id "n1": Line 2 has this id already. Give each person one row.',
        "Nothing was written: mend what is wrong and run it again.",
    ]
    assert Path("pairs.csv").read_text(encoding="utf-8") == "of before"


def test_a_missing_column_is_named(match: Match):
    Path("b.csv").write_text("id,campus\nb1,lille\n", encoding="utf-8")

    assert (
        match().stderr.splitlines()[0]
        == "b.csv, file, languages: This column is missing. Add it; its cells may be empty."
    )


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--newcomers", "none.csv", "none.csv cannot be read: No such file or directory."),
        ("--out", "none/pairs.csv", "none/pairs.csv cannot be written: No such file or directory."),
        ("--weights", "none.yml", "none.yml: the file cannot be read (No such file or directory)."),
    ],
)
def test_a_file_that_is_not_there_is_said_in_one_sentence(match: Match, option, value, sentence):
    ran = match(option, value)

    assert (ran.exit_code, ran.stderr.strip()) == (2, sentence)


def test_own_weights_change_the_score(match: Match):
    Path("w.yml").write_text(
        "weights: {languages: 0, rare_language: 0, interests: 0, field: 1, wish: 0, overlap: 0}\n", encoding="utf-8"
    )

    assert match("--weights", "w.yml").stdout.splitlines()[1] == "Total score 1.0000."


def test_an_id_that_a_spreadsheet_would_take_for_a_formula_is_kept_as_text(match: Match):
    Path("a.csv").write_text(f"{HEAD}\n=1+1,nowhere,en,,,,,,\n", encoding="utf-8")

    match()

    assert Path("pairs.csv").read_text(encoding="utf-8").splitlines()[1].startswith("'=1+1,")


def test_pairs_of_such_ids_are_kept_from_one_run_to_the_next(match: Match):
    Path("a.csv").write_text(f"{HEAD}\n-1,lille,en,,,,,,\n", encoding="utf-8")
    match()
    Path("pairs.csv").replace("keep.csv")

    ran = match("--keep", "keep.csv")

    assert (ran.exit_code, ran.stderr) == (0, "")
    assert Path("pairs.csv").read_text(encoding="utf-8") == Path("keep.csv").read_text(encoding="utf-8")


def test_a_language_that_has_a_name_but_no_formats_is_taken(match: Match):
    Path("a.csv").write_text(f"{HEAD}\nn1,lille,ary|en,,,,,,\n", encoding="utf-8")

    assert match().exit_code == 0


def test_an_earlier_file_with_an_endless_id_is_refused_by_line(match: Match):
    Path("keep.csv").write_text(f"newcomer_id,buddy_id\n{'n' * 1001},b1\n", encoding="utf-8")

    ran = match("--keep", "keep.csv")

    assert ran.exit_code == 1
    assert ran.stderr.splitlines()[0] == (
        "keep.csv, line 2, newcomer_id: This is longer than 1000 characters. Shorten it."
    )


def test_a_formula_of_a_spreadsheet_is_refused(match: Match):
    book = Workbook()
    book.active.append(HEAD.split(","))
    book.active.append(["=A1", "lille", "en"])
    book.save("a.xlsx")

    ran = match("--newcomers", "a.xlsx")

    assert ran.exit_code == 1
    assert ran.stderr.splitlines()[0] == (
        'a.xlsx, line 2, id "formula": The cell holds a formula. '
        "Copy the column and paste it as values, then save the file again."
    )


def test_a_folder_in_the_way_leaves_no_unfinished_file(match: Match):
    Path("taken").mkdir()

    ran = match("--out", "taken")

    assert (ran.exit_code, ran.stderr.strip()) == (2, "taken cannot be written: Is a directory.")
    assert sorted(each.name for each in Path().iterdir()) == ["a.csv", "b.csv", "taken"]
