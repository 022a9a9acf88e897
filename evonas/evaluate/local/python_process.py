"""Python processes that the driver starts: command, environment, and how they have ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# OpenBLAS starts its threads at its import, and a process with several threads cannot be forked
# safely.
ENVIRONMENT: Mapping[str, str] = {"OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
"""Variables with which the fork server and every worker start."""


def python_environment() -> dict[str, str]:
    """The environment of a new Python process that imports what the driver would import."""
    # The driver's import path: it may have been changed since the driver's start.
    entries = [str(Path(entry).absolute()) for entry in sys.path]
    path = os.pathsep.join(entries)
    return {
        **os.environ,
        **ENVIRONMENT,
        "PYTHONPATH": path,
    }


def python_command(module: str, *arguments: object) -> list[str]:
    """The command that runs a module with this Python."""
    words = [str(argument) for argument in arguments]
    # `-P`: a user's file in the working directory must not hide a module of the same name.
    return [sys.executable, "-P", "-m", module, *words]


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """True once a process has ended; it is not reaped, so that it keeps its number."""
    # Other systems have no `waitid`, or only from Python 3.13 on.
    if sys.platform != "linux":
        return process.poll() is not None
    # Its group can then still be killed.
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        return os.waitid(os.P_PID, process.pid, flags) is not None
    # It was reaped already, by other code in the driver.
    except ChildProcessError:
        return True


def describe_end(code: int | None) -> str:
    """How a process ended, in words that follow `The worker`.

    Args:
        code: exit code, or minus the signal; None if it could not be ended.
    """
    if code is None:
        return "could not be ended"
    if code >= 0:
        return f"ended with exit code {code}"
    number = -code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    hint = ""
    if number == signal.SIGKILL:
        hint = ", perhaps by the system for want of memory,"
    return f"was killed by {name}{hint}"
