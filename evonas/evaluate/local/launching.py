"""Which launcher a pool gets, and when: one that forks, or one that starts each worker afresh."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Sequence
from typing import Literal

from evonas.errors import NoWorker
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
        return _fit_to_fork(ForkServerLauncher(entry, preload), entry, preload)
    return SubprocessLauncher(entry)


def _fit_to_fork(fork_server: ForkServerLauncher, entry: str, preload: Sequence[str]) -> Launcher:
    """The launcher with a fork server that is ready, or another one if it must not fork."""
    # `fork` copies only the thread that calls it. A lock that another thread holds at that moment
    # would stay locked in the worker for ever.
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


class EarlyLauncher:
    """Makes a launcher, as `start_launcher` does, whose fork server imports from now on.

    The caller can prepare something else meanwhile. A call waits for the import, and gives the
    launcher away.

    Args:
        entry: `module:function` that a worker runs.
        preload: modules that the fork server imports before the first worker.
    """

    def __init__(self, entry: str, preload: Sequence[str] = ()) -> None:
        self._entry = entry
        self._preload = preload
        self._begun: ForkServerLauncher | None = None
        if sys.platform.startswith("linux"):
            # The first job tells why there can be none.
            with contextlib.suppress(NoWorker):
                self._begun = ForkServerLauncher(entry, preload, waits=False)

    def __call__(self) -> Launcher:
        """The launcher, ready.

        Raises:
            NoWorker: the preload fails, or takes too long.
        """
        begun = self._begun
        self._begun = None
        if begun is None:
            return start_launcher(self._entry, self._preload)
        begun.wait()
        return _fit_to_fork(begun, self._entry, self._preload)

    def close(self) -> None:
        """End a fork server that nobody has asked for, at once. Idempotent."""
        begun = self._begun
        self._begun = None
        if begun is not None:
            begun.close()
