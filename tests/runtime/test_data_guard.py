"""The source of a run's data: unchanged, changed, gone, or of an older record that does not say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.data.sources import Npz, Wine
from evonas.errors import InvalidData
from evonas.files import sha256_of
from evonas.runtime.config.config_file import load_config
from evonas.runtime.preparation import prepare_run
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.testing.runs import Notes, make_run, work, write_config


def rewrite(folder, seed):
    rng = np.random.default_rng(seed)
    np.savez_compressed(folder / "data.npz", x=rng.normal(size=(60, 4)), y=np.arange(60) % 3)


def test_changed_data_are_refused_with_what_to_do(tmp_path):
    root = make_run(tmp_path)
    rewrite(tmp_path, 1)
    with pytest.raises(
        InvalidData, match=r"data\.npz: the data have changed since the run began\. Begin a new run"
    ) as e:
        work(root)
    assert e.value.exit_code == 2
    rewrite(tmp_path, 0)
    assert work(root).is_finished


def test_a_mark_that_cannot_be_recorded_is_refused_by_a_check(tmp_path, monkeypatch):
    monkeypatch.setattr(Npz, "mark", lambda source: None)
    loaded = load_config(write_config(tmp_path))
    with pytest.raises(InvalidData, match=r"mark\(\) must give words by words\. Received: None"):
        prepare_run(loaded, tmp_path / "run")


def test_a_source_that_can_no_longer_be_read_has_changed(tmp_path):
    root = make_run(tmp_path)
    (tmp_path / "data.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(InvalidData, match="the data have changed since the run began"):
        work(root)


def test_the_same_arrays_in_another_file_are_the_same_data(tmp_path):
    root = make_run(tmp_path)
    rewrite(tmp_path, 0)
    assert work(root).is_finished


def test_without_its_source_a_run_goes_on_with_its_own_arrays_and_says_so(tmp_path):
    root = make_run(tmp_path)
    (tmp_path / "data.npz").unlink()
    notes = Notes()
    assert work(root, observers=[notes]).is_finished
    assert any("is no longer there" in text for text in notes.texts)


def test_without_its_source_damaged_arrays_are_refused(tmp_path):
    root = make_run(tmp_path)
    (tmp_path / "data.npz").unlink()
    (root / "data" / "x_train.npy").write_bytes(b"")
    with pytest.raises(
        InvalidData, match=r"x_train\.npy are missing or damaged, and their source cannot be read"
    ):
        work(root)


def test_a_finished_run_does_not_care_about_its_source_until_it_goes_on(tmp_path):
    root = make_run(tmp_path)
    work(root)
    rewrite(tmp_path, 1)
    (root / "genealogy.svg").unlink()
    run = work(root)
    assert (root / "genealogy.svg").is_file()
    other = next(
        trial for trial in run.trials if trial.fitness is not None and trial.id != run.best.id
    )
    run.weights(other)
    with pytest.raises(InvalidData):
        work(root, "budget.trials=20")
    with RecordReader(root / "run.db") as record:
        assert record.meta("sealed") is True
        assert record.meta("config")["budget"]["trials"] == 12
    assert not (root / "run.db-wal").exists()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_record_that_does_not_know_its_source_is_held_to_the_fingerprint_of_the_arrays(
    tmp_path, seed
):
    root = make_run(tmp_path)
    with Record(root / "run.db") as record, record._transaction():
        record._connection.execute("delete from meta where key = 'source'")
    rewrite(tmp_path, seed)
    if seed:
        with pytest.raises(InvalidData):
            work(root)
    else:
        assert work(root).is_finished


def test_a_named_data_set_is_compared_only_where_its_package_has_changed(tmp_path, monkeypatch):

    settings = ("data={name: wine, task: classification}", "budget.trials=3")
    root = make_run(tmp_path, *settings)
    with Record(root / "run.db") as record:
        record.put_meta("source", {**record.meta("source"), "scikit-learn": "1.0"})
    original = Wine.read

    def changed(self, memory):
        arrays = original(self, memory)
        return replace(arrays, x=arrays.x * 2)

    monkeypatch.setattr(Wine, "read", changed)
    with pytest.raises(InvalidData, match="wine: the data have changed"):
        work(root)
    monkeypatch.setattr(Wine, "read", original)
    assert work(root).is_finished


def damage(root, path):
    (root / path).write_bytes(b"")


def test_targets_that_an_older_evonas_has_stored_as_32_bit_floats_are_restored_so(tmp_path):
    root = make_run(tmp_path, "data.task=regression", "objective=val_loss")
    files = {}
    with Record(root / "run.db") as record:
        for path in record.meta("data_files"):
            if not path.endswith(".npy"):
                files[path] = sha256_of(root / path)
                continue
            array = np.load(root / path)
            if array.dtype == np.float64:
                np.save(root / path, array.astype(np.float32))
            files[path] = sha256_of(root / path)
        record.put_meta("data_files", files)
    for path in files:
        damage(root, path)
    assert work(root).is_finished
    assert {path: sha256_of(root / path) for path in files} == files


def test_what_another_evonas_has_stored_otherwise_is_told_as_such(tmp_path):
    root = make_run(tmp_path)
    with Record(root / "run.db") as record:
        files = record.meta("data_files")
        record.put_meta("data_files", {**files, "data/x_train.npy": "0" * 64})
        record.put_meta("versions", {**record.meta("versions"), "scikit-learn": "1.0"})
    with pytest.raises(InvalidData) as raised:
        work(root)
    assert "their source is the same, but is split or stored in another way now" in str(
        raised.value
    )
    assert "and scikit-learn 1.0), or begin a new run." in str(raised.value)


def test_a_source_that_gives_something_else_is_to_be_put_back(tmp_path):
    root = make_run(tmp_path)
    damage(root, "data/x_train.npy")
    rewrite(tmp_path, 1)
    with pytest.raises(InvalidData, match=r"no longer gives the same\. Put back the data that the"):
        work(root)
