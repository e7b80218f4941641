"""Puts questions of one meaning together; pure and the same for the same vectors."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FARTHEST = 0.6
"""Mean cosine distance between two groups up to which they are one; measured in docs/how-to/keep-answers-true.md."""


def with_thoughts(vectors: NDArray[np.float32], thoughts: Sequence[Mapping[str, float]]) -> NDArray[np.float32]:
    """Each sentence vector (a row of length 1) with what the model thought of it (topic → probability) beside it.

    Half of the closeness of two questions is that of their words, half that of the topics they recall: the same wish in
    other words shares few words, but the model is unsure between the same topics.
    """
    names = {name: place for place, name in enumerate(sorted({name for each in thoughts for name in each}))}
    beside = np.zeros((len(vectors), len(names)), dtype=np.float32)
    for row, each in zip(beside, thoughts, strict=True):
        for name, probability in each.items():
            row[names[name]] = probability
    lengths = np.sqrt((beside * beside).sum(axis=1, keepdims=True))
    together = np.hstack([vectors, beside / np.maximum(lengths, 1e-9)])
    found: NDArray[np.float32] = (together / np.sqrt(2)).astype(np.float32)
    return found


def group(vectors: NDArray[np.float32], *, farthest: float = FARTHEST) -> list[list[int]]:
    """Places of the vectors (rows of length at most 1) by group: the largest first, in each the most central first.

    Average linkage: every question ends in exactly one group, a lone one in a group of its own.
    """
    if len(vectors) == 0:
        return []
    if len(vectors) == 1:
        return [[0]]
    # Most of a second, which a gateway that starts again does not have to spare.
    from scipy.cluster.hierarchy import fcluster, linkage

    numbers = fcluster(linkage(_distances(vectors), method="average"), farthest, criterion="distance")
    groups: dict[int, list[int]] = {}
    for place, number in enumerate(numbers.tolist()):
        groups.setdefault(number, []).append(place)
    ordered = sorted(groups.values(), key=lambda places: (-len(places), places[0]))
    return [central_first(vectors, places) for places in ordered]


def _distances(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """As scipy keeps them, each pair once."""
    from scipy.spatial.distance import squareform

    distances = 1.0 - (vectors @ vectors.T).astype(np.float64)
    # Of equal vectors they may come out a little below 0, which the linkage does not take.
    found: NDArray[np.float64] = squareform(np.maximum(distances, 0.0), checks=False)
    return found


def central_first(vectors: NDArray[np.float32], places: Sequence[int]) -> list[int]:
    """The places of one group in falling order of closeness to its middle."""
    middle = vectors[list(places)].mean(axis=0)
    closeness = vectors[list(places)] @ middle
    order = sorted(range(len(places)), key=lambda each: (-round(float(closeness[each]), 6), places[each]))
    return [places[each] for each in order]


def pairwise_f1(groups: Sequence[Sequence[int]], labels: Sequence[str]) -> tuple[float, float, float]:
    """(precision, recall, F1) over all pairs: together in a group against the same label."""
    sizes: dict[str, int] = {}
    for label in labels:
        sizes[label] = sizes.get(label, 0) + 1
    together = sum(_pairs(len(places)) for places in groups)
    alike = sum(map(_pairs, sizes.values()))
    both = 0
    for places in groups:
        within: dict[str, int] = {}
        for place in places:
            within[labels[place]] = within.get(labels[place], 0) + 1
        both += sum(map(_pairs, within.values()))
    precision = both / together if together else 1.0
    recall = both / alike if alike else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if both else 0.0


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
