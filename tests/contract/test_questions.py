"""Every question that students ask at desks like this one has an answer, a person who decides, or a reason why not."""

import pytest
import yaml

from bot.config import ROOT
from bot.content.loader import load_knowledge

QUESTIONS = yaml.safe_load((ROOT / "tests" / "data" / "questions.yml").read_text(encoding="utf-8"))
TOPICS = load_knowledge(ROOT / "knowledge").topics
OTHER_ANSWERS = ("privacy", "handoff", "path", "out_of_scope")


def test_there_are_212_each_once() -> None:
    assert [each["number"] for each in QUESTIONS] == list(range(1, 213))


@pytest.mark.parametrize("entry", QUESTIONS, ids=lambda entry: str(entry["number"]))
def test_it_has_a_place(entry: dict[str, str]) -> None:
    assert entry["answer"] in (*TOPICS, *OTHER_ANSWERS)
    assert (entry["answer"] == "out_of_scope") == ("why" in entry)
