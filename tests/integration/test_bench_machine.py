"""Every benchmark's report begins with the CPU, the machine and the versions."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

from benchmarks.machine import describe
from evonas.runtime.cpu import cpu
from evonas.runtime.versions import LIBRARIES

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NO_MEASUREMENTS = {"wheel.py", "mutants.py", "kerastuner_search.py", "throughput_kerastuner.py"}
"""A test of the built package, a count of faults that tests find, and two scripts for KerasTuner.

They measure nothing that depends on the machine.
"""


def test_the_machine_in_one_line() -> None:
    found = describe().split(", ")
    assert found[0] == cpu()
    assert found[1].startswith(f"{len(os.sched_getaffinity(0))} cores ")
    assert found[4:] == [f"{name} {metadata.version(name)}" for name in LIBRARIES]


def test_every_benchmark_tells_it() -> None:
    without = set()
    for path in BENCHMARKS.glob("*.py"):
        text = path.read_text()
        is_run = "def main(" in text
        # `report` puts the machine before each section that was measured.
        if is_run and "describe()" not in text and "report(" not in text:
            without.add(path.name)
    assert without <= NO_MEASUREMENTS


def test_old_results_say_that_the_cpu_was_not_recorded() -> None:
    for path in (BENCHMARKS / "results").glob("*.md"):
        for block in path.read_text().split("\n\n"):
            if block.startswith("2 cores x86_64, "):
                assert "CPU: not recorded." in block, path
