"""What `evonas.evaluate.contract.pool.Pool` promises, held against every pool."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from evonas.evaluate.contract.pool import Finished, Pool, Progress, Report
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.fork_server_launcher import ForkServerLauncher
from evonas.evaluate.local.subprocess_launcher import SubprocessLauncher
from evonas.evaluate.pools.inline import InlinePool
from evonas.evaluate.pools.local import LocalPool
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.files import sha256_of
from evonas.runtime.reuse import ReusingPool
from evonas.testing.jobs import make_job, make_setup
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import VARIABLE, run_stub, stub_outcome
from evonas.trial import CUT_SHORT, TrialState

STUB = "evonas.testing.stub_worker"
LINUX = pytest.mark.skipif(
    "not __import__('sys').platform.startswith('linux')", reason="the fork server needs Linux"
)
KINDS = [
    pytest.param("inline"),
    pytest.param("stub"),
    pytest.param("reusing"),
    pytest.param("simulated"),
    pytest.param("fork_server", marks=LINUX),
    pytest.param("subprocess"),
]


@pytest.fixture(params=KINDS)
def open_pool(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Pool]]:
    """Makes pools of one kind; what a test leaves open is closed."""
    setup = make_setup(tmp_path)
    local = partial(LocalPool, setup, [DeviceShare(0), DeviceShare(1)], logs=tmp_path / "logs")
    makers: dict[str, Callable[[], Pool]] = {
        "inline": partial(InlinePool, setup, run_stub),
        "stub": partial(StubPool, setup, 2),
        "reusing": lambda: ReusingPool(StubPool(setup, 2), {}, tmp_path),
        "simulated": partial(SimulatedPool, setup, 2, run_stub),
        "fork_server": lambda: local(launcher=ForkServerLauncher(f"{STUB}:serve", [STUB])),
        "subprocess": lambda: local(launcher=SubprocessLauncher(f"{STUB}:serve")),
    }
    opened: list[Pool] = []

    def make() -> Pool:
        opened.append(makers[request.param]())
        return opened[-1]

    yield make
    for pool in opened:
        pool.close()


def drain(pool: Pool) -> list[Report]:
    """Poll until nothing runs."""
    reports: list[Report] = []
    while pool.running:
        reports += pool.poll(1.0)
    return reports


def finished(reports: list[Report]) -> list[Finished]:
    return [report for report in reports if isinstance(report, Finished)]


def test_every_job_is_reported_finished_exactly_once_with_the_outcome_of_the_job(
    open_pool: Callable[[], Pool], tmp_path: Path
) -> None:
    pool = open_pool()
    jobs = [make_job(trial) for trial in range(30)]
    waiting, reports = list(jobs), []
    while waiting or pool.running:
        while waiting and pool.running < pool.capacity:
            pool.submit(waiting.pop(0))
        reports += pool.poll(1.0)
    answers = {report.job.trial: report for report in finished(reports)}
    assert sorted(report.job.trial for report in finished(reports)) == list(range(30))
    states = set()
    for job in jobs:
        expected = stub_outcome(job, make_setup(tmp_path))
        got = answers[job.trial]
        assert got.job == job
        assert (got.outcome.state, got.outcome.metrics) == (expected.state, expected.metrics)
        states.add(got.outcome.state)
    assert states == {TrialState.OK, TrialState.DIVERGED}


def test_epochs_are_reported_in_order_and_before_the_end(open_pool: Callable[[], Pool]) -> None:
    pool = open_pool()
    pool.submit(make_job(1, epochs=5))
    reports = drain(pool)
    assert [type(report) for report in reports] == [Progress] * 5 + [Finished]
    epochs = [report for report in reports if isinstance(report, Progress)]
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4, 5]
    assert all(
        epoch.job == make_job(1, epochs=5) and epoch.metrics["val_loss"] > 0 for epoch in epochs
    )


def test_files_are_there_with_the_sha256_that_the_outcome_tells(
    open_pool: Callable[[], Pool], tmp_path: Path
) -> None:
    pool = open_pool()
    pool.submit(make_job(1, checkpoint="checkpoints/1.npz"))
    (answer,) = finished(drain(pool))
    assert set(answer.outcome.files) == {"weights/1.npz", "checkpoints/1.npz"}
    assert {
        name: sha256_of(tmp_path / name) for name in answer.outcome.files
    } == answer.outcome.files


def test_an_export_is_a_job_like_any_other(open_pool: Callable[[], Pool], tmp_path: Path) -> None:
    pool = open_pool()
    pool.submit(make_job(1))
    drain(pool)
    pool.submit(make_job(1, kind="export", model="best.keras", arrays={"x": "x.npy", "y": "y.npy"}))
    (answer,) = finished(drain(pool))
    assert answer.outcome.state is TrialState.OK
    assert set(answer.outcome.metrics) >= {"test_loss", "test_accuracy"}
    assert (tmp_path / "best.keras").is_file()


def test_running_counts_what_is_not_yet_reported(open_pool: Callable[[], Pool]) -> None:
    pool = open_pool()
    assert pool.capacity >= 1
    assert pool.running == 0
    for trial in range(pool.capacity):
        pool.submit(make_job(trial))
        assert pool.running == trial + 1
    seen = 0
    while pool.running:
        before = pool.running
        ended = len(finished(list(pool.poll(1.0))))
        assert pool.running == before - ended
        seen += ended
    assert seen == pool.capacity


def test_no_more_jobs_than_slots(open_pool: Callable[[], Pool]) -> None:
    pool = open_pool()
    for trial in range(pool.capacity):
        pool.submit(make_job(trial))
    with pytest.raises(RuntimeError, match="taken"):
        pool.submit(make_job(99))
    assert len(finished(drain(pool))) == pool.capacity


def test_the_clock_gives_seconds_that_never_go_back(open_pool: Callable[[], Pool]) -> None:
    pool = open_pool()
    seen = [pool.clock()]
    for trial in range(3):
        pool.submit(make_job(trial))
        drain(pool)
        seen.append(pool.clock())
    assert seen == sorted(seen)
    assert all(isinstance(seconds, float) for seconds in seen)


def test_poll_without_jobs_has_nothing_to_say(open_pool: Callable[[], Pool]) -> None:
    assert list(open_pool().poll(0.0)) == []


def cut_short(pool: Pool, epochs: int) -> Finished:
    """What a training becomes that is cut short, as soon as possible."""
    pool.submit(make_job(1, epochs=epochs, checkpoint="checkpoints/1.npz"))
    reports: list[Report] = []
    # Only a pool with processes tells of an epoch before the end.
    while isinstance(pool, LocalPool) and not reports:
        reports += pool.poll(1.0)
    pool.cut_short(1)
    pool.cut_short(1)
    (answer,) = finished([*reports, *drain(pool)])
    return answer


def test_a_job_that_is_cut_short_ends_with_an_epoch_and_is_the_beginning_of_the_whole_one(
    open_pool: Callable[[], Pool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"epoch": 0.02}))
    pool = open_pool()
    answer = cut_short(pool, epochs=2000)
    whole = stub_outcome(answer.job, make_setup(tmp_path))
    if isinstance(pool, SimulatedPool):
        # Its jobs are done when they are submitted.
        assert answer.outcome.metrics == whole.metrics
        return
    epochs = answer.outcome.epochs
    assert answer.outcome.state is TrialState.OK
    assert answer.outcome.metrics[CUT_SHORT] == epochs < 2000
    assert answer.outcome.history["val_loss"] == whole.history["val_loss"][:epochs]
    assert answer.outcome.metrics["val_loss"] == min(whole.history["val_loss"][:epochs])
    assert set(answer.outcome.files) == {"weights/1.npz", "checkpoints/1.npz"}
    # The slot is free, and what was ordered is forgotten.
    pool.submit(make_job(1, attempt=1))
    (answer,) = finished(drain(pool))
    assert answer.outcome.metrics == stub_outcome(answer.job, make_setup(tmp_path)).metrics


def test_what_ends_with_that_epoch_anyway_is_not_marked(
    open_pool: Callable[[], Pool], tmp_path: Path
) -> None:
    pool = open_pool()
    # The worker is ready then, and its next job has begun as soon as it is submitted.
    pool.submit(make_job(0))
    drain(pool)
    pool.submit(make_job(1, epochs=1))
    pool.cut_short(1)
    (answer,) = finished(drain(pool))
    assert answer.outcome.metrics == stub_outcome(answer.job, make_setup(tmp_path)).metrics


def test_cutting_short_what_does_not_run_changes_nothing(
    open_pool: Callable[[], Pool], tmp_path: Path
) -> None:
    pool = open_pool()
    pool.cut_short(1)
    pool.submit(make_job(1))
    drain(pool)
    pool.cut_short(1)
    pool.submit(make_job(1, attempt=1))
    pool.cut_short(7)
    (answer,) = finished(drain(pool))
    assert answer.outcome.metrics == stub_outcome(answer.job, make_setup(tmp_path)).metrics


def test_a_cancelled_job_is_reported_cancelled_and_its_slot_is_free(
    open_pool: Callable[[], Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"hang": 1.0}))
    pool = open_pool()
    pool.submit(make_job(1))
    pool.cancel(1)
    (answer,) = finished(drain(pool))
    assert (answer.job.trial, answer.outcome.state) == (1, TrialState.CANCELLED)
    pool.submit(make_job(2, attempt=1))  # a stub hangs on a first attempt only
    (answer,) = finished(drain(pool))
    assert (answer.job.trial, answer.outcome.state) == (2, TrialState.OK)


def test_a_trial_that_was_cancelled_can_be_submitted_again(open_pool: Callable[[], Pool]) -> None:
    pool = open_pool()
    pool.submit(make_job(1))
    pool.cancel(1)
    drain(pool)
    pool.submit(make_job(1, attempt=1))
    (answer,) = finished(drain(pool))
    assert answer.outcome.state is TrialState.OK


def test_cancelling_a_trial_that_does_not_run_changes_nothing(
    open_pool: Callable[[], Pool],
) -> None:
    pool = open_pool()
    pool.cancel(7)
    pool.submit(make_job(1))
    pool.cancel(7)
    (answer,) = finished(drain(pool))
    assert answer.outcome.state is TrialState.OK


def test_after_close_nothing_is_reported_and_nothing_taken(
    open_pool: Callable[[], Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"hang": 1.0}))
    pool = open_pool()
    pool.submit(make_job(1))
    pool.close()
    pool.close()
    assert list(pool.poll(0.0)) == []
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(make_job(2))


def test_a_pool_closes_itself_after_with(open_pool: Callable[[], Pool]) -> None:
    with open_pool() as pool:
        pool.submit(make_job(1))
    assert list(pool.poll(0.0)) == []
