"""The page of a comparison."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from evonas.insight.charts import cell, comparison_figure, comparison_page
from evonas.insight.comparison import Curve, band
from evonas.insight.scale import Scale
from evonas.trial import Objective

LOSS = Objective("val_loss", "min")
SCALE = Scale(LOSS, is_logarithmic=True)


def curves() -> dict[str, list[Curve]]:
    def one(*values: float) -> Curve:
        return Curve(np.array([10.0, 20.0, 30.0]), np.array(values))

    return {
        "evolution": [one(3, 2, 1), one(3, 1, 1)],
        "<b>random</b>": [one(np.nan, 3, 2), one(4, 3, 3)],
    }


@pytest.fixture
def page() -> str:
    bands = {label: band(found, 30.0, SCALE) for label, found in curves().items()}
    rows = [{"strategy": label, "final": 1.23456, "twins": None} for label in bands]
    return comparison_page(
        "a <title>", SCALE, "epochs", bands, curves(), rows, ["a beats <script>b</script>"]
    )


def test_the_page_needs_no_network(page: str) -> None:
    assert "src=" not in re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    assert "Plotly.newPlot" in page


def test_names_are_text_and_never_markup(page: str) -> None:
    body = re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.DOTALL)
    assert "<b>random" not in body
    assert "&lt;b&gt;random&lt;/b&gt;" in body
    assert "&lt;script&gt;b" in body
    assert "<title>a &lt;title&gt;</title>" in body


def test_a_page_has_a_note_and_headings_of_its_own_where_they_are_given() -> None:
    bands = {label: band(found, 30.0, SCALE) for label, found in curves().items()}
    rows = [{"strategy": label, "final_deviation": 1.0, "fresh": None} for label in bands]
    page = comparison_page(
        "t", SCALE, "epochs", bands, curves(), rows, [], "a <note>", {"fresh": "fresh (val_loss)"}
    )
    assert "<p>a &lt;note&gt;</p>" in page
    assert "<th>strategy</th><th>final deviation</th><th>fresh (val_loss)</th>" in page


def test_charts_are_not_posted_anywhere(page: str) -> None:
    assert '"showSendToCloud": false' in page


def test_a_figure_has_svg_traces_only_and_a_line_a_run() -> None:
    bands = {label: band(found, 30.0, SCALE) for label, found in curves().items()}
    figure = comparison_figure(SCALE, "epochs", bands, curves())
    assert {trace.type for trace in figure.data} == {"scatter"}
    # Two runs and a mean each. Two runs have no interval, and so no band.
    assert len(figure.data) == 2 * (2 + 1)
    assert not [trace for trace in figure.data if trace.fill]
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == [
        "evolution",
        "&lt;b&gt;random&lt;/b&gt;",
    ]


def test_a_mean_begins_where_every_run_has_a_success() -> None:
    bands = {label: band(found, 30.0, SCALE) for label, found in curves().items()}
    figure = comparison_figure(SCALE, "epochs", bands, curves())
    last = figure.data[-1]
    assert min(last.x) >= 20


def figure_of(runs: list[Curve], scale: Scale = SCALE) -> Any:
    return comparison_figure(scale, "epochs", {"a": band(runs, 30.0, scale)}, {"a": runs})


def ending(value: float) -> Curve:
    return Curve(np.array([10.0]), np.array([value]))


def test_four_runs_have_a_band() -> None:
    figure = figure_of([ending(value) for value in (1, 2, 3, 4)])
    (filled,) = (trace for trace in figure.data if trace.fill)
    assert len(figure.data) == 4 + 1 + 1
    assert min(filled.y) < 1
    assert max(filled.y) > 4


def test_a_strategy_that_found_nothing_is_in_the_legend_with_its_runs() -> None:
    """Neither it nor the runs of a strategy with one failure were in the figure once."""
    failed = ending(math.nan)
    figure = figure_of([ending(1.0), failed, failed])
    shown = [trace for trace in figure.data if trace.showlegend is not False]
    assert [trace.name for trace in shown] == ["a: 2 of 3 failed"]
    assert [trace for trace in figure.data if 1.0 in trace.y]
    figure = figure_of([ending(1.0), ending(2.0), failed])
    assert figure.data[-1].line.dash == "dash"
    assert set(figure.data[-1].y) == {2.0}


def test_values_without_a_logarithm_have_a_linear_axis() -> None:
    assert figure_of([ending(1.0)]).layout.yaxis.type == "log"
    assert figure_of([ending(-1.0)], Scale(LOSS)).layout.yaxis.type == "linear"


def test_the_page_says_what_the_lines_are(page: str) -> None:
    about = (
        "best val_loss so far: geometric mean of 2 seeds, and each run: their range (min to max)"
    )
    assert about in page
    assert "bootstrap" not in re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.DOTALL)


def test_cells() -> None:
    assert (cell(None), cell(0.123456), cell(3), cell("a")) == ("-", "0.1235", "3", "a")
