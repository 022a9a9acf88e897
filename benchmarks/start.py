"""`make bench-start`: how long `evonas --help` takes, beside a bare Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.machine import describe

REPEATS = 11


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    bare, evonas = (
        [sys.executable, "-c", ""],
        [str(Path(sys.executable).with_name("evonas")), "--help"],
    )
    seconds(evonas)
    pairs = [(seconds(bare), seconds(evonas)) for _ in range(REPEATS)]
    print(describe())
    for name, times in (
        ("python -c ''", [a for a, _ in pairs]),
        ("evonas --help", [b for _, b in pairs]),
    ):
        low, middle, high = min(times), statistics.median(times), max(times)
        print(
            f"{name:<14} {REPEATS} repeats: min {low:.3f} s, median {middle:.3f} s, max {high:.3f} s"
        )
    print(
        f"ratio of the medians: {statistics.median(b for _, b in pairs) / statistics.median(a for a, _ in pairs):.1f}"
    )


if __name__ == "__main__":
    main()
