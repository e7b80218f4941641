"""`accueil search` on the held-out questions: the right topic among the first three."""

from pathlib import Path

import pytest

from bot.answers.search import Words, by_meaning, search
from bot.assistant.training import held_out_phrases
from bot.config import ROOT, Settings
from bot.content.loader import Knowledge

pytestmark = pytest.mark.engine


def test_the_right_topic_is_among_the_first_three_for_97_of_100(trained_model: Path, knowledge: Knowledge) -> None:
    words, meaning = Words(knowledge, ROOT / "data" / "nlu"), by_meaning(Settings().data / "models")
    phrases = [each for each in held_out_phrases(ROOT) if each.label.startswith("ask/")]

    found = [
        each.label.removeprefix("ask/") in [hit.topic for hit in search(each.text, words, meaning, 3)]
        for each in phrases
    ]

    assert sum(found) >= 0.97 * len(found)
