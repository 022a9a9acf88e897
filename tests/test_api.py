"""Beginnings and ends of runs, with stubs in the driver: claims, seals, exports, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import evonas
from evonas import api
from evonas.errors import (
    EvonasError,
    InvalidConfig,
    InvalidData,
    NothingFeasible,
    RunHeld,
    UserError,
)
from evonas.evaluate.contract.pool import Finished
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.layout import Layout, Lock
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub
from evonas.trial import Outcome, TrialState

SPACE = """
space: small
input: vector
network:
  layers: {length: [1, 2], ops: {dense: {units: {choice: [4, 8, 16]}, activation: {choice: [relu, tanh]}}}}
settings:
  optimizer: {ops: {adam: {learning_rate: {choice: [0.1, 0.01]}}}}
  training: {ops: {training: {batch_size: 16}}}
"""

CONFIG = """
run: stub
space: ./small.yaml
data: {path: data.npz, task: classification}
strategy: {evolution: {population: 4, replacement: {elitist: {elites: 1}}}}
training: {epochs: 2}
budget: {trials: 6}
pool: {local: {workers: 2, devices: cpu}}
"""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    (tmp_path / "small.yaml").write_text(SPACE)
    (tmp_path / "stub.yaml").write_text(CONFIG)
    return tmp_path


def create(folder, *changes):
    return api.create(load_config(folder / "stub.yaml", changes), folder / "runs")[0]


def stubs(**behaviour):
    return lambda config, setup, root: StubPool(setup, 2, Stub(**behaviour))


def finish(root, **behaviour):
    return api.work(root, pool_factory=stubs(**behaviour))


def test_a_run_that_is_held_is_not_taken_by_another_of_the_same_name(folder):
    with Lock(Layout(folder / "runs" / "stub")):
        assert create(folder).name == "stub-2"
    assert create(folder).name == "stub", (
        "a directory that was claimed and left without a record is used"
    )


def test_a_creation_that_was_cut_off_is_begun_again(folder):
    root = create(folder)
    (root / "run.db").rename(root / "run.new")
    assert create(folder) == root
    assert finish(root).is_finished
    assert not (root / "run.new").exists()


def test_a_record_is_never_put_in_the_place_of_another(folder):
    root = create(folder)
    before = (root / "run.db").read_bytes()
    with pytest.raises(FileExistsError):
        Record.create(root / "run.db", {}, {})
    assert (root / "run.db").read_bytes() == before


@pytest.mark.parametrize(
    "changes", [("objective=val_mean_absolute_error", "data.task=null"), ("data.path=worse.npz",)]
)
def test_what_is_refused_leaves_no_directory(folder, changes):
    np.savez(folder / "worse.npz", x=np.full((60, 4), np.nan), y=np.arange(60) % 3)
    with pytest.raises((InvalidConfig, InvalidData)):
        create(folder, *changes)
    assert not (folder / "runs" / "stub").exists()


def test_a_second_driver_is_told_who_holds_the_run(folder):
    root = create(folder)
    with Lock(Layout(root)):
        assert evonas.load(root).is_going_on
        with pytest.raises(RunHeld, match=r"process [0-9]+ on "):
            finish(root)
    assert not evonas.load(root).is_going_on


def test_a_reader_does_not_disturb_the_end_of_a_run(folder):
    root = create(folder)
    with RecordReader(root / "run.db") as reader:
        assert finish(root).is_finished
        assert reader.meta("sealed") is True
    assert evonas.load(root).best is not None


def test_a_finished_run_stays_finished_when_an_export_fails(folder):
    run = finish(create(folder))
    assert run.best is not None
    other = next(
        trial for trial in run.trials if trial.fitness is not None and trial.id != run.best.id
    )
    with pytest.raises(EvonasError, match="could not be rebuilt"):
        run.export(
            folder / "other.keras", other.id, pool_factory=failing_export([TrialState.ERROR])
        )
    assert evonas.load(run.directory).is_finished
    assert not (run.directory / "run.db-wal").exists()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("model.h5", r"ends in \.keras"),
        ("no/such/model.keras", "no folder"),
        ("runs/stub/best.keras", "own directory"),
    ],
)
def test_an_export_goes_to_a_keras_path_outside_of_the_run(folder, target, words):
    run = finish(create(folder))
    with pytest.raises(UserError, match=words):
        run.export(folder / target)


def test_the_winner_is_copied_from_its_verified_file(folder):
    run = finish(create(folder))
    card = run.export(folder / "copy.keras")
    assert (folder / "copy.keras").read_bytes() == (run.directory / "best.keras").read_bytes()
    assert json.loads((folder / "copy.json").read_text()) == card == run.result


def test_the_result_and_its_files_are_in_the_record(folder):
    run = finish(create(folder))
    with RecordReader(run.layout.record) as record:
        assert {"best.keras", "best.json", "genealogy.svg"} <= set(record.files())


def test_checkpoints_go_when_they_are_no_longer_needed(folder):
    root = create(folder)
    (root / "checkpoints").mkdir()
    (root / "checkpoints" / "00000.npz").write_bytes(b"of a trial that waits")
    (root / "checkpoints" / "00099.npz").write_bytes(b"of nobody")
    finish(root)
    assert list((root / "checkpoints").iterdir()) == []


def test_a_run_without_a_success_says_how_its_trials_ended_now_and_when_resumed(folder):
    root = create(folder)
    for _ in range(2):
        with pytest.raises(
            NothingFeasible, match=r"of 6: 6 error(?s:.)*made up by the stub"
        ) as raised:
            finish(root, fail=1.0, diverge=0.0)
        assert "6 error" in str(raised.value)
    assert evonas.load(root).is_finished


class FailingExport(StubPool):
    """Exports fail as told, one state after the other."""

    states: list[TrialState]

    def poll(self, timeout):
        reports = super().poll(timeout)
        if (
            any(isinstance(report, Finished) and report.job.kind == "export" for report in reports)
            and self.states
        ):
            job = reports[-1].job
            return [Finished(job, Outcome(self.states.pop(0), message="made up"))]
        return reports


def failing_export(states):
    def factory(config, setup, root):
        pool = FailingExport(setup, 2, Stub(diverge=0.0))
        pool.states = list(states)
        return pool

    return factory


def test_an_export_whose_worker_dies_is_tried_again(folder):
    run = api.work(create(folder), pool_factory=failing_export([TrialState.CRASHED]))
    assert run.result is not None


def test_an_export_that_fails_leaves_a_run_that_can_be_resumed(folder):
    root = create(folder)
    with pytest.raises(EvonasError, match="could not be rebuilt"):
        api.work(root, pool_factory=failing_export([TrialState.ERROR]))
    assert not evonas.load(root).is_finished
    assert finish(root, diverge=0.0).result is not None


class Lie(StubPool):
    """The export has another score than the training."""

    def poll(self, timeout):
        reports = super().poll(timeout)
        last = reports[-1] if reports else None
        if isinstance(last, Finished) and last.job.kind == "export":
            worse = {**last.outcome.metrics, "val_loss": last.outcome.metrics["val_loss"] + 2e-6}
            return [Finished(last.job, replace(last.outcome, metrics=worse))]
        return reports


def test_a_model_that_does_not_score_what_the_record_says_is_no_export(folder):
    root = create(folder)
    with pytest.raises(EvonasError, match="is another one: its val_loss is"):
        api.work(root, pool_factory=lambda config, setup, root: Lie(setup, 2, Stub(diverge=0.0)))
    assert evonas.load(root).result is None


def test_arrays_that_are_lost_are_made_again_if_their_source_gives_the_very_same(folder):
    root = create(folder)
    original = (root / "data" / "x_train.npy").read_bytes()
    (root / "data" / "x_train.npy").unlink()
    (root / "data" / "test" / "y.npy").write_bytes(b"damaged")
    assert finish(root).is_finished
    assert (root / "data" / "x_train.npy").read_bytes() == original


def test_arrays_that_are_lost_and_whose_source_has_changed_are_refused_and_nothing_is_overwritten(
    folder,
):
    root = create(folder)
    kept = (root / "data" / "x_validation.npy").read_bytes()
    (root / "data" / "x_train.npy").unlink()
    np.savez(
        folder / "data.npz", x=np.random.default_rng(1).normal(size=(60, 4)), y=np.arange(60) % 3
    )
    with pytest.raises(InvalidData, match=r"x_train.npy are missing or damaged, and their source"):
        finish(root)
    assert (root / "data" / "x_validation.npy").read_bytes() == kept
    assert not (root / "data" / "x_train.npy").exists()


def test_another_version_of_what_a_result_depends_on_is_told(folder):
    root = create(folder)
    with Record(root / "run.db") as record:
        record.put_meta("versions", {**record.meta("versions"), "keras": "2.0"})
    notes = []

    class Listen(Observer):
        def on_note(self, text):
            notes.append(text)

    api.work(root, [Listen()], stubs())
    assert len(notes) == 1
    assert "keras is" in notes[0]
    assert "was 2.0" in notes[0]
