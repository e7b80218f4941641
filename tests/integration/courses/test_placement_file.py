"""The statements that are really asked: whole, in seven languages, each in its own script."""

import re
from collections import Counter

import pytest

from bot.bookings.rules import LEVELS
from bot.config import ROOT
from bot.courses.statements import load_statements
from bot.errors import ContentError
from bot.i18n.languages import CODES

FILE = ROOT / "knowledge" / "placement.yml"
STATEMENTS = load_statements(FILE)
SCRIPTS = {"uk": r"[а-яіїєґ]", "ar": r"[\u0600-\u06ff]", "zh": r"[\u4e00-\u9fff]"}
"""Letters that a sentence of the language has; the others are written in Latin letters."""


def test_there_are_five_statements_a_level_and_three_at_the_top():
    assert Counter(each.level for each in STATEMENTS) == {
        **dict.fromkeys(LEVELS[:-1], 5),
        LEVELS[-1]: 3,
    }


def test_the_slug_of_a_statement_begins_with_its_level():
    assert [each.slug for each in STATEMENTS if not each.slug.startswith(f"{each.level.lower()}_")] == []


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_in_its_own_language_and_ends_as_one(code):
    texts = [each.text[code] for each in STATEMENTS]
    script = SCRIPTS.get(code, r"[a-z]")
    others = [other for name, other in (*SCRIPTS.items(), ("latin", r"[a-z]")) if other != script]

    assert [text for text in texts if re.search(script, text) is None] == []
    assert [text for text in texts for other in others if re.search(other, text, re.IGNORECASE)] == []
    assert [text for text in texts if text[-1] not in ".。"] == []


@pytest.mark.parametrize("code", [code for code in CODES if code != "en"])
def test_no_sentence_was_left_in_english(code):
    assert [each.slug for each in STATEMENTS if each.text[code] == each.text["en"]] == []


def test_a_wrong_file_is_refused_by_its_name_and_field(tmp_path):
    wrong = tmp_path / "placement.yml"
    wrong.write_text(FILE.read_text(encoding="utf-8").replace("skill: writing", "skill: singing", 1), encoding="utf-8")

    with pytest.raises(ContentError) as refused:
        load_statements(wrong)

    assert str(refused.value) == (
        f"{wrong}: statements.A1.a1_form.skill: Input should be 'listening', 'reading', 'speaking' or 'writing'."
    )


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ContentError, match=r"none\.yml: the file is missing"):
        load_statements(tmp_path / "none.yml")
