"""Questions of students that were not understood once and must be from now on; written by the console."""

from pathlib import Path

import pytest

from bot.assistant.training import HeldOut
from bot.bench.nlu import BEST, decided
from bot.config import ROOT
from bot.content.check import folded
from bot.content.loader import Knowledge
from bot.content.phrases import read_training_phrases
from bot.upkeep.phrases import regressions
from encoder.model import best, load

REGRESSIONS = regressions(ROOT)


@pytest.mark.engine
def test_every_question_is_answered_or_asked_back_with_the_right_topic(trained_model: Path):
    model = load(trained_model)
    assert model is not None
    missed = []
    for each in REGRESSIONS:
        [found] = best(model, [each["text"]], BEST)
        result = decided(HeldOut(**each), found)
        if result.outcome not in ("right", "asked"):
            missed.append((result.outcome, each["label"], each["text"]))

    assert missed == []


def test_no_question_is_learned_as_well_and_each_has_a_topic(knowledge: Knowledge):
    learned = {
        folded(phrase)
        for file in (ROOT / "data" / "nlu").glob("*/*.yml")
        for phrases in read_training_phrases(file).values()
        for phrase in phrases
    }

    assert [each for each in REGRESSIONS if folded(each["text"]) in learned] == []
    assert {each["label"].removeprefix("ask/") for each in REGRESSIONS} <= knowledge.topics.keys()
