"""Whole experiments, with stubs: what is run, what is reused, how it goes on, and what it says."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest

import evonas
from evonas import lifecycle
from evonas.cli.compare import command
from evonas.errors import InvalidConfig, InvalidData, Stopped
from evonas.experiments import compare
from evonas.runtime.config.experiment_file import load_experiment
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.reader import RecordReader
from evonas.testing.runs import stub_pools, write_data
from evonas.testing.stub_pool import StubPool, TimedPool
from evonas.testing.stub_worker import Stub
from evonas.view import load
from tests.command import run_evonas

CONFIG = """
space: mlp
data: {path: data.npz, task: classification}
budget: {trials: 8}
training: {epochs: 2}
pool: {local: {devices: cpu}}
"""
EXPERIMENT = """
experiment: small
config: ./run.yaml
seeds: [0, 1]
strategies:
  evolution: {evolution: {population: 4}}
  random: random
  comma: {evolution: {population: 4, replacement: comma}}
fresh: 2
"""
JUDGED = """
space: ./space.yaml
plugins: [judge_of_one]
evaluator: {python: {function: "judge_of_one:evaluate"}}
objective: {name: score, direction: max}
budget: {minutes: 1}
pool: inline
"""


def prepare(folder):
    write_data(folder)
    (folder / "run.yaml").write_text(CONFIG)
    (folder / "experiment.yaml").write_text(EXPERIMENT)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of an experiment that has been run; nothing in it is changed by a test."""
    return prepare(tmp_path_factory.mktemp("experiment"))


@pytest.fixture(scope="module")
def found(folder):
    return go(folder)


def go(folder, **more):
    return compare(
        folder / "experiment.yaml",
        runs=folder / "runs",
        pool_factory=stub_pools(),
        **more,
    )


def test_an_experiment_compares_every_strategy_at_every_seed(found, folder):
    assert {label: list(seeds) for label, seeds in found.results.items()} == {
        label: [0, 1] for label in ("evolution", "random", "comma")
    }
    assert found.reference == "random"
    assert len(found.sentences) == 2
    assert found.unit == "trials"
    for seeds in found.results.values():
        for result in seeds.values():
            assert result.curve.spent[-1] == 8
            assert result.test["test_loss"] > 0
            assert [set(one) >= {"val_loss", "test_loss"} for one in result.fresh] == [True, True]


def test_what_is_written_is_what_was_found(found, folder):
    assert json.loads(found.data.read_text()) == found.to_json()
    page = found.page.read_text()
    assert found.sentences[0] in page
    assert (folder / "runs" / "small" / "evolution-1" / "best.json").is_file()


def test_shared_founders_are_trained_once_and_charged_to_all(found, folder):
    reused = {
        label: [one.reused for one in seeds.values()] for label, seeds in found.results.items()
    }
    assert reused["evolution"] == [0, 0], "the first to run has nothing to reuse"
    assert min(reused["comma"]) >= 4, "the founders"


def test_the_final_value_is_the_winners(found, folder):
    for label, seeds in found.results.items():
        for seed, result in seeds.items():
            assert (
                result.curve.final
                == evonas.load(folder / "runs" / "small" / f"{label}-{seed}").best.fitness.value
            )


def test_an_experiment_that_was_stopped_goes_on_and_does_nothing_twice(found, tmp_path):
    folder = prepare(tmp_path)
    seen = []

    def stop(label, seed, begun):
        seen.append((label, seed, begun))
        if (label, seed) == ("random", 1) and not begun and len(seen) < 6:
            raise Stopped("stopped")
        return ()

    with pytest.raises(Stopped):
        go(folder, on_run=stop)
    alone = go(folder, on_run=lambda label, seed, begun: seen.append((label, seed, begun)) or ())
    assert seen[5:10] == [
        ("evolution", 0, True),
        ("random", 0, True),
        ("comma", 0, True),
        ("evolution", 1, True),
        ("random", 1, False),
    ]
    with RecordReader(folder / "runs" / "small" / "evolution-0" / "run.db") as record:
        numbers = [attempt.number for attempt in record.attempts()]
    assert numbers == [0] * len(numbers)
    assert alone.to_json() == found.to_json(), (
        "the same experiment, stopped or not, gives the same numbers"
    )


