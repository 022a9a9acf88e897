"""Which launcher a pool gets: one that forks, or one that starts each worker afresh."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Literal

from evonas.evaluate.local.fork_server_launcher import ForkServerLauncher
from evonas.evaluate.local.launcher import Launcher
from evonas.evaluate.local.subprocess_launcher import SubprocessLauncher

_log = logging.getLogger(__name__)


def start_launcher(
    entry: str,
    preload: Sequence[str] = (),
    prefer: Literal["fork_server", "subprocess"] = "fork_server",
) -> Launcher:
    """A fork server if one can be used, otherwise fresh processes.

    Args:
        entry: `module:function` that a worker runs.
        preload: modules that the fork server imports before the first worker.
        prefer: `subprocess` for fresh processes on any system.

    Raises:
        NoWorker: the preload fails, or takes too long.
    """
    if prefer == "fork_server" and sys.platform.startswith("linux"):
        fork_server = ForkServerLauncher(entry, preload)
        # `fork` copies only the thread that calls it. A lock that another thread holds at that
        # moment would stay locked in the worker for ever.
        if fork_server.threads == 1:
            return fork_server
        fork_server.close()
        _log.warning(
            "Workers are started without the fork server: after importing %s it has %d threads, "
            "and only a process with one can be forked safely. "
            "Each worker imports for itself, some seconds each time.",
            ", ".join(preload),
            fork_server.threads,
        )
    return SubprocessLauncher(entry)
