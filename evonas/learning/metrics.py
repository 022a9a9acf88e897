"""The metrics: what predictions, or networks themselves, are measured by. One table of them all.

Nothing else in evonas knows which direction of a metric is better, which values it can have and in
which unit they are. An `Objective` carries the direction that it was made with.

Metrics of predictions take whole arrays. So a trainer, an export and a replay score the same
predictions by the same function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from evonas.trial import Direction, Objective

if TYPE_CHECKING:
    from evonas.learning.formulas import Array

Score = Callable[..., Any]
"""Takes targets, encoded by the task, and predictions (samples, outputs).

Those of evonas also take weights (samples,), or None.
"""

Unit = Literal["", "share", "of targets", "ms", "s"]


VALIDATION = "val_"
"""Prefix of a metric that is measured on the validation data."""


@dataclass(frozen=True)
class Metric:
    """What can be measured.

    Attributes:
        name: name without the part of the data, `accuracy` of `val_accuracy`.
        direction: whether less or more of it is better; None if only its user knows.
        bounds: least and greatest value that it can have.
        unit: unit of its values. A `share` lies between 0 and 1, and is told in percentage points.
        score: gives the value of predictions; None for what is measured on the network itself.
        by_clock: whether a clock measures it. No two measurements are equal, not even of one
            training.
    """

    name: str
    direction: Direction | None
    bounds: tuple[float, float] = (-math.inf, math.inf)
    unit: Unit = ""
    score: Score | None = None
    by_clock: bool = False


def _by(formula: str) -> Score:
    """A function of `formulas.py`. Who only reads a run needs the table, and not NumPy."""

    def score(targets: Array, predictions: Array, weights: Array | None = None) -> float:
        from evonas.learning import formulas

        value: float = vars(formulas)[formula](targets, predictions, weights)
        return value

    return score


_SHARE = (0.0, 1.0)
_AT_LEAST_0 = (0.0, math.inf)

CROSS_ENTROPY = Metric("loss", "min", _AT_LEAST_0, score=_by("cross_entropy"))
ACCURACY = Metric("accuracy", "max", _SHARE, "share", _by("accuracy"))
BALANCED_ACCURACY = Metric("balanced_accuracy", "max", _SHARE, "share", _by("balanced_accuracy"))
F1_MACRO = Metric("f1_macro", "max", _SHARE, "share", _by("f1_macro"))
AUC = Metric("auc", "max", _SHARE, "share", _by("auc"))
BINARY_CROSS_ENTROPY = Metric("loss", "min", _AT_LEAST_0, score=_by("binary_cross_entropy"))
LABEL_ACCURACY = Metric("accuracy", "max", _SHARE, "share", _by("label_accuracy"))
EXACT_MATCH = Metric("exact_match", "max", _SHARE, "share", _by("exact_match"))
LABEL_F1 = Metric("f1_macro", "max", _SHARE, "share", _by("label_f1"))
LABEL_AUC = Metric("auc", "max", _SHARE, "share", _by("label_auc"))
SQUARED_ERROR = Metric("loss", "min", _AT_LEAST_0, score=_by("squared_error"))
ABSOLUTE_ERROR = Metric(
    "mean_absolute_error", "min", _AT_LEAST_0, "of targets", _by("absolute_error")
)
RMSE = Metric("rmse", "min", _AT_LEAST_0, "of targets", _by("rmse"))
R2 = Metric("r2", "max", (-math.inf, 1.0), score=_by("r2"))

OF_PREDICTIONS = (
    CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY,
    SQUARED_ERROR,
    ACCURACY,
    BALANCED_ACCURACY,
    F1_MACRO,
    AUC,
    LABEL_ACCURACY,
    EXACT_MATCH,
    LABEL_F1,
    LABEL_AUC,
    ABSOLUTE_ERROR,
    RMSE,
    R2,
)
"""Measured after each epoch on the validation data. A task says which of them are its own."""

OF_NETWORKS = (
    Metric("parameters", "min", _AT_LEAST_0),
    Metric("flops", "min", _AT_LEAST_0),
    # These two are measured only if a config asks for them.
    Metric("latency_ms", "min", _AT_LEAST_0, "ms", by_clock=True),
    Metric("training_seconds", "min", _AT_LEAST_0, "s", by_clock=True),
)
"""Measured once for each network."""

# The loss of a regression by its other name: tables and functions may have it.
_OTHERS = (Metric("mean_squared_error", "min", _AT_LEAST_0),)

_TABLE: Mapping[str, Metric] = {
    metric.name: metric for metric in (*OF_PREDICTIONS, *OF_NETWORKS, *_OTHERS)
}

TIMES = frozenset(metric.name for metric in OF_NETWORKS if metric.by_clock)
"""Names of the metrics that a clock measures."""


def find_metric(name: str) -> Metric | None:
    """The metric of a name with or without `val_` or `test_`; None if the table has no such one.

    Metrics of one name have one direction, and the same bounds and unit.
    """
    # The measure is the name without the part of the data.
    return _TABLE.get(Objective(name, "min").measure)


def direction_of(name: str) -> Direction | None:
    """The better direction of a metric with a fixed meaning; None for all other metrics."""
    metric = find_metric(name)
    return None if metric is None else metric.direction


def is_own(name: str) -> bool:
    """Whether this is the name of a user's own metric, `package.module:function`."""
    return ":" in name


def is_share(name: str) -> bool:
    """Whether a metric lies between 0 and 1 and is told in percentage points."""
    metric = find_metric(name)
    return metric is not None and metric.unit == "share"


def is_never_negative(name: str) -> bool:
    """Whether a metric is known to be at least 0."""
    metric = find_metric(name)
    return metric is not None and metric.bounds[0] >= 0


def scores(
    metrics: Iterable[Metric],
    targets: Array,
    predictions: Array,
    weights: Array | None = None,
    scale: tuple[float, ...] | None = None,
) -> dict[str, Any]:
    """What these metrics of predictions give, by their names.

    Args:
        weights: (samples,), what each sample counts, at least one above 0. Functions of the user's
            do not get them. None if all count the same.
        scale: numbers by which targets are divided for the loss, one for each. None for none.
    """
    given: tuple[Array, ...] = (targets, predictions)
    if weights is not None:
        # A sample that does not count may be the only one of its class.
        counts = weights > 0
        given = (targets[counts], predictions[counts], weights[counts])
    found = {}
    for metric in metrics:
        if metric.score is None:
            continue
        if is_own(metric.name):
            found[metric.name] = metric.score(targets, predictions)
        elif metric.name == "loss" and scale is not None:
            y, predicted, *rest = given
            found[metric.name] = metric.score(y / scale, predicted / scale, *rest)
        else:
            found[metric.name] = metric.score(*given)
    return found
