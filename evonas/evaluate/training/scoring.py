"""What predictions are scored by: the metrics of the task, and those that a run asks for.

The same functions score them in a training, in an export, in a replay and for a baseline.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from evonas.data.arrays import locked
from evonas.errors import UserError
from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.contract.raised import message_of, quoted
from evonas.learning.formulas import Array
from evonas.learning.metrics import VALIDATION, Metric, direction_of
from evonas.learning.tasks import TASKS
from evonas.randomness import seeded_generators


class MetricFailed(UserError):
    """A metric of the user's own has raised, or has returned no number."""


def asked_metrics(setup: Setup) -> tuple[Metric, ...]:
    """The metrics of predictions that a run measures: the loss, the one beside it, and all others
    that the config names. Imports the modules of the user's own.

    Raises:
        UserError: a function of the user's is missing, or its module may not be imported.
    """
    task = TASKS[setup.interface["task"]]
    known = {metric.name: metric for metric in task.metrics}
    found = {metric.name: metric for metric in task.standard}
    for name in (*setup.needed, *setup.metrics):
        measure = name.removeprefix(VALIDATION)
        if name == measure or measure in found:
            continue
        found[measure] = known.get(measure) or own_metric(measure, setup.plugins, setup.seed)
    return tuple(found.values())


def own_metric(name: str, plugins: Collection[str], seed: int) -> Metric:
    """The metric of a function of the user's, `package.module:function`.

    Args:
        plugins: modules that may be imported.
        seed: seed of the global generators at each call, so that the same predictions always have
            the same score.

    Raises:
        UserError: there is no such function, or its module may not be imported.
    """
    module, _, attribute = name.partition(":")
    # Before the import, which runs the module's code.
    if module not in plugins:
        raise UserError(f"the metric {name}: the module {module!r} is not among the plugins")
    function = vars(importlib.import_module(module)).get(attribute)
    if not callable(function):
        raise UserError(f"the metric {name}: the module {module!r} has no function {attribute!r}")
    checked: Callable[[Array, Array], Any] = function

    def score(targets: Array, predictions: Array) -> float:
        try:
            with seeded_generators(seed):
                value = checked(locked(targets), locked(predictions))
        # The function is the user's, and may raise anything. It may also call `sys.exit`.
        except (Exception, SystemExit) as error:
            raise MetricFailed(f"the metric {name} has raised {message_of(error)}") from error
        return _number(name, value)

    return Metric(name, direction_of(name), score=score)


def _number(name: str, value: Any) -> float:
    """What a metric has returned, as a number.

    Raises:
        MetricFailed: it is no number.
    """
    why = None
    try:
        # A text of digits would become a number by itself.
        if not isinstance(value, str | bytes) and np.ndim(value) == 0:
            return float(value)
    # The value is of the user's code, and may raise anything.
    except Exception as error:
        why = error
    raise MetricFailed(
        f"the metric {name} must return a number. Received: {quoted(value)}"
    ) from why
