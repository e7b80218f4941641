"""encoder/kernel.py: the arithmetic of the classifier."""

from pathlib import Path

import numpy as np
import pytest

from encoder.kernel import Floats, Kernel, fit

GROUPS = ("ask/cvec", "ask/visale", "handoff")


def unit(vectors: np.ndarray) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def kernel() -> Kernel:
    """Trained on three well separated groups of ten."""
    random = np.random.default_rng(7)
    vectors = unit(np.repeat(np.eye(3, 12), 10, axis=0) + random.normal(0, 0.1, (30, 12)))
    labels = [label for label in GROUPS for _ in range(10)]
    return fit(vectors, labels, np.ones(30, dtype=np.float32), phrases=30, width=1.4, ridge=0.05).kernel


def test_separate_groups_are_recognised_when_left_out(kernel: Kernel) -> None:
    assert (kernel.labels, kernel.left_out) == (GROUPS, 1.0)


def test_the_best_label_comes_first_and_probabilities_sum_to_one(kernel: Kernel) -> None:
    [best] = kernel.best(unit(np.eye(3, 12)[1:2]), 3)

    assert best[0][0] == "ask/visale"
    assert [confidence for _, confidence in best] == sorted((confidence for _, confidence in best), reverse=True)
    assert sum(confidence for _, confidence in best) == pytest.approx(1)


def test_a_text_unlike_all_others_is_less_sure_than_a_known_one(kernel: Kernel) -> None:
    known, strange = kernel.probabilities(unit(np.eye(12)[[0, 11]])).max(axis=1)

    assert known > 0.95
    assert strange < 0.7


def test_the_left_out_score_is_that_of_a_model_trained_without_the_text() -> None:
    random = np.random.default_rng(3)
    vectors = unit(random.normal(size=(20, 6)))
    labels = [GROUPS[place % 3] for place in range(20)]
    trust = np.ones(20, dtype=np.float32)
    right = []
    for place in range(20):
        others = [each for each in range(20) if each != place]
        named = [labels[each] for each in others]
        without = fit(vectors[others], named, trust[1:], phrases=19, width=1.4, ridge=0.05)
        right.append(without.kernel.best(vectors[[place]], 1)[0][0][0] == labels[place])

    fitted = fit(vectors, labels, trust, phrases=20, width=1.4, ridge=0.05)

    assert fitted.kernel.left_out == pytest.approx(np.mean(right))


def test_a_saved_kernel_gives_the_same_probabilities(kernel: Kernel, tmp_path: Path) -> None:
    kernel.save(tmp_path, "kernel")
    vectors = unit(np.random.default_rng(1).normal(size=(5, 12)))

    np.testing.assert_allclose(
        Kernel.load(tmp_path, "kernel").probabilities(vectors), kernel.probabilities(vectors), rtol=0, atol=0.01
    )
