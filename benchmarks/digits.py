"""`make bench-digits`: seeds 0 to 4 of configs/digits.yaml, evolution beside random search with the same budget.

The runs are kept in build/bench-digits; a second call goes on where the first was stopped. Each exported model is
scored
again by plain Keras in a process where importing evonas fails.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from evonas import api
from evonas.runtime.config_file import load_config

CHECKOUT = Path(__file__).parent.parent
RUNS = CHECKOUT / "build" / "bench-digits"
RESULTS = CHECKOUT / "benchmarks" / "results" / "digits.md"
SEEDS = range(5)
STRATEGIES: dict[str, Sequence[str]] = {"evolution": (), "random": ("strategy={random: {}}",)}


def search(strategy: str, seed: int) -> api.Run:
    """The finished run of a strategy and a seed; what is on the disk already is not done again."""
    name = f"{strategy}-{seed}"
    if not (RUNS / name / "run.db").exists():
        changes = [f"seed={seed}", f"run={name}", *STRATEGIES[strategy]]
        api.create(load_config(CHECKOUT / "configs" / "digits.yaml", changes), RUNS)
    run = api.work(RUNS / name)
    print(f"  {name}: {json.dumps(scores(run))}", flush=True)
    return run


def scores(run: api.Run) -> dict[str, float]:
    metrics = (run.result or {})["metrics"]
    return {name: round(metrics[name], 4) for name in ("val_loss", "val_accuracy", "test_loss", "test_accuracy")}


def plain_keras(run: api.Run) -> dict[str, Any]:
    """The exported model's scores in a process without evonas."""
    test = run.directory / "data" / "test"
    files = (run.layout.model, run.layout.card, test / "x.npy", test / "y.npy")
    command = [sys.executable, str(Path(__file__).with_name("plain_keras.py")), *map(str, files)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def spread(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


def main() -> int:
    print(describe())
    lines = ["# Digits: evolution beside random search", "", describe() + ".", ""]
    trials = load_config(CHECKOUT / "configs" / "digits.yaml").config.budget.trials
    seeds = f"Seeds {SEEDS.start} to {SEEDS.stop - 1}"
    lines += [f"{seeds}, {trials} trials each, one split (split_seed 0); ± is the standard deviation.", ""]
    lines += [
        "| strategy | seed | validation loss | test accuracy | test loss | plain Keras: same accuracy, loss off by |",
        "|---|---|---|---|---|---|",
    ]
    accuracy: dict[str, list[float]] = {}
    losses: dict[str, list[float]] = {}
    faithful = True
    for strategy in STRATEGIES:
        for seed in SEEDS:
            run = search(strategy, seed)
            plain, card = plain_keras(run), scores(run)
            same, off = plain["accuracy"] == plain["recorded_accuracy"], abs(plain["loss"] - plain["recorded_loss"])
            faithful &= same and off <= 1e-6 and plain["raw"]
            accuracy.setdefault(strategy, []).append(plain["accuracy"])
            losses.setdefault(strategy, []).append((run.result or {})["metrics"]["val_loss"])
            figures = (
                f"{card['val_loss']:.4f}",
                f"{plain['accuracy']:.4f}",
                f"{plain['loss']:.4f}",
                f"{same}, {off:.1e}",
            )
            lines.append(f"| {strategy} | {seed} | {' | '.join(figures)} |")
    lines.append("")
    for strategy in STRATEGIES:
        lines.append(
            f"* {strategy}: test accuracy {spread(accuracy[strategy])}, validation loss {spread(losses[strategy])}"
        )
    wins = sum(a < b for a, b in zip(losses["evolution"], losses["random"], strict=True))
    lines.append(f"* Evolution has the lower validation loss on {wins} of {len(SEEDS)} seeds.")
    text = "\n".join(lines) + "\n"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text)
    print("\n" + text)
    good = statistics.mean(accuracy["evolution"]) >= 0.98
    print(f"goal, mean test accuracy of evolution at least 0.98: {'reached' if good else 'MISSED'}")
    print(f"every exported model is what was recorded: {'yes' if faithful else 'NO'}")
    return 0 if good and faithful else 1


if __name__ == "__main__":
    sys.exit(main())
