"""Clocks: seconds in which the process ran, and the one place that asks the clock on the wall."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evonas import clock
from evonas.clock import PATIENCE, AwakeClock

PACKAGE = Path(clock.__file__).parent


class Machine:
    """A machine whose time a test decides: what passes, and how much of it is computed."""

    def __init__(self) -> None:
        self.now, self.computed = 100.0, 7.0
        self.clock = AwakeClock(lambda: self.now, lambda: self.computed)
        self.start = self.clock()

    def passes(self, seconds: float, computed: float = 0.0) -> float:
        """Let time pass, and look: the seconds that count since the beginning."""
        self.now += seconds
        self.computed += computed
        return self.clock() - self.start


def test_what_passes_between_two_near_looks_counts() -> None:
    machine = Machine()
    for turn in range(1, 11):
        assert machine.passes(PATIENCE) == turn * PATIENCE


@pytest.mark.parametrize("pause", [PATIENCE + 0.5, 12.0, 3600.0])
def test_what_passes_while_nobody_looks_or_computes_does_not(pause: float) -> None:
    machine = Machine()
    machine.passes(0.5)
    assert machine.passes(pause) == 0.5
    assert machine.passes(0.25) == 0.75
    assert machine.passes(pause) == 0.75


def test_a_process_that_computes_for_long_runs() -> None:
    machine = Machine()
    # Several threads compute more than the seconds that pass.
    assert machine.passes(30.0, computed=55.0) == 30.0
    assert machine.passes(30.0, computed=29.5) == 60.0
    # It computed for ten seconds, and was stopped for twenty.
    assert machine.passes(30.0, computed=10.0) == 70.0


def test_what_is_known_to_wait_counts_as_a_whole() -> None:
    machine = Machine()
    with machine.clock.at_work():
        assert machine.passes(20.0) == 20.0
        machine.passes(20.0)
        machine.now += 20.0
    assert machine.passes(0.0) == 60.0
    assert machine.passes(20.0) == 60.0


STOPPED = """
import sys, time
from evonas.clock import AwakeClock

clock = AwakeClock()
start, started = clock(), time.monotonic()
print(flush=True)
while time.monotonic() - started < 2.5:
    time.sleep(0.01)
    clock()
print(clock() - start, time.monotonic() - started)
"""


def test_a_process_that_is_stopped_has_not_lived_those_seconds() -> None:
    with subprocess.Popen([sys.executable, "-c", STOPPED], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        stopped = time.monotonic()
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1.8)
        pause = time.monotonic() - stopped
        os.kill(process.pid, signal.SIGCONT)
        awake, passed = map(float, process.stdout.read().split())
    assert 0.0 < awake <= passed - pause + 0.1


ASKS = re.compile(
    r"\btime\.time(_ns)?\b|\btime\.(localtime|gmtime|ctime)\(\)|\bdate(time)?\.(now|utcnow|today)\b"
    r"|^from time import",
    re.MULTILINE,
)


def test_the_clock_on_the_wall_is_asked_in_one_place() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if ASKS.search(path.read_text(encoding="utf-8")):
            found.append(path.relative_to(PACKAGE).as_posix())
    assert found == ["clock.py"]
