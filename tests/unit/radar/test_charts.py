"""Charts: a round scale, no style of their own, the same drawn for whatever is hidden."""

import re

import pytest

from bot.console.pages.radar.charts import Series, bar, nice, stacks, week_grid


@pytest.mark.parametrize(("largest", "top"), [(0, 4), (4, 4), (5, 8), (13, 20), (21, 40), (61, 80), (999, 1200)])
def test_the_scale_ends_at_a_round_number_that_four_divides(largest: int, top: int):
    assert (nice(largest), top % 4) == (top, 0)


def test_what_is_hidden_is_a_stub_on_top_and_no_week_without_anything():
    weeks = ["2026-W47", "2026-W48", "2026-W49", "2026-W50"]
    drawn = stacks(
        "Talks",
        weeks,
        [Series("alone", "one", [8, None, None, 0]), Series("person", "two", [0, 6, None, 0])],
        "not shown",
    )

    assert drawn.count('<rect class="one"') == 1
    assert drawn.count('<rect class="two"') == 1
    stubs = re.findall(r'<rect class="hidden" x="[^"]*" y="([^"]*)"[^>]*height="([^"]*)"><title>(.*?)</title>', drawn)
    assert stubs == [("43.5", "11.0", "2026-W48: not shown"), ("171.0", "11.0", "2026-W49: not shown")]
    assert "<title>2026-W47: alone 8</title>" in drawn


def test_many_weeks_are_narrow_and_every_fourth_is_named():
    names = [f"2026-W{number:02}" for number in range(1, 27)]

    assert stacks("Talks", names, [Series("alone", "one", [5] * 26)], "hidden").count('text-anchor="middle"') == 7
    assert stacks("Talks", names[:12], [Series("alone", "one", [5] * 12)], "hidden").count('text-anchor="middle"') == 12


def test_bars_fill_the_whole_width_however_many_they_are():
    drawn = stacks("Talks", ["2026-W47", "2026-W48"], [Series("alone", "one", [5, 5])], "hidden")

    assert re.findall(r'<rect class="one" x="(.*?)".*? width="(.*?)"', drawn) == [
        ("7.50%", "35.00%"),
        ("57.50%", "35.00%"),
    ]
    assert [
        re.findall('class="chart (.*?)"', stacks("Talks", ["2026-W01"] * weeks, [], "hidden"))[0]
        for weeks in (4, 12, 26, 52)
    ] == ["few", "some", "many", "most"]


def test_names_cannot_break_out_and_nothing_has_a_style_of_its_own():
    drawn = stacks("<b>", ["<i>"], [Series('"x', "one", [5])], "hidden") + week_grid("<b>", ["<u>"] * 7, [[5] * 24] * 7)

    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert "<u>" not in drawn
    assert " style=" not in drawn


def test_a_bar_is_as_long_as_its_share_of_the_largest():
    assert 'width="90.0"' in bar(5, 10)
    assert 'width="0.0"' in bar(0, 0)
