"""Trains one network: epoch after epoch, to the end that its policy sets. Knows no framework."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from evonas.errors import InvalidCheckpoint
from evonas.evaluate.training.checkpoint import Array, TrainingState
from evonas.evaluate.training.loop import Loop
from evonas.evaluate.training.policy import TrainingPolicy
from evonas.learning.interface import Interface
from evonas.learning.metrics import VALIDATION, Metric
from evonas.randomness import fold_seed, generator
from evonas.trial import Stopped

BATCHES_PER_CALL = 1000
"""The most batches in one call of the loop. A call cannot be interrupted, so a long epoch has
several."""

OnEpoch = Callable[[int, Mapping[str, float]], bool | None]
"""Called with the number of the epoch, counted from 1, and its metrics.

The answer True cuts the training short: it ends with this epoch.
"""


OnCall = Callable[[], None]
"""Called after each call of the loop; a long epoch has several."""


class Diverged(ArithmeticError):
    """A loss is not finite; the training is over."""


class Trainer:
    """One training of one model, or of one model for each fold of the data.

    The folds are trained in step: an epoch of each, and then the means of their metrics are the
    epoch's row of the history. So all rules see the means.

    The batches of an epoch are a function of (seed, epoch), and the history is part of the state.
    So `state` and `restore` continue a training in another process, on a CPU bit for bit.

    Args:
        loop: a loop with a new model and a new optimizer, for this training alone; or with one for
            each fold.
        interface: what the model answers: it has the task, and the scale of the targets.
        policy: rules by which the training ends, and by which an epoch is the best.
        seed: seed of the epochs' orders.
        metrics: metrics of predictions, the loss first. None for the standard ones of the task.
            Without any, nothing is validated.
        needed: metrics that each epoch must have, besides the loss and the policy's objective. Any
            other is left out of an epoch in which it is not finite.
        fingerprint: plain JSON; only a state with an equal fingerprint is restored.

    Attributes:
        history: the metrics of each epoch: `loss` (training, with regularization terms, the mean
            over the epoch), `val_loss` (without them), and the other metrics of the validation
            data, such as `val_accuracy`. All are in the targets' units, except the losses of
            several targets; see `Interface.scores`.
        best_weights: weights of the best epoch, in the order of `model.weights`, fold after fold;
            empty before the first epoch.

    Raises:
        ValueError: the policy's objective is not measured.
    """

    def __init__(
        self,
        loop: Loop,
        interface: Interface,
        policy: TrainingPolicy,
        *,
        seed: int,
        metrics: Sequence[Metric] | None = None,
        needed: Collection[str] = (),
        fingerprint: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare a training; nothing runs yet."""
        self._loop = loop
        self._policy = policy
        self._seed = seed
        self._fingerprint = dict(fingerprint or {})
        self._metrics = interface.learning_task.standard if metrics is None else metrics
        self._needed = {*needed}
        self._interface = interface
        # The loop's targets are divided by the scale, and its losses by a power of it. The losses
        # of several targets are not brought back to units, which may all be different.
        scale = interface.target_scale
        self._unit = 1.0 if isinstance(scale, tuple) else scale**loop.power
        self.history: list[dict[str, float]] = []
        self.best_weights: list[Array] = []
        if policy.objective is None:
            return
        measured = ["loss", *(f"{VALIDATION}{metric.name}" for metric in self._metrics)]
        objective = policy.objective.name
        self._needed.add(objective)
        if objective not in measured:
            raise ValueError(
                f"the objective must be one of {', '.join(measured)}. Received: {objective!r}."
            )

    @property
    def best_epoch(self) -> int:
        """The position of the best epoch in the history, counted from 0."""
        return self._policy.best_epoch(self.history)

    @property
    def stopped(self) -> Stopped | None:
        """The stop that the learning curve has decided, or None."""
        return self._policy.stopped(self.history)

    def is_over(self, epochs: int) -> bool:
        """Whether a training of so many epochs ends here."""
        return self._policy.is_over(self.history, epochs)

    def train(
        self,
        epochs: int,
        on_epoch: OnEpoch = lambda epoch, metrics: None,
        on_call: OnCall = lambda: None,
    ) -> None:
        """Train until the history has this many epochs, or the policy ends the training.

        Raises:
            Diverged: the loss of a batch, or `val_loss`, is not finite. The history keeps the
                finished epochs.
            ValueError: fewer than 1 epoch is asked for.
        """
        if epochs < 1:
            raise ValueError(f"epochs must be at least 1. Received: {epochs}.")
        with self._loop.at_work():
            while not self.is_over(epochs):
                row = self._take(self._epoch(on_call))
                # The caller comes last: it may save the state, which must hold this epoch whole.
                if on_epoch(len(self.history), row):
                    return

    def note(self, loss: float) -> dict[str, float]:
        """Validate the network as it is now, and take this epoch into the history.

        Args:
            loss: mean loss of the epoch's samples, of targets divided by their scale.

        Returns:
            the epoch's row of the history.

        Raises:
            Diverged: as in `train`.
        """
        where = f"in epoch {len(self.history) + 1}"
        return self._take({"loss": loss * self._unit, **self._validation(where)})

    def _take(self, row: dict[str, float]) -> dict[str, float]:
        """Take an epoch into the history, and keep its weights if it is the best one."""
        self.history.append(row)
        last = len(self.history) - 1
        if self.best_epoch == last:
            self.best_weights = self._loop.weights()
        return row

    def state(self) -> TrainingState:
        """Everything that the training needs to continue, copied."""
        return TrainingState(
            fingerprint=self._fingerprint,
            history=[dict(row) for row in self.history],
            model=self._loop.model_state(),
            optimizer=self._loop.optimizer_state(),
            best=list(self.best_weights),
        )

    def restore(self, state: TrainingState) -> None:
        """Continue from a state, whose fingerprint `load_state` has verified.

        Raises:
            InvalidCheckpoint: the shapes, types or number of the arrays are not those of this
                training. Nothing has changed then.
        """
        weights = self._loop.weights()
        # A state before the first epoch has no best weights; the model's own fit themselves.
        best = state.best if state.history else weights
        # All groups are compared before the first assignment: a refused state changes nothing.
        _check_fit("model", self._loop.model_state(), state.model)
        _check_fit("optimizer", self._loop.optimizer_state(), state.optimizer)
        _check_fit("best weights", weights, best)
        self._loop.assign(state.model, state.optimizer)
        self.history = [dict(row) for row in state.history]
        self.best_weights = list(state.best)

    def _epoch(self, on_call: OnCall) -> dict[str, float]:
        """One epoch of each fold.

        Returns:
            the mean loss of the samples.
        """
        rows = []
        for fold in range(self._loop.folds):
            self._loop.turn_to(fold)
            rows.append(self._pass(fold, on_call))
        return means(rows)

    def _pass(self, fold: int, on_call: OnCall) -> dict[str, float]:
        """One pass over the training data in the order of (seed, epoch), and one validation.

        Returns:
            the metrics of this fold.
        """
        epoch = len(self.history)
        where = f"in epoch {epoch + 1}"
        seed = self._seed
        if self._loop.folds > 1:
            where += f" of fold {fold + 1}"
            seed = fold_seed(self._seed, fold)
        samples = self._loop.samples
        rng = generator(seed, "order", epoch)
        order = rng.permutation(samples).astype(np.int32)
        step = BATCHES_PER_CALL * self._loop.batch_size
        total = 0.0
        for start in range(0, samples, step):
            loss, last = self._loop.run(order[start : start + step])
            total += loss
            on_call()
            # A loop ends after a loss that is not finite, so this is the last one.
            if not math.isfinite(last):
                raise Diverged(f"The loss of a batch is {last} {where}.")
        return {
            "loss": total / samples * self._unit,
            **self._validation(where),
        }

    def _validation(self, where: str) -> dict[str, float]:
        """What the predictions for the validation data score, by name.

        Args:
            where: the epoch, in words.

        Raises:
            Diverged: the loss, or a metric that is needed, is not finite.
        """
        if not self._metrics:
            return {}
        targets = self._loop.validation_targets
        weights = self._loop.validation_weights
        predictions = self._loop.validate()
        found = {}
        # One by one, the loss first: others may raise for predictions that are not finite.
        for metric in self._metrics:
            scored = self._interface.scores([metric], targets, predictions, weights)
            (value,) = scored.values()
            name = f"{VALIDATION}{metric.name}"
            if math.isfinite(value):
                found[name] = value
            elif metric.name == "loss":
                raise Diverged(f"The validation loss is {value} {where}.")
            elif name in self._needed:
                raise Diverged(f"{name} is {value} {where}.")
        return found


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric that all folds have."""
    first = rows[0]
    if len(rows) == 1:
        return dict(first)
    found = {}
    for name in first:
        values = [row[name] for row in rows if name in row]
        # The mean over some of the folds would be compared with means over all of them.
        if len(values) == len(rows):
            found[name] = math.fsum(values) / len(values)
    return found


def _check_fit(name: str, expected: Sequence[Array], found: Sequence[Array]) -> None:
    """Raises InvalidCheckpoint if the arrays are not of the expected shapes and types."""
    kinds = [(array.shape, array.dtype) for array in expected]
    if [(array.shape, array.dtype) for array in found] != kinds:
        raise InvalidCheckpoint(
            f"the checkpoint does not fit: other shapes or types in the {name}."
        )
