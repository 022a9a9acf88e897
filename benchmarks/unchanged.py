"""Has a rebuild changed what evonas does? One short run of every strategy and shipped config.

    make bench-unchanged                                  # writes build/unchanged.json
    make bench-unchanged BEFORE=build/unchanged.json      # after a rebuild

Of each run a digest is kept for its trials, for what the strategies remembered, and for every
epoch of every training. The runs use what users use: the command, YAML, a function in a plugin.
So they stay the same while the house behind them is rebuilt.

Real trainings give the same bits on one kind of CPU only. Compare on the machine that wrote.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks.machine import describe
from evonas.search.older_names import OLDER_STRATEGIES
from evonas.strategies import STRATEGIES

CONFIGS = Path(__file__).parent.parent / "configs"

SPACE = """
space: mixed
input: none
network:
  cell:
    length: [1, 4]
    ops:
      conv: {filters: {int: [4, 64], log: true}, kernel: {choice: [1, 3, 5]}}
      pool: {size: {choice: [2, 3]}}
settings:
  optimizer:
    ops:
      sgd: {rate: {float: [1.0e-4, 1.0], log: true}, momentum: {float: [0.1, 0.99], off: 0.0}}
"""

NUMBERS = """
space: numbers
input: none
network:
  point: {length: 1, ops: {at: {x: {float: [-2, 2]}, y: {float: [0.01, 10], log: true}}}}
"""

SEED = """
space: mixed
cell:
  - conv: {filters: 16, kernel: 3}
  - pool: {size: 2}
optimizer: [sgd: {rate: 0.1, momentum: 0.9}]
"""

FUNCTION = '''
"""A made-up score of a genome: bumpy, better with epochs, and impossible now and then."""

import math


def score(genome, epochs):
    total, size = 0.0, 0.0
    for section in sorted(genome):
        for place, gene in enumerate(genome[section]):
            total += 0.3 * len(gene.op) / (place + 1)
            for name in sorted(gene.parameters):
                value = float(gene.parameters[name] or 0.0)
                total += math.sin(3.0 * value + place) + 0.1 * math.log1p(abs(value))
                size += abs(value)
    better = 1.0 / (1.0 + math.exp(-total)) * (1.0 - 0.5 ** epochs)
    if total > 3.5:
        better = math.nan
    depth = sum(len(genome[section]) for section in genome)
    seconds = 0.1 * epochs + 0.01 * size
    return {"score": better, "size": size, "depth": float(depth), "seconds": seconds}
'''

BASE: dict[str, Any] = {
    "run": "unchanged",
    "seed": 3,
    "evaluator": {"python": {"function": "made_up:score"}},
    "plugins": ["made_up"],
    "objective": {"name": "score", "direction": "max"},
    "training": {"epochs": 9},
    "budget": {"trials": 40},
    "pool": {"simulated": {"workers": 3}},
}
SEVERAL = {
    "objective": None,
    "objectives": [
        {"name": "score", "direction": "max"},
        {"name": "size", "direction": "min"},
        {"name": "depth", "direction": "min"},
    ],
}
SPACES = {"grid": NUMBERS, "cma_es": NUMBERS, "nelder_mead": NUMBERS}
"""Strategies that need a space of their own; all others search the mixed one."""
SETTINGS: dict[str, Any] = {
    "evolution": {"population": 8, "replacement": {"elitist": {"elites": 2}}},
    "aging": {"population": 8, "sample": 3},
    "grid": {"levels": 5},
    "gaussian_process": {"initial": 6, "candidates": 20},
    "forest": {"initial": 6, "candidates": 20},
    "dngo": {"initial": 6, "candidates": 20, "layers": 1, "units": 8},
    "nsga2": {"population": 8},
    "screened": {"inner": {"aging": {"population": 8, "sample": 3}}},
    "seeded": {"inner": {"aging": {"population": 8, "sample": 3}}, "genomes": ["./seed.yaml"]},
}

SHORT = ("budget={trials: 5}", "training.epochs=2", "pool={local: {workers: 2, devices: cpu}}")
SMALL = ("strategy.evolution.population=3", "strategy.evolution.replacement={elitist: {elites: 1}}")
SHIPPED = {
    "breast-cancer": SMALL,
    "diabetes": SMALL,
    "digits": SMALL,
    "digits-cells": SMALL,
    "digits-front": ("strategy.nsga2.population=4",),
    "digits-recurrent": SMALL,
}
"""The shipped configs of a run, with what makes each of them short."""

# By name, and not `*`: a later schema may have more columns.
TRIALS = (
    "select id, genome, digest, epochs, repeat, operator, parents, generation, resume_from,"
    " twin_of, state, value, metrics, told, told_before from trial order by id"
)
CURVES = "select trial, number, state, epochs, history from attempt order by trial, number"
STATES = "select value from meta where key = 'strategy'"


DELETED: tuple[str, ...] = ()
"""Cases of earlier digests that are gone on purpose. Any other that is missing is a difference."""


def cases() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """A name, a config and its changes, for each run."""
    # Older names too: a config may still write them.
    for name in (*STRATEGIES, *OLDER_STRATEGIES):
        yield f"strategy {name}", name, ()
    for name, changes in SHIPPED.items():
        yield f"config {name}", str(CONFIGS / f"{name}.yaml"), (*SHORT, *changes)


def write_case(folder: Path, strategy: str) -> str:
    """Write the config of a strategy's run; its name."""
    (folder / "made_up.py").write_text(FUNCTION)
    (folder / "seed.yaml").write_text(SEED)
    (folder / "space.yaml").write_text(SPACES.get(strategy, SPACE))
    config = {**BASE, "space": "./space.yaml", "strategy": {strategy: SETTINGS.get(strategy, {})}}
    if strategy.startswith("nsga"):
        config.update(SEVERAL)
        del config["objective"]
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    return "run.yaml"


