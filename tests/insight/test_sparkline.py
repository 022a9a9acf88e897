"""A learning curve on one line."""

from __future__ import annotations

from evonas.insight.sparkline import sparkline


def test_bars_are_between_the_least_and_the_greatest_value():
    assert sparkline([0.0, 7.0]) == "▁█"
    assert sparkline([8.0, 4.0, 2.0, 1.0]) == "█▄▂▁"
    assert sparkline([float(i) for i in range(8)]) == "▁▂▃▄▅▆▇█"


def test_a_flat_curve_is_low_and_an_empty_one_is_empty():
    assert sparkline([3.0, 3.0, 3.0]) == "▁▁▁"
    assert sparkline([]) == ""
    assert sparkline([None, None]) == ""


def test_what_is_missing_or_not_finite_leaves_a_gap():
    assert sparkline([None, 0.0, float("inf"), 1.0, float("nan")]) == " ▁ █ "


def test_many_values_are_averaged_in_groups_of_neighbours():
    steps = [0.0] * 30 + [7.0] * 30
    assert sparkline(steps, width=4) == "▁▁██"
    # A single peak among fifteen values is a fifteenth of its height.
    assert sparkline([0.0] * 15 + [7.0] + [0.0] * 14, width=2) == "▁█"
    assert len(sparkline([float(i) for i in range(1001)])) == 32
    # A gap within a group is not counted.
    assert sparkline([None, 1.0, 2.0, 2.0], width=2) == "▁█"
