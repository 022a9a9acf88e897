from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from evonas.errors import DiskFailure
from evonas.failpoints import VARIABLE, Failpoints, Plan, as_it_is, failpoints
from evonas.files import delete_temporary_files, write_whole


@pytest.fixture
def armed():
    """The process's own failpoints, off again afterwards."""
    yield failpoints
    failpoints.plan = None


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("17", Plan(17)),
        ("0", Plan(0)),
        ("3:kill", Plan(3, "kill")),
        ("3:enospc", Plan(3, "enospc")),
        ("3+:eio", Plan(3, "eio", onwards=True)),
        ("3:torn", Plan(3, "torn")),
        ("3:delay=0.5", Plan(3, "delay", 0.5)),
    ],
)
def test_a_plan_is_read(text: str, plan: Plan) -> None:
    assert Plan.parse(text) == plan


@pytest.mark.parametrize("text", ["", "x", "-1", "3:", "3:fire", "3:delay", "3:delay=x", "3 "])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be such as"):
        Plan.parse(text)


def test_a_disk_fails_where_it_is_written_only() -> None:
    points = Failpoints(Plan(1, "enospc", onwards=True))
    points.hit("before")
    with pytest.raises(OSError, match="No space") as caught:
        points.hit("write", disk=as_it_is)
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(sqlite3.OperationalError, match="full"):
        points.hit("commit", disk=lambda error: sqlite3.OperationalError("full"))
    assert points.names == ["before", "write", "commit"]
    assert points.writes == [2, 3]


def test_once_is_once() -> None:
    points = Failpoints(Plan(2, "eio"))
    points.hit("write", disk=as_it_is)
    with pytest.raises(OSError, match="Input/output"):
        points.hit("write", disk=as_it_is)
    points.hit("write", disk=as_it_is)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_file_is_whole_after_a_failure_of_the_disk_anywhere(
    tmp_path: Path, armed: Failpoints, at: int
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    armed.arm(Plan(at, "enospc"))
    with pytest.raises(DiskFailure, match="No space left"):
        write_whole(path, lambda file: file.write(b"new"))
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"file": "old"}
    write_whole(path, lambda file: file.write(b"new"))
    assert path.read_text() == "new"


@pytest.mark.parametrize(("action", "left"), [("torn", "lo"), ("kill", "")])
def test_a_torn_write_leaves_half_of_it_beside_the_old_file(
    tmp_path: Path, action: str, left: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    code = (
        "import sys; from pathlib import Path; from evonas.files import write_whole\n"
        "write_whole(Path(sys.argv[1]), lambda file: file.write(b'long'))"
    )
    environment = {**os.environ, VARIABLE: f"2:{action}"}
    done = subprocess.run([sys.executable, "-c", code, str(path)], env=environment)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    (half,) = set(tmp_path.iterdir()) - {path}
    assert half.read_text() == left
    delete_temporary_files(tmp_path)
    assert list(tmp_path.iterdir()) == [path]
