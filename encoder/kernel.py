"""The classifier itself: kernel ridge regression over sentence vectors, calibrated by its exact leave-one-out scores.

Arithmetic on arrays, no Rasa and no scikit-learn, so that scoring a model does not need to start the engine. Against
multinomial logistic regression on the same vectors the kernel is right for 8 more phrases in a hundred, and leaving
every phrase out once costs one matrix inversion instead of thousands of trainings.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LEFT_OUT = "left-out.npz"

TEMPERATURES = np.geomspace(0.01, 0.5, 60)

FAINTEST = 0.3
"""Scores are read against the best one, or against this when the best is fainter: a clear winner among small scores
counts (a question in new words), but nonsense, where every score is near zero, stays unsure. Chosen by leave-one-out
likelihood among 0.1 to 0.5 (0.486 nats a phrase; 0.530 when scores are taken as they are)."""


@dataclass(frozen=True)
class Kernel:
    """A trained classifier.

    `vectors` (n, d) unit vectors of the training texts, `weights` (n, k) their influence on each of the k `labels`,
    `temperature` turns scores into probabilities, `left_out` is the share of phrases recognised when left out.
    """

    labels: tuple[str, ...]
    vectors: Floats
    weights: Floats
    width: float
    temperature: float
    left_out: float

    def probabilities(self, vectors: Floats) -> Floats:
        """Shape (m, k): for each of the m unit vectors the probability of each label; rows sum to 1."""
        scores = similarity(vectors, self.vectors, self.width) @ self.weights
        return softmax(relative(scores) / np.float32(self.temperature))

    def best(self, vectors: Floats, count: int) -> list[list[tuple[str, float]]]:
        """For each vector its `count` most likely labels with probabilities, best first."""
        return [
            [(self.labels[column], float(row[column])) for column in np.argsort(-row, kind="stable")[:count]]
            for row in self.probabilities(vectors)
        ]

    def save(self, folder: Path, name: str) -> None:
        np.savez(folder / f"{name}.npz", vectors=self.vectors.astype(np.float16), weights=self.weights)
        about = {
            "labels": self.labels,
            "width": self.width,
            "temperature": self.temperature,
            "left_out": self.left_out,
        }
        (folder / f"{name}.json").write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, name: str) -> "Kernel":
        about = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            return cls(
                labels=tuple(about["labels"]),
                vectors=arrays["vectors"].astype(np.float32),
                weights=arrays["weights"],
                width=about["width"],
                temperature=about["temperature"],
                left_out=about["left_out"],
            )


@dataclass(frozen=True)
class Fitted:
    """A classifier with what cross-validation says of it: `left_out` (m, k), the probabilities of each of the first m
    training texts by a model without that text, and their true labels `truth` (m,) as columns."""

    kernel: Kernel
    left_out: Floats
    truth: NDArray[np.intp]

    def save_left_out(self, folder: Path, count: int) -> None:
        """The `count` best labels of each phrase with their probabilities: thresholds are chosen on them."""
        best = np.argsort(-self.left_out, axis=1, kind="stable")[:, :count]
        chances = np.take_along_axis(self.left_out, best, axis=1)
        np.savez(folder / LEFT_OUT, best=best.astype(np.uint16), chances=chances, truth=self.truth.astype(np.uint16))


def read_left_out(folder: Path, labels: Sequence[str]) -> list[tuple[str, list[tuple[str, float]]]]:
    """For each training phrase its true label and what the model without it found, best first."""
    with np.load(folder / LEFT_OUT, allow_pickle=False) as kept:
        return [
            (labels[truth], [(labels[place], float(chance)) for place, chance in zip(places, chances, strict=True)])
            for truth, places, chances in zip(kept["truth"], kept["best"], kept["chances"], strict=True)
        ]


def similarity(left: Floats, right: Floats, width: float) -> Floats:
    """Gaussian kernel of unit vectors, shape (len(left), len(right)): 1 for the same text, towards 0 when unrelated."""
    powers: Floats = np.exp(np.float32(width) * (left @ right.T - np.float32(1)))
    return powers


def relative(scores: Floats) -> Floats:
    """Scores (m, k) divided by the best of their row, at least by FAINTEST."""
    result: Floats = scores / np.maximum(scores.max(axis=1, keepdims=True), np.float32(FAINTEST))
    return result


def softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


def fit(
    vectors: Floats,
    labels: Sequence[str],
    trust: Floats,
    *,
    phrases: int,
    width: float,
    ridge: float,
    solve: "Solve | None" = None,
) -> Fitted:
    """Train on unit vectors (n, d) with their labels.

    `trust` (n,) says how much each text counts: a sentence of an answer less than a student's own words. Accuracy and
    temperature are taken from the first `phrases` texts, the students' words, each scored by a model without it.
    `solve`: see Solve; by numpy when left out.
    """
    names = tuple(sorted(set(labels)))
    truth = np.searchsorted(names, labels)
    targets = np.zeros((len(labels), len(names)), dtype=np.float32)
    targets[np.arange(len(labels)), truth] = 1
    targets -= np.float32(1 / len(names))

    gram = similarity(vectors, vectors, width)
    gram[np.diag_indices_from(gram)] += np.float32(ridge) / trust
    weights, diagonal = (solve or solve_with_numpy)(gram, targets)
    # For ridge regression the score of a text by the model trained without it has this closed form.
    left_out = (targets - weights / diagonal[:, None])[:phrases]
    temperature = calibrate(left_out, truth[:phrases])
    trained = Kernel(
        labels=names,
        vectors=vectors,
        weights=weights.astype(np.float32),
        width=width,
        temperature=temperature,
        left_out=float(np.mean(left_out.argmax(axis=1) == truth[:phrases])),
    )
    return Fitted(trained, softmax(relative(left_out) / np.float32(temperature)), truth[:phrases])


Solve = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""(symmetric positive definite matrix (n, n), targets (n, k)) → (the matrix's inverse times the targets (n, k), the
diagonal of the inverse (n,)). May overwrite the matrix."""


def solve_with_numpy(matrix: Floats, targets: Floats) -> tuple[Floats, Floats]:
    inverse: Floats = np.linalg.inv(matrix)
    return inverse @ targets, np.diag(inverse)


def calibrate(scores: Floats, truth: NDArray[np.intp]) -> float:
    """The temperature under which the true labels (m,) are most likely, given scores (m, k) of texts left out."""
    rows, scores = np.arange(len(truth)), relative(scores)
    losses = [
        -np.mean(np.log(softmax(scores / np.float32(temperature))[rows, truth] + 1e-9)) for temperature in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])
