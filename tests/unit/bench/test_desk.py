import pytest

from bot.bench.desk import percentile


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (100, 100), (1, 1)])
def test_a_percentile_of_a_hundred_values_is_the_value_at_that_place(percent, value):
    assert percentile(range(1, 101), percent) == value


def test_a_percentile_of_one_value_is_that_value():
    assert percentile([0.3], 95) == 0.3
