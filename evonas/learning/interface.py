"""What a model must accept and answer: one raw sample in, one prediction out. Plain values, no
Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas.learning.input_spec import InputSpec
from evonas.learning.tasks import TASKS, Head, LearningTask


@dataclass(frozen=True)
class Interface:
    """The two ends of every model of a run.

    Attributes:
        input: what goes in.
        task: name of what is learned, one of `TASKS`.
        classes: labels in the order of the output's columns; empty for regression.
        target_mean: mean of the training targets; 0 for classification.
        target_scale: standard deviation of the training targets; 1 for classification.
    """

    input: InputSpec
    task: str
    classes: tuple[str | int | float, ...]
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
        return {
            "input": self.input.to_json(),
            "task": self.task,
            "classes": self.classes,
            "target_mean": self.target_mean,
            "target_scale": self.target_scale,
        }

    def in_checkpoint(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: whatever decides a training, in one flat object.

        Version 2 of the record had the interface in this form, so its checkpoints still fit.
        """
        ends = self.to_json()
        del ends["input"]
        kind_and_shape = {"kind": self.input.kind, "shape": self.input.shape}
        if self.input.encoding:
            # A vocabulary is too long for each checkpoint.
            return {**ends, **kind_and_shape, "fitted": self.input.digest}
        return {**ends, **kind_and_shape, **self.input.fitted}

    def by_digest(self) -> dict[str, Any]:
        """The same for a job, see `InputSpec.by_digest`; `data.fitting` opens it."""
        return {**self.to_json(), "input": self.input.by_digest()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Interface:
        """The interface that `to_json` was called on."""
        values = dict(data)
        values["input"] = InputSpec.from_json(data["input"])
        values["classes"] = tuple(values["classes"])
        return cls(**values)
