"""What a model must accept and answer: one raw sample in, one prediction out. Plain values, no
Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from evonas.learning.tasks import TASKS, Head, LearningTask

InputKind = Literal["image", "sequence", "vector"]


@dataclass(frozen=True)
class Interface:
    """The two ends of every model of a run.

    Attributes:
        kind: how a sample is read. An `image` of two axes gets a channel axis inside the model.
        shape: shape of one raw sample, such as (8, 8) or (28, 28, 3) or (30,).
        task: name of what is learned, one of `TASKS`.
        classes: labels in the order of the output's columns; empty for regression.
        mean: means of the training data, per channel (image, sequence) or per feature (vector).
        variance: variances in the same order as `mean`; never 0 (a constant feature has 1).
        target_mean: mean of the training targets; 0 for classification.
        target_scale: standard deviation of the training targets; 1 for classification.
    """

    kind: InputKind
    shape: tuple[int, ...]
    task: str
    classes: tuple[str | int | float, ...]
    mean: tuple[float, ...]
    variance: tuple[float, ...]
    target_mean: float = 0.0
    target_scale: float = 1.0

    @property
    def learning_task(self) -> LearningTask:
        """What is learned."""
        return TASKS[self.task]

    @property
    def head(self) -> Head:
        """The end of the networks."""
        return self.learning_task.head(len(self.classes))

    @property
    def outputs(self) -> int:
        """Number of columns of a prediction: one for each class, or one for regression."""
        return self.head.units

    @property
    def metric(self) -> str:
        """The metric that is reported beside the loss."""
        _, beside = self.learning_task.standard
        return beside.name

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Interface:
        values = dict(data)
        # JSON has lists only, and a frozen value must hold tuples.
        for name in ("shape", "classes", "mean", "variance"):
            values[name] = tuple(values[name])
        return cls(**values)
