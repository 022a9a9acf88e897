"""`make bench-real`: the test score after the same wall-clock, for evonas and its rivals.

    make bench-real                                     # what is missing; hours
    python -m benchmarks.real --only wine car --seeds 1 --entrants evonas linear

Each entrant gets the same samples for its search, the same seconds and both cores, and is asked
once for its answers on the test part. evonas is a config of six lines with `space: auto`. The raw
rows are in benchmarks/results/real.csv, so that a measurement that was cut goes on. A rival's row
is measured again if the benchmark's own files have changed. A row of evonas names the commit that
made it, and is measured again with `--anew`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from benchmarks.kerastuner_faults import ENVIRONMENT, PYTHON, prepare, version_of_kerastuner
from benchmarks.machine import describe
from benchmarks.published import data_folder, skipped_without_data
from benchmarks.real_problems import PROBLEMS, Problem, write
from benchmarks.runs import CHECKOUT, COMMAND, QUIET, RESULTS
from benchmarks.sections import paragraph
from evonas import __version__

BUILD = CHECKOUT / "build" / "real"
ROWS = RESULTS / "real.csv"
PAGE = RESULTS / "real.md"
SEEDS = 3

EVONAS = "evonas"
ENSEMBLE = "evonas, ensemble"
OURS = (EVONAS, ENSEMBLE)
SEARCHES = ("KerasTuner random", "KerasTuner Hyperband", "Optuna TPE")
OTHERS = ("linear", "boosted trees")
ENTRANTS = (*OURS, *SEARCHES, *OTHERS)

CONFIG = """\
run: {name}
seed: {seed}
space: auto
plugins: [problem]
data: {{source: "problem:Given", task: {task}}}
budget: {{seconds: {seconds}}}
pool: {{local: {{workers: 2, devices: cpu}}}}
"""

PLUGIN = '''\
"""The arrays of the benchmark, as a source of evonas."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evonas.sources import Arrays, Frame, Ragged, Source

FOLDER = Path(__file__).parent
PROBLEM = json.loads((FOLDER / "problem.json").read_text())


def samples(x):
    """Columns of a table, sequences without their padding, or the array as it is."""
    if PROBLEM["kind"] == "sequence":
        return Ragged([row[~np.isnan(row[:, 0])] for row in x])
    if PROBLEM["kind"] != "table":
        return x
    columns = {}
    for number in range(x.shape[1]):
        column = x[:, number]
        if number in PROBLEM["words"]:
            column = np.array([f"w{value:g}" for value in column])
        columns[f"c{number}"] = column
    return Frame(columns)


@dataclass(frozen=True)
class Given(Source):
    """The search's samples, and the test's."""

    def read(self, memory):
        train = np.load(FOLDER / "train.npz")
        test = np.load(FOLDER / "test.npz")
        x, x_test = samples(train["x"]), samples(test["x"])
        return Arrays(PROBLEM["name"], x, train["y"], x_test=x_test, y_test=test["y"])

    def mark(self):
        return {PROBLEM["name"]: "1"}
