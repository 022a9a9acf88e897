"""What may strike a run from outside, for tests that deal it out at random instants."""

from __future__ import annotations

import signal
import time

import psutil

JUMPING_WALL = """
import random, time, types
from evonas import clock

real = time.time
# Whoever asks the clock on the wall is an hour early, or late, or neither.
clock.time = types.SimpleNamespace(time=lambda: real() + random.choice([-3600.0, 0.0, 3600.0]))
"""
"""The first lines of a driver whose wall clock jumps at every look."""


def below(driver: psutil.Process) -> list[psutil.Process]:
    """The reaper, the fork server and its workers, in this order, as far as they are there."""
    return driver.children(recursive=True)


def strike(driver: psutil.Process, what: str, pause: float) -> bool:
    """Kill or stop the fork server, pause everything, or kill the driver.

    Args:
        what: one of the words below.
        pause: seconds of a pause.

    Returns:
        False if there was no fork server to strike.
    """
    everyone = below(driver)
    match what:
        case "driver killed":
            driver.kill()
        case "all paused":
            # The driver is the first to go on: it then finds deadlines, and no answers.
            for process in (driver, *everyone):
                process.suspend()
            time.sleep(pause)
            for process in (driver, *everyone):
                process.resume()
        case "fork server killed" | "fork server stopped":
            if len(everyone) < 2:
                return False
            number = signal.SIGKILL if what == "fork server killed" else signal.SIGSTOP
            everyone[1].send_signal(number)
        case _:
            raise ValueError(what)
    return True


def are_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs any more, soon."""
    return all(_is_gone(process) for process in psutil.wait_procs(processes, timeout=30.0)[1])


def _is_gone(process: psutil.Process) -> bool:
    # Some systems never reap orphans.
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
