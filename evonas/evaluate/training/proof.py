"""What a bundle tells of each of its forms: its own score, an interval of it, and a signature."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.parts import Part
from evonas.evaluate.training.scoring import MetricFailed
from evonas.learning.interface import Interface
from evonas.learning.metrics import Metric
from evonas.model.formats import ExportFormat
from evonas.model.formats.verification import UnfaithfulExport, Verified

DRAWS = 200
"""Samples of the validation data that are drawn again for an interval (Efron, 1979)."""

MOST_CELLS = 20_000_000
"""Predictions times draws; with more of them, no interval is made: it would take minutes."""

SHARE = 1e-4
"""Greatest difference between the scores of a model and of its file, as a share of the score."""


def form_scores(
    interface: Interface, metrics: Sequence[Metric], y: Array, given: Array | None, answers: Array
) -> dict[str, float]:
    """The scores of what a file predicts, by the names of the metrics.

    Args:
        y: targets of the validation data; `answers` may be those of the first samples alone.
        given: what each sample counts, or None.
    """
    count = len(answers)
    weights = None if given is None else given[:count]
    found: dict[str, float] = {}
    for metric in metrics:
        try:
            scores = interface.scores([metric], y[:count], answers, weights)
        # A function of the user's; the card says why there is no score.
        except MetricFailed:
            continue
        found |= {name: value for name, value in scores.items() if math.isfinite(value)}
    return found


def check_scores(ours: dict[str, float], theirs: dict[str, float], count: int) -> None:
    """Check that a file scores what the model does.

    Args:
        ours: scores of the model.
        theirs: scores of its file.
        count: number of samples. Two probabilities that are equal but for rounding may change
            places, so one sample may count differently.

    Raises:
        UnfaithfulExport: it does not.
    """
    for name, value in ours.items():
        most = max(1 / count, SHARE * abs(value))
        found = theirs.get(name, math.nan)
        # Not `>`: NaN must be refused.
        if not abs(found - value) <= most:
            raise UnfaithfulExport(
                f"The saved model scores something else: its {name} is {found}, and the model's"
                f" {value}."
            )


def interval(
    interface: Interface, metric: Metric, y: Array, given: Array | None, answers: Array, seed: int
) -> list[float] | None:
    """The 95 % interval of a score, from samples drawn again; None if it cannot be told.

    Args:
        seed: seed of the draws.
    """
    count = len(answers)
    if count < 2 or answers.size * DRAWS > MOST_CELLS:
        return None
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(DRAWS):
        rows = rng.integers(count, size=count)
        weights = None if given is None else given[:count][rows]
        found = form_scores(interface, [metric], y[:count][rows], weights, answers[rows])
        # A draw may have one class alone.
        if metric.name in found:
            values.append(found[metric.name])
    if len(values) < DRAWS // 2:
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]


def proof_of(
    model: Any,
    interface: Interface,
    metrics: Sequence[Metric],
    parts: Mapping[str, Part],
    done: Verified,
    form: ExportFormat,
) -> dict[str, Any]:
    """How long a form takes, and what it scores; with folds there is nothing left to score.

    Args:
        parts: the data that are scored; the last one is that of `done`.

    Raises:
        UnfaithfulExport: the form promises to repeat the scores, and does not.
    """
    told: dict[str, Any] = {
        "latency_ms": done.milliseconds,
        "difference": done.share,
        "signature": signature(model),
    }
    for part, one in parts.items():
        count = len(done.predictions)
        own = one.predictions[:count]
        ours = form_scores(interface, metrics, one.y, one.weights, own)
        theirs = form_scores(interface, metrics, one.y, one.weights, done.predictions)
        if form.tolerance is not None:
            check_scores(ours, theirs, count)
        told["form_metrics"] = {f"{part}_{name}": value for name, value in theirs.items()}
        found = {}
        for metric in metrics:
            ends = interval(interface, metric, one.y, one.weights, one.predictions, seed=0)
            if ends is not None:
                found[f"{part}_{metric.name}"] = ends
        told["intervals"] = found
    return told


def signature(model: Any) -> dict[str, list[dict[str, Any]]]:
    """What a model takes and gives: names, shapes and types; None is any size."""
    inputs = [_tensor(tensor) for tensor in model.inputs]
    outputs = [_tensor(tensor) for tensor in model.outputs]
    return {"inputs": inputs, "outputs": outputs}


def _tensor(tensor: Any) -> dict[str, Any]:
    name = tensor._keras_history.operation.name
    return {"name": name, "shape": list(tensor.shape), "dtype": str(tensor.dtype)}
