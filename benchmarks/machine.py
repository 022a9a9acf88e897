"""What a measurement must be read with: the machine and the versions."""

from __future__ import annotations

import os
import platform
from importlib import metadata


def describe() -> str:
    """One line, such as `2 cores x86_64, Linux, Python 3.11.7, tensorflow 2.21.0, keras 3.15.1, evonas 0.1.0`."""
    names = ("tensorflow", "keras", "numpy", "evonas")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores {platform.machine()}, {platform.system()}, Python {platform.python_version()}, {versions}"
