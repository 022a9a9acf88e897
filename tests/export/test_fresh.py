"""Trainings of the winner with fresh seeds: new seeds, test data, nothing left behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import Job
from evonas.export.fresh import fresh_scores
from evonas.runtime.session import Session
from evonas.testing.runs import content, make_run, stub_pools, work
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub
from evonas.trial import Outcome, TrialState
from evonas.view import Run

HEALTHY = Stub(diverge=0.0)


class Pool(StubPool):
    """Keeps what was submitted, and may change what is answered.

    Attributes:
        jobs: of all pools, in order.
        change: makes another outcome of that of a job.
    """

    jobs: list[Job]
    change = staticmethod(lambda job, outcome: outcome)

    def submit(self, job):
        self.jobs.append(job)
        super().submit(job)

    def poll(self, timeout):
        reports = super().poll(timeout)
        last = reports[-1]
        if isinstance(last, Finished):
            return [*reports[:-1], Finished(last.job, self.change(last.job, last.outcome))]
        return reports


@pytest.fixture
def pool():
    """A kind of pool of this test's own."""
    return type("Pool", (Pool,), {"jobs": []})


def finished(folder, pool) -> Run:
    return work(make_run(folder), stub=HEALTHY, pool=pool)


def scored(run: Run, pool, count: int, repeat: int = 0):
    """The fresh scores of the winner, and the jobs that gave them.

    Args:
        repeat: the winner's own repeat.
    """
    seen = len(pool.jobs)
    winner = replace(run.best.trial, proposal=replace(run.best.proposal, repeat=repeat))
    with Session(run.directory, stub_pools(stub=HEALTHY, pool=pool)) as session:
        found = fresh_scores(session, winner, count)
    return found, pool.jobs[seen:]


@pytest.mark.parametrize("repeat", [0, 2])
def test_every_training_has_a_seed_that_the_search_has_not_used(tmp_path, pool, repeat):
    run = finished(tmp_path, pool)
    of_search = {job.seed for job in pool.jobs}
    found, jobs = scored(run, pool, 3, repeat)
    trainings = [job for job in jobs if job.kind == "train"]
    seeds = {job.seed for job in trainings}
    assert len(trainings) == len(seeds) == 3
    assert not seeds & of_search
    assert {job.epochs for job in trainings} == {run.best.proposal.fidelity.epochs}
    losses = {one["val_loss"] for one in found}
    assert len(losses) == 3
    assert run.best.metrics["val_loss"] not in losses


def test_the_seeds_of_another_repeat_are_others(tmp_path, pool):
    """The repeats that follow repeat 3 are 4, 5 and 6; those of repeat 0 are 1, 2 and 3."""
    run = finished(tmp_path, pool)
    _, first = scored(run, pool, 3)
    _, second = scored(run, pool, 3, repeat=3)
    assert not {job.seed for job in first} & {job.seed for job in second}


def test_the_scores_are_those_of_the_test_data(tmp_path, pool):
    """Each training is followed by its scoring, which alone may name the test data."""
    run = finished(tmp_path, pool)
    found, jobs = scored(run, pool, 2)
    for train, score in zip(jobs[::2], jobs[1::2], strict=True):
        assert (train.kind, score.kind) == ("train", "score")
        assert dict(score.arrays) == {"x": "data/test/x.npy", "y": "data/test/y.npy"}
        assert (score.seed, score.weights) == (train.seed, train.weights)
    for one in found:
        assert one["test_loss"] == pytest.approx(1.01 * one["val_loss"]), "as the stub scores it"


@pytest.mark.parametrize("kind", ["train", "score"])
def test_a_training_that_fails_is_left_out(tmp_path, pool, kind):
    run = finished(tmp_path, pool)
    failures = [Outcome(TrialState.ERROR, message="made up")]

    def fail_once(job, outcome):
        return failures.pop() if failures and job.kind == kind else outcome

    pool.change = staticmethod(fail_once)
    found, _ = scored(run, pool, 3)
    assert len(found) == 2


def test_nothing_is_left_of_them_in_the_run(tmp_path, pool):
    run = finished(tmp_path, pool)
    before = content(run.directory)
    scored(run, pool, 2)
    assert content(run.directory) == before
    assert list(run.directory.glob("fresh/*")) == []
