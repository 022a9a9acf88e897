"""A real memory cgroup and a real kernel that kills; test_memory.py has made-up trees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evonas.memory import MIB

LIMIT = 600 * MIB
ROOTS = {
    Path("/sys/fs/cgroup/memory"): ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    Path("/sys/fs/cgroup"): ("memory.max", "memory.swap.max"),
}


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A cgroup of its own with 600 MiB, beside everything else."""
    name = f"evonas-test-{os.getpid()}"
    for root, (limit, swap) in ROOTS.items():
        folder = root / name
        try:
            folder.mkdir()
            (folder / limit).write_text(str(LIMIT))
        except OSError:
            continue
        if (folder / swap).exists():
            (folder / swap).write_text("0" if swap == "memory.swap.max" else str(LIMIT))
        yield folder
        while True:
            try:
                folder.rmdir()  # refused until its last process is gone
                return
            except OSError:
                time.sleep(0.05)
    pytest.skip(
        "no memory cgroup can be made here:"
        " that takes root, and a /sys/fs/cgroup that can be written"
    )


def run(cgroup: Path, floor: int, leak: int, folder: Path) -> dict[str, Any]:
    here = Path(__file__).parent
    command = [
        sys.executable,
        str(here / "in_cgroup.py"),
        str(cgroup),
        str(floor),
        str(leak),
        str(folder),
    ]
    path = os.pathsep.join([str(here), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["free"] <= LIMIT
    assert told["where"] == f"this machine for the cgroup /{cgroup.name}"
    assert told["outcomes"]["1"][0] == "ok", "the trial beside it does not notice"
    return told


def test_the_floor_is_kept_before_the_kernel_kills(cgroup: Path, tmp_path: Path) -> None:
    told = run(cgroup, floor=300, leak=350, folder=tmp_path)
    state, message = told["outcomes"]["0"]
    assert state == "oom_host"
    assert f"free on this machine for the cgroup /{cgroup.name}" in message
    assert "pool.local.free_memory_mb keeps 300 MiB free" in message
    assert told["kills"] == 0


def test_a_worker_that_outruns_the_guard_is_killed_by_the_kernel_and_nobody_else(
    cgroup: Path, tmp_path: Path
) -> None:
    told = run(cgroup, floor=0, leak=1000, folder=tmp_path)
    state, message = told["outcomes"]["0"]
    assert state == "oom_host"
    assert "The kernel killed the worker" in message
    assert told["kills"] == 1
