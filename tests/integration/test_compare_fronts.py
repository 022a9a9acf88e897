"""Whole experiments with several objectives: one box for all runs, the rest as with one."""

from __future__ import annotations

import itertools
import json
from html import escape

import numpy as np
import pytest

import evonas
from evonas.experiments import compare
from evonas.testing.runs import stub_pools, write_data
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub

OPS = "abcd"
SPACE = "space: s\ninput: none\nnetwork: {cell: {length: 4, ops: {a: {}, b: {}, c: {}, d: {}}}}\n"
CONFIG = """
space: ./s.yaml
evaluator: {table: {path: t.csv}}
objectives: [{name: value, direction: max}, {name: price, direction: min}]
training: {epochs: 9}
budget: {trials: 30}
pool: {simulated: {workers: 2}}
"""
EXPERIMENT = """
experiment: fronts
config: ./run.yaml
seeds: [0, 1]
strategies: {nsga2: {nsga2: {population: 6}}, nsga3: {nsga3: {population: 6}}, random: random}
"""
SHORT = EXPERIMENT.replace("seeds: [0, 1]", "seeds: [0]") + "changes: {budget.trials: 14}\n"
STUBBED = """
space: mlp
data: {path: data.npz, task: classification}
objectives: [val_accuracy, parameters, latency_ms]
budget: {trials: 12}
training: {epochs: 2}
pool: {local: {devices: cpu, workers: 1}}
"""


def prepare(folder, config=CONFIG, experiment=EXPERIMENT):
    rows = ["cell.0.op,cell.1.op,cell.2.op,cell.3.op,value@9,price@9,seconds@9"]
    for number, ops in enumerate(itertools.product(OPS, repeat=4)):
        rows.append(f"{','.join(ops)},{number * 37 % 256},{1 + number * 91 % 199},1")
    (folder / "t.csv").write_text("\n".join(rows) + "\n")
    (folder / "s.yaml").write_text(SPACE)
    (folder / "run.yaml").write_text(config)
    (folder / "e.yaml").write_text(experiment)
    return folder


def prepare_stubs(folder, seeds):
    write_data(folder)
    return prepare(folder, STUBBED, EXPERIMENT.replace("seeds: [0, 1]", seeds))