def test_an_experiment_is_listed_by_its_runs_and_is_no_run_itself(found, folder):
    runs = folder / "runs"
    listed = run_evonas("list", "--runs", runs, "--json")
    assert [row["run"] for row in json.loads(listed.stdout)] == [
        f"{label}-{seed}" for label in ("comma", "evolution", "random") for seed in (0, 1)
    ]
    done = run_evonas("show", "small", "--runs", runs)
    assert done.returncode == 2
    assert "small is an experiment, which has a run for each strategy and seed" in done.stderr
    assert "small/comma-0" in done.stderr


@pytest.mark.parametrize("at", ["exporting the winner", "2 fresh seeds"])
def test_ctrl_c_when_a_search_is_over_stops_the_experiment(found, tmp_path, at):
    """It once was taken for that one search alone, and the experiment went on without a word."""

    class Press(Observer):
        def on_wait(self, what):
            if at in what:
                os.kill(os.getpid(), signal.SIGINT)

    prepare(tmp_path)
    with pytest.raises(Stopped, match="stopped after 0 trainings with fresh seeds of 2"):
        go(tmp_path, on_run=lambda *_: [Press()])
    assert [path.parent.name for path in (tmp_path / "runs").rglob("run.db")] == ["evolution-0"]
    again = go(tmp_path)
    assert (again.rows(), again.sentences) == (found.rows(), found.sentences)


def test_another_experiment_of_that_name_is_refused(found, folder, tmp_path):
    (prepare(tmp_path) / "run.yaml").write_text(CONFIG.replace("trials: 8", "trials: 9"))
    with pytest.raises(InvalidConfig, match="another name"):
        compare(tmp_path / "experiment.yaml", runs=folder / "runs")


def test_a_refused_experiment_can_be_mended(tmp_path):
    folder = prepare(tmp_path)
    np.savez(folder / "data.npz", x=np.full((60, 4), np.nan), y=np.arange(60) % 3)
    with pytest.raises(InvalidData):
        go(folder)
    prepare(folder)
    (folder / "run.yaml").write_text(CONFIG.replace("trials: 8", "trials: 4"))
    assert go(folder).budget == 4


