"""What can be learned: classification and regression.

Each task has a file of its own: it reads and checks targets, encodes them, and names the strata of
a split, the head of a network and the metrics. A new task needs a file and a line in `TASKS`.
"""

from collections.abc import Mapping

from evonas.learning.formulas import Array
from evonas.learning.tasks.classification import Classification
from evonas.learning.tasks.regression import Regression
from evonas.learning.tasks.task import Head, LearningTask

# The first one that a target looks like is guessed, so that the most particular come first.
TASKS: Mapping[str, LearningTask] = {task.name: task for task in (Classification(), Regression())}

__all__ = ["TASKS", "Head", "LearningTask", "guess_task"]


def guess_task(y: Array) -> tuple[LearningTask, str]:
    """The task that targets (samples,) look like, and why, in words.

    Raises:
        ValueError: they look like no task's.
    """
    for name, task in TASKS.items():
        if why := task.guess(y):
            return task, f"{name}, because {why}"
    raise ValueError(f"no task has such targets. Received: dtype {y.dtype}.")
