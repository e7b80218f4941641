"""The set of invented adverts: every expected sign and no other; and no question is taken for an advert."""

from decimal import Decimal
from itertools import chain

import pytest
import yaml

from bot.answers.urgent import build_door
from bot.config import ROOT
from bot.content.phrases import read_training_phrases
from bot.housing.advert_file import load_adverts
from bot.housing.adverts import check, looks_like_advert

ADVERTS = load_adverts(ROOT / "knowledge")
SET = [
    each
    for file in sorted((ROOT / "tests" / "data" / "adverts").glob("*.yml"))
    for each in yaml.safe_load(file.read_text(encoding="utf-8"))
]
LILLE = Decimal(500)

every_advert = pytest.mark.parametrize("advert", SET, ids=lambda advert: advert["id"])


def _questions() -> list[str]:
    training = (
        phrase
        for file in sorted((ROOT / "data" / "nlu").glob("*/*.yml"))
        for phrases in read_training_phrases(file).values()
        for phrase in phrases
    )
    held_out = (
        phrase
        for file in sorted((ROOT / "tests" / "nlu").glob("*/**/*.yml"))
        for phrase in _phrases(yaml.safe_load(file.read_text(encoding="utf-8")))
    )
    asked = (
        str(each["question"])
        for each in yaml.safe_load((ROOT / "tests" / "data" / "questions.yml").read_text(encoding="utf-8"))
    )
    return list(chain(training, held_out, asked))


def _phrases(content) -> list[str]:
    if isinstance(content, str):
        return [content]
    parts = content.values() if isinstance(content, dict) else content
    return [phrase for part in parts for phrase in _phrases(part)]


@every_advert
def test_an_advert_shows_its_signs_and_no_others(advert) -> None:
    assert [each.sign for each in check(ADVERTS, advert["text"], LILLE).found] == advert["signs"]


@every_advert
def test_it_is_recognised_without_being_asked_for(advert) -> None:
    assert looks_like_advert(ADVERTS, advert["text"]) is True


@every_advert
def test_nobody_is_taken_to_have_paid(advert) -> None:
    assert check(ADVERTS, advert["text"], LILLE).has_paid is False


@every_advert
def test_the_words_of_the_urgent_door_leave_it_alone(advert, knowledge) -> None:
    assert build_door(knowledge.urgent).kind_of(advert["text"]) is None


def test_the_set_is_large_and_half_of_it_honest() -> None:
    honest = sum(not each["signs"] for each in SET)

    assert len({each["id"] for each in SET}) == len(SET)
    assert len(SET) >= 40
    assert 0.4 <= honest / len(SET) <= 0.6


def test_every_sign_is_shown_by_an_advert_of_the_set() -> None:
    assert {sign for each in SET for sign in each["signs"]} == ADVERTS.file.signs.keys()


def test_no_question_is_taken_for_an_advert() -> None:
    questions = _questions()

    assert len(questions) > 10_000
    assert [question for question in questions if looks_like_advert(ADVERTS, question)] == []
