"""`make bench-plan`: what `evonas plan` says, beside what the same run then takes.

    python -m benchmarks.plans [CONFIG ...]

The machine should be quiet: both train with all workers. Memory is the highest sum over all
processes of a run of what each has for itself with its share of what it shares (PSS), looked at
twice a second; disk is the run's folder at the end, a file of several names counted once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.machine import describe
from benchmarks.runs import CHECKOUT, RESULTS
from benchmarks.sections import paragraph
from evonas.memory import MIB

CONFIGS = ("diabetes", "breast-cancer", "topics", "digits-cells", "digits-recurrent")
PAGE = RESULTS / "plans.md"
EVONAS = str(Path(sys.executable).with_name("evonas"))
PAUSE = 0.5
HEADER = (
    "| config | trainings | | time (s) | memory (MiB) | disk (MiB) | others |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Amounts:
    """What a run takes.

    Attributes:
        seconds: wall time.
        memory: bytes that all its processes have at most.
        disk: bytes of its folder at its end.
        others: share of all processors that other programs had meanwhile.
    """

    seconds: float
    memory: float
    disk: float
    others: float

    def shares(self, other: Amounts) -> str:
        """Each amount as a share of another one, as cells."""
        shares = (
            self.seconds / other.seconds,
            self.memory / other.memory,
            self.disk / other.disk,
        )
        return " | ".join(f"{share:.2f}" for share in shares) + " | "

    def cells(self) -> str:
        amounts = f"{self.seconds:.0f} | {self.memory / MIB:,.0f} | {self.disk / MIB:.1f}"
        return f"{amounts} | {100 * self.others:.0f} %"


class Others:
    """How much of the processors other programs have, while this process waits for its own."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._used = _used()

    @property
    def share(self) -> float:
        """In [0, 1], since the beginning. A child counts as an own one when it has ended."""
        seconds = time.monotonic() - self._began
        return max(0.0, _used() - self._used) / (seconds * (psutil.cpu_count() or 1))


def _used() -> float:
    """Seconds of processors that were spent so far, by all but this process and its children."""
    every = psutil.cpu_times()
    own = psutil.Process().cpu_times()
    mine = own.user + own.system + own.children_user + own.children_system
    return float(every.user + every.nice + every.system - mine)


def planned(config: Path) -> tuple[int, Amounts]:
    """Trainings, and what the plan says that they take."""
    others = Others()
    done = subprocess.run(
        [EVONAS, "plan", str(config), "--json"], capture_output=True, text=True, check=True
    )
    found: Mapping[str, float] = json.loads(done.stdout)["expected"]
    amounts = Amounts(found["seconds"], found["memory"], found["disk"], others.share)
    return int(found["trainings"]), amounts


def taken(config: Path) -> Amounts:
    with tempfile.TemporaryDirectory(prefix="evonas-plans-") as runs:
        command = [EVONAS, "run", str(config), "--runs", runs]
        began = time.monotonic()
        others = Others()
        most = 0
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
            while run.poll() is None:
                most = max(most, memory(run.pid))
                time.sleep(PAUSE)
        seconds = time.monotonic() - began
        assert run.returncode == 0, f"{config.name} has exit code {run.returncode}"
        return Amounts(seconds, most, disk(Path(runs)), others.share)


def memory(pid: int) -> int:
    """Bytes of a process and all below it."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            continue  # it has ended meanwhile
    return total


def disk(folder: Path) -> int:
    files = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum({(file.st_dev, file.st_ino): file.st_size for file in files}.values())


def measure(names: Sequence[str]) -> list[str]:
    lines = []
    for name in names:
        config = CHECKOUT / "configs" / f"{name}.yaml"
        trainings, said = planned(config)
        found = taken(config)
        shares = said.shares(found)
        lines += [
            f"| {name} | {trainings} | said | {said.cells()} |",
            f"| | | taken | {found.cells()} |",
            f"| | | said / taken | {shares}|",
        ]
        print("\n".join(lines[-3:]), flush=True)
    return lines


def main(arguments: Sequence[str]) -> None:
    began = time.monotonic()
    rows = measure(arguments or CONFIGS)
    if arguments:
        return
    about = paragraph(
        "What `evonas plan` says of a shipped config before its run, and what the run then takes,"
        " each once, with two workers. The goal is a share between 0.67 and 1.33. When the plan"
        " was written, a run of digits-recurrent was looked at for time and disk, one of digits for"
        " time, and one each of diabetes and breast-cancer for disk."
        " `others` is the share of the processors that other programs had: where it differs between"
        " plan and run, the time does, too."
    )
    minutes = (time.monotonic() - began) / 60
    page = ["# Plans", describe() + ".", about, "\n".join([HEADER, *rows])]
    page.append(f"It took {minutes:.0f} minutes.")
    PAGE.write_text("\n\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
