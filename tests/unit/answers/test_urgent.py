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
        ("The kitchen is on fire", "fire"),
        ("mon copain me bat", "assault"),
        ("elle s'est évanouie", "danger"),
        ("he has a knife and he is following me home", "assault"),
        ("J'ai été agressée", "assault"),
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


def test_the_model_is_asked_where_no_word_shows_danger():
    asked = []

    def model(text):
        asked.append(text)
        return "fire" if "smoke" in text else "no_such_kind"

    door = build_door(DOOR.kinds, model)

    assert door.kind_of("it smells of smoke") == "fire"
    assert door.kind_of("I want to die") == "suicide"
    assert door.kind_of("hello") is None
    assert door.kind_of("123 ?!") is None
    assert asked == ["it smells of smoke", "hello"]