def digests(name: str, config: str, changes: tuple[str, ...]) -> dict[str, str]:
    """Run one case in a folder of its own.

    Returns:
        what was digested -> sha256.

    Raises:
        RuntimeError: the run failed.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if name.startswith("strategy "):
            config = write_case(folder, config)
        evonas = str(Path(sys.executable).with_name("evonas"))
        words = [evonas, "run", config, "--set", "run=unchanged"]
        for change in changes:
            words += ["--set", change]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return _digests(folder / "runs" / "unchanged" / "run.db")


def _digests(record: Path) -> dict[str, str]:
    found = {}
    connection = sqlite3.connect(f"{record.as_uri()}?mode=ro", uri=True)
    try:
        for what, query in (("trials", TRIALS), ("curves", CURVES), ("states", STATES)):
            rows = connection.execute(query).fetchall()
            if not rows:
                raise RuntimeError(f"{record}: nothing was recorded of {what}")
            found[what] = hashlib.sha256(repr(rows).encode()).hexdigest()
    finally:
        connection.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="keep the digests in this file")
    parser.add_argument("--against", type=Path, help="compare with the digests of this file")
    parser.add_argument("--only", default="", help="only cases whose name holds this")
    arguments = parser.parse_args()
    print(describe(), flush=True)
    before = json.loads(arguments.against.read_text())["runs"] if arguments.against else {}
    found: dict[str, dict[str, str]] = {}
    differ = 0
    for name, config, changes in cases():
        if arguments.only not in name:
            continue
        found[name] = digests(name, config, changes)
        said = " ".join(f"{what} {digest[:12]}" for what, digest in found[name].items())
        then = before.get(name)
        if then is None:
            said += " (new)" if arguments.against else ""
        else:
            wrong = [what for what, digest in found[name].items() if then.get(what) != digest]
            differ += bool(wrong)
            said = f"DIFFERENT: {', '.join(wrong)}" if wrong else "same"
        print(f"  {name}: {said}", flush=True)
    for name in before:
        if name not in found and name not in DELETED and arguments.only in name:
            differ += 1
            print(f"  {name}: GONE", flush=True)
    if arguments.write:
        arguments.write.parent.mkdir(parents=True, exist_ok=True)
        kept = {"machine": describe(), "runs": found}
        arguments.write.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return 1 if differ else 0


if __name__ == "__main__":
    raise SystemExit(main())
