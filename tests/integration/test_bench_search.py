"""The frame of `make bench-search`, on made-up landscapes; test_published.py has published data."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks import climb, engine, ranks, surrogates
from benchmarks.loop import Problem, judged_by, search
from benchmarks.published import SPACES
from benchmarks.scores import Score, Scores
from benchmarks.sections import Plan, Strategy, kind_of, paragraph, read, report, rows
from evonas.genome import Genome
from evonas.runtime.loop.budget import RunLimits


def landscape(genome: Genome, epochs: int) -> dict[str, float]:
    """The longer the better, and a large learning rate."""
    return {
        "val_accuracy": float(genome["training"][0].parameters["learning_rate"])
        * (1 - 1 / (1 + epochs))
    }


@pytest.fixture
def problem() -> Problem:
    return judged_by(SPACES / "lcbench.yaml", landscape, "val_accuracy", 9)


@pytest.mark.parametrize(
    "strategy", ["random", "evolution", "local_search", "hyperband", "asha", "screened"]
)
def test_a_search_in_memory_is_repeatable(problem: Problem, strategy: str) -> None:
    found = search(problem, {strategy: {}}, 3, RunLimits(40, look_ahead=1))
    assert len(found.trained) == 40
    assert all(trial.fitness is not None for trial in found.trained)
    assert search(problem, {strategy: {}}, 3, RunLimits(40, look_ahead=1)) == found


def test_a_continued_trial_costs_the_epochs_that_it_adds(
    problem: Problem,
) -> None:
    # Hyperband's brackets of 9 epochs: 9 + 6 + 6, 3 x 3 + 6, 3 x 9
    found = climb.climb(problem, {"hyperband": {}}, 0, trainings=9)
    assert found.trials == (9 + 3 + 1) + (3 + 1) + 3 + (9 + 3 + 1)
    assert found.full[0][0] == 21, "the first bracket's one full training ends it"
    assert found.steps[0][0] == 1, "the very first trial has one epoch"
    assert found.best == found.full[-1][1]


def test_the_epochs_until_a_score() -> None:
    steps = climb.rises([(5, 0.5), (10, 0.4), (15, 0.7), (20, 0.7)])
    assert steps == ((5, 0.5), (15, 0.7))
    assert (climb.reached(steps, 0.6), climb.reached(steps, 0.8)) == (15, math.inf)
    assert surrogates.spread([0.1, 0.2, 0.3, math.inf, math.inf]) == "30% (20% to never)"


def test_rows_of_other_entrants_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "search.md"
    titles = {"one": "The one", "other": "The other"}
    path.write_text(
        report(path, titles, {"one": "| a | 1 |\n| b | 2 |", "other": "as it was"}),
        encoding="utf-8",
    )
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
    assert max(map(len, text.splitlines())) <= 100
    assert text.split() == ["word"] * 100


def test_what_a_trial_costs_is_counted() -> None:
    found = engine.run("evolution", 30)
    assert found.trained == 30 <= found.rows
    assert found.commits > 30
    assert 0 < found.busy <= found.now * 8


def test_raw_scores_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    one, other = Score(0.1 + 0.2, 520, 17, 200, 31), Score(-math.inf, math.inf, math.inf, 3, 0)
    Scores(path).put("aging, sample 5", "a", [one, other])
    Scores(path).put("b", "a", [other])
    assert Scores(path).of("aging, sample 5") == {"a": (one, other)}
    assert Scores(path).of("b") == {"a": (other,)}
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3, (
        "a line for a strategy on a task"
    )


def test_a_cut_measurement_goes_on_and_its_reference_is_measured_once(
    problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surrogates, "TRAININGS", 5)
    searched: list[tuple[str, int]] = []

    def noted(problem: Problem, strategy: Strategy, seed: int, trainings: int) -> climb.Climb:
        searched.append((next(iter(strategy)), seed))
        return climb.climb(problem, strategy, seed, trainings)

    monkeypatch.setattr(surrogates, "climb", noted)

    def measure(amount: str, seeds: int, *only: str) -> Scores:
        scores = Scores(tmp_path / "scores.csv")
        plan = Plan(1, frozenset(only), amount=amount)
        surrogates._measure(plan, {"a": lambda: problem}, scores, 2, lambda kind: seeds)
        return scores

    measure("missing", 1, "aging")
    assert searched == [("random", 0), ("random", 1), ("aging", 0)], "the reference is needed"
    found = measure("missing", 2, "aging")
    assert searched[3:] == [("aging", 1)]
    random = found.of("random")["a"]
    target = min(one.best for one in random)
    assert [one.full < math.inf for one in random] == [one.best >= target for one in random]
    measure("missing", 2, "aging")
    measure("nothing", 2)
    assert len(searched) == 4
    measure("anew", 1, "aging")
    assert searched[4:] == [("aging", 0)]
    assert Scores(tmp_path / "scores.csv").of("random")["a"] == random


def test_ranks_and_their_interval() -> None:
    scores = {"a": {"x": 3.0, "y": 1.0}, "b": {"x": 2.0, "y": 1.0}, "c": {"x": 1.0, "y": -math.inf}}
    assert ranks.places(scores) == {"a": [1.0, 1.5], "b": [2.0, 1.5], "c": [3.0, 3.0]}
    assert ranks.bootstrap([3.0, 3.0]) == (3.0, 3.0)
    low, high = ranks.bootstrap([1.0] * 50 + [2.0] * 50)
    assert (low, high) == pytest.approx((1.402, 1.598), abs=0.01), "the standard error is 0.05"


def test_ranks_are_made_of_what_the_files_have(tmp_path: Path) -> None:
    scores = Scores(tmp_path / "scores.csv")
    for name, best in {"good": 2.0, "bad": 1.0}.items():
        for task in "xy":
            scores.put(name, task, [Score(best, 1, 1, 1, 1)] * 3)
    scores.put("half", "x", [Score(3.0, 1, 1, 1, 1)])
    table = (
        "| strategy | repeats | 50 trials | 100 trials |\n|---|---|---|---|\n"
        "| good | 100 | 1 ± 1, 0% | 93.5 ± 0.5, 9% |"
    )
    text = report(tmp_path / "search.md", {"macro": "Macro"}, {"macro": table})
    (tmp_path / "search.md").write_text(text, encoding="utf-8")
    plan = Plan(1, folder=tmp_path)
    found = ranks.ranks_part(plan, "scores.csv", "Macro", ["bad", "good", "half", "unknown"])
    assert (
        rows(found)["good"]
        == "| good | 1.00 (1.00 to 1.00) | 3 | 93.500 (93.401 to 93.599) | 100 |"
    )
    assert rows(found)["bad"] == "| bad | 2.00 (2.00 to 2.00) | 3 | - | - |"
    assert list(rows(found))[-2:] == ["good", "bad"]
    assert "half (1 of 2 tasks)" in found


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        ({"random": {}}, "random"),
        ({"model_based": {"surrogate": "forest"}}, "forest"),
        ({"evolution": {}}, "guided"),
        ({"evolution": {"guide": "dngo"}}, "guided"),
        ({"evolution": {"guide": "none"}}, "evolution"),
        ({"evolution": {"replacement": "steady_state"}}, "evolution"),
    ],
)
def test_what_costs_more_has_a_kind_of_its_own(strategy: Strategy, kind: str) -> None:
    assert kind_of(strategy) == kind
