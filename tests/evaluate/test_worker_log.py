from __future__ import annotations

from pathlib import Path

import pytest

from evonas.errors import DiskFailure
from evonas.evaluate.worker_log import KEPT, TAIL_BYTES, WorkerLog


def test_the_tail_begins_with_the_task(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "worker-0.log"
    log = WorkerLog(path)
    log.begin()
    assert log.tail() == ""
    path.write_text("of the first task\n")
    assert log.tail() == "of the first task"
    log.begin()
    assert log.tail() == ""
    with path.open("a") as file:
        file.write("of the second\n")
    assert log.tail() == "of the second"


def test_the_tail_is_bounded_and_is_text(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.log"
    log = WorkerLog(path)
    log.begin()
    path.write_bytes(b"\xff" * 10 * TAIL_BYTES)
    assert set(log.tail()) == {"\ufffd"}
    assert len(log.tail()) == TAIL_BYTES
    path.write_text("".join(f"{number}\n" for number in range(100)))
    assert log.tail().splitlines() == [str(number) for number in range(60, 100)]


def test_a_log_that_has_grown_is_moved_aside_under_the_feet_of_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.log"
    log = WorkerLog(path, size_limit=10)
    with path.open("ab", buffering=0) as worker:
        log.begin()
        worker.write(b"eleven bytes and more\n")
        log.begin()
        assert path.read_bytes() == b""
        worker.write(b"new\n")
    assert path.read_bytes() == b"new\n"
    assert log.tail() == "new"
    assert (tmp_path / "worker-0.log.1").read_bytes() == b"eleven bytes and more\n"


def test_a_log_that_vanished_has_no_tail(tmp_path: Path) -> None:
    assert WorkerLog(tmp_path / "none.log").tail() == ""


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskFailure, match="file/worker"):
        WorkerLog(tmp_path / "file" / "worker-0.log").begin()


def test_within_a_task_a_log_beyond_its_limit_keeps_its_end_only(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.log"
    log = WorkerLog(path, size_limit=2 * KEPT)
    with path.open("ab", buffering=0) as worker:
        worker.write(b"of the task before\n")
        log.begin()
        worker.write(b"x" * KEPT)
        log.trim()
        assert path.stat().st_size > KEPT
        worker.write(b"y" * KEPT + b"\nlast words\n")
        log.trim()
        assert path.read_bytes() == b""
        assert log.tail().endswith("y\nlast words")
        worker.write(b"new\n")
        assert log.tail().endswith("y\nlast words\nnew")
        assert (tmp_path / "worker-0.log.1").stat().st_size == KEPT
        log.begin()
        assert log.tail() == ""
    path.unlink()
    log.trim()
