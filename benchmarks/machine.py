"""The machine and the versions, which every report begins with."""

from __future__ import annotations

import os
import platform
from importlib import metadata


def describe() -> str:
    """The machine and the versions of this process, in one line.

    It reads like `2 cores x86_64, Linux, Python 3.11.7, tensorflow 2.21.0, evonas 0.1.0`.
    """
    names = ("tensorflow", "keras", "numpy", "evonas")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    # the cores that this process may use, which a container can limit
    cores = len(os.sched_getaffinity(0))
    machine = f"{cores} cores {platform.machine()}"
    return f"{machine}, {platform.system()}, Python {platform.python_version()}, {versions}"
