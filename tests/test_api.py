"""Beginnings and ends of runs, with stubs in the driver: claims, seals, exports, refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import psutil
import pytest

import evonas
from evonas.errors import (
    EvonasError,
    InvalidConfig,
    InvalidData,
    NothingFeasible,
    RunHeld,
    UserError,
)
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.local.worker_log import WorkerLog
from evonas.files import temporary_beside
from evonas.runtime.record.layout import Layout, Lock
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.testing.runs import Notes, make_run, stub_pools, work, write_config
from evonas.testing.stub_pool import StubPool
from evonas.testing.stub_worker import Stub
from evonas.trial import Outcome, TrialState

SHORT = (
    "strategy={evolution: {population: 4, replacement: {elitist: {elites: 1}}}}",
    "training.epochs=2",
    "budget.trials=6",
    "look_ahead=16",
)
HEALTHY = Stub(diverge=0.0)
"""Stubs whose networks never diverge."""


def create(folder, *changes):
    return make_run(folder, *SHORT, *changes, runs=folder / "runs")


def test_a_run_that_is_held_is_not_taken_by_another_of_the_same_name(tmp_path):
    with Lock(Layout(tmp_path / "runs" / "stub")):
        assert create(tmp_path).name == "stub-2"
    assert create(tmp_path).name == "stub", (
        "a directory that was claimed and left without a record is used"
    )


def test_a_wrong_override_is_told_by_the_argument(tmp_path):
    config = write_config(tmp_path)
    for override, words in {
        "training.epochs=many": "overrides: training.epochs: must be",
        "epochs": "overrides: epochs: must have the form",
        "seed=[1": "overrides: seed=\\[1: not valid YAML",
    }.items():
        with pytest.raises(InvalidConfig, match=f"^{words}"):
            evonas.run(config, overrides=[override], runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_creation_that_was_cut_off_is_begun_again(tmp_path):
    root = create(tmp_path)
    left = temporary_beside(root / "run.db")
    (root / "run.db").rename(left)
    assert create(tmp_path) == root
    assert work(root).is_finished
    assert not left.exists()


def test_a_record_is_never_put_in_the_place_of_another(tmp_path):
    root = create(tmp_path)
    before = (root / "run.db").read_bytes()
    with pytest.raises(FileExistsError):
        Record.create(root / "run.db", {}, {})
    assert (root / "run.db").read_bytes() == before


@pytest.mark.parametrize(
    "changes", [("objective=val_mean_absolute_error", "data.task=null"), ("data.path=worse.npz",)]
)
def test_what_is_refused_leaves_no_directory(tmp_path, changes):
    np.savez(tmp_path / "worse.npz", x=np.full((60, 4), np.nan), y=np.arange(60) % 3)
    with pytest.raises((InvalidConfig, InvalidData)):
        create(tmp_path, *changes)
    assert not (tmp_path / "runs" / "stub").exists()


def test_a_second_driver_is_told_who_holds_the_run(tmp_path):
    root = create(tmp_path)
    with Lock(Layout(root)):
        assert evonas.load(root).is_going_on
        with pytest.raises(RunHeld, match=r"process [0-9]+ on "):
            work(root)
    assert not evonas.load(root).is_going_on


@pytest.mark.parametrize("name", ["run.lock", "run.db", "run.db-wal", "logs", "weights", "data"])
def test_a_link_in_a_run_is_refused_and_what_it_names_is_left_alone(tmp_path, name):
    root = create(tmp_path)
    precious = tmp_path / "precious"
    if (root / name).exists():
        (root / name).rename(precious)
    else:
        precious.write_text("precious")
    before = precious.read_bytes() if precious.is_file() else sorted(precious.iterdir())
    (root / name).symlink_to(precious)
    with pytest.raises(UserError, match=rf"{name} is a symbolic link, to .*precious"):
        Lock(Layout(root))
    assert before == (precious.read_bytes() if precious.is_file() else sorted(precious.iterdir()))


def test_the_log_of_a_worker_is_not_written_through_a_link(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    path = tmp_path / "worker-0.log"
    path.symlink_to(precious)
    with pytest.raises(UserError, match="symbolic links"):
        WorkerLog(path).begin()
    assert precious.read_text() == "precious"


def test_a_run_that_is_a_link_as_a_whole_works(tmp_path):
    root = create(tmp_path)
    root.rename(tmp_path / "big-disk")
    root.symlink_to(tmp_path / "big-disk")
    assert work(root).is_finished


def test_a_reader_does_not_disturb_the_end_of_a_run(tmp_path):
    root = create(tmp_path)
    with RecordReader(root / "run.db") as reader:
        assert work(root).is_finished
        assert reader.meta("sealed") is True
    assert evonas.load(root).best is not None


def test_a_finished_run_stays_finished_when_an_export_fails(tmp_path):
    run = work(create(tmp_path))
    assert run.best is not None
    other = next(
        trial for trial in run.trials if trial.fitness is not None and trial.id != run.best.id
    )
    pools = stub_pools(stub=HEALTHY, pool=failing_export(TrialState.ERROR))
    with pytest.raises(EvonasError, match="could not be rebuilt"):
        run.export(tmp_path / "other.keras", other.id, pool_factory=pools)
    assert evonas.load(run.directory).is_finished
    assert not (run.directory / "run.db-wal").exists()


def test_the_winner_is_copied_from_its_verified_file(tmp_path):
    run = work(create(tmp_path))
    card = run.export(tmp_path / "copy.keras")
    assert (tmp_path / "copy.keras").read_bytes() == (run.directory / "best.keras").read_bytes()
    assert json.loads((tmp_path / "copy.json").read_text()) == card == run.result


def test_the_result_and_its_files_are_in_the_record(tmp_path):
    run = work(create(tmp_path))
    with RecordReader(run.layout.record) as record:
        assert {"best.keras", "best.json", "genealogy.svg"} <= set(record.files())


def test_checkpoints_go_when_they_are_no_longer_needed(tmp_path):
    root = create(tmp_path)
    (root / "checkpoints").mkdir()
    (root / "checkpoints" / "00000.npz").write_bytes(b"of a trial that waits")
    (root / "checkpoints" / "00099.npz").write_bytes(b"of nobody")
    work(root)
    assert list((root / "checkpoints").iterdir()) == []


def test_a_run_without_a_success_says_how_its_trials_ended_now_and_when_resumed(tmp_path):
    root = create(tmp_path)
    for _ in range(2):
        with pytest.raises(
            NothingFeasible, match=r"of 6 trials: 6 error(?s:.)*made up by the stub"
        ) as raised:
            work(root, stub=Stub(fail=1.0, diverge=0.0))
        assert "6 error" in str(raised.value)
    assert evonas.load(root).is_finished


def failing_export(*states):
    """A kind of pool whose exports fail as told, one state after the other."""
    left = list(states)

    class FailingExport(StubPool):
        def poll(self, timeout):
            reports = super().poll(timeout)
            last = reports[-1] if reports else None
            if isinstance(last, Finished) and last.job.kind == "export" and left:
                return [Finished(last.job, Outcome(left.pop(0), message="made up"))]
            return reports

    return FailingExport


def test_an_export_whose_worker_dies_is_tried_again(tmp_path):
    run = work(create(tmp_path), stub=HEALTHY, pool=failing_export(TrialState.CRASHED))
    assert run.result is not None


def test_an_export_that_fails_leaves_a_run_that_can_be_resumed(tmp_path):
    root = create(tmp_path)
    # Once with the ensemble, and once alone.
    failing = failing_export(TrialState.ERROR, TrialState.ERROR)
    with pytest.raises(EvonasError, match="could not be rebuilt"):
        work(root, stub=HEALTHY, pool=failing)
    assert not evonas.load(root).is_finished
    assert work(root, stub=HEALTHY).result is not None


class Lie(StubPool):
    """The export has another score than the training."""

    def poll(self, timeout):
        reports = super().poll(timeout)
        last = reports[-1] if reports else None
        if isinstance(last, Finished) and last.job.kind == "export":
            worse = {**last.outcome.metrics, "val_loss": last.outcome.metrics["val_loss"] + 2e-6}
            return [Finished(last.job, replace(last.outcome, metrics=worse))]
        return reports


def test_a_model_that_does_not_score_what_the_record_says_is_no_export(tmp_path):
    root = create(tmp_path)
    with pytest.raises(EvonasError, match="is another one: its val_loss is"):
        work(root, stub=HEALTHY, pool=Lie)
    assert evonas.load(root).result is None


def test_arrays_that_are_lost_are_made_again_if_their_source_gives_the_very_same(tmp_path):
    root = create(tmp_path)
    original = (root / "data" / "x_train.npy").read_bytes()
    (root / "data" / "x_train.npy").unlink()
    (root / "data" / "test" / "y.npy").write_bytes(b"damaged")
    assert work(root).is_finished
    assert (root / "data" / "x_train.npy").read_bytes() == original


def test_arrays_that_are_lost_and_whose_source_has_changed_are_refused_and_nothing_is_overwritten(
    tmp_path,
):
    root = create(tmp_path)
    kept = (root / "data" / "x_validation.npy").read_bytes()
    (root / "data" / "x_train.npy").unlink()
    np.savez(
        tmp_path / "data.npz", x=np.random.default_rng(1).normal(size=(60, 4)), y=np.arange(60) % 3
    )
    with pytest.raises(InvalidData, match=r"x_train.npy are missing or damaged, and their source"):
        work(root)
    assert (root / "data" / "x_validation.npy").read_bytes() == kept
    assert not (root / "data" / "x_train.npy").exists()


def test_another_version_of_what_a_result_depends_on_is_told(tmp_path):
    root = create(tmp_path)
    with Record(root / "run.db") as record:
        record.put_meta("versions", {**record.meta("versions"), "keras": "2.0"})
    notes = Notes()
    work(root, observers=[notes])
    assert len(notes.texts) == 1
    assert "keras is" in notes.texts[0]
    assert "was 2.0" in notes.texts[0]


@pytest.mark.parametrize("pool", ["{local: {workers: 2, devices: cpu}}", "inline"])
def test_a_refusal_of_the_data_leaves_no_process(tmp_path, pool):
    """Workers import while the data are prepared: that must end with the refusal."""
    config = write_config(tmp_path)
    np.savez(tmp_path / "data.npz", x=np.full((60, 4), np.nan), y=np.arange(60) % 3)
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(InvalidData):
        evonas.run(config, overrides=[f"pool={pool}"], runs=tmp_path / "runs")
    assert set(psutil.Process().children(recursive=True)) <= before
