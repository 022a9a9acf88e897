"""How many processors a container's quota leaves, from files as the kernel writes them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from evonas.processors import processors

PERIOD = 100_000


@pytest.fixture
def found(tmp_path: Path) -> Callable[[Mapping[str, object]], int]:
    """The processors of a machine with 16, and with these files in /proc and /sys/fs/cgroup."""

    def read(files: Mapping[str, object]) -> int:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")
        return processors(tmp_path / "proc", tmp_path / "cgroup", lambda: 16)

    return read


def version_1(folder: str, quota: int) -> dict[str, object]:
    return {
        "proc/self/cgroup": "4:memory:/elsewhere\n3:cpu,cpuacct:/docker/a\n0::/",
        f"cgroup/cpu{folder}/cpu.cfs_quota_us": quota,
        f"cgroup/cpu{folder}/cpu.cfs_period_us": PERIOD,
    }


def version_2(folder: str, quota: int | str) -> dict[str, object]:
    return {
        "proc/self/cgroup": "0::/docker/a",
        f"cgroup{folder}/cpu.max": f"{quota} {PERIOD}",
    }


@pytest.mark.parametrize("files", [{}, version_1("/docker/a", -1), version_2("/docker/a", "max")])
def test_without_a_quota_they_are_those_of_the_machine(
    found: Callable[..., int], files: Mapping[str, object]
) -> None:
    assert found(files) == 16


@pytest.mark.parametrize("version", [version_1, version_2])
@pytest.mark.parametrize(("share", "expected"), [(0.2, 1), (1.0, 1), (1.5, 2), (4.0, 4), (64, 16)])
def test_a_quota_is_a_number_of_processors(
    found: Callable[..., int],
    version: Callable[..., Mapping[str, object]],
    share: float,
    expected: int,
) -> None:
    assert found(version("/docker/a", int(share * PERIOD))) == expected


@pytest.mark.parametrize("version", [version_1, version_2])
def test_an_ancestor_may_be_the_tightest(
    found: Callable[..., int], version: Callable[..., Mapping[str, object]]
) -> None:
    files = {**version("/docker/a", 8 * PERIOD), **version("/docker", 3 * PERIOD)}
    assert found(files) == 3


@pytest.mark.parametrize("version", [version_1, version_2])
def test_inside_a_container_the_root_has_the_quota(
    found: Callable[..., int], version: Callable[..., Mapping[str, object]]
) -> None:
    assert found(version("", 2 * PERIOD)) == 2


@pytest.mark.parametrize("content", ["", "soon 100000", "100000", "100000 0", "0 100000"])
def test_rubbish_counts_for_nothing(found: Callable[..., int], content: str) -> None:
    assert found({"proc/self/cgroup": "0::/", "cgroup/cpu.max": content}) == 16


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_on_this_machine() -> None:
    assert 1 <= processors() <= len(os.sched_getaffinity(0))
