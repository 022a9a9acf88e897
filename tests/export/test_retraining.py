"""Weights that are gone or damaged cost a training: no crash, and no other result in silence."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import evonas
from evonas.errors import DiskFailure, EvonasError, InvalidRecord
from evonas.evaluate.contract.pool import Finished
from evonas.export.retraining import RETRAINED
from evonas.files import sha256_of
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.reader import RecordReader
from evonas.testing.runs import SMALL_SPACE, Notes, content, make_run, stub_pools, work
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub
from evonas.trial import Cause, Details, Outcome, TrialState

SPACE = SMALL_SPACE.replace("{choice: [4, 8, 16]}", "{int: [4, 64]}")
SHORT = (
    "strategy={evolution: {population: 3, replacement: {elitist: {elites: 1}}}}",
    "training.epochs=2",
    "budget.trials=14",
    "storage.keep_best=2",
    "look_ahead=3",
)
HEALTHY = Stub(diverge=0.0)
"""Stubs whose networks never diverge."""


class Pool(StubPool):
    """Keeps what was submitted; answers to a training after the search can be changed.

    Attributes:
        jobs: of all pools, in order.
        change: makes another outcome of that of a job.
    """

    jobs: list
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


def create(folder, *more):
    return make_run(folder, *SHORT, *more, space=SPACE, runs=folder / "runs")


def go(root, pool, *observers):
    """One session with this kind of pool."""
    return work(root, observers=observers, stub=HEALTHY, pool=pool)


def trainings(pool, trial):
    return [job for job in pool.jobs if job.kind == "train" and job.trial == trial]


def retrained(root):
    with RecordReader(root / "run.db") as record:
        return [detail for _, kind, detail in record.events() if kind == RETRAINED]


class Spoil(Observer):
    """Does something to the weights of the winner when the search is over, before the export."""

    def __init__(self, root, action):
        self.root, self.action, self.best = root, action, None
        self.notes = Notes()

    def on_progress(self, progress):
        self.best = progress.incumbent

    def on_note(self, text):
        self.notes.on_note(text)

    def on_end(self, progress):
        path = self.root / f"weights/{self.best.id:05d}.npz"
        self.sha = sha256_of(path)
        self.action(path)


DAMAGES = {
    "missing": lambda path: path.unlink(),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:5]),
    "empty": lambda path: path.write_bytes(b""),
    "another": lambda path: path.write_bytes(b"stub weights of another"),
}


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_a_winner_without_its_weights_is_trained_again_and_exported(tmp_path, pool, damage):
    root = create(tmp_path)
    spoil = Spoil(root, DAMAGES[damage])
    run = go(root, pool, spoil)
    assert run.is_finished
    assert run.result["trial"] == run.best.id == spoil.best.id
    first, second = trainings(pool, run.best.id)
    assert replace(second, attempt=first.attempt) == first, "the very same job"
    assert [a.state for a in run.best.attempts()] == ["ok", "ok"]
    assert sha256_of(run.weights(run.best.trial)) == spoil.sha
    assert len(spoil.notes.texts) == 1
    assert "it is trained again" in spoil.notes.texts[0]
    assert retrained(root) == [
        {"trial": run.best.id, "metrics": dict(run.best.metrics), "same": True, "different": []}
    ]
    assert not list((root / "checkpoints").glob("*"))


def test_the_record_of_the_search_is_not_changed_by_it(tmp_path, pool):
    root = create(tmp_path)
    go(root, pool, Spoil(root, DAMAGES["missing"]))
    other = create(tmp_path / "whole")
    go(other, pool)
    assert content(root) == content(other)


def other_scores(job, outcome):
    """As on another machine: every score after the search is a little worse."""
    metrics = {name: value + 0.001 for name, value in outcome.metrics.items()}
    return replace(outcome, metrics=metrics)


def test_another_result_is_told_and_exported_all_the_same(tmp_path, pool):
    root = create(tmp_path)

    class Elsewhere(Spoil):
        def on_end(self, progress):
            super().on_end(progress)
            pool.change = staticmethod(other_scores)

    spoil = Elsewhere(root, DAMAGES["missing"])
    run = go(root, pool, spoil)
    assert run.is_finished
    assert len(spoil.notes.texts) == 2
    recorded = run.best.metrics["val_loss"]
    assert "is not quite the same" in spoil.notes.texts[1]
    assert spoil.notes.texts[1].endswith("No version and no CPU has changed since the run began.")
    assert f"val_loss {recorded + 0.001} (recorded: {recorded})" in spoil.notes.texts[1]
    assert run.result["metrics"]["val_loss"] == recorded + 0.001
    assert retrained(root)[0]["same"] is False
    assert "val_loss" in retrained(root)[0]["different"]


def test_a_kill_between_that_training_and_the_export_changes_nothing(tmp_path, pool):
    """The export's scores are held against those of the training that has written the weights."""
    root = create(tmp_path)

    def change(job, outcome):
        if job.kind == "export" and len(exports) == 1:
            raise KeyboardInterrupt
        return other_scores(job, outcome) if exports else outcome

    exports = []

    class Elsewhere(Spoil):
        def on_end(self, progress):
            if not exports:
                super().on_end(progress)
            exports.append(1)

    pool.change = staticmethod(change)
    with pytest.raises(KeyboardInterrupt):
        go(root, pool, Elsewhere(root, DAMAGES["missing"]))
    exports.append(1)
    run = go(root, pool, Elsewhere(root, DAMAGES["missing"]))
    assert run.is_finished
    assert len(retrained(root)) == 1
    assert len(trainings(pool, run.best.id)) == 2


