"""How much memory workers take and how much the host has left, read from /proc and from the memory cgroups.

A container's limit is a cgroup's: the machine may have plenty when the kernel kills for want of memory. Both versions
of cgroups are counted, and every ancestor, for each may have a limit of its own. Off Linux nothing is known of workers,
and of the host what psutil tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

MIB = 2**20


@dataclass(frozen=True)
class Free:
    """Memory that can be had before somebody is killed for it.

    Attributes:
        bytes: with the file cache that would be given up, without swap.
        where: what has the least, in words that follow `on`.
    """

    bytes: int
    where: str


@dataclass(frozen=True)
class _Files:
    """Where a version of cgroups keeps its numbers."""

    limit: str
    usage: str
    inactive: str
    events: str


_V1 = _Files(
    "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", "memory.oom_control"
)
_V2 = _Files("memory.max", "memory.current", "inactive_file", "memory.events")


def _available() -> int:
    return int(psutil.virtual_memory().available)


class Memory:
    """The readings. What cannot be read counts as nothing: a number that is missing never costs a worker its life.

    Args:
        proc: where /proc is.
        cgroups: where the cgroups are.
        available: tells the bytes of the whole machine.
    """

    def __init__(
        self,
        proc: Path = Path("/proc"),
        cgroups: Path = Path("/sys/fs/cgroup"),
        available: Callable[[], int] = _available,
    ) -> None:
        self._proc, self._roots, self._available = proc, cgroups, available

    def free(self) -> Free:
        """The least of the machine, of this process's cgroup and of that one's ancestors."""
        found = [Free(self._available(), "this machine")]
        for files, folder, name in self._cgroups():
            limit, usage = _number(folder / files.limit), _number(folder / files.usage)
            if limit is not None and usage is not None:
                left = limit - usage + _field(folder / "memory.stat", files.inactive)
                found.append(Free(max(left, 0), f"this machine for the cgroup {name}"))
        return min(found, key=lambda free: free.bytes)

    def oom_kills(self) -> int:
        """How many processes the kernel has killed for want of memory: in this cgroup, else on the machine."""
        for files, folder, _ in self._cgroups():
            if (folder / files.events).exists():
                return _field(folder / files.events, "oom_kill")
        return _field(self._proc / "vmstat", "oom_kill")

    def anonymous(self, pid: int) -> int:
        """Bytes of a process that are no file's and resident: what a leak adds to. Costs next to nothing."""
        _, resident, shared = self._statm(pid)
        return (resident - shared) * _PAGE

    def of_groups(self, leaders: Collection[int], beyond: int = 0) -> dict[int, int]:
        """Bytes that each process group takes; pages that processes share are divided among them.

        Args:
            leaders: the numbers of the groups.
            beyond: a group that takes less than this even if it shares nothing is told so, which is much cheaper.
        """
        found: dict[int, int] = {}
        for leader, pids in self._members(leaders).items():
            most = sum(self._statm(pid)[1] * _PAGE for pid in pids)
            found[leader] = most if most <= beyond else sum(map(self._proportional, pids))
        return found

    def _members(self, leaders: Collection[int]) -> dict[int, list[int]]:
        """The processes of each group, wherever they are in the tree."""
        found: dict[int, list[int]] = {leader: [] for leader in leaders}
        for pid in filter(str.isdigit, os.listdir(self._proc) if self._proc.is_dir() else ()):  # noqa: PTH208 - often
            words = (
                _text(self._proc / pid / "stat").rpartition(")")[2].split()
            )  # the name before may hold anything
            if len(words) > 2 and words[0] != "Z" and int(words[2]) in found:
                found[int(words[2])].append(int(pid))
        return found

    def _proportional(self, pid: int) -> int:
        """The proportional set size; the resident one where the system does not tell."""
        kilobytes = _field(self._proc / str(pid) / "smaps_rollup", "Pss:")
        return kilobytes * 1024 or self._statm(pid)[1] * _PAGE

    def _statm(self, pid: int) -> tuple[int, int, int]:
        """Pages: the size, what is resident, and what of that is a file's or shared memory."""
        words = _text(self._proc / str(pid) / "statm").split()
        return (int(words[0]), int(words[1]), int(words[2])) if len(words) > 2 else (0, 0, 0)

    def _cgroups(self) -> Iterator[tuple[_Files, Path, str]]:
        """This process's memory cgroup and its ancestors, from the inside out: files, folder and name.

        In a container the path may be the host's, and only its beginning is mounted here, as the root: folders that are
        not there are passed by.
        """
        text = _text(self._proc / "self" / "cgroup")
        lines = [line.split(":", 2) for line in text.splitlines() if line.count(":") > 1]
        of_version_1 = [
            path for _, controllers, path in lines if "memory" in controllers.split(",")
        ]
        of_version_2 = [
            path for number, controllers, path in lines if number == "0" and not controllers
        ]
        files, root = (_V1, self._roots / "memory") if of_version_1 else (_V2, self._roots)
        for path in (of_version_1 or of_version_2)[:1]:
            own = PurePosixPath("/") if ".." in path else PurePosixPath(path)
            for name in (own, *own.parents):
                folder = root / name.relative_to("/")
                if folder.is_dir():
                    yield files, folder, str(name)


_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def _text(path: Path) -> str:
    """A file of the kernel's; empty where there is none, or its process has just ended."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    """The number that is all there is in a file; None for none, such as `max`."""
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _field(path: Path, name: str) -> int:
    """The number after a name, in a file with one such pair a line; 0 where it is missing."""
    for line in _text(path).splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return 0
