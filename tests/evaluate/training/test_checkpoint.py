"""Checkpoints and weights: exact, whole, and refused when they are not what was asked for."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from evonas.errors import DiskFailure
from evonas.evaluate.training import checkpoint
from evonas.evaluate.training.checkpoint import (
    Array,
    InvalidCheckpoint,
    TrainingState,
    load_state,
    load_weights,
    save_state,
    save_weights,
)

FINGERPRINT = {
    "genome": "0123456789abcdef",
    "seed": 7,
    "batch_size": 32,
    "interface": {"shape": (8, 8)},
}


def make_state() -> TrainingState:
    rng = np.random.default_rng(0)
    model: list[Array] = [
        rng.normal(size=(3, 4)).astype(np.float32),
        np.array([1, 2], np.uint32),
        np.zeros((0, 3), np.float32),
        np.asfortranarray(rng.normal(size=(2, 5)).astype(np.float32)),
    ]
    optimizer: list[Array] = [np.array(12, np.int64), np.array(0.1, np.float32)]
    history = [{"loss": 0.1 + 0.2, "val_loss": 1e-17}, {"loss": 1 / 3, "val_loss": 5e-324}]
    return TrainingState(FINGERPRINT, history, model, optimizer, model[:1])


def assert_equal(first: TrainingState, second: TrainingState) -> None:
    assert list(first.history) == list(second.history)
    for name in ("model", "optimizer", "best"):
        for a, b in zip(getattr(first, name), getattr(second, name), strict=True):
            assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.npz"
    save_state(path, make_state())
    assert_equal(load_state(path, FINGERPRINT), make_state())
    assert [file.name for file in path.parent.iterdir()] == ["state.npz"]


def test_a_state_before_the_first_epoch_has_no_best_weights(tmp_path: Path) -> None:
    state = TrainingState(FINGERPRINT, [], make_state().model, [], [])
    save_state(tmp_path / "state.npz", state)
    assert_equal(load_state(tmp_path / "state.npz", FINGERPRINT), state)


def test_equal_content_gives_equal_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_state(tmp_path / "a.npz", make_state())
    monkeypatch.setattr("time.time", lambda: 1.0)
    monkeypatch.setattr("time.localtime", lambda *_: (1999, 9, 9, 9, 9, 9, 0, 0, 0))
    save_state(tmp_path / "b.npz", make_state())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_state_of_another_training_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save_state(path, make_state())
    with pytest.raises(InvalidCheckpoint, match="batch_size, seed differ"):
        load_state(path, {**FINGERPRINT, "seed": 8, "batch_size": 16})
    with pytest.raises(InvalidCheckpoint, match="interface differ"):
        load_state(path, {**FINGERPRINT, "interface": {"shape": (8, 9)}})


def test_a_state_of_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_state(tmp_path / "state.npz", make_state())
    monkeypatch.setattr(checkpoint, "VERSION", 2)
    with pytest.raises(InvalidCheckpoint, match="version 1"):
        load_state(tmp_path / "state.npz", FINGERPRINT)


def test_a_changed_byte_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save_state(path, make_state())
    whole = path.read_bytes()
    rng, refused = random.Random(0), 0
    positions = [
        *rng.sample(range(len(whole)), 500),
        *range(len(whole) - 600, len(whole)),
    ]  # the end is the directory
    for position in positions:
        path.write_bytes(
            whole[:position]
            + bytes([whole[position] ^ (1 << rng.randrange(8))])
            + whole[position + 1 :]
        )
        try:
            assert_equal(load_state(path, FINGERPRINT), make_state())
        except InvalidCheckpoint:
            refused += 1
    assert refused > len(positions) / 2


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save_state(path, make_state())
    whole = path.read_bytes()
    for length in range(0, len(whole), 41):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidCheckpoint):
            load_state(path, FINGERPRINT)


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, x=np.zeros(3))
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, about=np.array([{"version": 1}], dtype=object))
    described = tmp_path / "described.npz"
    np.savez(described, about=np.frombuffer(b"[]", np.uint8))
    for path in (tmp_path / "none.npz", tmp_path, foreign, pickled, described):
        with pytest.raises(InvalidCheckpoint):
            load_state(path, FINGERPRINT)
        with pytest.raises(InvalidCheckpoint):
            load_weights(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save_state(path, make_state())
    broken = TrainingState(FINGERPRINT, [], [np.array([object()], dtype=object)], [], [])
    with pytest.raises(ValueError, match="pickle"):
        save_state(path, broken)
    assert_equal(load_state(path, FINGERPRINT), make_state())
    assert [file.name for file in tmp_path.iterdir()] == ["state.npz"]


def test_a_folder_that_cannot_be_written_is_a_disk_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskFailure):
        save_state(tmp_path / "file" / "state.npz", make_state())


def test_weights_keep_their_order(tmp_path: Path) -> None:
    weights: list[Array] = [np.full((2,), number, np.float32) for number in range(12)]
    save_weights(tmp_path / "weights.npz", weights)
    loaded = load_weights(tmp_path / "weights.npz")
    assert [float(array[0]) for array in loaded] == list(range(12))


def test_a_state_is_not_taken_for_weights(tmp_path: Path) -> None:
    save_state(tmp_path / "state.npz", make_state())
    with pytest.raises(InvalidCheckpoint, match="no weights"):
        load_weights(tmp_path / "state.npz")