def test_a_pruned_trial_is_trained_again_for_its_export_and_pruned_again(tmp_path, pool):
    run = go(create(tmp_path), pool)
    pruned = next(t for t in run.trials if t.fitness is not None and not weights(run, t).exists())
    before, notes = content(run.directory), Notes()
    with pytest.raises(InvalidRecord, match=rf"evonas export \S*stub {pruned.id} --to") as raised:
        run.trial(pruned.id).model()
    assert raised.value.exit_code == 65
    target = tmp_path / "pruned.keras"
    card = run.export(
        target, pruned.id, observers=[notes], pool_factory=stub_pools(stub=HEALTHY, pool=pool)
    )
    assert card["metrics"]["val_loss"] == pruned.metrics["val_loss"]
    assert json.loads(target.with_suffix(".json").read_text()) == card
    assert target.exists()
    assert len(notes.texts) == 1
    assert not weights(run, pruned).exists()
    assert not list((run.directory / "checkpoints").glob("*"))
    assert content(run.directory) == before
    again = evonas.load(run.directory)
    assert again.is_finished
    assert again.trial(pruned.id).message() == ""


def weights(run, trial):
    return run.directory / f"weights/{trial.id:05d}.npz"


def test_a_damaged_one_of_the_best_is_mended_by_its_export(tmp_path, pool):
    run = go(create(tmp_path), pool)
    second = sorted((t for t in run.trials if t.fitness), key=lambda t: t.fitness.key)[1]
    weights(run, second).write_bytes(b"damaged")
    run.export(
        tmp_path / "second.keras", second.id, pool_factory=stub_pools(stub=HEALTHY, pool=pool)
    )
    assert run.weights(second) == weights(run, second)


def test_a_finished_run_whose_model_was_deleted_is_completed_by_a_resume(tmp_path, pool):
    run = go(create(tmp_path), pool)
    model = (run.directory / "best.keras").read_bytes()
    (run.directory / "best.keras").unlink()
    weights(run, run.best.trial).unlink()
    again = go(run.directory, pool)
    assert again.is_finished
    assert (run.directory / "best.keras").read_bytes() == model
    assert again.result == run.result


def test_failures_of_the_machine_are_tried_again_in_that_training_too(tmp_path, pool):
    root, states = create(tmp_path), [TrialState.CRASHED]

    class Crash(Spoil):
        def on_end(self, progress):
            super().on_end(progress)
            pool.change = staticmethod(
                lambda job, outcome: (
                    Outcome(states.pop(0), message="made up") if states else outcome
                )
            )

    run = go(root, pool, Crash(root, DAMAGES["missing"]))
    assert [attempt.state for attempt in run.best.attempts()] == ["ok", "crashed", "ok"]


def failing(pool, *outcomes):
    left = list(outcomes)

    class Fail(Spoil):
        def on_end(self, progress):
            super().on_end(progress)
            pool.change = staticmethod(lambda job, outcome: left.pop(0) if left else outcome)

    return Fail


def test_a_training_that_fails_this_time_is_an_error_and_a_resume_tries_again(tmp_path, pool):
    root = create(tmp_path)
    error = Outcome(TrialState.ERROR, message="ValueError: made up")
    with pytest.raises(
        EvonasError, match=r"cannot be trained again \(error\): ValueError: made up"
    ):
        go(root, pool, failing(pool, error)(root, DAMAGES["missing"]))
    assert go(root, pool).is_finished


def test_what_only_the_ensemble_lacks_costs_the_ensemble_alone(tmp_path, pool):
    """The weights of its members are no caches as long as they are read."""
    for outcome in (FULL, Outcome(TrialState.ERROR, message="made up")):
        root = create(tmp_path)
        run = go(root, pool, failing(pool, outcome)(root, lambda path: None))
        assert run.is_finished
        last, before = pool.jobs[-1], pool.jobs[-2]
        assert (before.kind, last.kind) == ("export", "export")
        assert len(before.members) > 1
        assert last.members == ()
        assert run.result["ensemble"]["left_out"] == "its export did not succeed"
        assert len(list((root / "weights").glob("*"))) > 1


FULL = Outcome(TrialState.LOST, message="The disk is full.", details=Details(cause=Cause.DISK))


@pytest.mark.parametrize("damage", [DAMAGES["missing"], lambda path: None])
def test_a_full_disk_at_the_end_frees_the_caches_and_then_ends_with_74(tmp_path, pool, damage):
    root = create(tmp_path, "ensemble=null")
    run = go(root, pool, failing(pool, FULL)(root, damage))
    assert run.is_finished
    assert len(list((root / "weights").glob("*"))) == 1, "the caches were given up"
    other = create(tmp_path, "ensemble=null")
    with pytest.raises(DiskFailure, match=r"The disk is full\. Nothing is lost") as raised:
        go(other, pool, failing(pool, FULL, FULL)(other, damage))
    assert raised.value.exit_code == 74
    assert go(other, pool).is_finished
    assert content(other) == content(root)
