"""The trained model on questions that were written from the titles and answers alone and never trained on.

Writes var/reports/nlu.html. ACCUEIL_SHOW_MISSES=1 prints every miss; `accueil bench nlu --baseline` accepts a new
measurement (tests/nlu/baseline.json) after the set or the phrases were changed on purpose.
"""

import os
from pathlib import Path

import pytest

from bot.bench.nlu import (
    BASELINE,
    Decided,
    asked_back,
    by_language,
    cross_validated,
    false_answers,
    fingerprint,
    measure,
    outcomes,
    read_baseline,
    recognised,
)
from bot.bench.report import write_report
from bot.clock import SystemClock
from bot.config import ROOT, Settings
from bot.content.loader import Knowledge

pytestmark = pytest.mark.engine

TOLERATED_LOSS = 0.01


@pytest.fixture(scope="module")
def decided(trained_model: Path, knowledge: Knowledge) -> list[Decided]:
    settings = Settings()
    results = measure(ROOT, settings.data)
    report = settings.data / "reports" / "nlu.html"
    write_report(report, knowledge, results, cross_validated(settings.data), SystemClock().now())
    if os.environ.get("ACCUEIL_SHOW_MISSES") == "1":
        for each in results:
            if each.outcome != "right" and (each.is_ours or each.outcome != "unknown"):
                print(f"{each.outcome:8} {each.label} → {each.best[0].label}: {each.text}")
    return results


@pytest.fixture
def outside(decided: list[Decided]) -> list[Decided]:
    return [each for each in decided if not each.is_ours]


@pytest.fixture(params=["en", "fr"])
def ours(request: pytest.FixtureRequest, decided: list[Decided]) -> list[Decided]:
    return [each for each in decided if each.label.startswith("ask/") and each.language == request.param]


@pytest.fixture(params=["en", "fr"])
def deeds(request: pytest.FixtureRequest, decided: list[Decided]) -> list[Decided]:
    """What asks for no topic but wants something done: a step marked, a class booked, a fact corrected."""
    wanted = [each for each in decided if each.is_ours and not each.label.startswith("ask/")]
    return [each for each in wanted if each.language == request.param]


def test_there_are_enough_questions_to_measure_with(decided: list[Decided], outside: list[Decided]) -> None:
    assert len(decided) - len(outside) >= 1500
    assert len(outside) >= 300


def test_no_more_than_a_point_is_lost_against_the_last_accepted_measurement(decided: list[Decided]) -> None:
    accepted = read_baseline(ROOT)

    assert accepted.fingerprint == fingerprint(decided), f"the set has changed: see {BASELINE} in this file's head"
    for language, part in by_language(each for each in decided if each.is_ours).items():
        assert recognised(part).value >= accepted.recognised[language] - TOLERATED_LOSS
        assert outcomes(part, "right").value >= accepted.answered[language] - TOLERATED_LOSS


def test_the_right_topic_comes_first_for_at_least_92_of_100(ours: list[Decided]) -> None:
    assert recognised(ours).value >= 0.92


def test_what_is_to_be_done_comes_first_for_at_least_84_of_100(deeds: list[Decided]) -> None:
    assert len(deeds) >= 150
    assert recognised(deeds).value >= 0.84


def test_few_questions_are_answered_wrongly(ours: list[Decided]) -> None:
    assert outcomes(ours, "wrong").value <= 0.06


def test_at_most_15_of_100_are_asked_back_and_mostly_with_the_right_topic(ours: list[Decided]) -> None:
    assert asked_back(ours).value <= 0.15
    assert outcomes(ours, "asked").hits >= 0.7 * asked_back(ours).hits


def test_what_is_not_ours_is_hardly_ever_answered_and_seldom_asked_back(outside: list[Decided]) -> None:
    assert false_answers(outside).value <= 0.02
    assert asked_back(outside).value <= 0.05
