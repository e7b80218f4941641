from pathlib import Path

import pytest

from bot.answers.urgent import build_door
from bot.content.loader import read_yaml
from bot.content.schema import UrgentKind
from bot.i18n.languages import CODES

DOOR = build_door(
    {
        kind: UrgentKind.model_validate(value)
        for kind, value in read_yaml(Path(__file__).resolve().parents[3] / "knowledge" / "urgent.yml").items()
    }
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I want to die", "suicide"),
        ("i dont want to live anymore", "suicide"),
        ("I don’t want to live", "suicide"),
        ("Je pense au SUICIDE", "suicide"),
        ("j'ai plus envie de vivre", "suicide"),
        ("quiero morir", "suicide"),
        ("nao quero viver", "suicide"),
        ("я не хочу жити", "suicide"),
        ("أريد أن أموت", "suicide"),
        ("我想死", "suicide"),
        ("my friend is not breathing", "danger"),
        ("my roommate collapsed and does not breathe", "danger"),
        ("The kitchen is on fire", "danger"),
        ("mon copain me bat", "danger"),
        ("elle s'est évanouie", "danger"),
        ("he has a knife and he is following me home", "danger"),
        ("J'ai été agressée", "danger"),
        ("我需要救护车", "danger"),
    ],
)
def test_danger_is_recognised_in_every_language(text, kind):
    assert DOOR.kind_of(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "this homework is killing me",
        "I would die for a pizza",
        "Which number do I call in an emergency?",
        "my visa is dying next month",
        "je meurs de faim",
        "la violence des prix du loyer",
        "How do I insure my room against fire?",
        "Do I need insurance against fire in my room?",
        "Faut-il une assurance incendie dans mon logement ?",
        "violon lessons",
        "",
    ],
)
def test_everyday_words_are_not_danger(text):
    assert DOOR.kind_of(text) is None


@pytest.mark.parametrize("language", CODES)
def test_every_language_has_a_text_that_starts_with_the_number(language):
    assert "3114" in DOOR.text("suicide", language).splitlines()[0]
    assert "112" in DOOR.text("danger", language).splitlines()[0]
