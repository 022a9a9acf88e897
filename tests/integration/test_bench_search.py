"""The frame of `make bench-search`, on made-up landscapes; published data are in test_published.py."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks import engine, surrogates
from benchmarks.loop import Problem, judged_by, search
from benchmarks.published import SPACES
from benchmarks.sections import Plan, Strategy, paragraph, read, report, rows
from evonas.genome import Genome
from evonas.runtime.budget import Limits


def landscape(genome: Genome, epochs: int) -> dict[str, float]:
    """The longer the better, and a large learning rate."""
    return {"val_accuracy": float(genome["training"][0].parameters["learning_rate"]) * (1 - 1 / (1 + epochs))}


@pytest.fixture
def problem() -> Problem:
    return judged_by(SPACES / "lcbench.yaml", landscape, "val_accuracy", 9)


@pytest.mark.parametrize("strategy", ["random", "evolution", "local_search", "hyperband", "asha", "screened"])
def test_a_search_in_memory_is_repeatable(problem: Problem, strategy: str) -> None:
    found = search(problem, {strategy: {}}, 3, Limits(40, look_ahead=1))
    assert len(found.trained) == 40
    assert all(trial.fitness is not None for trial in found.trained)
    assert search(problem, {strategy: {}}, 3, Limits(40, look_ahead=1)) == found


def test_a_continued_trial_costs_the_epochs_that_it_adds(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surrogates, "TRAININGS", 9)  # Hyperband's brackets of 9 epochs: 9 + 6 + 6, 3 x 3 + 6, 3 x 9
    found = surrogates.climb(problem, {"hyperband": {}}, 0)
    assert found.trials == (9 + 3 + 1) + (3 + 1) + 3 + (9 + 3 + 1)
    assert found.full[0][0] == 21, "the first bracket's one full training ends it"
    assert found.steps[0][0] == 1, "the very first trial has one epoch"
    assert found.best == found.full[-1][1]


def test_the_epochs_until_a_score() -> None:
    steps = surrogates.rises([(5, 0.5), (10, 0.4), (15, 0.7), (20, 0.7)])
    assert steps == ((5, 0.5), (15, 0.7))
    assert (surrogates.reached(steps, 0.6), surrogates.reached(steps, 0.8)) == (15, math.inf)
    assert surrogates.spread([0.1, 0.2, 0.3, math.inf, math.inf]) == "30% (20% to never)"


def test_rows_of_other_entrants_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "search.md"
    titles = {"one": "The one", "other": "The other"}
    path.write_text(report(path, titles, {"one": "| a | 1 |\n| b | 2 |", "other": "as it was"}), encoding="utf-8")
    entrants: dict[str, Strategy] = {"a": {"random": {}}, "b": {"aging": {}}, "c": {"grid": {}}}
    plan = Plan(5, frozenset({"aging"}), rows(read(path)["The one"]))
    measured = list(plan.rows(entrants, lambda name, strategy: f"| {name} | 3 |"))
    assert measured == ["| a | 1 |", "| b | 3 |"], "c was never measured and is not asked for"
    text = report(path, titles, {"one": "\n".join(measured)})
    assert "| b | 3 |" in text
    assert "| b | 2 |" not in text
    assert "as it was" in text


def test_sentences_fit_into_lines() -> None:
    text = paragraph("word\n        " * 100)
    assert max(map(len, text.splitlines())) <= 120
    assert text.split() == ["word"] * 100


def test_what_a_trial_costs_is_counted() -> None:
    found = engine.run("evolution", 30)
    assert found.trained == 30 <= found.rows
    assert found.commits > 30
    assert 0 < found.busy <= found.now * 8
