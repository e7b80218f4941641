"""What a file of statements must say, and how a wrong one is refused."""

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from bot.bookings.rules import LEVELS
from bot.courses.statements import SelfCheckFile, Skill, Statement
from bot.i18n.languages import CODES

SKILLS = (*Skill, Skill.READING)


def entry(slug: str, skill: str) -> dict[str, str]:
    return {"skill": skill, **{code: f"I can {slug} in {code}." for code in CODES}}


def whole_file() -> dict[str, Any]:
    return {
        "source": {"title": "A framework", "url": "https://example.org/levels"},
        "statements": {
            level: {
                f"{level.lower()}_{number}": entry(f"{level}{number}", str(skill))
                for number, skill in enumerate(SKILLS[: 3 if level == "C2" else 5])
            }
            for level in LEVELS
        },
    }


def refusal(value: dict[str, Any]) -> str:
    """What is said of the one thing that is wrong."""
    with pytest.raises(ValidationError) as caught:
        SelfCheckFile.model_validate(value)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


def test_a_whole_file_gives_its_statements_in_order():
    statements = SelfCheckFile.model_validate(whole_file()).as_statements()

    assert statements[0] == Statement("a1_0", "A1", Skill.LISTENING, {code: f"I can A10 in {code}." for code in CODES})
    assert [each.level for each in statements] == [level for level in LEVELS for _ in range(3 if level == "C2" else 5)]


def test_a_level_that_is_missing_is_refused():
    value = whole_file()
    del value["statements"]["B2"]

    assert refusal(value) == (
        "statements: Value error, write the levels A1, A2, B1, B2, C1, C2, each once and in this order"
    )


@pytest.mark.parametrize(("level", "fewest"), [("A1", 5), ("C1", 5), ("C2", 3)])
def test_a_level_with_too_few_statements_is_refused(level, fewest):
    value = whole_file()
    value["statements"][level].popitem()

    assert refusal(value) == (f"statements: Value error, {level} has {fewest - 1} statements; write at least {fewest}")


def test_a_level_without_one_of_the_skills_is_refused():
    value = whole_file()
    value["statements"]["A2"]["a2_3"]["skill"] = "reading"

    assert refusal(value) == (
        "statements: Value error, A2 asks for too few skills; write statements for at least 4 of "
        "listening, reading, speaking, writing"
    )


def test_a_level_that_begins_with_one_skill_twice_is_refused():
    value = whole_file()
    value["statements"]["A2"] = dict(reversed(value["statements"]["A2"].items()))
    value["statements"]["A2"]["a2_2"]["skill"] = "writing"
    value["statements"]["A2"]["a2_4"]["skill"] = "speaking"

    assert refusal(value) == (
        "statements: Value error, A2 begins with one skill twice; its first 3 statements need different ones"
    )


def test_two_statements_of_one_name_are_refused():
    value = whole_file()
    value["statements"]["A2"]["a1_0"] = entry("something else", "reading")

    assert refusal(value) == ": Value error, two statements are called a1_0; give each its own slug"


def test_a_sentence_that_stands_there_twice_is_refused():
    value = whole_file()
    value["statements"]["C1"]["c1_0"]["pt"] = value["statements"]["A1"]["a1_0"]["pt"]

    assert refusal(value) == (
        ": Value error, the sentence 'I can A10 in pt.' (pt) stands there twice; write another one"
    )


@pytest.mark.parametrize("code", CODES)
def test_a_statement_without_one_of_the_languages_is_refused(code):
    value = deepcopy(whole_file())
    del value["statements"]["A1"]["a1_0"][code]

    assert refusal(value) == f"statements.A1.a1_0.{code}: Field required"


def test_a_statement_too_long_for_a_telephone_is_refused():
    value = whole_file()
    value["statements"]["A1"]["a1_0"]["en"] = "I can " + "very " * 30

    assert refusal(value) == "statements.A1.a1_0.en: String should have at most 140 characters"
