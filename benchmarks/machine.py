"""The machine and the versions, which every report begins with."""

from __future__ import annotations

import os
import platform

from evonas.runtime.cpu import cpu
from evonas.runtime.versions import LIBRARIES, versions


def describe() -> str:
    """The CPU, the machine and the versions of this process, in one line.

    It reads like `AMD EPYC with avx512, 2 cores x86_64, Linux, Python 3.11.7, evonas 0.1.0`.
    """
    installed = versions()
    named = []
    for name in LIBRARIES:
        # an extra that is not installed is left out
        if installed[name] is not None:
            named.append(f"{name} {installed[name]}")
    # the cores that this process may use, which a container can limit
    cores = len(os.sched_getaffinity(0))
    machine = f"{cpu() or 'CPU not known'}, {cores} cores {platform.machine()}"
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{machine}, {system}, {', '.join(named)}"
