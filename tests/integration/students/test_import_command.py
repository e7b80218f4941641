"""`accueil import-students` as somebody types it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.__main__ import whole_app

FILE = "source_id;email;prénom;nom;campus\nJ1;ines@student.junia.com;Inès;Test;Lille\n"
Accueil = Callable[..., Result]


@pytest.fixture
def accueil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Accueil:
    monkeypatch.setenv("ACCUEIL_DATA", str(tmp_path / "data"))
    # Without the demo cast, so that the counts are those of the file.
    monkeypatch.setenv("ACCUEIL_MODE", "production")
    monkeypatch.setenv("ACCUEIL_SMTP_HOST", "mail.example")
    monkeypatch.delenv("ACCUEIL_DATABASE_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(whole_app(), ["import-students", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "students.csv"
    written.write_text(FILE, encoding="cp1252")
    return written


def test_a_file_is_imported_once_and_then_known(accueil: Accueil, file: Path):
    dry, first, second = accueil(file, "--dry-run"), accueil(file), accueil(file)

    assert (dry.exit_code, first.exit_code, second.exit_code) == (0, 0, 0)
    assert dry.stdout.splitlines() == [
        "line 2: new: Inès Test <ines@student.junia.com>",
        "1 new, 0 changed, 0 unchanged, 0 left, 0 erased, 0 refused.",
        "Nothing was changed: this was a dry run.",
    ]
    assert first.stdout.splitlines()[-1] == "1 new, 0 changed, 0 unchanged, 0 left, 0 erased, 0 refused."
    assert second.stdout.splitlines() == ["0 new, 0 changed, 1 unchanged, 0 left, 0 erased, 0 refused."]


def test_faults_are_reported_with_exit_code_1(accueil: Accueil, file: Path):
    file.write_text(FILE.replace("Lille", "Paris"), encoding="utf-8")
    result = accueil(file, "--json")

    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["applied"], report["counts"]["refused"]) == (False, 1)
    assert report["faults"] == [
        {
            "line": 2,
            "field": "campus",
            "value": "Paris",
            "problem": "This is none of the values of this column.",
            "fix": "Write one of lille, bordeaux, chateauroux; the data dictionary has the words for them.",
        }
    ]


def test_a_file_that_is_no_table_is_a_fault(accueil: Accueil, file: Path):
    file.write_bytes(b"")
    result = accueil(file)

    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        1,
        "file: The file is empty. Export it again with one row for each student.",
    )


def test_a_mapping_file_is_used(accueil: Accueil, file: Path, tmp_path: Path):
    mapping = tmp_path / "map.yml"
    mapping.write_text("campus: Ort\n", encoding="utf-8")
    file.write_text(FILE.replace("campus", "Ort"), encoding="utf-8")

    assert accueil(file, "--map", mapping).exit_code == 0


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ("campsu: Ort", "The mapping file names the column campsu, which does not exist. Did you mean campus?"),
        (b"\xff", "is not text in UTF-8; save it again as UTF-8."),
        (None, "cannot be read: No such file or directory."),
    ],
)
def test_a_wrong_mapping_file_stops_with_exit_code_2(
    accueil: Accueil, file: Path, tmp_path: Path, mapping: str | bytes | None, sentence: str
):
    written = tmp_path / "map.yml"
    if mapping is not None:
        written.write_bytes(mapping.encode() if isinstance(mapping, str) else mapping)
    result = accueil(file, "--map", written)

    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_missing_file_stops_with_exit_code_2(accueil: Accueil, tmp_path: Path):
    result = accueil(tmp_path / "none.csv")

    assert (result.exit_code, result.stderr.strip()) == (
        2,
        f"{tmp_path / 'none.csv'} cannot be read: No such file or directory.",
    )
