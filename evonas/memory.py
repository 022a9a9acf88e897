"""How much memory workers take and how much the host has left, from /proc and the memory cgroups.

A container's limit is a cgroup's limit: the kernel may kill a process for it while the machine has
plenty of memory. Both versions of cgroups are read, with every ancestor, since each may have its
own limit. Outside Linux nothing is known of workers, and of the host only what psutil tells.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

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


_V1 = _Files(
    limit="memory.limit_in_bytes",
    usage="memory.usage_in_bytes",
    inactive="total_inactive_file",
    events="memory.oom_control",
)
_V2 = _Files(
    limit="memory.max",
    usage="memory.current",
    inactive="inactive_file",
    events="memory.events",
)


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
        proc: Path = Path("/proc"),
        cgroups: Path = Path("/sys/fs/cgroup"),
        available: Callable[[], int] = _available,
    ) -> None:
        self._proc = proc
        self._roots = cgroups
        self._available = available

    def free(self) -> Free:
        """The least of the machine's free memory, of this process's cgroup and of its ancestors."""
        found = [Free(self._available(), "this machine")]
        for files, folder, name in self._cgroups():
            limit = _number(folder / files.limit)
            usage = _number(folder / files.usage)
            if limit is None or usage is None:
                continue
            # The usage counts the file cache too, and the kernel gives up its inactive part before
            # it kills.
            cache = _field(folder / "memory.stat", files.inactive)
            left = max(limit - usage + cache, 0)
            found.append(Free(left, f"this machine for the cgroup {name}"))
        return min(found, key=lambda free: free.bytes)

    def oom_kills(self) -> int:
        """How many processes the kernel has killed because memory ran out.

        Counted in this process's cgroup. If that has no such count, on the whole machine.
        """
        for files, folder, _ in self._cgroups():
            events = folder / files.events
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
            text = _text(self._proc / name / "stat")
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
        words = _text(path).split()
        if len(words) < 3:
            return (0, 0, 0)
        size, resident, shared = map(int, words[:3])
        return (size, resident, shared)

    def _cgroups(self) -> Iterator[tuple[_Files, Path, str]]:
        """This process's memory cgroup, then its ancestors: files, folder and name of each."""
        files, root, path = self._own_cgroup()
        if path is None:
            return
        # A path with `..` leads out of the folder that is mounted here: only the root can be read.
        own = PurePosixPath("/") if ".." in path else PurePosixPath(path)
        for name in (own, *own.parents):
            folder = root / name.relative_to("/")
            # In a container the path may be the host's, while only its first part is mounted.
            if folder.is_dir():
                yield files, folder, str(name)

    def _own_cgroup(self) -> tuple[_Files, Path, str | None]:
        """The version in use, where it is mounted, and this process's path; None for no cgroup."""
        version_1: list[str] = []
        version_2: list[str] = []
        for line in _text(self._proc / "self" / "cgroup").splitlines():
            if line.count(":") < 2:
                continue
            number, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(","):
                version_1.append(path)
            if number == "0" and not controllers:
                version_2.append(path)
        # Both versions may be mounted at once. Then memory belongs to the first, if that lists it.
        if version_1:
            return _V1, self._roots / "memory", version_1[0]
        if version_2:
            return _V2, self._roots, version_2[0]
        return _V2, self._roots, None


def _text(path: Path) -> str:
    """A file of the kernel; empty if it does not exist, or if its process has just ended."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    """The number that is the whole content of a file; None for other words, such as `max`."""
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _field(path: Path, name: str) -> int:
    """The number after a name, in a file with one such pair a line; 0 if it is missing."""
    for line in _text(path).splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return 0
