"""Danger in any wording: a small classifier over sentence vectors, beside the word lists of knowledge/urgent.yml.

Its texts are the messages of people in trouble (data/urgent/), against everything else students write.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from encoder.kernel import Floats, Kernel, Solve, fit

NAME = "urgent"
NOT_URGENT = "not_urgent"
NEAREST = 3000
"""How many of the students' ordinary phrases are learned as not urgent: those nearest to an urgent one."""
MOST_FALSE_ALARMS = 0.009
"""Share of ordinary phrases that may raise an alarm when left out; the threshold is the lowest that keeps to it."""
WIDTH, RIDGE = 1.4, 0.05

NEAR_DANGER = frozenset(
    f"ask/{slug}"
    for slug in (
        "border_refusal",
        "child_in_danger",
        "emergency_numbers",
        "harassment",
        "lost_passport",
        "no_french_emergency",
        "poison_centre",
        "rental_scam",
        "shelter_tonight",
        "stolen_papers",
        "suicidal_thoughts",
        "violence",
    )
)
"""Topics whose phrases may be urgent themselves: they are no examples of what is not."""


@dataclass(frozen=True)
class UrgentModel:
    """`threshold`: probability of all kinds together from which a message is urgent."""

    kernel: Kernel
    threshold: float

    def kinds_of(self, vectors: Floats) -> list[str | None]:
        """For each of the unit vectors (m, d) the kind of danger, or None."""
        chances = self.kernel.probabilities(vectors)
        none = self.kernel.labels.index(NOT_URGENT)
        urgent = 1 - chances[:, none]
        chances[:, none] = -1
        return [
            self.kernel.labels[int(row.argmax())] if chance >= self.threshold else None
            for row, chance in zip(chances, urgent, strict=True)
        ]

    def save(self, folder: Path) -> None:
        self.kernel.save(folder, NAME)
        (folder / f"{NAME}-threshold.json").write_text(json.dumps(self.threshold), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "UrgentModel":
        threshold = json.loads((folder / f"{NAME}-threshold.json").read_text(encoding="utf-8"))
        return cls(Kernel.load(folder, NAME), float(threshold))


def phrases(folder: Path) -> list[tuple[str, str]]:
    """(text, kind) of all files `folder`/<language>.yml, in stable order; kind NOT_URGENT for near misses."""
    found: list[tuple[str, str]] = []
    for path in sorted(folder.glob("*.yml")):
        content: Mapping[str, Sequence[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [(str(text), kind) for kind, texts in content.items() for text in texts]
    return found


def learn(urgent: Floats, kinds: Sequence[str], ordinary: Floats, *, solve: Solve | None = None) -> UrgentModel:
    """`urgent` (n, d) with their `kinds`, near misses among them; `ordinary` (m, d): unit vectors of other phrases."""
    danger = urgent[[kind != NOT_URGENT for kind in kinds]]
    nearest = np.argsort(-(ordinary @ danger.T).max(axis=1), kind="stable")[:NEAREST]
    vectors = np.vstack([urgent, ordinary[nearest]])
    labels = [*kinds, *[NOT_URGENT] * len(nearest)]
    fitted = fit(
        vectors,
        labels,
        np.ones(len(labels), dtype=np.float32),
        phrases=len(labels),
        width=WIDTH,
        ridge=RIDGE,
        solve=solve,
    )
    none = fitted.kernel.labels.index(NOT_URGENT)
    alarms = np.sort((1 - fitted.left_out[:, none])[fitted.truth == none])
    # The phrases that are not among the nearest raise no alarm: they count as silent ones.
    allowed = int(MOST_FALSE_ALARMS * (len(alarms) + len(ordinary) - len(nearest)))
    threshold = float(np.nextafter(alarms[-allowed - 1], np.float32(1)))
    return UrgentModel(fitted.kernel, threshold)
