"""The urgent door on messages that nobody saw who wrote its words and its training phrases."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from structlog.testing import capture_logs

from bot.answers import danger
from bot.answers.danger import TrainedDanger, readable
from bot.answers.urgent import LONGEST_FOR_MODEL, UrgentDoor, build_door
from bot.assistant.training import held_out_phrases
from bot.config import ROOT, Settings
from bot.content.check import folded
from bot.content.loader import Knowledge
from bot.i18n.languages import CODES
from encoder.kernel import Floats
from encoder.model import load
from encoder.sentences import encode
from encoder.urgent import NEAR_DANGER, NOT_URGENT, phrases
from encoder.vectors import kept_vectors

pytestmark = pytest.mark.engine

HELD_OUT = ROOT / "tests" / "data" / "urgent"


def held_out(language: str) -> dict[str, list[str]]:
    content: dict[str, list[str]] = yaml.safe_load((HELD_OUT / f"{language}.yml").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def door(trained_model: Path, knowledge: Knowledge) -> UrgentDoor:
    return build_door(knowledge.urgent, TrainedDanger(Settings().data / "models"))


@pytest.fixture(scope="module")
def known(trained_model: Path) -> dict[str, Floats]:
    """The vectors that the training kept of the held-out questions, by sentence."""
    model = load(trained_model)
    assert model is not None
    sentences = [model.speller.repair(each.text) for each in held_out_phrases(ROOT)]
    folder = Settings().data / "models" / "vectors" / "held-out"
    return dict(zip(sentences, kept_vectors(sentences, folder), strict=True))


def raised(door: UrgentDoor, texts: list[str], known: dict[str, Floats]) -> list[bool]:
    """Whether the door opens, message by message; the vectors are made together, one by one they take many minutes."""
    sentences = sorted({readable(text[:LONGEST_FOR_MODEL]) for text in texts} - known.keys())
    vectors = known | dict(zip(sentences, encode(sentences), strict=True))
    with pytest.MonkeyPatch.context() as patched, capture_logs() as logs:
        patched.setattr(danger, "vector_of", lambda sentence: vectors[sentence][np.newaxis])
        opened = [door.kind_of(text) is not None for text in texts]
    assert logs == []
    return opened


@pytest.mark.parametrize("language", CODES)
def test_there_are_ninety_messages_in_danger_in_every_language_and_none_was_trained_on(language: str) -> None:
    urgent = [text for kind, texts in held_out(language).items() if kind != NOT_URGENT for text in texts]
    trained = {folded(text) for text, _ in phrases(ROOT / "data" / "urgent")}

    assert len(urgent) >= 90
    assert {folded(text) for text in urgent} & trained == set()


def test_nearly_every_message_in_danger_opens_the_door(door: UrgentDoor, known: dict[str, Floats]) -> None:
    urgent = [text for code in CODES for kind, texts in held_out(code).items() if kind != NOT_URGENT for text in texts]

    found = raised(door, urgent, known)

    print(*(text for text, is_found in zip(urgent, found, strict=True) if not is_found), sep="\n")
    assert sum(found) >= 0.985 * len(found)


def test_the_door_stays_shut_for_nearly_everything_else(door: UrgentDoor, known: dict[str, Floats]) -> None:
    calm = [text for code in CODES for text in held_out(code)[NOT_URGENT]]
    calm += [each.text for each in held_out_phrases(ROOT) if each.label not in NEAR_DANGER]

    alarms = raised(door, calm, known)

    print(*(text for text, is_alarm in zip(calm, alarms, strict=True) if is_alarm), sep="\n")
    assert sum(alarms) <= 0.01 * len(alarms)


@pytest.mark.parametrize(
    "sentence",
    [
        "the code is {}",
        "mon code c'est le {}",
        "el código es {}",
        "o código é {}",
        "الرمز هو {}",
        "код {}",
        "验证码是{}",
    ],
)
def test_no_code_from_a_mail_opens_the_door(door: UrgentDoor, sentence: str) -> None:
    codes = [f"{number:06}" for number in range(417, 10**6, 33_333)]

    assert [code for code in codes if door.kind_of(sentence.format(code))] == []
