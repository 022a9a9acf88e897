"""`make bench-trainings`: the default search beside others on real trainings, paired by seed.

    make bench-trainings                                              # what is missing; hours
    python -m benchmarks.trainings --only digits --seeds 2 --seconds 5

Each data set with each seed is an experiment of `evonas compare`: all strategies get the same data,
the same wall-clock and one worker, and begin alike: without founders, and once more with those of
the space. Each winner is trained again with fresh seeds. Two experiments run side by side, so that
the machine is busy, and every pair has the same company.

The raw rows are in benchmarks/results/trainings.csv, so that a measurement that was cut goes on. An
experiment that was cut itself is continued from build/trainings.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from itertools import chain, product
from pathlib import Path
from typing import Any

import yaml

from benchmarks.machine import describe
from benchmarks.published import data_folder, skipped_without_data
from benchmarks.real import PLUGIN
from benchmarks.real_problems import PROBLEMS, write
from benchmarks.runs import CHECKOUT, COMMAND, QUIET, RESULTS
from benchmarks.sections import paragraph
from evonas.files import write_text_whole
from evonas.insight.scale import scale_of
from evonas.insight.verdict import Verdict, verdicts
from evonas.trial import Objective

BUILD = CHECKOUT / "build" / "trainings"
ROWS = RESULTS / "trainings.csv"
PAGE = RESULTS / "trainings.md"
SEEDS, FRESH = 5, 3

DEFAULT, REFERENCE = "evolution", "random"
STRATEGIES: Mapping[str, Any] = {
    REFERENCE: "random",
    DEFAULT: "evolution",
    "hyperband": "hyperband",
    "tpe": "optuna",
    "gaussian_process": {"model_based": {"surrogate": "gaussian_process"}},
}
DIGITS = "digits"
SECONDS: Mapping[str, int] = {DIGITS: 60, "adult": 60, "vowels": 60, "fashion": 120}
"""Wall-clock of a search on each data set."""
FOUNDERS = ("none", "space")


@dataclass(frozen=True)
class Row:
    """One search.

    Attributes:
        seconds: its budget.
        final: best validation accuracy of the search.
        fresh: mean validation accuracy of its winner, trained again with fresh seeds.
        fresh_test: mean test accuracy of these trainings.
        reached: seconds until it was as good as random search at its end; empty if it never was.
        reused: number of trainings that were taken from another strategy's run.
    """

    problem: str
    founders: str
    strategy: str
    seed: int
    seconds: int
    trials: float
    reused: float
    final: float | None
    fresh: float | None
    fresh_test: float | None
    reached: float | None

    @property
    def unit(self) -> tuple[str, str, int, int]:
        return self.problem, self.founders, self.seed, self.seconds


def prepared(problem: str, founders: str, seed: int, seconds: int) -> Path:
    """The experiment's file, with its data and its config beside it."""
    folder = BUILD / problem
    folder.mkdir(parents=True, exist_ok=True)
    # One part for validation: with five folds, a minute of one worker has hardly any trial.
    config: dict[str, Any] = {
        "space": "auto",
        "objective": {"name": "val_accuracy", "direction": "max"},
        "budget": {"seconds": seconds},
        "pool": {"local": {"workers": 1, "devices": "cpu"}},
    }
    if problem == DIGITS:
        config["data"] = {"name": DIGITS, "folds": None}
    else:
        write(PROBLEMS[problem], data_folder(), folder)
        (folder / "problem.py").write_text(PLUGIN)
        config |= {
            "plugins": ["problem"],
            "data": {"source": "problem:Given", "task": "classification", "folds": None},
        }
    base = folder / f"base-{seconds}.yaml"
    base.write_text(yaml.safe_dump(config, sort_keys=False))
    name = f"{problem}-{founders}-{seconds}-{seed}"
    experiment = {
        "experiment": name,
        "config": f"./{base.name}",
        "seeds": [seed],
        "strategies": dict(STRATEGIES),
        "reference": REFERENCE,
        "fresh": FRESH,
        "founders": founders,
    }
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(experiment, sort_keys=False))
    return file


