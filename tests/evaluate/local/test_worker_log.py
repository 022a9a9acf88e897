from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from evonas.errors import DiskFailure
from evonas.evaluate.local.worker_log import PIPE, TAIL_BYTES, WorkerLog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[WorkerLog]:
    log = WorkerLog(tmp_path / "logs" / "worker-0.log", size_limit=100)
    yield log
    log.close()


@pytest.fixture
def worker(log: WorkerLog) -> Iterator[int]:
    fd = log.open()
    yield fd
    os.close(fd)


def test_the_tail_begins_with_the_job(log: WorkerLog, worker: int) -> None:
    log.begin()
    assert log.tail() == ""
    os.write(worker, b"of the first job\n")
    assert log.tail() == "of the first job"
    os.write(worker, b"at its end\n")
    log.begin()
    assert log.tail() == ""
    os.write(worker, b"of the second\n")
    assert log.tail() == "of the second"
    assert log.path.read_text() == "of the first job\nat its end\nof the second\n"


def test_the_tail_is_bounded_and_is_text(log: WorkerLog, worker: int) -> None:
    log.begin()
    os.write(worker, b"\xff" * 5 * TAIL_BYTES)
    assert set(log.tail()) == {"\ufffd"}
    assert len(log.tail()) == TAIL_BYTES
    os.write(worker, b"\n" + "".join(f"{number}\n" for number in range(100)).encode())
    assert log.tail().splitlines() == [str(number) for number in range(60, 100)]


def test_a_log_that_has_grown_is_moved_aside(log: WorkerLog, worker: int) -> None:
    log.begin()
    for letter in (b"a", b"b", b"c"):
        os.write(worker, letter * 60)
        log.drain()
    assert log.path.read_bytes() == b"c" * 60
    assert log.path.with_name("worker-0.log.1").read_bytes() == b"b" * 60
    os.write(worker, b"d" * 300)
    log.drain()
    assert log.path.read_bytes() == b"d" * 100


def test_a_worker_that_prints_without_end_waits_and_the_driver_does_not(
    log: WorkerLog, worker: int
) -> None:
    log.begin()
    os.set_blocking(worker, False)
    written = 0
    with pytest.raises(BlockingIOError):
        while True:
            written += os.write(worker, b"x" * 2**16)
    assert written <= PIPE
    log.drain()
    os.write(worker, b"y" * 2**16)
    log.drain()
    log.drain()  # with nothing to read
    assert sum(path.stat().st_size for path in log.path.parent.iterdir()) <= 200


def test_each_worker_has_a_pipe_of_its_own(log: WorkerLog, worker: int) -> None:
    log.begin()
    os.write(worker, b"last words\n")
    second = log.open()
    os.write(second, b"first words\n")
    os.close(second)
    assert log.tail() == "last words\nfirst words"
    log.close()
    log.close()
    log.drain()


def test_a_log_that_vanished_is_made_again_and_one_that_cannot_be_is_given_up(
    log: WorkerLog, worker: int
) -> None:
    log.begin()
    log.path.unlink()
    os.write(worker, b"new\n")
    log.drain()
    assert log.path.read_bytes() == b"new\n"
    log.path.unlink()
    log.path.parent.rmdir()
    os.write(worker, b"lost\n")
    assert log.tail() == "new\nlost"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskFailure, match="file/worker"):
        WorkerLog(tmp_path / "file" / "worker-0.log").begin()
