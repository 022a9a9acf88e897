"""Beside the tables of the benchmarks: exact intervals of shares, and where evolution stands."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from scipy.stats import beta

from benchmarks import surrogates
from benchmarks.entrants import EVOLUTION
from benchmarks.intervals import bracket, counted, exact_interval, share
from benchmarks.scores import Score, Scores
from benchmarks.sections import rows
from benchmarks.standing import column, standing

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
# The report on mutants measures nothing: the same faults survive on any machine.
REPORTS = sorted(path for path in RESULTS.glob("*.md") if path.stem != "mutants")


def test_three_of_five_may_be_15_to_95_percent() -> None:
    assert counted(3, 5) == "3 of 5 (15% to 95%)"
    assert share(3, 5) == "60% (15% to 95%)"
    assert bracket(0, 34) == "(0% to 10%)"
    assert bracket(20, 20) == "(83% to 100%)"


@pytest.mark.parametrize(("count", "total"), [(1, 2), (3, 5), (18, 20), (77, 200)])
def test_the_interval_is_that_of_clopper_and_pearson(count: int, total: int) -> None:
    low = beta.ppf(0.025, count, total - count + 1)
    high = beta.ppf(0.975, count + 1, total - count)
    assert exact_interval(count, total) == pytest.approx((low, high), rel=1e-6)


def test_the_place_of_a_strategy_among_all() -> None:
    table = ["| a, as it comes | 5 | 2.50 ± 1 |", "| b | 5 | 1.25 (1 to 2) |", "| c | 5 | 3 |"]
    scores = column(table, 2)
    assert scores == {"a, as it comes": 2.5, "b": 1.25, "c": 3.0}
    told = standing("a, as it comes", scores, "the mean")
    assert told == "Where plain a stands: at place 2 of 3, by the mean. Ahead of it: b."
    assert standing("b", scores, "the mean").endswith("at place 1 of 3, by the mean.")


def test_tasks_won_are_those_that_are_won_at_most_seeds(tmp_path: Path) -> None:
    scores = Scores(tmp_path / "scores.csv")
    won, lost = Score(2.0, 52, 52, 1, 1), Score(0.5, math.inf, math.inf, 1, 1)
    scores.put("random", "x", [won, lost, won])
    scores.put("random", "y", [won, lost, lost])
    scores.put(EVOLUTION, "x", [lost])
    scores.put(EVOLUTION, "y", [lost])
    text = surrogates.lcbench_text(scores, {"x": 1.0, "y": 1.0}, 104)
    cells = [cell.strip() for cell in rows(text)["random"].split("|")]
    assert cells[3] == f"1.0 ± 1.0 of 2 {bracket(1, 2)}"
    assert cells[5] == counted(1, 2), "the median of y's seeds is infinite"
    assert "at place 2 of 2, by the tasks that are won. Ahead of it: random." in text


COUNT = re.compile(r"(?:(\d+), \d+, )?\b(\d+) of (\d+)\b( \(\d+% to \d+%\))?")
"""A count in a cell, such as `3 of 5 (15% to 95%)`.

Of three kinds that are counted, such as `2, 32, 0 of 34`, the interval is that of the first.
"""


@pytest.mark.parametrize("path", REPORTS, ids=[path.stem for path in REPORTS])
def test_every_count_in_a_report_has_its_interval(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        # The first trials that two runs have in common are no sample, so they have no interval.
        cells = line.replace("| 12 of 25 |", "|").strip("|").split("|")
        if not line.startswith("|"):
            continue
        for cell in cells:
            # a mean over several seeds, such as `0.7 ± 1.2 of 34`, is no count
            for first, last, total, interval in COUNT.findall(re.sub(r"\d+\.\d+ of", "of", cell)):
                expected = bracket(int(first or last), int(total))
                assert interval.strip() == expected, cell


@pytest.mark.parametrize("path", REPORTS, ids=[path.stem for path in REPORTS])
def test_every_report_names_the_cpu_or_says_that_it_is_not_known(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    machines = [part for part in paragraphs if re.search(r"\d+ cores .*, Python", part)]
    sections = re.findall(r"^## ", text, re.MULTILINE)
    assert len(machines) == max(1, len(sections))
    for machine in machines:
        # the CPU's name comes first, before the number of cores
        assert "CPU: not recorded" in machine or not machine[0].isdigit()


def test_every_share_of_repeats_has_its_interval() -> None:
    found = 0
    for line in (RESULTS / "search.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for cell in cells:
            if match := re.fullmatch(r"\S+ ± \S+, (\d+)% (.*)", cell):
                repeats = int(cells[1])
                count = round(int(match[1]) / 100 * repeats)
                assert match[2] == bracket(count, repeats), cell
                found += 1
    assert found == 13 * 4 + 13 * 3
