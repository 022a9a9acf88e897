"""How much memory workers take and how much the host has left, from /proc and the memory cgroups.

A container has the limit of a cgroup: the kernel may kill a process for it while the machine has
plenty of memory. Outside Linux nothing is known of workers, and of the host only what psutil tells.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from evonas.cgroups import CGROUPS, PROC, Cgroup, number_in, own_cgroups, text_of

MIB = 2**20


@dataclass(frozen=True)
class Free:
    """Memory that can be taken before the kernel kills a process for it.

    Attributes:
        bytes: with the file cache, which the kernel would give up; without swap.
        where: name of the tightest place, in words that follow `on`.
    """

    bytes: int
    where: str


@dataclass(frozen=True)
class _Files:
    """Names of the files and fields in which a version of cgroups keeps its numbers."""

    limit: str
    usage: str
    inactive: str
    events: str


_FILES = {
    1: _Files(
        limit="memory.limit_in_bytes",
        usage="memory.usage_in_bytes",
        inactive="total_inactive_file",
        events="memory.oom_control",
    ),
    2: _Files(
        limit="memory.max",
        usage="memory.current",
        inactive="inactive_file",
        events="memory.events",
    ),
}
"""By the version of the cgroups."""


def _available() -> int:
    return int(psutil.virtual_memory().available)


class Memory:
    """The readings.

    A number that cannot be read counts as 0 bytes, or as no limit. So it never ends a worker.

    Args:
        proc: folder of /proc.
        cgroups: folder of the cgroups.
        available: function that returns the free bytes of the whole machine.
    """

    def __init__(
        self,
        proc: Path = PROC,
        cgroups: Path = CGROUPS,
        available: Callable[[], int] = _available,
    ) -> None:
        self._proc = proc
        self._roots = cgroups
        self._available = available

    def free(self) -> Free:
        """The least of the machine's free memory, of this process's cgroup and of its ancestors."""
        found = [Free(self._available(), "this machine")]
        for cgroup in self._cgroups():
            files, folder = _FILES[cgroup.version], cgroup.folder
            limit = number_in(folder / files.limit)
            usage = number_in(folder / files.usage)
            if limit is None or usage is None:
                continue
            # The usage counts the file cache too, and the kernel gives up its inactive part before
            # it kills.
            cache = _field(folder / "memory.stat", files.inactive)
            left = max(limit - usage + cache, 0)
            found.append(Free(left, f"this machine for the cgroup {cgroup.name}"))
        return min(found, key=lambda free: free.bytes)

    def oom_kills(self) -> int:
        """How many processes the kernel has killed because memory ran out.

        Counted in this process's cgroup. If that has no such count, on the whole machine.
        """
        for cgroup in self._cgroups():
            events = cgroup.folder / _FILES[cgroup.version].events
            if events.exists():
                return _field(events, "oom_kill")
        return _field(self._proc / "vmstat", "oom_kill")

    def anonymous(self, pid: int) -> int:
        """Resident bytes of a process that belong to no file, which a leak adds to. Cheap."""
        _, resident, shared = self._statm(pid)
        return (resident - shared) * mmap.PAGESIZE

    def of_groups(self, leaders: Collection[int], beyond: int = 0) -> dict[int, int]:
        """Bytes that each process group takes. Shared pages are divided among their processes.

        Args:
            leaders: numbers of the groups.
            beyond: a group below this many bytes may be given a higher number, also below it.
        """
        found: dict[int, int] = {}
        for leader, pids in self._members(leaders).items():
            # As if the processes shared nothing. This is much cheaper to read than their shares,
            # and if even this is below the limit, the shares are too.
            resident = sum(self._resident(pid) for pid in pids)
            if resident <= beyond:
                found[leader] = resident
            else:
                found[leader] = sum(self._proportional(pid) for pid in pids)
        return found

    def _members(self, leaders: Collection[int]) -> dict[int, list[int]]:
        """The processes of each group, wherever they are in the tree of processes."""
        found: dict[int, list[int]] = {leader: [] for leader in leaders}
        if not self._proc.is_dir():
            return found
        names = os.listdir(self._proc)  # noqa: PTH208 - called often, and much faster than pathlib
        for name in names:
            if not name.isdigit():
                continue
            text = text_of(self._proc / name / "stat")
            # A program's name stands in parentheses, and may itself hold spaces and parentheses.
            words = text.rpartition(")")[2].split()
            # A zombie holds no memory.
            if len(words) < 3 or words[0] == "Z":
                continue
            group = int(words[2])
            if group in found:
                found[group].append(int(name))
        return found

    def _proportional(self, pid: int) -> int:
        """The proportional set size; the resident size if the system does not tell."""
        path = self._proc / str(pid) / "smaps_rollup"
        kibibytes = _field(path, "Pss:")
        return kibibytes * 1024 or self._resident(pid)

    def _resident(self, pid: int) -> int:
        """Bytes that a process has in memory, whether shared or not."""
        _, resident, _ = self._statm(pid)
        return resident * mmap.PAGESIZE

    def _statm(self, pid: int) -> tuple[int, int, int]:
        """Pages of a process: its size, the resident ones, and those of files or shared memory."""
        path = self._proc / str(pid) / "statm"
        words = text_of(path).split()
        if len(words) < 3:
            return (0, 0, 0)
        size, resident, shared = map(int, words[:3])
        return (size, resident, shared)

    def _cgroups(self) -> Iterator[Cgroup]:
        """This process's memory cgroup, then its ancestors."""
        return own_cgroups("memory", self._proc, self._roots)


def _field(path: Path, name: str) -> int:
    """The number after a name, in a file with one such pair a line; 0 if it is missing."""
    for line in text_of(path).splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return 0
