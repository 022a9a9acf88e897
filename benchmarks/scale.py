"""`make bench-scale`: what it costs to read a record of many trials, each command as a process.

    python -m benchmarks.scale [--trials 1000 10000 47000] [--repeats 5] [--beside CHECKOUT]

The records are real searches in the space `convnet` with made-up scores, 30 or 20 epochs of three
metrics a trial. They are kept in build/scale/, where a second call finds them. Each size is a
section of benchmarks/results/scale.md. `compare` is not among the commands: it trains.

With `--beside`, the commands of another checkout of evonas read the records in its own
build/scale/, in turn with these. For the same records, make them with the older code, and copy
that folder: the newer code migrates its copy before it measures.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.runs import CHECKOUT, RESULTS
from benchmarks.sections import paragraph, report
from evonas import lifecycle
from evonas.evaluate.contract.protocol import Job, OnEpoch, Setup
from evonas.evaluate.pools.simulated import SimulatedPool
from evonas.runtime.config.config_file import load_config
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.testing.stub_worker import run_stub
from evonas.trial import Outcome

TRIALS = (1_000, 10_000, 47_000)
REPEATS = 5
WORKERS = 8

SEARCHES: Mapping[str, tuple[str, str]] = {
    "one": ("digits", "strategy={evolution: {population: 100}}"),
    "several": ("digits-front", "strategy={nsga2: {population: 100}}"),
}
"""A shipped config and a change to it, by the name of the run: with one objective, and with two."""

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "list": ("list", "--runs", "{folder}"),
    "show": ("show", "{run}"),
    "show --json": ("show", "{run}", "--json"),
    "show --trials": ("show", "{run}", "--trials"),
    "show --trials --json": ("show", "{run}", "--trials", "--json"),
    "show --trial 7": ("show", "{run}", "--trial", "7"),
    "genealogy": ("genealogy", "{run}"),
    "genealogy --descendants": ("genealogy", "{run}", "--of", "0", "--descendants"),
    "genealogy, svg": ("genealogy", "{run}", "--format", "svg"),
    "genealogy, json": ("genealogy", "{run}", "--format", "json"),
    "genealogy, graphml": ("genealogy", "{run}", "--format", "graphml"),
    "genealogy, dot": ("genealogy", "{run}", "--format", "dot"),
    "export": ("export", "{run}", "--to", "{target}"),
}
"""The arguments of each command that reads one run."""

FRONTS: Mapping[str, tuple[str, ...]] = {
    "two objectives: show": ("show", "{run}"),
    "two objectives: show --front": ("show", "{run}", "--front", "{picture}"),
}
"""Those that read a run with two objectives."""


@dataclass
class Row:
    """What the repeats of one command cost, in one checkout.

    Attributes:
        cpu: CPU seconds of each repeat, of the user and of the system.
        wall: seconds of each repeat.
        memory: peak of the resident memory of each repeat, in MB.
    """

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def cells(self) -> str:
        """CPU seconds with their range, wall seconds, and memory."""
        cpu = statistics.median(self.cpu)
        spread = f"{min(self.cpu):.2f} to {max(self.cpu):.2f}"
        wall = statistics.median(self.wall)
        return f"{cpu:.2f} ({spread}) | {wall:.2f} | {max(self.memory):.0f}"


def answer(setup: Setup, job: Job, on_epoch: OnEpoch) -> Outcome:
    """The made-up outcome of a job, which takes a second of the virtual clock."""
    return replace(run_stub(setup, job, on_epoch), seconds=1.0)


def simulated(config: RunConfig, setup: Setup, root: Path) -> SimulatedPool:
    return SimulatedPool(setup, WORKERS, answer)


def place(checkout: Path, name: str, trials: int) -> Path:
    """Where the record of a checkout lies."""
    return checkout / "build" / "scale" / f"{trials}-{name}" / name


def record(name: str, trials: int) -> Path:
    """A finished run with this number of trials. It is made at the first call, and kept."""
    root = place(CHECKOUT, name, trials)
    if not (root / "run.db").exists():
        config, strategy = SEARCHES[name]
        changes = (f"run={name}", f"budget.trials={trials}", strategy)
        lifecycle.create(load_config(config, changes), root.parent)
    start = time.process_time()
    with Record(root / "run.db"):
        pass  # an older record is migrated here; a reader would do it each time
    run = lifecycle.work(root, pool_factory=simulated)
    seconds = time.process_time() - start
    size = run.layout.record.stat().st_size / 1e6
    about = f"{len(run.trials):,} trials with duplicates, {size:.0f} MB"
    print(f"  {name}: {about}; {seconds:.0f} s CPU in this call", flush=True)
    return root


WATCH = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
wall = time.perf_counter() - start
cpu = used.ru_utime + used.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), cpu, wall, used.ru_maxrss / 1000]))
"""
"""A small process that starts the command: the peak of a process counts what its parent had."""


