"""What can be learned: classification, multilabel, regression and forecasting.

Each task has a file of its own: it reads and checks targets, encodes them, and names the strata of
a split, the head of a network and the metrics. A new task needs a file and a line in `TASKS`.
"""

from collections.abc import Mapping

from evonas.learning.formulas import Array
from evonas.learning.tasks.classification import Classification
from evonas.learning.tasks.forecasting import Forecasting
from evonas.learning.tasks.multilabel import Multilabel
from evonas.learning.tasks.regression import Regression
from evonas.learning.tasks.task import Head, LearningTask, Strata

# The first one that a target looks like is guessed, so that the most particular come first.
TASKS: Mapping[str, LearningTask] = {
    task.name: task for task in (Classification(), Multilabel(), Regression(), Forecasting())
}

__all__ = ["TASKS", "Head", "LearningTask", "Strata", "guess_task"]


def guess_task(y: Array) -> tuple[LearningTask, str]:
    """The task that targets look like, and why, in words.

    Args:
        y: (samples,), or (samples, targets) with at least two targets.

    Raises:
        ValueError: they look like no task's.
    """
    for name, task in TASKS.items():
        if why := task.guess(y):
            return task, f"{name}, because {why}"
    raise ValueError(f"no task has such targets. Received: dtype {y.dtype}.")