'''


@dataclass(frozen=True)
class Row:
    """One search of one entrant.

    Attributes:
        test: accuracy, or the root of the mean squared error; empty if there is no model.
        seconds: wall-clock of the search.
        made_by: what made the row, in a few letters: other letters mean another maker.
    """

    problem: str
    entrant: str
    seed: int
    test: str
    trials: int
    seconds: float
    made_by: str

    @property
    def key(self) -> tuple[str, str, int]:
        return self.problem, self.entrant, self.seed


def made_by(entrant: str) -> str:
    """What a row of this entrant depends on, in a few letters."""
    here = Path(__file__).parent
    files = [here / "real_problems.py"]
    files.append(Path(__file__) if entrant in OURS else here / "real_rivals.py")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]
    if entrant not in OURS:
        return digest
    head = subprocess.run(
        ["git", "rev-parse", "--short=7", "HEAD"], capture_output=True, text=True, cwd=CHECKOUT
    )
    return f"{__version__}+{head.stdout.strip()}"


def measure(problem: Problem, entrant: str, seed: int) -> Row:
    """Let one entrant search once."""
    folder = BUILD / problem.name
    run = {EVONAS: of_evonas, ENSEMBLE: of_ensemble}.get(entrant, of_rival)
    test, trials, seconds = run(problem, entrant, seed, folder)
    told = "" if test is None else f"{test:.5f}"
    made = made_by(entrant)
    return Row(problem.name, entrant, seed, told, trials, round(seconds, 1), made)


Found = tuple[float | None, int, float]
"""Test score, number of trials, seconds."""


def of_evonas(problem: Problem, entrant: str, seed: int, folder: Path) -> Found:
    """A search by the command, from a config as a user would write it."""
    (folder / "problem.py").write_text(PLUGIN)
    name = f"{problem.name}-{seed}"
    text = CONFIG.format(name=name, seed=seed, task=problem.task, seconds=problem.seconds)
    config = folder / f"{name}.yaml"
    config.write_text(text)
    runs = folder / "runs"
    shutil.rmtree(runs / name, ignore_errors=True)
    began = time.monotonic()
    command = [*COMMAND, "run", str(config), "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, env=QUIET)
    seconds = time.monotonic() - began
    card = runs / name / "best.json"
    if not card.exists():
        print(done.stderr[-2000:], flush=True)
        return None, 0, seconds
    found = _score(problem, json.loads(card.read_text())["metrics"])
    shown = subprocess.run(
        [*COMMAND, "show", str(runs / name), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    trials = sum(json.loads(shown.stdout)["states"].values())
    return found, trials, seconds


def of_ensemble(problem: Problem, entrant: str, seed: int, folder: Path) -> Found:
    """The ensemble that the latest search of this seed has left, or its winner if it left none."""
    root = folder / "runs" / f"{problem.name}-{seed}"
    if not (root / "best.json").exists():
        of_evonas(problem, EVONAS, seed, folder)
    card = json.loads((root / "best.json").read_text())
    # A run whose time has no room for one tells of none.
    ensemble = card.get("ensemble", {"left_out": ""})
    if "left_out" in ensemble:
        return _score(problem, card["metrics"]), 1, 0.0
    return _score(problem, ensemble["metrics"]), len(ensemble["members"]), 0.0


def _score(problem: Problem, metrics: Mapping[str, float]) -> float:
    """The root of the mean squared error, or the accuracy, on the test part."""
    return metrics["test_loss"] ** 0.5 if problem.is_error else metrics["test_accuracy"]


def of_rival(problem: Problem, entrant: str, seed: int, folder: Path) -> Found:
    """A search of KerasTuner or Optuna, or one model of scikit-learn."""
    script = Path(__file__).with_name("real_rivals.py")
    command = [str(PYTHON), str(script), str(folder), entrant, str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    said = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not said:
        print(done.stderr[-2000:], flush=True)
        return None, 0, 0.0
    found = json.loads(said[-1].removeprefix("RESULT "))
    return found["test"], found["trials"], found["seconds"]


def read_rows() -> dict[tuple[str, str, int], Row]:
    """The rows that are there, by what they are of."""
    if not ROWS.exists():
        return {}
    found = {}
    with ROWS.open(newline="") as file:
        for one in csv.DictReader(file):
            seed, trials, seconds = int(one["seed"]), int(one["trials"]), float(one["seconds"])
            row = Row(
                one["problem"], one["entrant"], seed, one["test"], trials, seconds, one["made_by"]
            )
            found[row.key] = row
    return found


def write_rows(rows: Iterable[Row]) -> None:
    order = {name: place for place, name in enumerate((*PROBLEMS, *ENTRANTS))}
    ordered = sorted(rows, key=lambda row: (order[row.problem], order[row.entrant], row.seed))
    with ROWS.open("w", newline="") as file:
        writer = csv.DictWriter(file, [item.name for item in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in ordered)


def scores_of(rows: Iterable[Row], problem: str, entrant: str) -> list[float]:
    found = [row for row in rows if (row.problem, row.entrant) == (problem, entrant) and row.test]
    return [float(row.test) for row in found]


def page(rows: Sequence[Row]) -> str:
    """The report, made of the rows alone."""
    lines = ["# Real data sets, the same wall-clock", "", paragraph(f"{describe()}."), ""]
    lines.append(paragraph(ABOUT))
    lines += ["", f"| data set | seconds | {' | '.join(ENTRANTS)} |"]
    lines.append("|" + "---|" * (2 + len(ENTRANTS)))
    for problem in PROBLEMS.values():
        cells = []
        for entrant in ENTRANTS:
            cells.append(_cell(rows, problem, entrant))
        score = "RMSE" if problem.is_error else "accuracy"
        lines.append(f"| {problem.name} ({score}) | {problem.seconds} | {' | '.join(cells)} |")
    lines += ["", *verdicts(rows), ""]
    return "\n".join(lines)


ABOUT = """
Each cell: the mean test score, in brackets the lowest and the highest seed, then the trials of each
seed. evonas runs a config of six lines with `space: auto`, two workers, one thread each. `evonas,
ensemble` is the ensemble that the same run leaves beside its winner (the number is that of the
trials in it; the winner itself where no mean was better on validation data). The Keras
searches have networks that a user would write for such data (benchmarks/real_rivals.py), one
process, TensorFlow's own choice of threads. AutoKeras 3.0.0 does not run with Keras 3.15. evonas's
spaces and founders were tuned on the search parts of some of these data sets, the rivals' networks
were not tuned.
"""


def _cell(rows: Sequence[Row], problem: Problem, entrant: str) -> str:
    found = scores_of(rows, problem.name, entrant)
    if not found:
        return "-"
    places = 3
    mean = f"{statistics.mean(found):.{places}f}"
    spread = f" ({min(found):.{places}f} to {max(found):.{places}f})" if len(found) > 1 else ""
    if entrant in OTHERS:
        return mean + spread
    trials = [
        str(row.trials) for row in rows if (row.problem, row.entrant) == (problem.name, entrant)
    ]
    return f"{mean}{spread}; {', '.join(trials)}"


def verdicts(rows: Sequence[Row]) -> list[str]:
    """On how many data sets evonas is ahead of whom, from the means."""
    lines = [_verdict(rows, ENSEMBLE, EVONAS)]
    for mine in OURS:
        lines += [_verdict(rows, mine, rival) for rival in (*SEARCHES, *OTHERS)]
    return [line for line in lines if line]


def _verdict(rows: Sequence[Row], mine: str, rival: str) -> str:
    """On how many data sets the one is ahead of the other; empty if none has both."""
    ahead, compared = [], 0
    for problem in PROBLEMS.values():
        ours = scores_of(rows, problem.name, mine)
        theirs = scores_of(rows, problem.name, rival)
        if not ours or not theirs:
            continue
        compared += 1
        difference = statistics.mean(ours) - statistics.mean(theirs)
        if (difference < 0) == problem.is_error and difference:
            ahead.append(problem.name)
    if not compared:
        return ""
    names = f": {', '.join(ahead)}" if ahead else ""
    # A name with a comma needs a mark of its own.
    return f"* `{mine}` is ahead of `{rival}` on {len(ahead)} of {compared}{names}."


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=tuple(PROBLEMS), default=tuple(PROBLEMS))
    parser.add_argument("--entrants", nargs="+", choices=ENTRANTS, default=ENTRANTS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--anew", action="store_true", help="measure rows that are there, too")
    given = parser.parse_args()
    if skipped_without_data():
        return
    data = data_folder()
    rows = read_rows()
    if set(given.entrants) - set(OURS):
        prepare()
        print(version_of_kerastuner())
    for seed in range(given.seeds):
        for name in given.only:
            problem = PROBLEMS[name]
            write(problem, data, BUILD / name)
            for entrant in given.entrants:
                old = rows.get((name, entrant, seed))
                is_kept = old and (entrant in OURS or old.made_by == made_by(entrant))
                if is_kept and not given.anew:
                    continue
                row = measure(problem, entrant, seed)
                rows[row.key] = row
                # After each: an interrupted measurement goes on where it was.
                write_rows(rows.values())
                print(
                    f"  {name}, {entrant}, seed {seed}: {row.test} in {row.seconds} s", flush=True
                )
    PAGE.write_text(page(list(rows.values())))
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