def test_a_wrong_override_is_told_by_the_door_it_came_through(tmp_path):
    prepare(tmp_path)
    with pytest.raises(InvalidConfig, match=r"^overrides: training.epochs: must be"):
        go(tmp_path, overrides=["training.epochs=many"])
    with pytest.raises(InvalidConfig, match=r"^--set training.epochs=many: training.epochs"):
        command(str(tmp_path / "experiment.yaml"), ["training.epochs=many"], tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_strategy_that_finds_nothing_has_lost_and_the_others_are_compared(tmp_path):
    folder = prepare(tmp_path)

    def pool(config, setup, root):
        return StubPool(setup, 2, Stub(diverge=1.0 if config.strategy_name == "random" else 0.0))

    found = compare(folder / "experiment.yaml", runs=folder / "runs", pool_factory=pool)
    # It was "cannot be compared" once, although one of them had found something at each seed.
    assert found.sentences == [
        f"No difference between {label} and random can be shown at 2 seeds: random found nothing at"
        f" 2 of 2 seeds; {label} is better at 2 of 2 (sign test, p = 0.5; it needs at least 7"
        " seeds)."
        for label in ("evolution", "comma")
    ]
    rows = {row["strategy"]: row for row in found.rows()}
    assert rows["random"]["final"] is None
    assert rows["random"]["final_median"] is None
    assert rows["random"]["failed_seeds"] == 2
    assert rows["random"]["area"] > rows["evolution"]["area"]
    assert rows["evolution"]["final"] is not None
    assert found.page.is_file()
    assert "random  2 of 2 failed" in found.picture.read_text()


def test_a_seed_that_found_nothing_counts_against_its_strategy(tmp_path, capsys):
    """It was left out once: evolution was compared at the seeds at which it had found something."""
    folder = prepare(tmp_path)

    def pool(config, setup, root):
        fails = config.strategy_name == "evolution" and config.seed == 1
        return StubPool(setup, 2, Stub(diverge=1.0 if fails else 0.0))

    found = compare(folder / "experiment.yaml", runs=folder / "runs", pool_factory=pool)
    (words, _) = found.sentences
    assert "evolution found nothing at 1 of 2 seeds; " in words
    assert "beats" not in words
    row = found.rows()[0]
    assert (row["strategy"], row["failed_seeds"]) == ("evolution", 1)
    none = ("final", "final_deviation", "final_median", "trials_to_target", "fresh", "test")
    assert [row[name] for name in none] == [None] * 6
    assert json.loads(found.data.read_text())["finals"]["evolution"]["1"] is None
    # Nothing is done again: the runs are finished.
    command(str(folder / "experiment.yaml"), runs=folder / "runs")
    printed = capsys.readouterr().out
    assert "none (1 of 2 failed)" in printed
    assert found.sentences[0] in printed
    # The reference's own mean is the target, and both of its seeds are in it.
    finals = [result.curve.final for result in found.results["random"].values()]
    assert found.target == pytest.approx(np.mean(finals))


def test_the_target_is_the_median_of_a_reference_that_failed_at_a_seed(tmp_path):
    folder = prepare(tmp_path)
    (folder / "experiment.yaml").write_text(EXPERIMENT.replace("[0, 1]", "[0, 1, 2]"))

    def pool(config, setup, root):
        fails = config.strategy_name == "random" and config.seed == 1
        return StubPool(setup, 2, Stub(diverge=1.0 if fails else 0.0))

    found = compare(folder / "experiment.yaml", runs=folder / "runs", pool_factory=pool)
    finals = [found.results["random"][seed].curve.final for seed in (0, 2)]
    assert found.target == max(finals)
    assert found.rows()[1]["final_median"] == max(finals)


def test_an_accuracy_knows_its_number_of_validation_samples(tmp_path):
    folder = prepare(tmp_path)
    (folder / "run.yaml").write_text(CONFIG + "objective: val_accuracy\n")
    found = go(folder)
    with RecordReader(folder / "runs" / "small" / "random-0" / "run.db") as record:
        samples = record.meta("counts")["validation"]
    assert samples > 1
    assert found.scale.sample == 1 / samples


def test_a_fresh_training_that_failed_is_counted(tmp_path):
    folder = prepare(tmp_path)

    def pool(config, setup, root):
        # The winner is there already: these are its fresh trainings.
        is_fresh = (root / "best.json").exists()
        return StubPool(setup, 2, Stub(diverge=1.0 if is_fresh else 0.0))

    found = compare(folder / "experiment.yaml", runs=folder / "runs", pool_factory=pool)
    for row in found.rows():
        assert row["fresh_failures"] == 4
        assert row["fresh"] is None
    again = compare(folder / "experiment.yaml", runs=folder / "runs", pool_factory=pool)
    assert again.to_json() == found.to_json()


def test_without_fresh_trainings_it_stops_before_the_next_run(tmp_path):
    class Press(Observer):
        def on_wait(self, what):
            if "exporting" in what:
                os.kill(os.getpid(), signal.SIGINT)

    prepare(tmp_path)
    text = (tmp_path / "experiment.yaml").read_text()
    (tmp_path / "experiment.yaml").write_text(text.replace("fresh: 2", "fresh: 0"))
    with pytest.raises(Stopped, match="stopped after 1 of 6 runs; nothing is lost"):
        go(tmp_path, on_run=lambda *_: [Press()])


TIGHT = "limits.parameters=60000"


def own_trials(directory):
    """For each run, the number of its trials without duplicates, and of those that count."""
    found = {}
    for path in sorted(directory.glob("*/run.db")):
        run = evonas.load(path.parent)
        own = [trial for trial in run.trials if trial.twin_of is None]
        found[path.parent.name] = (len(own), run.summary()["done"])
    return found


def test_infeasible_trials_cost_no_side_anything(tmp_path):
    found = go(prepare(tmp_path), overrides=[TIGHT])
    counts = own_trials(found.directory)
    assert {done for _, done in counts.values()} == {8}
    assert max(trials for trials, _ in counts.values()) > 8
    for seeds in found.results.values():
        assert [one.curve.spent[-1] for one in seeds.values()] == [8, 8]


def test_where_one_strategy_plans_its_trials_infeasible_ones_cost_all_of_them(tmp_path):
    folder = prepare(tmp_path)
    text = EXPERIMENT.replace("{evolution: {population: 4, replacement: comma}}", "asha")
    (folder / "experiment.yaml").write_text(text)
    found = go(folder, overrides=[TIGHT])
    assert set(own_trials(found.directory).values()) == {(8, 8)}


def test_an_experiment_keeps_the_rule_that_its_runs_began_with(tmp_path):
    folder = prepare(tmp_path)
    loaded = load_experiment(folder / "experiment.yaml", [TIGHT])
    lifecycle.create(loaded.runs["random"][1], folder / "runs" / "small", gives_back=False)
    configs = {
        label: {str(seed): run.config.to_json() for seed, run in seeds.items()}
        for label, seeds in loaded.runs.items()
    }
    (folder / "runs" / "small" / "experiment.json").write_text(json.dumps(configs))
    found = go(folder, overrides=[TIGHT])
    assert set(own_trials(found.directory).values()) == {(8, 8)}


def test_what_the_time_has_cancelled_is_no_failure(tmp_path):
    folder = prepare(tmp_path)
    text = EXPERIMENT.replace("[0, 1]", "[0]").replace("fresh: 2", "fresh: 0")
    (folder / "experiment.yaml").write_text(text)
    pools = stub_pools(stub=Stub(diverge=0.0), pool=TimedPool)
    late = compare(
        folder / "experiment.yaml",
        overrides=["budget.seconds=3", "budget.trials=null"],
        runs=folder / "runs",
        pool_factory=pools,
    )
    runs = [load(path.parent) for path in late.directory.glob("*/run.db")]
    assert any(run.cancelled for run in runs)
    assert late.title == "val_loss after 3 seconds"
    assert {row["failures"] for row in late.rows()} == {0}


@pytest.mark.parametrize(
    ("budget", "title"),
    [
        ("{trials: 4, minutes: 30}", "after 4 trials (budget 4 trials, 30 minutes)"),
        ("{trials: 40, seconds: 3}", "after 3 seconds (budget 40 trials, 3 seconds)"),
        ("{trials: 4, epochs: 90}", "after 4 trials (budget 4 trials, 90 epochs)"),
        ("{trials: 90, epochs: 8}", "after 8 epochs (budget 90 trials, 8 epochs)"),
    ],
)
def test_of_two_budgets_the_one_that_ended_the_runs_is_in_the_title(tmp_path, budget, title):
    folder = prepare(tmp_path)
    (folder / "experiment.yaml").write_text(
        "experiment: small\nconfig: ./run.yaml\nseeds: [0]\nfresh: 0\n"
        "strategies: {random: random, aging: {aging: {population: 3, sample: 2}}}\n"
    )
    found = compare(
        folder / "experiment.yaml",
        overrides=[f"budget={budget}"],
        runs=folder / "runs",
        pool_factory=stub_pools(stub=Stub(diverge=0.0), pool=TimedPool),
    )
    assert found.title == f"val_loss {title}"


def test_check_says_that_both_budgets_of_an_experiment_hold(tmp_path):
    (tmp_path / "space.yaml").write_text("space: s\ninput: none\nnetwork: {a: {ops: {b: {}}}}\n")
    (tmp_path / "run.yaml").write_text(JUDGED)
    (tmp_path / "judge_of_one.py").write_text("def evaluate(genome, epochs):\n    return {}\n")
    (tmp_path / "experiment.yaml").write_text(
        "experiment: small\nconfig: ./run.yaml\nseeds: [0]\n"
        "strategies: {random: random, again: random}\nchanges: {budget.trials: 6}\n"
    )
    done = run_evonas("check", "experiment.yaml", cwd=tmp_path)
    words = "note: several budgets hold; the first one spent ends a run: 6 trials, 1 minute"
    assert words in done.stdout, done.stderr
