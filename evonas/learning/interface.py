"""What a model must accept and answer: one raw sample in, one prediction out. Plain values, no
Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evonas.learning.formulas import Array
from evonas.learning.input_spec import InputSpec
from evonas.learning.metrics import Metric, scores
from evonas.learning.tasks import TASKS, Head, LearningTask

OfTargets = float | tuple[float, ...]
"""One number, or one for each of several targets."""


@dataclass(frozen=True)
class Interface:
    """The two ends of every model of a run.

    Attributes:
        input: what goes in.
        task: name of what is learned, one of `TASKS`.
        classes: labels in the order of the output's columns; empty for quantities.
        target_mean: mean of the training targets; 0 for labels. A tuple has the mean of each of
            several targets.
        target_scale: standard deviation of the training targets, likewise; 1 for labels.
        target_names: names of several targets, in the order of the output's columns; empty if the
            source gives none. Those of a forecast are the names of its series.
        steps: number of steps that are forecast; 0 for other tasks. The output's columns are all
            series of the first step, then those of the second.
    """

    input: InputSpec
    task: str
    classes: tuple[str | int | float, ...]
    target_mean: OfTargets = 0.0
    target_scale: OfTargets = 1.0
    target_names: tuple[str, ...] = ()
    steps: int = 0

    @property
    def learning_task(self) -> LearningTask:
        """What is learned."""
        return TASKS[self.task]

    @property
    def head(self) -> Head:
        """The end of the networks."""
        return self.learning_task.head(self.outputs)

    @property
    def outputs(self) -> int:
        """Number of columns of a prediction: one for each class, label or quantity."""
        if self.classes:
            return len(self.classes)
        return len(self.target_mean) if isinstance(self.target_mean, tuple) else 1

    @property
    def metric(self) -> str:
        """The metric that is reported beside the loss."""
        _, beside = self.learning_task.standard
        return beside.name

    @property
    def loss_weight(self) -> float:
        """The weight of an exported model's loss: one over the targets' variance, or the mean of
        their variances."""
        scale = self.target_scale
        if not isinstance(scale, tuple):
            return 1.0 / scale**2
        return len(scale) / sum(one**2 for one in scale)

    @property
    def output_names(self) -> tuple[str, ...]:
        """What each column of a prediction is called: `load, step 2`, `1`."""
        if self.classes:
            return tuple(map(str, self.classes))
        count = self.outputs // max(self.steps, 1)
        names = self.target_names or tuple(map(str, range(count)))
        if not self.steps:
            return names
        return tuple(f"{name}, step {step + 1}" for step in range(self.steps) for name in names)

    def scores(
        self,
        metrics: Iterable[Metric],
        targets: Array,
        predictions: Array,
        weights: Array | None = None,
    ) -> dict[str, Any]:
        """What these metrics of predictions give, by their names.

        With several quantities, the loss is that of targets divided by their deviations on the
        training data. Otherwise the target with the largest unit would decide alone which network
        is the best. About 1 is what predicting the means would score.

        Args:
            weights: (samples,), what each sample counts; None if all count the same.
        """
        scale = self.target_scale if isinstance(self.target_scale, tuple) else None
        return scores(metrics, targets, predictions, weights, scale)

    def to_json(self) -> dict[str, Any]:
        found = {
            "input": self.input.to_json(),
            "task": self.task,
            "classes": self.classes,
            "target_mean": self.target_mean,
            "target_scale": self.target_scale,
        }
        # A run with one target has the record that it always had.
        if self.target_names:
            found["target_names"] = self.target_names
        if self.steps:
            found["steps"] = self.steps
        return found

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
        # JSON has lists only, and a frozen value must hold tuples.
        for name in ("classes", "target_mean", "target_scale", "target_names"):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        return cls(**values)
