"""What evonas must know of what is learned. `classification.py` is an example."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from evonas.errors import Issue
from evonas.learning.formulas import Array
from evonas.learning.metrics import Metric


@dataclass(frozen=True)
class Head:
    """The end of every network, and what it is trained by; Keras's classes by their names.

    Attributes:
        units: number of columns of a prediction.
        activation: activation of the last layer with weights.
        loss: class of the loss that is trained.
        metric: class of the metric that an exported model reports beside its loss.
        is_scaled: whether the weights work on standardized targets. A last layer then gives the
            user's units, and the loss is that of errors divided by the targets' deviation.
    """

    units: int
    activation: str
    loss: str
    metric: str
    is_scaled: bool = False

    @property
    def loss_name(self) -> str:
        """The loss as Keras names its function: `mean_squared_error`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.loss).lower()


@dataclass(frozen=True, eq=False)
class Strata:
    """What each part of a split has the same shares of.

    Attributes:
        numbers: (samples,), the number of each sample's stratum.
        names: names of the strata, in the order of their numbers.
    """

    numbers: Array
    names: tuple[str | int | float, ...]


class LearningTask(ABC):
    """What a network learns: how targets are read, and how predictions are scored.

    A task holds no data. What is measured on them is in the run's `Interface`.

    Attributes:
        name: word in a config, `task: classification`.
        metrics: metrics that it has. The first is the loss, the second is reported beside it, and
            the others are measured if a config names them.
        are_quantities: whether targets are real numbers, which are standardized for the training,
            and of which a network's 32-bit floats must not lose too much.
        constant_in_words: what `constant` predicts.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[Metric, ...]]
    are_quantities: ClassVar[bool]
    constant_in_words: ClassVar[str]

    @abstractmethod
    def guess(self, y: Array) -> str:
        """Why targets look like those of this task, in words; empty if they do not.

        Args:
            y: (samples,), or (samples, targets) with at least two targets.
        """

    @abstractmethod
    def issues(self, targets: Mapping[str, Array], origin: str) -> list[Issue]:
        """What is wrong with targets that are finite numbers or words.

        Args:
            targets: `y`, and those of the parts that are given (`y_val`, `y_test`).
            origin: where they are from, for the messages.
        """

    def notes(self, y: Array) -> list[str]:
        """What is allowed and probably not meant, a sentence each. `issues` has found none."""
        return []

    def labels(self, y: Array, names: Sequence[str] = ()) -> Array:
        """What the columns of a prediction stand for: the classes among the targets, sorted.

        Empty for quantities.

        Args:
            names: names of the columns of `y`, if there are any.
        """
        return np.empty(0)

    @abstractmethod
    def encode(self, y: Array, labels: Array) -> Array:
        """Targets in the type in which they are stored and scored."""

    def strata(self, encoded: Array, labels: Array) -> Strata | None:
        """What each part of a split has the same shares of; None if nothing."""
        return None

    @abstractmethod
    def head(self, outputs: int) -> Head:
        """The end of a network with this number of columns: classes, labels or quantities."""

    @abstractmethod
    def constant(self, train: Array, outputs: int, weights: Array | None = None) -> Array:
        """The prediction (outputs,) that suits all training targets best.

        Args:
            weights: (samples,), what each sample counts; None if all count the same.
        """

    @abstractmethod
    def examples(self, rng: np.random.Generator, count: int, outputs: int) -> Array:
        """Made-up targets of so many samples, encoded.

        Quantities have a mean of 0 and a deviation of 1.
        """

    def told(self, classes: Sequence[Any], answers: Array) -> tuple[list[str], list[list[Any]]]:
        """A model's answers as columns with names, and rows, for people.

        Args:
            classes: labels in the order of the columns; empty if there are none.
            answers: (samples, outputs).
        """
        count = answers.shape[-1]
        names = ["prediction"]
        if count > 1:
            names = [f"prediction_{number}" for number in range(count)]
        return names, answers.tolist()

    @property
    def standard(self) -> tuple[Metric, Metric]:
        """The loss, and the metric that is reported beside it."""
        loss, beside, *_ = self.metrics
        return loss, beside


def are_numbers(words: Array) -> bool:
    """Whether each word is a number."""
    try:
        words.astype(np.float64)
    except ValueError:
        return False
    return True


def is_one_hot(y: Array) -> bool:
    """Whether each of these rows (samples, columns) is all 0 but for one 1."""
    if y.ndim != 2 or not only_0_and_1(y):
        return False
    return bool(((y == 1).sum(axis=1) == 1).all())


def only_0_and_1(y: Array) -> bool:
    """Whether all of these are 0, 1 or booleans."""
    return y.dtype.kind in "biuf" and bool(((y == 0) | (y == 1)).all())
