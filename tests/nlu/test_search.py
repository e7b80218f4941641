"""`accueil search` on the held-out questions: the right topic among the first three."""

from pathlib import Path

import pytest

from bot.answers.search import DEEP, Words, by_meaning, search
from bot.assistant.training import held_out_phrases
from bot.config import ROOT, Settings
from bot.content.loader import Knowledge
from encoder.model import best, load

pytestmark = pytest.mark.engine


def test_the_right_topic_is_among_the_first_three_for_97_of_100(
    trained_model: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = Settings().data / "models"
    model = load(trained_model)
    assert model is not None
    phrases = held_out_phrases(ROOT)
    texts = [each.text for each in phrases]
    # All at once, with the vectors that the training kept: one by one they take minutes.
    ranked = dict(zip(texts, best(model, texts, 2 * DEEP, models / "vectors" / "held-out"), strict=True))
    monkeypatch.setattr("encoder.model.best", lambda _model, asked, _count: [ranked[asked[0]]])
    asked = [each for each in phrases if each.label.startswith("ask/")]
    words, meaning = Words(knowledge, ROOT / "data" / "nlu"), by_meaning(models)

    found = [
        each.label.removeprefix("ask/") in [hit.topic for hit in search(each.text, words, meaning, 3)] for each in asked
    ]

    assert sum(found) >= 0.97 * len(found)
