"""`accueil evidence-report` as somebody types it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.__main__ import whole_app

Accueil = Callable[..., Result]
PERIOD = ("--from", "2026-09-01", "--to", "2026-11-24")


@pytest.fixture
def accueil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Accueil:
    """The program in a folder of its own, with the demo cast in it."""
    monkeypatch.setenv("ACCUEIL_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("ACCUEIL_DATABASE_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(whole_app(), ["evidence-report", *arguments])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_report_is_written_as_a_tagged_pdf_in_both_languages(accueil: Accueil, tmp_path: Path, language: str):
    out = tmp_path / "report.pdf"
    result = accueil(*PERIOD, "--language", language, "--out", str(out))

    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, f"Written: {out}")
    pdf = out.read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in pdf
    assert b"/Lang(%s)" % language.encode() in pdf.replace(b"/Lang (", b"/Lang(")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--from", "2026-09-01", "--to", "2199-01-01"), "has not come yet; a report ends today at the latest."),
        (("--from", "2026-10-01", "--to", "2026-09-01"), "lies after 2026-09-01"),
        ((*PERIOD, "--language", "es"), "is not one of en, fr."),
        (("--from", "autumn", "--to", "2026-09-01"), "is not an ISO date"),
    ],
)
def test_what_is_wrong_is_said_and_no_file_is_written(
    accueil: Accueil, tmp_path: Path, options: tuple[str, ...], words: str
):
    out = tmp_path / "report.pdf"
    result = accueil(*options, "--out", str(out))

    assert (result.exit_code, words in result.output) == (2, True)
    assert not out.exists()


def test_a_file_that_cannot_be_written_is_named(accueil: Accueil, tmp_path: Path):
    result = accueil(*PERIOD, "--out", str(tmp_path / "nowhere" / "report.pdf"))

    assert (result.exit_code, "cannot be written" in result.output) == (2, True)
