"""`make bench-configs`: the smaller shipped configs with a short budget, five seeds each, beside linear models.

The linear model is scikit-learn's logistic or ridge regression on the same split: standardized by the training data,
its penalty chosen on the validation data from thirteen, scored once on the test data. Each exported model is scored
again by plain Keras in a process where importing evonas fails.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.machine import describe
from benchmarks.runs import RESULTS, SEEDS, finished, plain_keras, spread
from evonas.data.prepared import FILES
from evonas.runtime.config.config_file import load_config

CONFIGS = ("digits-recurrent", "breast-cancer", "diabetes", "digits-cells")
TRIALS = 20
PENALTIES = np.logspace(-4, 4, 13)


def linear(directory: Path, task: str) -> tuple[str, dict[str, float]]:
    """What the linear model is called, and its loss and companion metric on the test data of a run."""
    parts = {part: _arrays(directory, files) for part, files in FILES.items()}
    models = [
        make_pipeline(StandardScaler(), _regression(task, float(penalty))).fit(*parts["train"])
        for penalty in PENALTIES
    ]
    best = min(models, key=lambda model: _score(model, task, *parts["validation"])["loss"])
    name = "logistic regression" if task == "classification" else "ridge regression"
    return name, _score(best, task, *parts["test"])


def _regression(task: str, penalty: float) -> Any:
    return (
        LogisticRegression(C=1 / penalty, max_iter=5000)
        if task == "classification"
        else Ridge(alpha=penalty)
    )


def _arrays(directory: Path, files: tuple[str, str]) -> tuple[Any, Any]:
    x, y = (np.load(directory / file) for file in files)
    return x.reshape(len(x), -1).astype("float64"), y


def _score(model: Any, task: str, x: Any, y: Any) -> dict[str, float]:
    if task == "classification":
        return {
            "loss": log_loss(y, model.predict_proba(x)),
            "metric": accuracy_score(y, model.predict(x)),
        }
    guess = model.predict(x)
    return {"loss": mean_squared_error(y, guess), "metric": mean_absolute_error(y, guess)}


def main() -> int:
    print(describe())
    lines = ["# Four shipped configs beside linear models", "", describe() + ".", ""]
    lines += [
        f"Seeds {SEEDS.start} to {SEEDS.stop - 1} with {TRIALS} trials each, one split (split_seed 0). All scores are"
        " on the test data; ± is the standard deviation over the seeds. The metric is the accuracy, of diabetes the"
        " mean absolute error.",
        "",
        "| config | seed | metric | loss | parameters | plain Keras: metric and loss off by |",
        "|---|---|---|---|---|---|",
    ]
    summary = [
        "",
        "| config | evonas: metric | loss | linear model | metric | loss |",
        "|---|---|---|---|---|---|",
    ]
    faithful = True
    for config in CONFIGS:
        found = []
        for seed in SEEDS:
            changes = [f"seed={seed}", f"budget.trials={TRIALS}"]
            run = finished(config, "bench-configs", f"{config}-{seed}", changes)
            metric = "accuracy" if run.interface.task == "classification" else "mean_absolute_error"
            plain = plain_keras(run)
            off = [abs(plain[name] - plain[f"recorded_{name}"]) for name in (metric, "loss")]
            faithful &= off[0] <= 1e-6 * max(1.0, plain[metric]) and off[1] <= 1e-6 * max(
                1.0, plain["loss"]
            )
            found.append((plain[metric], plain["loss"]))
            size = run.trial((run.result or {})["trial"]).metrics["parameters"]
            exact = f"{off[0]:.1e}, {off[1]:.1e}"
            lines.append(
                f"| {config} | {seed} | {plain[metric]:.4f} | {plain['loss']:.4f} | {size:,.0f} | {exact} |"
            )
        name, beside = linear(run.directory, run.interface.task)
        ours = " | ".join(spread(values) for values in zip(*found, strict=True))
        summary.append(
            f"| {config} | {ours} | {name} | {beside['metric']:.4f} | {beside['loss']:.4f} |"
        )
        mean = statistics.mean(value for value, _ in found)
        print(f"{config}: {mean:.4f}, {name} {beside['metric']:.4f}", flush=True)
    full = ", ".join(str(load_config(name).config.budget.trials) for name in CONFIGS)
    closing = ["", f"The configs as shipped have budgets of {full} trials.", ""]
    text = "\n".join([*lines, *summary, *closing])
    (RESULTS / "configs.md").write_text(text)
    print("\n" + text)
    print(f"every exported model is what was recorded: {'yes' if faithful else 'NO'}")
    return 0 if faithful else 1


if __name__ == "__main__":
    sys.exit(main())