def measured(problem: str, founders: str, seed: int, seconds: int) -> list[Row]:
    """The rows of one experiment; none if it failed, and why is printed."""
    file = prepared(problem, founders, seed, seconds)
    runs = BUILD / "runs"
    command = [*COMMAND, "compare", str(file), "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, env=QUIET)
    page = runs / file.stem / "comparison.json"
    if done.returncode or not page.exists():
        print(f"{file.stem}: exit status {done.returncode}\n{done.stderr[-2000:]}", flush=True)
        return []
    told = json.loads(page.read_text())["strategies"]
    found = {one["strategy"]: one for one in told}
    rows = []
    for name in STRATEGIES:
        one = found[name]
        score = {"final": one["final"], "fresh": one["fresh"], "fresh_test": one["fresh_test"]}
        spent = {"trials": one["trials"], "reused": one["reused"]}
        reached = one["seconds_to_target"]
        rows.append(Row(problem, founders, name, seed, seconds, reached=reached, **spent, **score))
    return rows


def read_rows(path: Path) -> list[Row]:
    if not path.exists():
        return []
    rows = []
    with path.open(newline="") as file:
        for one in csv.DictReader(file):
            cells: dict[str, Any] = {}
            for key in ("problem", "founders", "strategy"):
                cells[key] = one[key]
            for key in ("seed", "seconds"):
                cells[key] = int(one[key])
            for key in ("trials", "reused", "final", "fresh", "fresh_test", "reached"):
                cells[key] = float(one[key]) if one[key] else None
            rows.append(Row(**cells))
    return rows


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """In whole: an interrupted measurement goes on where it was."""
    lines = [",".join(item.name for item in fields(Row))]
    for row in sorted(rows, key=lambda row: row.unit):
        cells = ["" if cell is None else str(cell) for cell in asdict(row).values()]
        lines.append(",".join(cells))
    write_text_whole(path, "\n".join(lines) + "\n")


def values(rows: Sequence[Row], key: str) -> dict[str, list[float]]:
    """Strategy -> its values of one column in the order of the seeds; NaN is a failure."""
    found: dict[str, list[float]] = {}
    for row in sorted(rows, key=lambda row: row.seed):
        value = getattr(row, key)
        found.setdefault(row.strategy, []).append(math.nan if value is None else value)
    return found


def compared(rows: Sequence[Row], key: str) -> dict[str, Verdict]:
    """The verdicts of `evonas compare` on the default beside each other strategy."""
    finals = values(rows, key)
    scale = scale_of(Objective("val_accuracy", "max"), chain.from_iterable(finals.values()))
    return verdicts(finals, DEFAULT, scale)


def page(rows: Sequence[Row]) -> str:
    """The report, made of the rows alone."""
    lines = ["# Real trainings, paired by seed", "", paragraph(f"{describe()}."), ""]
    lines.append(paragraph(ABOUT))
    for problem, founders in product(SECONDS, FOUNDERS):
        for seconds in sorted({row.seconds for row in rows}):
            here = [
                row
                for row in rows
                if (row.problem, row.founders, row.seconds) == (problem, founders, seconds)
            ]
            if here:
                lines += ["", *_table(here)]
    return "\n".join([*lines, ""])


ABOUT = f"""
Accuracies, means over the seeds. *Retrained* is the mean of {FRESH} trainings of a search's winner
with fresh seeds, *test* is their score on the test part. *As good as random* says at how many seeds
a search was as good as random search at its end, and after which share of the time at the latest.
The verdicts are those of `evonas compare`: the default beside each other strategy, a paired t test,
adjusted for all of a table (Holm). The default is `evolution`.
"""


def _table(rows: Sequence[Row]) -> list[str]:
    first = rows[0]
    seeds = len({row.seed for row in rows})
    lines = [
        f"## {first.problem}, {first.seconds} s, founders: {first.founders}",
        "",
        "| strategy | seeds | trials | found | retrained | test | as good as random"
        " | the default beside it, retrained | on test data |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    retrained, tested = compared(rows, "fresh"), compared(rows, "fresh_test")
    for name in STRATEGIES:
        here = [row for row in rows if row.strategy == name]
        means = [_mean(values(here, key)[name]) for key in ("final", "fresh", "fresh_test")]
        trials = sum(row.trials for row in here) / len(here)
        shares = [row.reached / row.seconds for row in here if row.reached is not None]
        reached = f"{len(shares)} of {seeds}" + (f", {max(shares):.2f}" if shares else "")
        words = [_words(retrained.get(name)), _words(tested.get(name))]
        cells = [name, str(seeds), f"{trials:.1f}", *means, reached, *words]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _mean(found: Sequence[float]) -> str:
    mean = sum(found) / len(found)
    return "-" if math.isnan(mean) else f"{mean:.4f}"


def _words(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    found = verdict.found
    # the reference of the verdicts is the default: its lead is the other's difference turned round
    lead = "" if math.isnan(found.mean) else f"{-found.mean:+.4f}"
    if not verdict.is_shown:
        return f"{lead} not told apart (p = {verdict.adjusted:.2g})"
    word = "better" if verdict.better == DEFAULT else "worse"
    return f"{lead} {word} (p = {verdict.adjusted:.2g})"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=tuple(SECONDS), default=tuple(SECONDS))
    parser.add_argument("--founders", nargs="+", choices=FOUNDERS, default=FOUNDERS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--seconds", type=int, help="another wall-clock, to try the benchmark")
    parser.add_argument("--rows", type=Path, default=ROWS, help="file of the raw rows")
    given = parser.parse_args()
    if set(given.only) - {DIGITS} and skipped_without_data():
        return 0
    rows = read_rows(given.rows)
    known = {row.unit for row in rows}
    # By seeds: a measurement that is cut has whole pairs of all data sets.
    units = []
    for seed, founders, problem in product(range(given.seeds), given.founders, given.only):
        unit = (problem, founders, seed, given.seconds or SECONDS[problem])
        if unit not in known:
            units.append(unit)
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda unit: measured(*unit), units):
            failed += not found
            rows += found
            write_rows(given.rows, rows)
            for row in found:
                print(f"  {row}", file=sys.stderr, flush=True)
    text = page(rows)
    if given.rows == ROWS:
        PAGE.write_text(text)
    print(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
