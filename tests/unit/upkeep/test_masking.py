"""What names a person is taken out before a colleague reads a question."""

import pytest

from bot.upkeep.masking import LONGEST, masked, says_enough


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to amina@student.junia.com please", "write to … please"),
        ("my number is +33 6 12 34 56 78, call me", "my number is …, call me"),
        ("passport 18AB45678 is lost", "passport … is lost"),
        ("I am @giulia_r on Telegram", "I am … on Telegram"),
        ("see https://example.org/me?id=3", "see …"),
        ("Hello, my name is Amina Benali and I need a room", "Hello, my name is … and I need a room"),
        ("je m'appelle Zoé et je cherche", "je m'appelle … et je cherche"),
        ("does Benali get\n a room", "does … get a room"),
        ("BENÂLI's visa", "…'s visa"),
        ("rent of 450 euros from September 2026", "rent of 450 euros from September 2026"),
    ],
)
def test_what_names_a_person_is_masked_and_the_rest_is_kept(text: str, shown: str):
    assert masked(text, ("Amina", "Benali")) == shown


def test_a_part_of_a_word_is_no_name():
    assert masked("the international office", ("Nat", "Office-Rat")) == "the international …"


def test_a_long_question_is_cut():
    assert len(masked("word " * 200)) <= LONGEST


@pytest.mark.parametrize("text", ["ok", "?", "…", "06", "visa", "… …", "hm no"])
def test_what_says_too_little_is_left_out(text: str):
    assert not says_enough(text)


@pytest.mark.parametrize("text", ["where is my room", "cvec payer", "我的签证怎么办"])
def test_a_short_question_is_a_question(text: str):
    assert says_enough(text)
