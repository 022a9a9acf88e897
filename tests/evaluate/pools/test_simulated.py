"""The simulated pool: a virtual clock that repeats itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.testing.jobs import make_job, make_setup
from evonas.trial import Outcome, TrialState

SETUP = make_setup(Path("nowhere"))


def pool_of(seconds: Mapping[int, float], workers: int) -> SimulatedPool:
    def run(setup, job, on_epoch):
        return Outcome(TrialState.OK, {"val_loss": 1.0}, seconds=seconds[job.trial])

    return SimulatedPool(SETUP, workers, run)


def replayed(pool: SimulatedPool, trials: list[int]) -> list[tuple[int, float]]:
    """Keep the workers busy, and note who ends when."""
    waiting, ends = list(trials), []
    while waiting or pool.running:
        while waiting and pool.running < pool.capacity:
            pool.submit(make_job(waiting.pop(0)))
        (report,) = pool.poll(1.0)
        ends.append((report.job.trial, pool.clock()))
    return ends


def test_jobs_end_when_their_seconds_are_over() -> None:
    seconds = {0: 10.0, 1: 4.0, 2: 5.0, 3: 1.0}
    assert replayed(pool_of(seconds, 1), [0, 1, 2, 3]) == [
        (0, 10.0),
        (1, 14.0),
        (2, 19.0),
        (3, 20.0),
    ]
    assert replayed(pool_of(seconds, 2), [0, 1, 2, 3]) == [(1, 4.0), (2, 9.0), (0, 10.0), (3, 10.0)]
    assert replayed(pool_of(seconds, 9), [0, 1, 2, 3]) == [(3, 1.0), (1, 4.0), (2, 5.0), (0, 10.0)]


def test_of_jobs_that_end_at_once_the_first_submitted_is_first() -> None:
    assert [
        trial for trial, _ in replayed(pool_of(dict.fromkeys(range(9), 1.0), 9), [3, 1, 8, 0])
    ] == [3, 1, 8, 0]


def test_a_pool_goes_on_where_another_was_given_up() -> None:
    seconds = {0: 10.0, 1: 4.0, 2: 5.0, 3: 1.0}
    pool = pool_of(seconds, 2)
    pool.restore(4.0, {0: 0.0})  # when 1 had ended, and 2 was about to begin
    assert replayed(pool, [0, 2, 3]) == [(2, 9.0), (0, 10.0), (3, 10.0)]


def test_a_cancelled_job_takes_no_time() -> None:
    pool = pool_of({0: 10.0, 1: 4.0}, 2)
    pool.submit(make_job(0))
    pool.submit(make_job(1))
    pool.cancel(0)
    (first,) = pool.poll(0.0)
    assert isinstance(first, Finished)
    assert (first.job.trial, first.outcome.state, pool.clock()) == (0, TrialState.CANCELLED, 0.0)
    pool.poll(0.0)
    assert pool.clock() == 4.0


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_seconds_that_no_clock_can_show_are_an_error(seconds: float) -> None:
    pool = pool_of({0: seconds}, 1)
    pool.submit(make_job(0))
    (report,) = pool.poll(0.0)
    assert isinstance(report, Finished)
    assert report.outcome.state is TrialState.ERROR
    assert pool.clock() == 0.0


def test_a_thousand_workers_and_twenty_thousand_jobs() -> None:
    seconds = {trial: 1.0 + trial * 7919 % 1000 / 100 for trial in range(20_000)}
    pool = pool_of(seconds, 1000)
    ends = replayed(pool, list(seconds))
    assert len(ends) == 20_000
    assert [time for _, time in ends] == sorted(time for _, time in ends)
    busy = sum(seconds.values()) / 1000 / pool.clock()
    assert 0.9 < busy <= 1.0
