"""The picture of a comparison."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from evonas.insight.charts import COLOURS
from evonas.insight.comparison import Curve, band
from evonas.insight.curves import (
    BOTTOM,
    LABEL_LENGTH,
    LEFT,
    LINE_GAP,
    RIGHT,
    TOP,
    _apart,
    comparison_svg,
)
from evonas.insight.scale import scale_of
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")


def curve(*values: float) -> Curve:
    return Curve(np.linspace(10.0, 10.0 * len(values), len(values)), np.array(values))


def drawn(curves: dict[str, list[Curve]], objective: Objective = LOSS) -> ElementTree.Element:
    values = [one.final for some in curves.values() for one in some]
    scale = scale_of(objective, values)
    bands = {label: band(some, 30.0, scale) for label, some in curves.items()}
    return ElementTree.fromstring(comparison_svg("a <title>", scale, "epochs", bands, curves))


def paths(picture: ElementTree.Element, width: str) -> list[list[tuple[float, float]]]:
    """The points of the lines of a width."""
    lines = [path for path in picture.iter() if path.get("stroke-width") == width]
    return [
        [
            (float(x), float(y))
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", line.get("d", ""))
        ]
        for line in lines
    ]


def words(picture: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in picture.iter() if text.tag.endswith("text")]


@pytest.mark.parametrize(
    ("objective", "worse", "better"),
    [(LOSS, (0.5, 0.4, 0.3), (0.5, 0.2, 0.1)), (ACCURACY, (0.5, 0.8, 0.9), (0.7, 0.9, 0.95))],
)
def test_better_is_upwards(
    objective: Objective, worse: tuple[float, ...], better: tuple[float, ...]
) -> None:
    picture = drawn({"worse": [curve(*worse)], "better": [curve(*better)]}, objective)
    lines = paths(picture, "2.6")
    assert lines[1][-1][1] < lines[0][-1][1]
    assert [line[0][1] > line[-1][1] for line in lines] == [True, True], (
        "the best so far only climbs"
    )
    for line in lines:
        assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in line)
        assert line[-1][0] == RIGHT


def test_each_run_is_a_thin_line_and_each_strategy_a_colour() -> None:
    picture = drawn(
        {"a": [curve(3, 2, 1), curve(3, 1, 1)], "b": [curve(np.nan, 3, 2), curve(4, 3, 3)]}
    )
    assert len(paths(picture, ".8")) == 4
    assert [
        line.get("stroke") for line in picture.iter() if line.get("stroke-width") == "2.6"
    ] == list(COLOURS[:2])
    starts = [line[0][0] for line in paths(picture, "2.6")]
    assert starts[0] < starts[1], "the mean of b begins where both runs of b have a success"


def test_names_are_text_and_the_ends_say_the_means() -> None:
    picture = drawn({"<b>x</b>": [curve(4, 3, 0.5)], "y": [curve(4, 3, 0.25)]})
    assert "a <title>" in words(picture)
    assert "<b>x</b>  0.5000" in words(picture)
    assert "y  0.2500" in words(picture)


def test_labels_of_equal_lines_are_apart_and_inside() -> None:
    picture = drawn(
        {f"strategy {i}": [curve(3, 2, 1)] for i in range(12)} | {"worst": [curve(9, 9, 9)]}
    )
    ends = sorted(
        float(text.get("y", 0))
        for text in picture.iter()
        if (text.text or "").startswith(("strategy", "worst"))
    )
    assert len(ends) == 13
    assert all(b - a >= LINE_GAP - 0.11 for a, b in itertools.pairwise(ends))
    assert ends[-1] <= BOTTOM + 4.1


def test_a_strategy_without_a_success_has_no_line_but_a_label_that_says_so() -> None:
    """It had neither once, so that a strategy that lost was not in the picture at all."""
    picture = drawn({"a": [curve(3, 2, 1)], "none": [curve(np.nan, np.nan, np.nan)]})
    assert len([line for line in paths(picture, "2.6") if line]) == 1
    assert "none  1 of 1 failed" in words(picture)


def test_nothing_at_all_is_a_picture_too() -> None:
    assert "a <title>" in words(drawn({"none": [curve(np.nan)]}))


def filled(picture: ElementTree.Element) -> list[ElementTree.Element]:
    """The areas of intervals."""
    return [path for path in picture.iter() if path.get("fill-opacity") == ".13"]


def about(picture: ElementTree.Element) -> str:
    """The caption."""
    (text,) = (text for text in picture.iter() if text.get("class") == "sub soft")
    return text.text or ""


def test_four_runs_have_an_interval() -> None:
    picture = drawn({"a": [curve(4, 3, 1), curve(4, 2, 1), curve(3, 2, 2), curve(4, 4, 2)]})
    assert len(filled(picture)) == 1
    assert about(picture) == (
        "best val_loss so far: geometric mean of 4 seeds, its 95 % t interval, and each run"
    )


def test_three_runs_have_none_and_are_called_a_range() -> None:
    some = [curve(0.4, 0.7, 0.8), curve(0.5, 0.6, 0.8), curve(0.3, 0.9, 0.9)]
    picture = drawn({"a": some}, ACCURACY)
    assert not filled(picture)
    assert len(paths(picture, ".8")) == 3
    assert about(picture) == (
        "best val_accuracy so far: mean of 3 seeds, and each run: their range (min to max),"
        " no interval"
    )
    assert about(drawn({"a": some[:1]}, ACCURACY)).endswith("so far, one run a strategy")


def test_a_run_that_found_nothing_makes_a_dashed_median() -> None:
    runs = [curve(4, 3, 1), curve(4, 2, 1), curve(3, 2, 2), curve(np.nan, np.nan, np.nan)]
    picture = drawn({"a": runs, "whole": runs[:3] + runs[:1]})
    dashed = [
        path.get("stroke-dasharray") for path in picture.iter() if path.get("stroke-width") == "2.6"
    ]
    assert dashed == ["7 4", None]
    assert len(filled(picture)) == 1
    assert "a  1.5000, 1 of 4 failed" in words(picture)
    assert about(picture).endswith("; dashed: the median, if a run found nothing")


def test_a_wide_interval_stays_in_the_picture() -> None:
    """A t interval may reach beyond all runs; its area ends at the axes."""
    picture = drawn(
        {"a": [curve(9, 5, 1), curve(0.01, 0.01, 0.01), curve(8, 7, 5), curve(9, 1, 1)]}
    )
    (area,) = filled(picture)
    points = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", area.get("d", ""))
    assert all(TOP <= float(y) <= BOTTOM for _, y in points)


def test_a_long_name_leaves_room_for_what_became_of_it() -> None:
    runs = [curve(4, 3, 1), curve(4, 2, 1), curve(np.nan, np.nan, np.nan)]
    (label,) = (word for word in words(drawn({"x" * 60: runs})) if word.startswith("xxx"))
    assert label.endswith("  1.0000, 1 of 3 failed")
    assert len(label) == LABEL_LENGTH


def test_labels_that_are_beyond_the_end_go_back_and_push_the_others() -> None:
    assert _apart([1.0, 2.0, 3.0], 2.0, 9.0) == [1.0, 3.0, 5.0]
    assert _apart([1.0, 2.0, 3.0], 2.0, 4.0) == [0.0, 2.0, 4.0]
