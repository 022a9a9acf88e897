"""Large data lie once on the disk, and each run has its own all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evonas import removal
from evonas.files import sha256_of
from evonas.runtime import preparation
from evonas.runtime.shared_files import share_files
from evonas.testing import make_run, work

X = "data/x_train.npy"


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two runs of the same data, of which none is large."""
    monkeypatch.setattr(preparation, "share_files", lambda root, files: share_files(root, files, 1))
    runs = tmp_path / "runs"
    return make_run(tmp_path, runs=runs), make_run(tmp_path, "seed=1", runs=runs)


def test_a_second_run_links_what_the_first_one_has(two: tuple[Path, Path]) -> None:
    first, second = two
    assert (first / X).stat().st_ino == (second / X).stat().st_ino
    assert work(second).is_finished
    # The first run is deleted, and the second one has its data.
    before = (second / X).stat().st_size
    gone = removal.belongings(first)
    assert gone.bytes < sum(path.stat().st_size for path in first.rglob("*") if path.is_file())
    removal.remove(first)
    assert (second / X).stat().st_size == before
    assert not list((second / "data").glob(".evonas-*"))


def test_only_what_is_the_same_is_linked(two: tuple[Path, Path], tmp_path: Path) -> None:
    first, _ = two
    third = tmp_path / "runs" / "third"
    (third / "data").mkdir(parents=True)
    content = bytearray((first / X).read_bytes())
    content[-1] ^= 1
    (third / X).write_bytes(content)
    assert share_files(third, {X: sha256_of(third / X)}, least=1) == 0
    np.save(third / X, np.load(first / X))
    # Small files are not looked for, and what is gone or damaged is left alone.
    assert share_files(third, {X: sha256_of(third / X)}) == 0
    assert share_files(third, {X: sha256_of(third / X), "data/none.npy": "0"}, least=1) > 0


def test_a_damaged_twin_is_not_taken(two: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = two
    third = tmp_path / "runs" / "third"
    (third / "data").mkdir(parents=True)
    good = (first / X).read_bytes()
    (third / X).write_bytes(good)
    for run in (first, second):
        (run / X).unlink()
        (run / X).write_bytes(b"0" * len(good))
    assert share_files(third, {X: sha256_of(third / X)}, least=1) == 0
    assert (third / X).read_bytes() == good
