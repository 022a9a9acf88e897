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
    bare = [sys.executable, "-c", ""]
    evonas = [str(Path(sys.executable).with_name("evonas")), "--help"]
    # once before the clock runs: the first start writes bytecode and fills the cache of the disk
    seconds(evonas)
    bare_times = []
    evonas_times = []
    # one after the other, so that a slow moment of the machine strikes both
    for _ in range(REPEATS):
        bare_times.append(seconds(bare))
        evonas_times.append(seconds(evonas))
    print(describe())
    print(row("python -c ''", bare_times))
    print(row("evonas --help", evonas_times))
    ratio = statistics.median(evonas_times) / statistics.median(bare_times)
    print(f"ratio of the medians: {ratio:.1f}")


def row(name: str, times: list[float]) -> str:
    low = min(times)
    middle = statistics.median(times)
    high = max(times)
    return f"{name:<14} {REPEATS} repeats: min {low:.3f} s, median {middle:.3f} s, max {high:.3f} s"


if __name__ == "__main__":
    main()
