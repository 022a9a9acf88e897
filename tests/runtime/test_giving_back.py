"""Infeasible proposals are given back to the budget, whenever their outcomes arrive.

A budget of N trials is spent by the first proposals of which N are not infeasible. So the run has
the content of one that was given so many trials at once and gives nothing back.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import evonas
from evonas import experiments
from evonas.errors import InvalidConfig, NothingFeasible
from evonas.runtime.audit import audit
from evonas.search.registry import STRATEGIES
from evonas.testing.runs import WIDE_SPACE, Notes, content, make_run, work
from evonas.trial import TrialState
from tests.slow import few

TIGHT = "limits.parameters=60000"
"""About four in ten random networks of the stubs are beyond it."""
KINDS = {
    "evolution": "strategy={evolution: {population: 5, replacement: {elitist: {elites: 1}}}}",
    "steady": "strategy={evolution: {population: 5, replacement: {steady_state: {}}}}",
    "aging": "strategy={aging: {population: 5, sample: 2}}",
    "random": "strategy=random",
    "gaussian_process": "strategy=gaussian_process",
    "guided": "strategy={evolution: {initial: 4, children: 6}}",
}


def own(run):
    return [trial for trial in run.trials if trial.twin_of is None]


def infeasible(run):
    return [trial for trial in own(run) if trial.state is TrialState.INFEASIBLE]


@pytest.mark.parametrize("kind", few(KINDS, "evolution", "steady", "random"))
def test_the_run_is_the_one_that_had_so_many_trials_from_the_beginning(tmp_path, kind):
    settings = (KINDS[kind], TIGHT)
    root = make_run(tmp_path / "run", *settings, space=WIDE_SPACE)
    run = work(root, capacity=4)
    back = len(infeasible(run))
    assert 0 < back <= 12
    assert len(own(run)) == 12 + back
    assert audit(root).is_repeated
    alone = make_run(tmp_path / "alone", *settings, space=WIDE_SPACE)
    work(alone, capacity=1)
    assert content(alone) == content(root)
    all_at_once = f"budget.trials={12 + back}"
    other = make_run(tmp_path / "other", *settings, all_at_once, space=WIDE_SPACE, gives_back=False)
    work(other, capacity=3)
    assert content(other) == content(root)


@pytest.mark.parametrize("kind", ["steady", "random"])
def test_a_greater_budget_is_as_if_it_had_always_been_there(tmp_path, kind):
    settings = (KINDS[kind], TIGHT)
    long = make_run(tmp_path / "long", *settings, "budget.trials=14", space=WIDE_SPACE)
    run = work(long)
    assert len(own(run)) == 14 + len(infeasible(run)) > 14
    root = make_run(tmp_path / "short", *settings, "budget.trials=2", space=WIDE_SPACE)
    for budget in (3, 5, 6, 14):
        work(root, f"budget.trials={budget}", capacity=3)
    assert content(root) == content(long)
    assert audit(root).is_repeated


def test_epochs_are_given_back_as_trials_are(tmp_path):
    settings = (KINDS["aging"], TIGHT, "budget={epochs: 30}")
    root = make_run(tmp_path / "run", *settings, space=WIDE_SPACE)
    run = work(root, capacity=4)
    assert len(own(run)) - len(infeasible(run)) == 10, "each may train for 3 epochs"
    assert run.summary()["done"] == 10
    alone = make_run(tmp_path / "alone", *settings, space=WIDE_SPACE)
    work(alone, capacity=1)
    assert content(alone) == content(root)


def test_at_most_as_many_are_given_back_as_the_budget_has(tmp_path):
    notes = Notes()
    root = make_run(tmp_path, "budget.trials=6", "limits.parameters=1", space=WIDE_SPACE)
    with pytest.raises(NothingFeasible, match="of 12 trials: 12 infeasible"):
        work(root, observers=[notes])
    assert notes.texts[-1] == (
        "12 of 12 proposals were infeasible, and the budget (6 trials) gives back at most as much"
        " as it has. Refused were 12 by limits.parameters"
    )
    run = evonas.load(root)
    assert (run.given_back, run.summary()["done"]) == (6, 6)
    with pytest.raises(InvalidConfig, match=r"12 of them are infeasible\. Allowed: at least 6,"):
        work(root, "budget.trials=5")


@pytest.mark.parametrize("kind", ["hyperband", "asha"])
def test_places_on_rungs_count_infeasible_trials_as_asked(tmp_path, kind):
    tight = "limits.parameters=40000"
    first = make_run(tmp_path / "first", f"strategy={kind}", tight, space=WIDE_SPACE)
    seeded = f"strategy={{seeded: {{run: {work(first, capacity=4).directory}, inner: {kind}}}}}"
    second = make_run(tmp_path / "second", seeded, tight, "seed=1", space=WIDE_SPACE)
    work(second)
    for root in (first, second):
        run = evonas.load(root)
        assert infeasible(run)
        assert len(own(run)) == 12
        assert (run.given_back, run.summary()["done"]) == (0, 12)


def test_who_plans_the_number_of_its_proposals():
    planned = {name for name, kind in STRATEGIES.items() if kind.counts_infeasible}
    assert planned == {"asha", "grid", "hyperband", "successive_halving"}


def test_told_on_arrival_they_are_given_back_too(tmp_path):
    # The stubs answer in any order, so nobody knows how many will be infeasible: about two in ten.
    settings = (KINDS["aging"], "limits.parameters=80000", "deterministic=false")
    run = work(make_run(tmp_path, *settings, space=WIDE_SPACE), capacity=4)
    assert len(own(run)) == 12 + len(infeasible(run))


@pytest.mark.full
def test_killed_while_it_is_given_something_back(tmp_path):
    script = Path(__file__).with_name("killed_config_change.py")
    command = [sys.executable, str(script), str(tmp_path), "1", "infeasible"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert report["killed"] == report["points"] > 0
    assert "record.back" in report["kinds"]
    assert report["wrong"] == []


def test_compare_counts_no_failure_that_was_given_back(tmp_path):
    """`failures` of the table and of the JSON: those that the budget counts."""
    run = work(make_run(tmp_path, "strategy=random", TIGHT, space=WIDE_SPACE))
    own = [trial for trial in run.trials if trial.twin_of is None]
    failed = [trial for trial in own if trial.fitness is None]
    assert run.given_back > 0
    found, _ = experiments._result(run, [])
    assert found.failures == len(failed) - run.given_back
    assert len(own) - run.given_back == run.config.budget.trials
