"""How well questions of one topic come together, on questions that were never trained on."""

from pathlib import Path

import pytest

from bot.assistant.training import held_out_phrases
from bot.bench.nlu import BEST
from bot.config import ROOT, Settings
from bot.upkeep.grouping import group, pairwise_f1, with_thoughts
from encoder.model import load
from encoder.vectors import kept_vectors

pytestmark = pytest.mark.engine


def test_at_least_eight_of_ten_pairs_of_one_topic_are_found_and_right(trained_model: Path):
    model = load(trained_model)
    assert model is not None
    everything = held_out_phrases(ROOT)
    # The vectors that the training kept, in its own order.
    vectors = kept_vectors(
        [model.speller.repair(each.text) for each in everything], Settings().data / "models" / "vectors" / "held-out"
    )
    places = [place for place, each in enumerate(everything) if each.label.startswith("ask/")]
    thoughts = [
        {label: probability for label, probability in found if label.startswith("ask/")}
        for found in model.kernel.best(vectors[places], BEST)
    ]
    precision, recall, _ = pairwise_f1(
        group(with_thoughts(vectors[places], thoughts)), [everything[place].label for place in places]
    )

    assert precision >= 0.8
    assert recall >= 0.8
