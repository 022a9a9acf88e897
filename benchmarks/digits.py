"""`make bench-digits`: seeds 0 to 4 of configs/digits.yaml, evolution beside random search with the same budget.

The runs are kept in build/bench-digits; a second call goes on where the first was stopped. Each exported model is
scored again by plain Keras in a process where importing evonas fails.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.machine import describe
from benchmarks.runs import CHECKOUT, RESULTS, SEEDS, finished, plain_keras, spread
from evonas import api
from evonas.runtime.config.config_file import load_config

STRATEGIES: dict[str, Sequence[str]] = {"evolution": (), "random": ("strategy={random: {}}",)}


def is_raw(run: api.Run) -> bool:
    """Whether the test images on the disk are scikit-learn's own, unscaled."""
    from sklearn.datasets import load_digits

    known = {image.astype("float32").tobytes() for image in load_digits().images}
    return all(row.tobytes() in known for row in np.load(run.directory / "data" / "test" / "x.npy"))


def main() -> int:
    print(describe())
    lines = ["# Digits: evolution beside random search", "", describe() + ".", ""]
    trials = load_config(CHECKOUT / "configs" / "digits.yaml").config.budget.trials
    seeds = f"Seeds {SEEDS.start} to {SEEDS.stop - 1}"
    lines += [
        f"{seeds}, {trials} trials each, one split (split_seed 0); ± is the standard deviation.",
        "",
    ]
    lines += [
        "| strategy | seed | validation loss | test accuracy | test loss | plain Keras: same accuracy, loss off by |",
        "|---|---|---|---|---|---|",
    ]
    accuracy: dict[str, list[float]] = {}
    losses: dict[str, list[float]] = {}
    faithful = True
    for strategy in STRATEGIES:
        for seed in SEEDS:
            run = finished(
                "digits",
                "bench-digits",
                f"{strategy}-{seed}",
                [f"seed={seed}", *STRATEGIES[strategy]],
            )
            plain, metrics = plain_keras(run), (run.result or {})["metrics"]
            same, off = (
                plain["accuracy"] == plain["recorded_accuracy"],
                abs(plain["loss"] - plain["recorded_loss"]),
            )
            faithful &= same and off <= 1e-6 and is_raw(run)
            accuracy.setdefault(strategy, []).append(plain["accuracy"])
            losses.setdefault(strategy, []).append(metrics["val_loss"])
            figures = (
                f"{metrics['val_loss']:.4f}",
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
    (RESULTS / "digits.md").write_text(text)
    print("\n" + text)
    good = statistics.mean(accuracy["evolution"]) >= 0.98
    print(f"goal, mean test accuracy of evolution at least 0.98: {'reached' if good else 'MISSED'}")
    print(f"every exported model is what was recorded: {'yes' if faithful else 'NO'}")
    return 0 if good and faithful else 1


if __name__ == "__main__":
    sys.exit(main())
