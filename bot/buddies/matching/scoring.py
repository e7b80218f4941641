"""Which pairs the limits allow, and what each is worth: for all pairs of two lists at once, as matrices."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.buddies.matching.people import Buddy, Newcomer, Person, language_of, plain
from bot.buddies.matching.weights import TERMS, Weights

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

LEAST_OVERLAP = 30
"""Days that the two must be here together, both ends counted."""
ENOUGH_LANGUAGES, ENOUGH_INTERESTS, ENOUGH_DAYS = 2, 3, 150
"""More than that in common adds nothing: an evening needs one language and a few things to talk about."""
WIDESPREAD = frozenset({"en", "fr"})
"""Nearly everybody speaks one of them; another language in common is worth a term of its own."""
POINTS = 10_000
"""A score is a whole number of these parts of 1, so that equal scores are equal and sums are exact."""
FOREVER = 1_000_000
"""Days: further than any date."""

LIMITS = ("campus", "language", "overlap", "gender", "excluded")
"""In the order in which a newcomer without a buddy is told the reason."""


@dataclass(frozen=True)
class Scored:
    """Newcomers × buddies."""

    allowed: Bools
    points: NDArray[np.int32]
    """0 to POINTS; meaningless where not allowed."""


def score_pair(newcomer: Newcomer, buddy: Buddy, weights: Weights) -> tuple[float, dict[str, float]] | None:
    """(score 0 to 1, each term 0 to 1), or None where a limit forbids the pair. Capacity is not looked at."""
    sides = Sides([newcomer], [buddy])
    if not sides.allowed()[0, 0]:
        return None
    terms = {name: round(float(matrix[0, 0]), 4) for name, matrix in sides.terms().items()}
    return int(sides.points(weights)[0, 0]) / POINTS, terms


def scored(newcomers: Sequence[Newcomer], buddies: Sequence[Buddy], weights: Weights) -> Scored:
    sides = Sides(newcomers, buddies)
    return Scored(sides.allowed(), sides.points(weights))


class Sides:
    """Two lists side by side; every method gives matrices of newcomers × buddies."""

    def __init__(self, newcomers: Sequence[Newcomer], buddies: Sequence[Buddy]) -> None:
        self._newcomers, self._buddies = newcomers, buddies
        self._common = self._shared(languages_of)
        start = np.maximum.outer(_days(newcomers, "arrival", -FOREVER), _days(buddies, "arrival", -FOREVER))
        end = np.minimum.outer(_days(newcomers, "departure", FOREVER), _days(buddies, "departure", FOREVER))
        self._days = end - start + 1

    def limits(self) -> dict[str, Bools]:
        """For each of LIMITS whether it allows the pair."""
        genders = self._equal(lambda person: plain(person.gender))
        asked = np.logical_or.outer(
            [each.same_gender for each in self._newcomers], [each.same_gender for each in self._buddies]
        )
        return {
            "campus": self._equal(lambda person: plain(person.campus)),
            "language": self._common >= 1,
            "overlap": self._days >= LEAST_OVERLAP,
            "gender": ~asked | genders,
            "excluded": self._not_excluded(),
        }

    def allowed(self) -> Bools:
        found: Bools = np.logical_and.reduce(list(self.limits().values()))
        return found

    def terms(self) -> dict[str, Floats]:
        """Each term of the score, 0 to 1."""
        fields = self._equal(lambda person: plain(person.field))
        wished = np.logical_or.outer(
            [each.same_field for each in self._newcomers], [each.same_field for each in self._buddies]
        )
        rare = self._shared(lambda person: languages_of(person) - WIDESPREAD)
        found = {
            "languages": self._common / ENOUGH_LANGUAGES,
            "rare_language": rare,
            "interests": self._shared(interests_of) / ENOUGH_INTERESTS,
            "field": fields,
            "wish": ~wished | fields,
            "overlap": self._days / ENOUGH_DAYS,
        }
        return {name: np.clip(found[name], 0, 1).astype(np.float32) for name in TERMS}

    def points(self, weights: Weights) -> NDArray[np.int32]:
        total = np.zeros(self._common.shape, dtype=np.float64)
        for name, matrix in self.terms().items():
            total += getattr(weights, name) * matrix
        return np.rint(total * (POINTS / weights.total)).astype(np.int32)

    def _equal(self, word_of: Callable[[Person], str]) -> Bools:
        """Empty equals nothing."""
        codes: dict[str, int] = {"": -1}
        left = [codes.setdefault(word_of(each), len(codes)) for each in self._newcomers]
        right = [codes.setdefault(word_of(each), len(codes)) for each in self._buddies]
        ours, theirs = np.array(left, dtype=np.int32), np.array(right, dtype=np.int32)
        found: Bools = (ours[:, None] == theirs[None, :]) & (ours[:, None] >= 0)
        return found

    def _shared(self, words_of: Callable[[Person], Collection[str]]) -> Floats:
        """How many words each pair has in common."""
        left, right = [words_of(each) for each in self._newcomers], [words_of(each) for each in self._buddies]
        names = set().union(*left) & set().union(*right)
        columns = {word: column for column, word in enumerate(sorted(names))}
        found: Floats = _table(left, columns) @ _table(right, columns).T
        return found

    def _not_excluded(self) -> Bools:
        found = np.ones((len(self._newcomers), len(self._buddies)), dtype=np.bool_)
        row = {each.id: place for place, each in enumerate(self._newcomers)}
        column = {each.id: place for place, each in enumerate(self._buddies)}
        for newcomer in self._newcomers:
            for buddy_id in newcomer.excluded & column.keys():
                found[row[newcomer.id], column[buddy_id]] = False
        for buddy in self._buddies:
            for newcomer_id in buddy.excluded & row.keys():
                found[row[newcomer_id], column[buddy.id]] = False
        return found


def languages_of(person: Person) -> frozenset[str]:
    return frozenset(language_of(tag) for tag in person.languages) - {""}


def interests_of(person: Person) -> frozenset[str]:
    return frozenset(plain(each) for each in person.interests) - {""}


def _table(rows: Sequence[Iterable[str]], columns: dict[str, int]) -> Floats:
    table = np.zeros((len(rows), len(columns)), dtype=np.float32)
    for place, words in enumerate(rows):
        table[place, [columns[word] for word in words if word in columns]] = 1
    return table


def _days(people: Sequence[Person], name: str, unknown: int) -> NDArray[Any]:
    days = [getattr(each, name) for each in people]
    return np.array([unknown if day is None else day.toordinal() for day in days], dtype=np.int64)
