"""encoder/urgent.py: the alarm's threshold, on well separated vectors."""

from pathlib import Path

import numpy as np
import pytest

from encoder.kernel import Floats
from encoder.urgent import NOT_URGENT, UrgentModel, learn, phrases


def unit(vectors: np.ndarray) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def model() -> UrgentModel:
    random = np.random.default_rng(5)
    urgent = unit(np.repeat(np.eye(3, 12), 10, axis=0) + random.normal(0, 0.1, (30, 12)))
    kinds = ["fire"] * 10 + ["suicide"] * 10 + [NOT_URGENT] * 10
    ordinary = unit(np.repeat(np.eye(12)[4:8], 20, axis=0) + random.normal(0, 0.1, (80, 12)))
    return learn(urgent, kinds, ordinary)


def test_each_danger_has_its_kind_and_everything_else_none(model: UrgentModel) -> None:
    assert model.kinds_of(unit(np.eye(12)[[0, 1, 2, 5]])) == ["fire", "suicide", None, None]


def test_a_saved_model_says_the_same(model: UrgentModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = UrgentModel.load(tmp_path)

    assert loaded.threshold == model.threshold
    assert loaded.kinds_of(unit(np.eye(12))) == model.kinds_of(unit(np.eye(12)))


def test_phrases_come_from_every_language_in_stable_order(tmp_path: Path) -> None:
    (tmp_path / "fr.yml").write_text("fire: [au feu]\n", encoding="utf-8")
    (tmp_path / "en.yml").write_text("fire: [fire]\nnot_urgent: [fire drill]\n", encoding="utf-8")

    assert phrases(tmp_path) == [("fire", "fire"), ("fire drill", NOT_URGENT), ("au feu", "fire")]
