"""The cgroups of this process: what a container may use is the limit of a cgroup.

Both versions of cgroups are read, with every ancestor, since each may have its own limit. Outside
Linux there are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Cgroup:
    """A cgroup.

    Attributes:
        version: 1 or 2; their files have different names.
        folder: folder of its files.
        name: its path in the hierarchy.
    """

    version: int
    folder: Path
    name: str


def own_cgroups(controller: str, proc: Path = PROC, cgroups: Path = CGROUPS) -> Iterator[Cgroup]:
    """The cgroup that this process has for a controller, then its ancestors.

    Args:
        controller: `memory` or `cpu`.
        proc: folder of /proc.
        cgroups: folder of the cgroups.
    """
    version, path = _own(controller, proc)
    if path is None:
        return
    root = cgroups / controller if version == 1 else cgroups
    # A path with `..` leads out of the folder that is mounted here: only the root can be read.
    own = PurePosixPath("/") if ".." in path else PurePosixPath(path)
    for name in (own, *own.parents):
        folder = root / name.relative_to("/")
        # In a container the path may be the host's, while only its first part is mounted.
        if folder.is_dir():
            yield Cgroup(version, folder, str(name))


def _own(controller: str, proc: Path) -> tuple[int, str | None]:
    """The version in use, and this process's path; None for no cgroup."""
    version_2 = None
    for line in text_of(proc / "self" / "cgroup").splitlines():
        if line.count(":") < 2:
            continue
        number, controllers, path = line.split(":", 2)
        # Both versions may be mounted at once. Then a controller belongs to the first, if that
        # lists it.
        if controller in controllers.split(","):
            return 1, path
        if version_2 is None and number == "0" and not controllers:
            version_2 = path
    return 2, version_2


def text_of(path: Path) -> str:
    """A file of the kernel; empty if it does not exist, or if its process has just ended."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def number_in(path: Path) -> int | None:
    """The number that is the whole content of a file; None for other words, such as `max`."""
    text = text_of(path).strip()
    return int(text) if text.isdigit() else None
