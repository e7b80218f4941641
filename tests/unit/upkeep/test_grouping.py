"""Questions of one meaning come together."""

import numpy as np

from bot.upkeep.grouping import group, pairwise_f1, with_thoughts


def unit(*rows: tuple[float, ...]) -> np.ndarray:
    vectors = np.array(rows, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_near_ones_are_one_group_the_most_central_first():
    vectors = unit((1, 0, 0), (0, 1, 0), (0.9, 0.3, 0), (0.95, 0.1, 0), (0, 0, 1))

    assert group(vectors, farthest=0.3) == [[3, 0, 2], [1], [4]]


def test_the_same_vectors_give_the_same_groups_in_any_run():
    vectors = unit(*np.random.default_rng(5).normal(size=(40, 8)).tolist())

    assert group(vectors) == group(vectors.copy())
    assert sorted(place for places in group(vectors) for place in places) == list(range(40))


def test_equal_questions_are_together():
    assert group(unit((1, 2, 3), (1, 2, 3), (1, 2, 3))) == [[0, 1, 2]]


def test_none_and_one_are_no_trouble():
    assert group(unit((1, 0))) == [[0]]
    assert group(np.empty((0, 2), dtype=np.float32)) == []


def test_other_words_with_the_same_topics_in_mind_come_together():
    words = unit((1, 0, 0), (0, 1, 0), (0, 0, 1))
    thoughts = [{"deposit": 0.3, "visale": 0.2}, {"deposit": 0.25, "visale": 0.2}, {"bikes": 0.3}]

    assert group(with_thoughts(words, thoughts)) == [[0, 1], [2]]
    assert group(with_thoughts(words, [{}, {}, {}])) == [[0], [1], [2]]


def test_the_measure_counts_pairs():
    assert pairwise_f1([[0, 1], [2, 3]], ["a", "a", "b", "b"]) == (1.0, 1.0, 1.0)
    assert pairwise_f1([[0, 1, 2, 3]], ["a", "a", "b", "b"]) == (1 / 3, 1.0, 0.5)
    assert pairwise_f1([[0], [1]], ["a", "a"]) == (1.0, 0.0, 0.0)