def measure(checkout: Path, arguments: Sequence[str], row: Row) -> None:
    """Run a command of a checkout once, and add what it cost."""
    evonas = Path(sys.executable).with_name("evonas")
    # with bytecode, as where it is installed, even if this process was told to write none
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-c", WATCH, str(evonas), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    code, cpu, wall, memory = json.loads(done.stdout)
    if code:
        raise SystemExit(f"{arguments} ended with {code} in {checkout}: {done.stderr}")
    row.cpu.append(cpu)
    row.wall.append(wall)
    row.memory.append(memory)


def table(
    roots: Mapping[str, Path],
    commands: Mapping[str, Sequence[str]],
    checkouts: Mapping[str, Path],
    repeats: int,
) -> list[str]:
    """A line for each command and each checkout, of which each has a record of its own."""
    lines = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, words in commands.items():
            arguments = {
                label: [
                    word.format(
                        run=root,
                        folder=root.parent,
                        target=Path(scratch) / "model.keras",
                        picture=Path(scratch) / "front.svg",
                    )
                    for word in words
                ]
                for label, root in roots.items()
            }
            rows = {label: Row() for label in checkouts}
            for checkout in checkouts.values():
                # once before it counts: the first start writes bytecode, and fills the cache
                measure(checkout, ["--help"], Row())
            # in turn, so that a slow moment of the machine strikes all
            for _ in range(repeats):
                for label, checkout in checkouts.items():
                    measure(checkout, arguments[label], rows[label])
            for label, row in rows.items():
                lines.append(f"| {name} | {label} | {row.cells()} |")
                print(lines[-1], flush=True)
    return lines


def about(root: Path) -> str:
    """How large a record is, counted in it."""
    with RecordReader(root / "run.db") as reader:
        rows = len(reader.told_before())
        charged = reader.count()
    size = (root / "run.db").stat().st_size / 1e6
    return f"{rows:,} trials, {rows - charged:,} of them duplicates, in {size:.0f} MB"


def commit(checkout: Path) -> str:
    """The first letters of the commit of a checkout."""
    command = ["git", "rev-parse", "--short=7", "HEAD"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def section(trials: int, checkouts: Mapping[str, Path], repeats: int) -> str:
    """The results for records of one size."""
    print(f"{trials:,} trials ...", flush=True)
    one = record("one", trials)
    several = record("several", trials)
    lines = []
    for name, commands in (("one", COMMANDS), ("several", FRONTS)):
        roots = {label: place(checkout, name, trials) for label, checkout in checkouts.items()}
        lines += table(roots, commands, checkouts, repeats)
    load = os.getloadavg()[0]
    text = f"""
        One objective: {about(one)}. Two: {about(several)}. Each command is a process, {repeats}
        repeats; load average {load:.1f} at the end. *CPU s*: seconds of the processor, of the user
        and the system, median and range. *Wall s*: the median; other work on the machine lengthens
        it. *MB*: the peak of the resident memory. Codes that are compared took turns.
    """
    if "before" in checkouts:
        text += f"*Before* is the code of commit {commit(checkouts['before'])}."
    head = ["| command | code | CPU s | wall s | MB |", "|---|---|---|---|---|"]
    return "\n".join([paragraph(text), "", *head, *lines])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Measure the commands that read a record.")
    parser.add_argument("--trials", type=int, nargs="+", default=list(TRIALS))
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--beside", type=Path, help="checkout that is measured in turn with this")
    chosen = parser.parse_args(arguments)
    checkouts = {"now": CHECKOUT}
    if chosen.beside is not None:
        checkouts = {"before": chosen.beside.resolve(), **checkouts}
    titles = {str(trials): f"{trials:,} trials" for trials in sorted({*TRIALS, *chosen.trials})}
    path = RESULTS / "scale.md"
    for trials in chosen.trials:
        texts = {str(trials): section(trials, checkouts, chosen.repeats)}
        # after each size: a run that is stopped leaves what it has measured
        path.write_text(report(path, titles, texts, "Reading a record"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
