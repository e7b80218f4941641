"""The interval of a difference of two shares, against the examples of Newcombe (1998), table II, method 10."""

import pytest

from bot.reminders.comparing import Difference, difference, wilson


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_the_published_examples_come_out(counts: tuple[int, int, int, int], low: float, high: float):
    found = difference(*counts)

    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_turning_the_groups_round_turns_the_interval_round():
    one, other = difference(56, 70, 48, 80), difference(48, 80, 56, 70)

    assert one is not None
    assert other is not None
    assert (round(-other.high, 12), round(-other.low, 12)) == (round(one.low, 12), round(one.high, 12))


def test_wilson_gives_the_known_interval_of_81_of_263():
    low, high = wilson(81, 263)

    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_an_empty_group_has_no_difference():
    assert difference(0, 0, 3, 10) is None
    assert difference(3, 10, 0, 0) is None


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(-0.1, 0.2, True), (0.0, 0.2, True), (0.01, 0.2, False), (-0.3, -0.1, False)]
)
def test_an_interval_that_includes_nothing_may_be_chance(low: float, high: float, expected: bool):
    assert Difference((low + high) / 2, low, high).may_be_chance is expected