def go(folder, **more):
    return compare(folder / "e.yaml", runs=folder / "runs", **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of an experiment that has been run; nothing in it is changed by a test."""
    return prepare(tmp_path_factory.mktemp("fronts"))


@pytest.fixture(scope="module")
def found(folder):
    return go(folder)


def loaded(folder, found):
    return {
        (label, seed): evonas.load(folder / "runs" / "fronts" / f"{label}-{seed}")
        for label, seeds in found.results.items()
        for seed in seeds
    }


def area_of_steps(points, best, worst):
    """What points (value, price) dominate, added up from the most valuable to the least.

    Neither evonas nor moocore has a part in it.
    """
    covered, lowest = 0.0, worst[1]
    for value, price in sorted(points, key=lambda point: (-point[0], point[1])):
        if price < lowest and value > worst[0]:
            covered += (value - worst[0]) * (lowest - price)
            lowest = price
    return covered / ((best[0] - worst[0]) * (worst[1] - best[1]))


def test_every_curve_is_the_hypervolume_in_the_box_of_all_runs(found, folder):
    runs = loaded(folder, found)
    points = {
        key: [(t.metrics["value"], t.metrics["price"]) for t in run.trials]
        for key, run in runs.items()
    }
    values, prices = zip(*itertools.chain(*points.values()), strict=True)
    best, worst = (max(values), min(prices)), (min(values), max(prices))
    assert len(points) == 6
    for (label, seed), these in points.items():
        expected = [area_of_steps(these[:count], best, worst) for count in range(len(these) + 1)]
        curve = found.results[label][seed].curve
        assert curve.best.tolist() == pytest.approx(expected)
        assert curve.spent[-1] == 30
        assert 0 < curve.final < 1
    assert found.to_json()["box"] == {
        "value": {"best": best[0], "worst": worst[0]},
        "price": {"best": best[1], "worst": worst[1]},
    }


def test_what_is_said_and_written(found):
    told = json.loads(found.data.read_text())
    assert told == found.to_json()
    assert (told["objective"], [one["name"] for one in told["objectives"]]) == (
        "hypervolume",
        ["value", "price"],
    )
    finals = [result.curve.final for result in found.results["random"].values()]
    assert told["target"] == pytest.approx(np.mean(finals))
    assert len(found.sentences) == 2
    assert all(" in hypervolume" in words and "points" not in words for words in found.sentences)
    page, picture = found.page.read_text(), found.picture.read_text()
    assert escape(found.note) in page
    assert "means nothing between experiments" in found.note
    assert "<th>test (test_value)</th>" in page
    assert "best hypervolume so far: mean of 2 seeds, and each run: their range" in picture
    for row in found.rows():
        assert row["final"] > 0
        assert 0 < row["area"] < row["final"]


def test_the_table_in_the_terminal_names_the_metrics(found, folder, capsys):
    from evonas.cli.compare import command

    command(str(folder / "e.yaml"), runs=folder / "runs")
    said = " ".join(capsys.readouterr().out.split())
    assert "hypervolume of value and price after 30 trials" in said
    assert found.note in said


def test_a_run_without_any_success_has_lost(tmp_path):
    def pool(config, setup, root):
        return StubPool(setup, 2, Stub(diverge=1.0 if config.strategy_name == "random" else 0.0))

    found = go(prepare_stubs(tmp_path, "seeds: [0]\nfresh: 0"), pool_factory=pool)
    assert [result.failures for result in found.results["random"].values()] == [12]
    assert [result.curve.final for result in found.results["random"].values()] == [0]
    rows = {row["strategy"]: row for row in found.rows()}
    assert rows["random"]["final"] == rows["random"]["area"] == found.target == 0
    assert rows["nsga2"]["final"] > 0
    assert not any("cannot be compared" in words for words in found.sentences)
    assert found.page.is_file()


def test_what_violates_a_constraint_is_neither_on_a_front_nor_in_the_box(tmp_path):
    folder = prepare(tmp_path, CONFIG + "constraints: {price: {max: 60}}\n", SHORT)
    found = go(folder)
    within = [
        t.metrics
        for run in loaded(folder, found).values()
        for t in run.trials
        if t.metrics["price"] <= 60
    ]
    assert found.to_json()["box"]["price"] == {
        "best": min(one["price"] for one in within),
        "worst": max(one["price"] for one in within),
    }
    assert found.to_json()["box"]["value"]["best"] == max(one["value"] for one in within)


def test_where_no_run_has_a_front_nothing_is_compared(tmp_path):
    found = go(prepare(tmp_path, CONFIG + "constraints: {price: {max: 0.5}}\n", SHORT))
    assert all("cannot be compared" in words for words in found.sentences)
    told = json.loads(found.data.read_text())
    assert (told["box"], told["target"]) == (None, None)
    assert {value for seeds in told["finals"].values() for value in seeds.values()} == {None}
    assert found.page.is_file()
    assert found.picture.is_file()


def test_trainings_are_shared_and_winners_are_the_best_by_the_first_objective(tmp_path):
    """Also where a time is an objective: a network that two runs share was measured once."""
    folder = prepare_stubs(tmp_path, "seeds: [0]\nfresh: 1")
    found = go(folder, pool_factory=stub_pools())
    reused = {label: seeds[0].reused for label, seeds in found.results.items()}
    assert reused["nsga2"] == 0
    assert reused["nsga3"] >= 5, "the founders"
    runs = loaded(folder, found)
    first = {trial.genome.digest: trial.metrics for trial in runs["nsga2", 0].trials}
    shared = [trial for trial in runs["nsga3", 0].trials if trial.genome.digest in first]
    assert len(shared) >= 5
    assert all(trial.metrics == first[trial.genome.digest] for trial in shared)
    for row in found.rows():
        run = runs[row["strategy"], 0]
        assert row["test"] == run.result["metrics"]["test_accuracy"]
        assert row["fresh"] == pytest.approx(
            found.results[row["strategy"]][0].fresh[0]["val_accuracy"]
        )
        assert run.best.metrics["val_accuracy"] == max(
            t.metrics["val_accuracy"] for t in run.trials if t.fitness
        )
    assert found.headings["test"] == "test (test_accuracy)"
