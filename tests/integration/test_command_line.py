"""The command line as somebody types it: what is printed, and one sentence for what is wrong."""

import json

import pytest
from typer.testing import CliRunner

from bot.__main__ import whole_app

EXAMPLE = {
    "nationality": ["IN"],
    "programme_type": "exchange",
    "campus": "lille",
    "document_held": "vls_ts",
    "visa_start": "2026-08-20",
    "visa_expiry": "2027-02-19",
    "date_of_entry": "2026-09-01",
    "date_of_entry_kind": "real",
    "programme_start": "2026-09-07",
    "steps_done": {"admission_letter": "2026-05-05"},
}


@pytest.fixture
def accueil(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCUEIL_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("ACCUEIL_DATABASE_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(whole_app(), arguments)


@pytest.fixture
def facts(tmp_path):
    def write(content: str | bytes) -> str:
        file = tmp_path / "facts.json"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(file)

    return write


def test_the_path_of_a_file_of_facts_is_printed_as_json(accueil, facts):
    result = accueil("path", "--facts", facts(json.dumps(EXAMPLE)), "--today", "2026-09-15", "--json")

    assert result.exit_code == 0
    (step,) = (s for s in json.loads(result.stdout)["steps"] if s["slug"] == "validate_visa")
    assert (step["status"], step["due"], step["overdue"]) == ("open", "2026-12-01", False)


def test_the_path_is_printed_in_lines_to_read(accueil, facts):
    result = accueil("path", "--facts", facts(json.dumps(EXAMPLE)), "--today", "2026-09-15")

    assert result.exit_code == 0
    (line,) = (line for line in result.stdout.splitlines() if "validate_visa" in line)
    assert line.startswith("2026-12-01  open        validate_visa: Your visa is a VLS-TS")


def test_the_path_of_a_student_is_there_before_the_first_start(accueil):
    result = accueil("path", "--student", "amina@student.junia.com", "--today", "2026-11-24")

    assert result.exit_code == 0
    assert "2026-12-12  open        validate_visa" in result.stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"nationalty": ["IN"]}', "facts.json: nationalty: there is no fact of this name; did you mean nationality?"),
        ("nope", "facts.json is not JSON in UTF-8: Expecting value: line 1 column 1 (char 0)."),
        (b'{"campus": "\xe9"}', "facts.json is not JSON in UTF-8: "),
    ],
)
def test_facts_that_cannot_be_read_are_one_sentence(accueil, facts, content, sentence):
    result = accueil("path", "--facts", facts(content))

    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)
    assert len(result.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_one_sentence(accueil, tmp_path):
    result = accueil("path", "--facts", str(tmp_path / "none.json"))

    assert (result.exit_code, result.stderr) == (
        2,
        f"{tmp_path / 'none.json'} cannot be read: No such file or directory.\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("path", "--student", "amina@student.junia.com", "--today", "tomorrow"),
        ("check-content", "--today", "tomorrow"),
        ("ask", "hello", "--today", "tomorrow"),
    ],
)
def test_a_day_that_is_none_is_refused(accueil, arguments):
    result = accueil(*arguments)

    assert result.exit_code == 2
    assert "'tomorrow' is not an ISO date" in result.stderr


def test_the_first_account_may_be_made_before_the_first_start(accueil):
    made = accueil("staff", "add", "claire@accueil.example", "--name", "Claire", "--role", "admin")

    assert made.exit_code == 0
    assert accueil("staff", "list").stdout == "claire@accueil.example\tClaire\tadmin\tactive\n"


@pytest.mark.parametrize("arguments", [("staff", "list"), ("path", "--student", "amina@student.junia.com")])
def test_a_setting_that_is_wrong_is_one_sentence(accueil, monkeypatch, arguments):
    monkeypatch.setenv("ACCUEIL_DATABASE_URL", "nonsense")

    result = accueil(*arguments)

    assert result.exit_code == 2
    assert result.stderr == (
        "ACCUEIL_DATABASE_URL: Write postgresql+psycopg://user@host/name, or leave it empty for SQLite. "
        "Correct it in the environment or in .env.\n"
    )


def test_search_finds_topics_by_words_where_no_model_is_trained(accueil):
    result = accueil("search", "dépôt de garantie", "--json")

    found = json.loads(result.stdout)
    assert (result.exit_code, found["results"][0]["topic"], found["results"][0]["group"]) == (0, "deposit", "housing")
    assert "searching by words alone" in result.stderr


@pytest.mark.parametrize("query", ['"', "NEAR(", "😀", "a" * 10_240])
def test_search_takes_any_text(accueil, query):
    assert accueil("search", query).exit_code == 0


def test_search_refuses_a_language_it_does_not_know(accueil):
    result = accueil("search", "visa", "--language", "tlh")

    assert result.exit_code == 2
    assert "'tlh' is not one of" in result.stderr
