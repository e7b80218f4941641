"""encoder/spelling.py: what counts as a slip, and what is left alone."""

from pathlib import Path

import pytest

from encoder.spelling import Speller, expand, is_one_slip

TEXTS = ["register for health insurance", "Register your visa", "health insurance", "la préfecture", "la prefecture"]


@pytest.fixture
def speller() -> Speller:
    return Speller.learn(TEXTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("how to regsiter for helth insurance", "how to register for health insurance"),
        ("Regist my HEALHT", "Regist my health"),
        ("insurancee?", "insurance?"),
        ("la préfectur de Lille", "la prefecture de Lille"),
    ],
)
def test_a_word_one_slip_away_from_a_known_one_is_repaired(speller: Speller, text: str, expected: str) -> None:
    assert speller.repair(text) == expected


@pytest.mark.parametrize(
    "text",
    ["visa for vsia", "heal", "your", "Mumbai", "Préfecture", "regiiister", "", "12345", "你好世界你好", "yours"],
)
def test_short_known_and_distant_words_are_left_alone(speller: Speller, text: str) -> None:
    assert speller.repair(text) == text


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("health", "helth", True),
        ("health", "heallth", True),
        ("health", "heaith", True),
        ("health", "haelth", True),
        ("health", "htlaeh", False),
        ("health", "hlth", False),
        ("health", "health", False),
    ],
)
def test_one_slip(one: str, other: str, expected: bool) -> None:
    assert is_one_slip(one, other) is expected
    assert is_one_slip(other, one) is expected


def test_a_model_without_words_repairs_nothing(tmp_path: Path, speller: Speller) -> None:
    assert Speller.load(tmp_path).repair("regsiter") == "regsiter"

    speller.save(tmp_path)

    assert Speller.load(tmp_path).repair("regsiter") == "register"


@pytest.mark.parametrize(
    ("text", "written_out"),
    [
        ("jsui boursier fo payer la cvec ?", "je suis boursier faut payer la cvec ?"),
        ("kel papié il fo pr le rdv", "quel papier il faut pour le rendez-vous"),
        ("wat do i need 4 da bank pls", "what do i need for da bank please"),
        ("How much is it for 2 people and 4 days?", "How much is it for 2 people and 4 days?"),
        ("où est le bureau ou la salle", "où est le bureau ou la salle"),
        ("my uni is in Peru", "my uni is in Peru"),
        ("visa C", "visa C"),
        ("", ""),
    ],
)
def test_phone_spelling_is_written_out_and_the_rest_left_alone(text: str, written_out: str) -> None:
    assert expand(text) == written_out
