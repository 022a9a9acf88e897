"""What processes of ours have left behind, wherever it went: it bears a mark.

A daemon leaves its parent, its group and its session. It keeps the environment that it was started
with, unless its program was started with another one on purpose.
"""

from __future__ import annotations

import contextlib
import secrets
import time

import psutil

VARIABLE = "EVONAS_STARTED"
"""The variable that holds the mark."""
LIMIT = 5.0
"""Seconds that the killed processes may take to be gone."""


def new_mark() -> dict[str, str]:
    """Variables for the environment of a process: all that it starts will have them, too."""
    return {VARIABLE: secrets.token_hex(8)}


def kill_marked(mark: dict[str, str]) -> None:
    """Kill every process with this mark, and wait until there is none."""
    deadline = time.monotonic() + LIMIT
    # One that is being killed may start another one.
    while _has_killed(mark[VARIABLE]) and time.monotonic() < deadline:
        time.sleep(0.002)


def _has_killed(mark: str) -> bool:
    """Kill all that are there; False if there was none."""
    is_found = False
    for pid in psutil.pids():
        # It may have ended, or be another user's. Who has its number by then is not killed.
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            if process.environ().get(VARIABLE) == mark:
                process.kill()
                is_found = True
    return is_found
