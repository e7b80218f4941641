"""Two shares and their difference, with an interval that holds for small numbers as well. Pure."""

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054
"""Of the normal distribution: 95 % lie within."""


@dataclass(frozen=True)
class Difference:
    """Of two shares, and its 95 % interval; from −1 to 1."""

    value: float
    low: float
    high: float

    @property
    def may_be_chance(self) -> bool:
        return self.low <= 0 <= self.high


def wilson(successes: int, total: int) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 %. `total` is at least 1."""
    share = successes / total
    middle = share + Z_95**2 / (2 * total)
    half = Z_95 * sqrt(share * (1 - share) / total + Z_95**2 / (4 * total**2))
    scale = 1 + Z_95**2 / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def difference(successes_1: int, total_1: int, successes_2: int, total_2: int) -> Difference | None:
    """The first share less the second one; None when one of the groups is empty.

    Newcombe's hybrid score interval without continuity correction: method 10 of R. G. Newcombe, "Interval estimation
    for the difference between independent proportions: comparison of eleven methods", Statistics in Medicine 17
    (1998), 873–890.
    """
    if total_1 == 0 or total_2 == 0:
        return None
    share_1, share_2 = successes_1 / total_1, successes_2 / total_2
    low_1, high_1 = wilson(successes_1, total_1)
    low_2, high_2 = wilson(successes_2, total_2)
    value = share_1 - share_2
    return Difference(
        value,
        value - sqrt((share_1 - low_1) ** 2 + (high_2 - share_2) ** 2),
        value + sqrt((high_1 - share_1) ** 2 + (share_2 - low_2) ** 2),
    )
