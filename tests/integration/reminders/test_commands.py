"""`accueil remind` and `accueil campaign` as somebody types them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.__main__ import whole_app

Accueil = Callable[..., Result]
NOON = "2026-12-01T12:00:00+01:00"


@pytest.fixture
def accueil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Accueil:
    """The program in a folder of its own, with the demo cast in it."""
    monkeypatch.setenv("ACCUEIL_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("ACCUEIL_DATABASE_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(whole_app(), arguments)


def remind(accueil: Accueil, *options: str) -> dict[str, Any]:
    result = accueil("remind", "--once", "--json", "--now", NOON, *options)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_rehearsal_says_what_a_run_then_does_and_a_second_run_has_nothing_left(accueil: Accueil):
    rehearsed = remind(accueil, "--dry-run")
    done = remind(accueil)
    again = remind(accueil)

    assert rehearsed == done
    assert again == {"now": NOON, "sent": [], "moved": [], "skipped": []}
    assert done.keys() == {"now", "sent", "moved", "skipped"}
    assert "amina@student.junia.com" in {each["student"] for each in done["sent"]}
    assert all(each.keys() == {"student", "subject", "steps", "channel", "key"} for each in done["sent"])
    keys = [each["key"] for each in done["sent"]]
    assert len(set(keys)) == len(keys)


def test_at_night_everything_is_moved_by_the_clock_that_was_given(accueil: Accueil):
    result = accueil("remind", "--once", "--json", "--now", "2026-12-01T22:00:00+01:00")

    report = json.loads(result.stdout)
    assert report["sent"] == []
    assert {each["until"] for each in report["moved"]} == {"2026-12-02T09:00:00+01:00"}


def test_without_json_there_are_lines_to_read(accueil: Accueil):
    result = accueil("remind", "--once", "--now", NOON)

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith("sent     mail  ")
    assert result.stdout.splitlines()[-1].startswith(f"{NOON}: ")


@pytest.mark.parametrize("now", ["tomorrow", "2026-11-28T12:00:00"])
def test_an_instant_that_is_none_is_refused(accueil: Accueil, now: str):
    result = accueil("remind", "--once", "--now", now)

    assert result.exit_code == 2
    assert "--now" in result.output


def test_a_campaign_is_rehearsed_started_listed_and_reported(accueil: Accueil):
    assert accueil("campaign", "list").stdout.startswith("There is no campaign yet")

    rehearsed = accueil("campaign", "start", "--step", "bank_account", "--left-out", "0.5", "--dry-run")
    assert "students would get the message" in rehearsed.stdout
    assert accueil("campaign", "list").stdout.startswith("There is no campaign yet")

    started = accueil("campaign", "start", "--step", "bank_account", "--left-out", "0.5", "--name", "Banks")
    assert started.stdout.startswith("Campaign 1 has started: ")
    assert accueil("campaign", "list").stdout.rstrip().endswith("bank_account  everybody  50% left out  Banks")

    report = json.loads(accueil("campaign", "report", "1", "--json").stdout)
    assert (report["campaign"], report["step"], report["days"], report["is_over"]) == (1, "bank_account", 14, False)
    words = accueil("campaign", "report", "1").stdout.splitlines()
    assert words[0].startswith("With a message: 0 of ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("start", "--step", "bank_acount"), "There is no step 'bank_acount'; did you mean bank_account?"),
        (("start", "--step", "bank_account", "--campus", "paris"), "'paris' is no campus"),
        (("start", "--step", "bank_account", "--left-out", "0.9"), "write a share from 0 to 0.5"),
        (("report", "7"), "There is no campaign 7"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(accueil: Accueil, arguments: tuple[str, ...], sentence: str):
    result = accueil("campaign", *arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr
