"""The incumbent that a job carries is a function of the record: trials stop where they stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evonas import lifecycle, view
from evonas.evaluate.contract.pool import Report
from evonas.evaluate.contract.protocol import Job
from evonas.export.retraining import weights_of
from evonas.runtime.loop.jobs import weights_path
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.replay import plan_replay, run_replay
from evonas.runtime.reuse import ReusingPool, known_trainings
from evonas.runtime.session import Session
from evonas.testing.runs import STOPPING, content, make_run, stub_pools, work
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import PLAIN, Stub, run_stub
from evonas.trial import Stopped, Trial, TrialState, rank

STOP = (*STOPPING, "budget.trials=24")


def watched() -> tuple[type[StubPool], list[Job]]:
    """A kind of pool that keeps what it is given, and the list of that."""
    given: list[Job] = []

    class Watched(StubPool):
        def submit(self, job: Job) -> None:
            given.append(job)
            super().submit(job)

    return Watched, given


def search(
    folder: Path, *changes: str, capacity: int = 2, stub: Stub = PLAIN
) -> tuple[view.Run, list[Job]]:
    """A finished run, and its jobs that were trainings."""
    pool, given = watched()
    run = work(make_run(folder, *STOP, *changes), capacity=capacity, stub=stub, pool=pool)
    return run, [job for job in given if job.kind == "train"]


def stops(run: view.Run) -> dict[int, Stopped]:
    with RecordReader(run.layout.record) as record:
        found = {attempt.trial: attempt.details.stopped for attempt in record.attempts()}
    return {trial: stop for trial, stop in found.items() if stop is not None}


def expected(run: view.Run) -> list[float | None]:
    """For each trial the best value of those told when it was asked, as is promised."""
    with RecordReader(run.layout.record) as record:
        trials, order = record.trials(run.objective), record.told_order()
        return [_best([trials[id] for id in order[:before]]) for before in record.told_before()]


def _best(trials: Sequence[Trial]) -> float | None:
    best = min(trials, key=rank, default=None)
    return None if best is None or best.fitness is None else best.fitness.value


@pytest.mark.parametrize("changes", [(), ("deterministic=false",), ("objective=val_accuracy",)])
def test_a_job_carries_the_best_of_the_trials_told_when_it_was_asked(
    tmp_path: Path, changes: Sequence[str]
) -> None:
    run, jobs = search(tmp_path, *changes, capacity=4)
    known = expected(run)
    assert [job.incumbent for job in jobs] == [known[job.trial] for job in jobs]
    assert None in known
    assert len(set(known)) > 2, "the incumbent must have changed, or this shows nothing"
    assert stops(run), "some must have been stopped, or this shows nothing"


def test_the_content_is_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    contents = []
    for capacity in (1, 2, 8):
        run, _ = search(tmp_path / str(capacity), capacity=capacity)
        assert stops(run)
        contents.append((content(run.directory), stops(run)))
    assert contents[0] == contents[1] == contents[2]


def test_the_winner_was_not_stopped_and_no_stopped_trial_has_reached_its_incumbent(
    tmp_path: Path,
) -> None:
    run, _ = search(tmp_path)
    assert run.best is not None
    found, known = stops(run), expected(run)
    assert run.best.id not in found
    for id, stop in found.items():
        trial = run.trial(id)
        assert trial.state is TrialState.OK
        assert stop.incumbent == known[id] <= trial.metrics["val_loss"]
        assert stop.epoch == len(trial.attempts()[-1].history["val_loss"]) < stop.epochs == 12


def test_where_nothing_is_stopped_the_content_is_that_of_a_run_without_the_rule(
    tmp_path: Path,
) -> None:
    ruled, jobs = search(tmp_path / "a", "training.stop={learning_curve: {margin: 1000}}")
    plain, others = search(tmp_path / "b", "training.stop=null")
    assert not stops(ruled)
    assert any(job.incumbent is not None for job in jobs)
    assert all(job.incumbent is None for job in others)
    assert content(ruled.directory) == content(plain.directory)


def test_a_retry_carries_what_the_first_attempt_did(tmp_path: Path) -> None:
    run, jobs = search(tmp_path, stub=Stub(crash=0.5))
    carried: dict[int, set[float | None]] = {}
    for job in jobs:
        carried.setdefault(job.trial, set()).add(job.incumbent)
    assert len(jobs) > len(carried), "some must have crashed, or this shows nothing"
    assert all(len(values) == 1 for values in carried.values())
    calm, _ = search(tmp_path / "calm")
    assert content(run.directory) == content(calm.directory)


def test_a_session_that_goes_on_hands_out_what_the_last_one_would_have(
    tmp_path: Path, monkeypatch: Any
) -> None:
    whole, _ = search(tmp_path / "whole")
    root = make_run(tmp_path / "cut", *STOP)
    given: list[Job] = []

    class Few(StubPool):
        def submit(self, job: Job) -> None:
            given.append(job)
            super().submit(job)

        def poll(self, timeout: float) -> Sequence[Report]:
            if len(given) % 7 == 0:
                given.append(given[-1])
                raise KeyError("the driver falls")
            return super().poll(timeout)

    for _ in range(20):
        try:
            run = work(root, pool=Few)
        except KeyError:
            continue
        break
    known = expected(run)
    trainings = [job for job in given if job.kind == "train"]
    assert len({job.session for job in trainings}) > 3
    assert [job.incumbent for job in trainings] == [known[job.trial] for job in trainings]
    assert content(root) == content(whole.directory)
    assert stops(run) == stops(whole)


def test_a_replay_stops_where_the_trial_did(tmp_path: Path) -> None:
    run, _ = search(tmp_path)
    for id, stop in stops(run).items():
        plan = plan_replay(run.directory, id)
        assert plan.job.incumbent == stop.incumbent
        again = run_replay(plan, lambda epoch, metrics: None, run_stub)
        assert again.outcome.epochs == stop.epoch
        assert again.differences == ()


def test_weights_that_were_pruned_are_trained_again_to_the_same_epoch(tmp_path: Path) -> None:
    run, _ = search(tmp_path, "storage.keep_best=1")
    gone = next(id for id in stops(run) if not (run.directory / weights_path(id)).exists())
    pool, given = watched()
    first = stops(run)[gone]
    with Session(run.directory, stub_pools(1, pool=pool)) as session:
        assert dict(weights_of(session, run.trials[gone], print).metrics) == dict(
            run.trial(gone).metrics
        )
    assert [job.incumbent for job in given] == [first.incumbent]
    attempts = run.trial(gone).attempts()
    assert [attempt.details.stopped for attempt in attempts] == [first, first]


def test_another_run_takes_only_trainings_that_had_to_reach_the_same(tmp_path: Path) -> None:
    first, _ = search(tmp_path)
    scheme = "strategy.evolution.selection=random"
    alone, _ = search(tmp_path / "alone", scheme)
    root = make_run(tmp_path / "sharing", *STOP, scheme)
    known = known_trainings(first.directory)
    sharing = lifecycle.work(
        root, pool_factory=lambda config, setup, root: ReusingPool(StubPool(setup, 2), known, root)
    )
    assert content(sharing.directory) == content(alone.directory)
    assert stops(sharing) == stops(alone)
    with RecordReader(sharing.layout.record) as record:
        assert any(attempt.details.reused is not None for attempt in record.attempts())
