"""How many processors this process may use: those it is bound to, and a container's quota."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from evonas.cgroups import CGROUPS, PROC, Cgroup, number_in, own_cgroups, text_of


def _bound() -> int:
    return len(os.sched_getaffinity(0))


def processors(
    proc: Path = PROC, cgroups: Path = CGROUPS, bound: Callable[[], int] = _bound
) -> int:
    """Processors that this process may use, at least 1.

    A quota is a share of time: 1.5 processors are two that wait for a quarter of it.

    Args:
        proc: folder of /proc.
        cgroups: folder of the cgroups.
        bound: function that returns the number of processors that the process may run on.
    """
    found: list[float] = [bound()]
    for cgroup in own_cgroups("cpu", proc, cgroups):
        quota, period = _quota(cgroup)
        if quota and period:
            found.append(quota / period)
    return max(1, math.ceil(min(found)))


def _quota(cgroup: Cgroup) -> tuple[int | None, int | None]:
    """Microseconds of processor time in each period, and of a period; None for no quota."""
    if cgroup.version == 1:
        # Without a quota there stands -1, which is no number of digits.
        quota = number_in(cgroup.folder / "cpu.cfs_quota_us")
        return quota, number_in(cgroup.folder / "cpu.cfs_period_us")
    words = text_of(cgroup.folder / "cpu.max").split()
    if len(words) != 2 or not all(word.isdigit() for word in words):
        return None, None
    return int(words[0]), int(words[1])
