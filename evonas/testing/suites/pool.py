"""What every pool promises; `evonas.evaluate.contract.pool.Pool` says it in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from evonas.evaluate.contract.evaluator import described
from evonas.evaluate.contract.pool import Finished, Pool, Progress, Report
from evonas.evaluate.contract.protocol import Setup
from evonas.files import sha256_of, sha256_of_tree
from evonas.testing.jobs import make_export, make_job, make_setup
from evonas.testing.stub_worker import VARIABLE, PlainStubs, stub_outcome
from evonas.testing.suites.suite import Suite
from evonas.trial import CUT_SHORT, TrialState

OpenPool = Callable[[], Pool]


class PoolSuite(Suite):
    """The suite of a pool, whose workers are stubs: `evonas.testing.stub_worker`.

    The setup names `PlainStubs` as its evaluator, so most members are the `open` of a pool's
    settings: `lambda setup: LastFirst(3).open(setup, Path(setup.directory))`.

    Class attributes:
        members: functions that open the pool of a setup, by name.
        tells_meanwhile: whether the end of an epoch is reported while the job goes on.
        works_at_submit: whether a job is done as soon as it is submitted.
    """

    members: ClassVar[Mapping[str, Callable[[Setup], Pool]]]
    tells_meanwhile: ClassVar[bool] = False
    works_at_submit: ClassVar[bool] = False

    @pytest.fixture
    def open_pool(self, member: Callable[[Setup], Pool], tmp_path: Path) -> Iterator[OpenPool]:
        """Opens pools of one kind; what a test leaves open is closed."""
        opened: list[Pool] = []

        def make() -> Pool:
            setup = make_setup(tmp_path, evaluator=described(PlainStubs()))
            opened.append(member(setup))
            return opened[-1]

        yield make
        for pool in opened:
            pool.close()

    def test_every_job_is_reported_finished_exactly_once_with_the_outcome_of_the_job(
        self, open_pool: OpenPool, tmp_path: Path
    ) -> None:
        pool = open_pool()
        jobs = [make_job(trial) for trial in range(30)]
        waiting = list(jobs)
        reports: list[Report] = []
        while waiting or pool.running:
            while waiting and pool.running < pool.capacity:
                pool.submit(waiting.pop(0))
            reports += pool.poll(1.0)
        answers = {report.job.trial: report for report in _finished(reports)}
        assert sorted(report.job.trial for report in _finished(reports)) == list(range(30))
        states = set()
        for job in jobs:
            expected = stub_outcome(job, make_setup(tmp_path))
            got = answers[job.trial]
            assert got.job == job
            assert (got.outcome.state, got.outcome.metrics) == (expected.state, expected.metrics)
            states.add(got.outcome.state)
        assert states == {TrialState.OK, TrialState.DIVERGED}

    def test_epochs_are_reported_in_order_and_before_the_end(self, open_pool: OpenPool) -> None:
        pool = open_pool()
        pool.submit(make_job(1, epochs=5))
        reports = _drain(pool)
        assert [type(report) for report in reports] == [Progress] * 5 + [Finished]
        epochs = [report for report in reports if isinstance(report, Progress)]
        assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4, 5]
        assert all(
            epoch.job == make_job(1, epochs=5) and epoch.metrics["val_loss"] > 0 for epoch in epochs
        )

    def test_files_are_there_with_the_sha256_that_the_outcome_tells(
        self, open_pool: OpenPool, tmp_path: Path
    ) -> None:
        pool = open_pool()
        pool.submit(make_job(1, checkpoint="checkpoints/1.npz"))
        (answer,) = _finished(_drain(pool))
        assert set(answer.outcome.files) == {"weights/1.npz", "checkpoints/1.npz"}
        assert {
            name: sha256_of(tmp_path / name) for name in answer.outcome.files
        } == answer.outcome.files

    def test_an_export_is_a_job_like_any_other(self, open_pool: OpenPool, tmp_path: Path) -> None:
        pool = open_pool()
        pool.submit(make_job(1))
        _drain(pool)
        pool.submit(make_export(1, arrays={"x": "x.npy", "y": "y.npy"}))
        (answer,) = _finished(_drain(pool))
        assert answer.outcome.state is TrialState.OK
        assert set(answer.outcome.metrics) >= {"test_loss", "test_accuracy"}
        assert (tmp_path / "best.keras").is_file()
        # The model of some formats is a folder.
        pool.submit(make_export(1, "exports/1", format="saved_model"))
        (answer,) = _finished(_drain(pool))
        assert (answer.outcome.state, answer.outcome.message) == (TrialState.OK, "")
        assert answer.outcome.files == {"exports/1": sha256_of_tree(tmp_path / "exports/1")}

    def test_running_counts_what_is_not_yet_reported(self, open_pool: OpenPool) -> None:
        pool = open_pool()
        assert pool.capacity >= 1
        assert pool.running == 0
        for trial in range(pool.capacity):
            pool.submit(make_job(trial))
            assert pool.running == trial + 1
        seen = 0
        while pool.running:
            before = pool.running
            ended = len(_finished(list(pool.poll(1.0))))
            assert pool.running == before - ended
            seen += ended
        assert seen == pool.capacity

    def test_no_more_jobs_than_slots(self, open_pool: OpenPool) -> None:
        pool = open_pool()
        for trial in range(pool.capacity):
            pool.submit(make_job(trial))
        with pytest.raises(RuntimeError, match="taken"):
            pool.submit(make_job(99))
        assert len(_finished(_drain(pool))) == pool.capacity

    def test_the_clock_gives_seconds_that_never_go_back(self, open_pool: OpenPool) -> None:
        pool = open_pool()
        seen = [pool.clock()]
        for trial in range(3):
            pool.submit(make_job(trial))
            _drain(pool)
            seen.append(pool.clock())
        assert seen == sorted(seen)
        assert all(isinstance(seconds, float) for seconds in seen)

    def test_poll_without_jobs_has_nothing_to_say(self, open_pool: OpenPool) -> None:
        assert list(open_pool().poll(0.0)) == []

    def test_a_job_that_is_cut_short_ends_with_an_epoch_and_is_the_beginning_of_the_whole_one(
        self, open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv(VARIABLE, json.dumps({"epoch": 0.02}))
        pool = open_pool()
        answer = self._cut_short(pool, epochs=2000)
        whole = stub_outcome(answer.job, make_setup(tmp_path))
        if self.works_at_submit:
            assert answer.outcome.metrics == whole.metrics
            return
        epochs = answer.outcome.epochs
        assert answer.outcome.state is TrialState.OK
        assert answer.outcome.metrics[CUT_SHORT] == epochs < 2000
        assert answer.outcome.history["val_loss"] == whole.history["val_loss"][:epochs]
        losses = [loss for loss in whole.history["val_loss"][:epochs] if loss is not None]
        assert answer.outcome.metrics["val_loss"] == min(losses)
        assert set(answer.outcome.files) == {"weights/1.npz", "checkpoints/1.npz"}
        # The slot is free, and what was ordered is forgotten.
        pool.submit(make_job(1, attempt=1))
        (answer,) = _finished(_drain(pool))
        assert answer.outcome.metrics == stub_outcome(answer.job, make_setup(tmp_path)).metrics

    def test_what_ends_with_that_epoch_anyway_is_not_marked(
        self, open_pool: OpenPool, tmp_path: Path
    ) -> None:
        pool = open_pool()
        # The worker is ready then, and its next job has begun as soon as it is submitted.
        pool.submit(make_job(0))
        _drain(pool)
        pool.submit(make_job(1, epochs=1))
        pool.cut_short(1)
        (answer,) = _finished(_drain(pool))
        assert answer.outcome.metrics == stub_outcome(answer.job, make_setup(tmp_path)).metrics

    def test_cutting_short_what_does_not_run_changes_nothing(
        self, open_pool: OpenPool, tmp_path: Path
    ) -> None:
        pool = open_pool()
        pool.cut_short(1)
        pool.submit(make_job(1))
        _drain(pool)
        pool.cut_short(1)
        pool.submit(make_job(1, attempt=1))
        pool.cut_short(7)
        (answer,) = _finished(_drain(pool))
        assert answer.outcome.metrics == stub_outcome(answer.job, make_setup(tmp_path)).metrics

    def test_a_cancelled_job_is_reported_cancelled_and_its_slot_is_free(
        self, open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(VARIABLE, json.dumps({"hang": 1.0}))
        pool = open_pool()
        pool.submit(make_job(1))
        pool.cancel(1)
        (answer,) = _finished(_drain(pool))
        assert (answer.job.trial, answer.outcome.state) == (1, TrialState.CANCELLED)
        pool.submit(make_job(2, attempt=1))  # a stub hangs on a first attempt only
        (answer,) = _finished(_drain(pool))
        assert (answer.job.trial, answer.outcome.state) == (2, TrialState.OK)

    def test_a_trial_that_was_cancelled_can_be_submitted_again(self, open_pool: OpenPool) -> None:
        pool = open_pool()
        pool.submit(make_job(1))
        pool.cancel(1)
        _drain(pool)
        pool.submit(make_job(1, attempt=1))
        (answer,) = _finished(_drain(pool))
        assert answer.outcome.state is TrialState.OK

    def test_cancelling_a_trial_that_does_not_run_changes_nothing(
        self,
        open_pool: OpenPool,
    ) -> None:
        pool = open_pool()
        pool.cancel(7)
        pool.submit(make_job(1))
        pool.cancel(7)
        (answer,) = _finished(_drain(pool))
        assert answer.outcome.state is TrialState.OK

    def test_after_close_nothing_is_reported_and_nothing_taken(
        self, open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(VARIABLE, json.dumps({"hang": 1.0}))
        pool = open_pool()
        pool.submit(make_job(1))
        pool.close()
        pool.close()
        assert list(pool.poll(0.0)) == []
        with pytest.raises(RuntimeError, match="closed"):
            pool.submit(make_job(2))

    def test_a_pool_closes_itself_after_with(self, open_pool: OpenPool) -> None:
        with open_pool() as pool:
            pool.submit(make_job(1))
        assert list(pool.poll(0.0)) == []

    def _cut_short(self, pool: Pool, epochs: int) -> Finished:
        """What a training becomes that is cut short, as soon as possible."""
        pool.submit(make_job(1, epochs=epochs, checkpoint="checkpoints/1.npz"))
        reports: list[Report] = []
        while self.tells_meanwhile and not reports:
            reports += pool.poll(1.0)
        pool.cut_short(1)
        pool.cut_short(1)
        (answer,) = _finished([*reports, *_drain(pool)])
        return answer


def _drain(pool: Pool) -> list[Report]:
    """Poll until nothing runs."""
    reports: list[Report] = []
    while pool.running:
        reports += pool.poll(1.0)
    return reports


def _finished(reports: list[Report]) -> list[Finished]:
    return [report for report in reports if isinstance(report, Finished)]
