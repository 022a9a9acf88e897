"""Where a network errs on the test data: which classes it takes for which, or how far it is off."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.parts import Part
from evonas.learning.interface import Interface

MOST_CLASSES = 100
"""The most classes whose confusion matrix is kept: it has the square of their number."""

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The quantiles of the residuals that are kept."""


def errors_of(interface: Interface, test: Part) -> dict[str, Any]:
    """What a card tells of errors, as plain JSON. Sample weights do not count: samples do.

    Returns:
        * of classes: `recall` and `support` of each, in the order of the classes; None for the
          recall of a class that the test data lack. `confusion`, (true, predicted), counts samples.
        * of labels: `recall` and `support` of each.
        * of quantities: `residuals`, for each the quantiles of prediction minus target, and under
          `not_finite` how many predictions are no numbers, if any are not.
    """
    y, answers = np.asarray(test.y), np.asarray(test.predictions)
    if interface.learning_task.are_quantities:
        return {"residuals": _residuals(interface, y, answers)}
    if interface.task == "multilabel":
        holds, said = y > 0.5, answers > 0.5
        found = np.sum(holds & said, axis=0)
        return _recalls(found, np.sum(holds, axis=0))
    classes = len(interface.classes)
    said = answers.argmax(axis=1)
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (y.astype(np.int64), said), 1)
    found = _recalls(np.diag(matrix), matrix.sum(axis=1))
    return {**found, "confusion": matrix.tolist()} if classes <= MOST_CLASSES else found


def _recalls(found: Array, support: Array) -> dict[str, Any]:
    recall = []
    for hits, count in zip(found.tolist(), support.tolist(), strict=True):
        recall.append(hits / count if count else None)
    return {"recall": recall, "support": support.tolist()}


def _residuals(interface: Interface, y: Array, answers: Array) -> dict[str, dict[str, float]]:
    off = answers.reshape(len(answers), -1).astype(np.float64) - y.reshape(len(y), -1)
    found = {}
    for number, name in enumerate(interface.output_names):
        values = off[:, number]
        # JSON has no infinity, and a card with one would end the run.
        whole = values[np.isfinite(values)]
        told: dict[str, float] = {}
        if len(whole):
            quantiles = np.quantile(whole, QUANTILES).tolist()
            told = dict(zip([f"{share:g}" for share in QUANTILES], quantiles, strict=True))
        if missing := len(values) - len(whole):
            told["not_finite"] = missing
        found[name] = told
    return found
