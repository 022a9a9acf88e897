"""A pool and an evaluator in one file of the user's: run, continued, and read without it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evonas import api, lifecycle, view
from evonas.errors import InvalidConfig
from evonas.testing import content
from evonas.trial import TrialState

SPACE = """
space: s
input: none
network: {cell: {length: [2, 6], ops: {a: {v: {int: [1, 9]}}, b: {}}}}
"""
CONFIG = """
run: housed
space: ./s.yaml
plugins: [housed]
evaluator: {housed:Sum: {weight: 2.0}}
objective: {name: score, direction: min}
budget: {trials: 12}
pool: {housed:LastFirst: {slots: 3}}
strategy: {aging: {population: 4, sample: 2}}
"""
PLUGIN = '''
from dataclasses import dataclass

from evonas.evaluators import Evaluator, judged, silent
from evonas.pools import Finished, Outcome, Pool, PoolSettings, TrialState, evaluator_in


@dataclass(frozen=True)
class LastFirst(PoolSettings):
    """Does its jobs in the driver, the last one first."""

    slots: int = 2

    in_driver = True

    def open(self, setup, root):
        return Stack(setup, self.slots)

    @property
    def workers(self):
        return self.slots


class Stack(Pool):
    def __init__(self, setup, slots):
        self._setup, self._slots, self._jobs = setup, slots, []
        self._run_job = evaluator_in(setup).open(setup)

    @property
    def capacity(self):
        return self._slots

    @property
    def running(self):
        return len(self._jobs)

    def submit(self, job):
        self._jobs.append(job)

    def poll(self, timeout):
        if not self._jobs:
            return []
        job = self._jobs.pop()
        return [Finished(job, self._run_job(self._setup, job, lambda *_: None))]

    def cancel(self, trial):
        pass

    def cut_short(self, trial):
        pass

    def close(self):
        self._jobs = []


@dataclass(frozen=True)
class Sum(Evaluator):
    """The sum of all parameters is the score."""

    weight: float = 1.0

    def open(self, setup, alive=silent, is_simulated=False):
        def run(setup, job, on_epoch):
            genes = job.genome["cell"]
            score = self.weight * sum(gene.parameters.get("v", 0) for gene in genes)
            return judged({"score": score, "test_score": -score}, setup, 1.0, epochs=0)

        return run

    @property
    def in_words(self):
        return f"a sum with weight {self.weight}"
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The driver imports the plugin: no other test may find it.
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "housed", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "housed.py").write_text(PLUGIN)
    (tmp_path / "s.yaml").write_text(SPACE)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


def test_they_are_run_continued_and_read(folder: Path) -> None:
    config, runs = folder / "c.yaml", folder / "runs"
    root = api.run(config, overrides=["budget.trials=7"], runs=runs).directory
    run = api.resume(root, overrides=["budget.trials=12", "pool={housed:LastFirst: {slots: 1}}"])
    assert run.result is not None
    assert run.result["evaluator"] == "a sum with weight 2.0"
    assert run.result["metrics"]["test_score"] == -run.result["metrics"]["score"]
    # The jobs are the same in processes, which open the evaluator for themselves.
    local = ["run=local", "pool={local: {workers: 2, devices: cpu}}"]
    assert content(api.run(config, overrides=local, runs=runs).directory) == content(root)
    (folder / "housed.py").unlink()
    del sys.modules["housed"]
    assert view.load(root).config.to_json()["pool"] == {"housed:LastFirst": {"slots": 1}}
    with pytest.raises(InvalidConfig, match="there is no module housed"):
        api.resume(root, overrides=["budget.trials=14"])


def test_what_is_no_pool_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidConfig, match=r"does not derive from evonas\.pools\.PoolSettings"):
        api.run(folder / "c.yaml", overrides=["pool=housed:Sum"], runs=folder / "runs")
    with pytest.raises(InvalidConfig, match="Evaluator"):
        api.run(folder / "c.yaml", overrides=["evaluator=housed:LastFirst"], runs=folder / "runs")


def test_what_a_pool_reports_is_told_as_the_users_and_nothing_is_lost(folder: Path) -> None:
    config, runs = folder / "c.yaml", folder / "runs"
    twice = "lambda *_: None))] * (2 if job.trial == 5 else 1)"
    (folder / "housed.py").write_text(PLUGIN.replace("lambda *_: None))]", twice))
    place = "pool.housed:LastFirst: poll must give reports of jobs that were submitted and not yet"
    with pytest.raises(InvalidConfig, match=place):
        api.run(config, runs=runs)
    del sys.modules["housed"]
    (folder / "housed.py").write_text(PLUGIN)
    run = lifecycle.work(runs / "housed", accept_changed_code=True)
    assert [trial.state for trial in run.trials] == [TrialState.OK] * 12
