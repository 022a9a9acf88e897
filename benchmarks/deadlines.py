"""`make bench-deadlines`: how much longer than its budget of time a whole `evonas run` takes.

Three data sets with a budget of 60 and of 120 seconds each. Fashion-MNIST and satimage come from
the folder that EVONAS_DATA names, and are skipped without it. `--before PROGRAM` also measures
another checkout's `evonas`, in turn with this one. Otherwise the rows of the last report stay.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.published import data_folder
from benchmarks.runs import RESULTS
from benchmarks.sections import paragraph
from evonas.errors import UserError

LIMITS = (60, 120)
"""Seconds of a budget."""
IMAGES = 10_000
"""Images of Fashion-MNIST that are used."""
PAGE = RESULTS / "deadlines.md"
BEFORE, NOW = "before", "now"

CONFIG = """
space: {space}
data: {data}
training: {{epochs: 30, patience: 6}}
budget: {{seconds: {seconds}}}
pool: {{local: {{workers: 2, devices: cpu}}}}
"""


@dataclass(frozen=True)
class Row:
    """A run, measured from outside.

    Attributes:
        limit: its budget, in seconds.
        wall: seconds from the start of the command to its end.
        epoch: seconds of an epoch of its slowest training, with the building of the network.
        end: seconds of the end, and those that were kept for it, if the run says so.
    """

    who: str
    data: str
    limit: int
    wall: float
    trials: int
    cut_short: int
    epoch: float
    end: str

    def __str__(self) -> str:
        over = f"{self.wall - self.limit:+.1f}"
        cells = (self.who, self.data, f"{self.limit} s", f"{self.wall:.1f} s", f"{over} s")
        rest = (str(self.trials), str(self.cut_short), f"{self.epoch:.1f} s", self.end)
        return f"| {' | '.join((*cells, *rest))} |"


def data_sets(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Name, space and the section `data` of each data set that is there.

    Args:
        folder: where arrays are written.
    """
    yield "digits", "convnet", "{name: digits}"
    try:
        published = data_folder()
    except UserError as error:
        print(f"Fashion-MNIST and satimage are skipped: {error}", file=sys.stderr)
        return
    images = published / "images" / "fashion_mnist"
    x = _idx(images / "train-images-idx3-ubyte.gz")[:IMAGES]
    y = _idx(images / "train-labels-idx1-ubyte.gz")[:IMAGES]
    np.savez(folder / "fashion.npz", x=x, y=y)
    yield f"Fashion-MNIST, {IMAGES:,}", "convnet", f"{{path: {folder / 'fashion.npz'}}}"
    table = np.genfromtxt(published / "tabular" / "pmlb" / "satimage.tsv.gz", skip_header=1)
    np.savez(folder / "satimage.npz", x=table[:, :-1], y=table[:, -1].astype(int))
    yield "satimage", "mlp", f"{{path: {folder / 'satimage.npz'}, task: classification}}"


def _idx(path: Path) -> Any:
    """The array of an idx file of bytes."""
    with gzip.open(path) as file:
        data = file.read()
    axes = data[3]
    shape = np.frombuffer(data, ">u4", count=axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(tuple(shape))


def measure(program: str, who: str, config: Path, runs: Path, name: str, limit: int) -> Row:
    """Run a config with a program, and look at what came of it."""
    start = time.perf_counter()
    subprocess.run(
        [program, "run", str(config), "--runs", str(runs), "--json"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    wall = time.perf_counter() - start
    (root,) = runs.iterdir()
    shown = _json(program, "show", str(root), "--trials", "--json")
    trained = [trial for trial in shown["all_trials"] if trial["state"] == "ok" and trial["epochs"]]
    end = shown.get("end")
    told = "-" if end is None else f"{end['seconds']:.1f} s ({end['reserve']:.1f} s)"
    return Row(
        who,
        name,
        limit,
        wall,
        trials=len(trained),
        cut_short=sum("cut_short" in trial["metrics"] for trial in trained),
        epoch=max(trial["seconds"] / trial["epochs"] for trial in trained),
        end=told,
    )


def _json(program: str, *arguments: str) -> Any:
    done = subprocess.run([program, *arguments], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def kept(page: Path) -> list[str]:
    """The rows of the last report that are of an older evonas."""
    if not page.is_file():
        return []
    lines = page.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith(f"| {BEFORE} |")]


def page(rows: Sequence[str]) -> str:
    """The report."""
    lines = [
        "# Budgets of time",
        "",
        paragraph(f"{describe()}; load average {os.getloadavg()[0]:.1f} at the end."),
        "",
        paragraph(
            """
            The overshoot of a whole `evonas run`: seconds from its start to its end, less its
            budget. The promise is at most one epoch. `epoch` is that of the slowest training, with
            the building of the network. `end` is the export with the pictures, and in parentheses
            what was kept for it.
            """
        ),
        "",
        "| evonas | data | budget | took | overshoot | trained | cut short | epoch | end (kept) |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.deadlines")
    parser.add_argument("--before", default="", help="the `evonas` of another checkout")
    parser.add_argument("--only", default="", help="the first word of one data set")
    parser.add_argument("--limits", default=LIMITS, nargs="*", type=int, help="seconds")
    options = parser.parse_args(arguments)
    programs = {NOW: str(Path(sys.executable).with_name("evonas"))}
    if options.before:
        programs[BEFORE] = options.before
    print(describe(), flush=True)
    rows: dict[str, list[str]] = {BEFORE: [], NOW: []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, space, data in data_sets(folder):
            if not name.lower().startswith(options.only.lower()):
                continue
            for limit in options.limits:
                config = folder / "bench.yaml"
                config.write_text(CONFIG.format(space=space, data=data, seconds=limit))
                for who, program in programs.items():
                    runs = folder / f"{len(rows[NOW])}-{who}"
                    row = str(measure(program, who, config, runs, name, limit))
                    print(row, flush=True)
                    rows[who].append(row)
    text = page([*(rows[BEFORE] or kept(PAGE)), *rows[NOW]])
    is_whole = not options.only and tuple(options.limits) == LIMITS
    if is_whole:
        PAGE.write_text(text, encoding="utf-8")
    print("\n" + text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
