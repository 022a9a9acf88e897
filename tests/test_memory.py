"""Readings of memory: against files as the kernel writes them, and against this very machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from evonas.memory import MIB, Free, Memory

PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Memory]:
    """A machine with 1,000 MiB free and these files in /proc and /sys/fs/cgroup."""

    def make(files: Mapping[str, object]) -> Memory:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")
        return Memory(tmp_path / "proc", tmp_path / "cgroup", lambda: 1000 * MIB)

    return make


def version_1(folder: str, limit: int, usage: int, inactive: int = 0) -> dict[str, object]:
    return {
        f"cgroup/memory{folder}/memory.limit_in_bytes": limit,
        f"cgroup/memory{folder}/memory.usage_in_bytes": usage,
        f"cgroup/memory{folder}/memory.stat": (
            f"cache 5\ninactive_file 7\ntotal_inactive_file {inactive}"
        ),
    }


def version_2(folder: str, limit: int | str, usage: int, inactive: int = 0) -> dict[str, object]:
    return {
        f"cgroup{folder}/memory.max": limit,
        f"cgroup{folder}/memory.current": usage,
        f"cgroup{folder}/memory.stat": f"anon 5\ninactive_file {inactive}",
    }


UNLIMITED_1 = 9223372036854771712


def test_without_cgroups_it_is_the_machine(machine: Callable[..., Memory]) -> None:
    assert machine({}).free() == Free(1000 * MIB, "this machine")


def test_version_2_counts_the_file_cache_as_free(machine: Callable[..., Memory]) -> None:
    files = {
        "proc/self/cgroup": "0::/user/job",
        **version_2("/user/job", 500 * MIB, 450 * MIB, 30 * MIB),
    }
    assert machine(files).free() == Free(80 * MIB, "this machine for the cgroup /user/job")


def test_version_1_counts_the_file_cache_of_the_whole_hierarchy(
    machine: Callable[..., Memory],
) -> None:
    lines = "9:name=systemd:/\n4:cpu,memory:/docker/a:b\n0::/"
    files = {"proc/self/cgroup": lines, **version_1("/docker/a:b", 500 * MIB, 450 * MIB, 30 * MIB)}
    assert machine(files).free() == Free(80 * MIB, "this machine for the cgroup /docker/a:b")


@pytest.mark.parametrize("inner", ["max", UNLIMITED_1, 900 * MIB])
def test_an_ancestor_may_be_the_tightest(machine: Callable[..., Memory], inner: int | str) -> None:
    files = {
        "proc/self/cgroup": "0::/a/b/c",
        **version_2("/a/b/c", inner, 100 * MIB),
        **version_2("/a/b", "max", 100 * MIB),
        **version_2("/a", 300 * MIB, 200 * MIB),
    }
    assert machine(files).free() == Free(100 * MIB, "this machine for the cgroup /a")


def test_no_limit_is_none(machine: Callable[..., Memory]) -> None:
    lines = "4:memory:/x\n0::/"
    assert (
        machine({"proc/self/cgroup": lines, **version_1("/x", UNLIMITED_1, MIB)}).free().where
        == "this machine"
    )
    assert (
        machine({"proc/self/cgroup": "0::/y", **version_2("/y", "max", MIB)}).free().where
        == "this machine"
    )


def test_inside_a_container_the_root_has_the_limit(machine: Callable[..., Memory]) -> None:
    for path in ("/", "/docker/of-the-host", "/../../elsewhere"):
        files = {"proc/self/cgroup": f"0::{path}", **version_2("", 300 * MIB, 200 * MIB)}
        assert machine(files).free() == Free(100 * MIB, "this machine for the cgroup /")
    files = {
        "proc/self/cgroup": "4:memory:/docker/of-the-host",
        **version_1("", 200 * MIB, 150 * MIB),
    }
    assert machine(files).free() == Free(50 * MIB, "this machine for the cgroup /")


def test_beyond_a_limit_nothing_is_free(machine: Callable[..., Memory]) -> None:
    files = {"proc/self/cgroup": "0::/a", **version_2("/a", 300 * MIB, 400 * MIB)}
    assert machine(files).free().bytes == 0


@pytest.mark.parametrize("rubbish", ["", "nonsense", "4:memory", "0::/no/such/folder"])
def test_rubbish_counts_for_nothing(machine: Callable[..., Memory], rubbish: str) -> None:
    found = machine(
        {
            "proc/self/cgroup": rubbish,
            "cgroup/memory.max": "soon",
            "proc/7/statm": "?",
            "proc/7/stat": "",
        }
    )
    assert found.free() == Free(1000 * MIB, "this machine")
    assert found.anonymous(7) == found.anonymous(8) == found.oom_kills() == 0
    assert found.of_groups([7]) == {7: 0}


def test_kills_for_want_of_memory_are_those_of_the_own_cgroup_else_of_the_machine(
    machine: Callable[..., Memory],
) -> None:
    files = {"proc/self/cgroup": "0::/a/b", "proc/vmstat": "nr_free 3\noom_kill 9"}
    assert machine(files).oom_kills() == 9
    files |= {
        "cgroup/a/b/memory.events": "low 0\noom 4\noom_kill 2",
        "cgroup/a/memory.events": "oom_kill 5",
    }
    assert machine(files).oom_kills() == 2
    files |= {
        "proc/self/cgroup": "4:memory:/c",
        "cgroup/memory/c/memory.oom_control": "under_oom 0\noom_kill 3",
    }
    assert machine(files).oom_kills() == 3


def process(
    pid: int, group: int, resident: int, proportional: int | None, state: str = "S"
) -> dict[str, object]:
    files: dict[str, object] = {
        f"proc/{pid}/stat": f"{pid} (a ) b) {state} 1 {group} {group} 0",
        f"proc/{pid}/statm": f"99999 {resident} 10 1 0 0 0",
    }
    if proportional is not None:
        files[f"proc/{pid}/smaps_rollup"] = (
            f"00-ff ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss:    {proportional} kB"
        )
    return files


def test_a_group_takes_the_shares_of_its_processes(machine: Callable[..., Memory]) -> None:
    files = {
        **process(10, 10, 1000, 400),
        **process(11, 10, 1000, 600),
        **process(12, 10, 500, None),  # the system does not tell: all that is resident
        **process(13, 10, 500, 500, state="Z"),
        **process(20, 20, 100, 50),
        **process(30, 30, 5000, 5000),
        "proc/meminfo": "",
    }
    found = machine(files)
    assert found.of_groups([10, 20, 99]) == {10: 1000 * 1024 + 500 * PAGE, 20: 50 * 1024, 99: 0}
    assert found.of_groups([20], beyond=100 * PAGE) == {20: 100 * PAGE}
    assert found.of_groups([20], beyond=100 * PAGE - 1) == {20: 50 * 1024}
    assert found.anonymous(10) == 990 * PAGE


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@linux
def test_on_this_machine() -> None:
    memory = Memory()
    free = memory.free()
    assert 0 < free.bytes <= psutil.virtual_memory().total
    assert free.where.startswith("this machine")
    assert memory.oom_kills() >= 0
    code = "b = b'x' * (100 * 2**20)\nimport os, time\nif os.fork() == 0: b += b\n"
    code += "print(flush=True)\ntime.sleep(1000)"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    ) as worker:
        try:
            assert worker.stdout is not None
            worker.stdout.readline()
            worker.stdout.readline()
            size = memory.of_groups([worker.pid])[worker.pid]
            assert 300 * MIB <= size < 400 * MIB  # 100 that both share, and 200 of the child
            assert memory.of_groups([worker.pid], beyond=2**50)[worker.pid] >= size
            assert 100 * MIB <= memory.anonymous(worker.pid) < 200 * MIB
        finally:
            os.killpg(worker.pid, 9)
        assert (
            worker.stdout.read() == b""
        )  # the end of the pipe: both processes have let go of memory and files
    assert memory.anonymous(worker.pid) == 0
    assert memory.of_groups([worker.pid]) == {worker.pid: 0}
