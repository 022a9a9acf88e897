"""The finalists: new trainings choose the winner, once, whatever the claimed scores say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from evonas import view
from evonas.cli.finalists import finalist_in_words
from evonas.errors import Stopped
from evonas.evaluate.contract.pool import Finished
from evonas.export.finalists import FIRST_REPEAT, TRAINED, finalists
from evonas.insight.summary import incumbent
from evonas.randomness import training_seed
from evonas.runtime.openings import FRESH
from evonas.runtime.record.reader import RecordReader
from evonas.testing.runs import WIDE_SPACE, Notes, content, make_run, work
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub
from evonas.trial import Outcome, TrialState

HEALTHY = Stub(diverge=0.0)


def is_new(job) -> bool:
    return job.kind == "train" and job.weights.startswith(FRESH)


class Pool(StubPool):
    """Says of each new training what the test wants.

    Attributes:
        done: trials that were trained again, in order.
        jobs: these trainings.
        values: trial -> `val_loss` of each of its new trainings; None for a failure. A trial that
            is not named keeps the stub's.
        seconds: what each training of the search says that it took; None for the stub's own words.
        stops_at: number of new trainings after which the session ends as by a signal.
    """

    done: list[int]
    jobs: list
    values: dict[int, float | None]
    stops_at: int | None = None
    seconds: float | None = None

    def submit(self, job):
        if is_new(job):
            if len(self.done) == self.stops_at:
                raise Stopped("the power is gone")
            self.done.append(job.trial)
            self.jobs.append(job)
        super().submit(job)

    def poll(self, timeout):
        return [self._told(one) for one in super().poll(timeout)]

    def _told(self, report):
        if not isinstance(report, Finished):
            return report
        if not is_new(report.job):
            seconds = report.outcome.seconds if self.seconds is None else self.seconds
            return Finished(report.job, replace(report.outcome, seconds=seconds))
        if report.job.trial not in self.values:
            return report
        value = self.values[report.job.trial]
        if value is None:
            return Finished(report.job, Outcome(TrialState.DIVERGED, message="diverged"))
        metrics = {**report.outcome.metrics, "val_loss": value}
        return Finished(report.job, replace(report.outcome, metrics=metrics))


@pytest.fixture
def pool():
    """A kind of pool of this test's own."""
    return type("Pool", (Pool,), {"done": [], "jobs": [], "values": {}})


def make(folder, *changes: str):
    return make_run(folder, *changes, space=WIDE_SPACE)


def go(root, pool, *overrides: str, **more) -> view.Run:
    return work(root, *overrides, stub=HEALTHY, pool=pool, **more)


def best_three(folder) -> list[int]:
    """The finalists that the same run has, known before it begins."""
    run = go(make(folder), type("Other", (Pool,), {"done": [], "jobs": [], "values": {}}))
    return [trial.id for trial in finalists(run.trials, 3)]


def test_the_mean_of_the_new_scores_chooses(tmp_path, pool):
    first, second, third = best_three(tmp_path / "known")
    pool.values = {first: 0.9, second: 0.4, third: 0.5}
    run = go(make(tmp_path / "run", "finalists.count=3"), pool)
    assert incumbent(run.trials).id == first
    assert run.best.id == second == run.result["trial"] == run.summary()["best"]
    card = json.loads((run.directory / "best.json").read_text())
    rows = card["finalists"]
    assert [row["trial"] for row in rows] == [second, third, first]
    assert [row["value"] for row in rows] == [0.4, 0.5, 0.9]
    for row in rows:
        assert row["claimed"] == run.trials[row["trial"]].metrics["val_loss"]
        assert len(row["again"]) == 2
    # Nothing but the choice is another: the search has not seen it.
    assert content(run.directory) == content(tmp_path / "known" / "stub")
    assert not list(run.directory.glob(f"{FRESH}*"))
    assert len(run.openings) == 1


def test_their_seeds_are_their_own(tmp_path, pool):
    run = go(make(tmp_path, "finalists.count=3", "finalists.trainings=3"), pool)
    expected = set()
    for trial in finalists(run.trials, 3):
        for number in range(3):
            seed = run.config.seed
            expected.add(training_seed(seed, trial.genome.digest, FIRST_REPEAT + number))
    assert {job.seed for job in pool.jobs} == expected
    assert len(expected) == len(pool.jobs) == 9
    assert all(job.resume_from is None and job.checkpoint is None for job in pool.jobs)


def test_a_genome_that_fails_comes_last(tmp_path, pool):
    first, second, third = best_three(tmp_path / "known")
    pool.values = {first: None, second: 0.8, third: 0.9}
    run = go(make(tmp_path / "run", "finalists.count=3"), pool)
    assert run.best.id == second
    assert run.result["finalists"][-1]["failures"] == 2
    words = finalist_in_words(run.result["finalists"][-1], "val_loss")
    assert words.endswith("; 2 further trainings failed")
    pool.values = dict.fromkeys((first, second, third))
    failed = go(make(tmp_path / "none", "finalists.count=3"), pool)
    assert failed.best.id == first


@pytest.mark.parametrize("stops_at", [0, 1, 3, 5])
def test_what_was_trained_is_not_trained_again(tmp_path, pool, stops_at):
    pool.stops_at = stops_at
    root = make(tmp_path / "run", "finalists.count=3")
    with pytest.raises(Stopped):
        go(root, pool)
    assert view.load(root).best.id == incumbent(view.load(root).trials).id
    pool.stops_at = None
    run = go(root, pool)
    assert len(pool.done) == 6
    whole = go(make(tmp_path / "whole", "finalists.count=3"), pool, capacity=1)
    assert run.result["finalists"] == whole.result["finalists"]
    assert run.best.id == whole.best.id
    with RecordReader(root / "run.db") as record:
        assert sum(kind == TRAINED for _, kind, _ in record.events()) == 6


def test_a_run_that_has_ended_gets_them_later(tmp_path, pool):
    root = make(tmp_path)
    before = go(root, pool)
    assert not pool.done
    assert "finalists" not in before.result
    first, second, _ = (trial.id for trial in finalists(before.trials, 3))
    assert before.best.id == first
    pool.values = {first: 9.0, second: 0.1}
    after = go(root, pool, "finalists.count=2")
    assert pool.done == [first, first, second, second]
    assert after.best.id == second
    assert len(after.openings) == 2
    # Finished: nothing is left to do.
    go(root, pool)
    assert len(pool.done) == 4


def test_without_time_for_two_of_them_the_run_says_so(tmp_path, pool):
    notes = Notes()
    budget = "budget={trials: 12, minutes: 10}"
    root = make(tmp_path, "finalists.count=3", budget)
    pool.seconds = 400.0
    run = go(root, pool, observers=[notes])
    assert not pool.done
    assert run.best.id == incumbent(run.trials).id
    assert any("no finalists are trained again: the budget" in text for text in notes.texts)
