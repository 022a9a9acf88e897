"""Trains one Keras model, a whole epoch a call, to the very numbers that `model.fit` would give on the same batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from evonas.errors import InvalidCheckpoint
from evonas.evaluate.training.checkpoint import Array, TrainingState
from evonas.evaluate.training.learning_curve import CurveRule, Stopped, stopped
from evonas.evaluate.training.patience import best_epoch, is_exhausted
from evonas.evaluate.training.scores import LEAST_PROBABILITY
from evonas.evaluate.training.tensors import Tensor, TrainingData
from evonas.learning.interface import Interface
from evonas.randomness import generator
from evonas.trial import Objective

BATCHES_PER_CALL = 1000
"""A call of the compiled loop cannot be interrupted: a long epoch is cut into calls of so many batches."""

VALIDATION_BATCH = 256

OnEpoch = Callable[[int, Mapping[str, float]], None]
"""Called with the number of the epoch, counted from 1, and its metrics."""


OnCall = Callable[[], None]
"""Called after each call of the compiled loop; a long epoch has several."""


class Diverged(ArithmeticError):
    """A loss is not finite; the training is over."""


class Trainer:
    """One training of one model.

    It owns the model and the optimizer until it is done. The batches of an epoch are a function of (seed, epoch), and
    the history is part of the state: `state` and `restore` continue a training in another process, on a CPU bit for
    bit. Whatever the model draws at random comes from its own seed generators; see `keras.utils.set_random_seed`.

    The loss is the sparse categorical cross-entropy, or the mean squared error of targets divided by their standard
    deviation, so that a learning rate means the same for all targets; it is reported in the targets' units.

    An optimizer with `gradient_accumulation_steps` gets each batch in so many parts, one gradient each. Steps are those
    of whole batches, also of the last of an epoch, and a part counts by its samples: but for rounding the training is
    that of whole batches, where the network has neither batch normalization nor dropout.

    Attributes:
        history: the metrics of each epoch: `loss` (training, with regularization terms, the mean over the epoch),
            `val_loss` (without them), and `val_accuracy` or `val_mean_absolute_error`.
        best_weights: those of the best epoch, in the order of `model.weights`; empty before the first.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        data: TrainingData,
        interface: Interface,
        *,
        batch_size: int,
        seed: int,
        objective: Objective,
        patience: int | None = None,
        curve: CurveRule | None = None,
        fingerprint: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare a training; nothing is traced yet.

        Args:
            model: built; takes raw samples, gives probabilities (batch, classes) or targets (batch, 1).
            optimizer: new, of this training alone.
            batch_size: samples of one step; the last batch of an epoch may be smaller.
            seed: of the epochs' orders.
            objective: one of the metrics in the history.
            patience: epochs without a better objective after which the training ends; None for all epochs.
            curve: ends a training whose learning curve cannot reach the incumbent; None for no such rule.
            fingerprint: plain JSON; a state is restored only where it is equal.

        Raises:
            ValueError: the objective is not measured, or the patience is below 1.
        """
        self._metric = f"val_{interface.metric}"
        measured = ("loss", "val_loss", self._metric)
        if objective.name not in measured:
            raise ValueError(
                f"the objective must be one of {', '.join(measured)}. Received: {objective.name!r}."
            )
        if patience is not None and patience < 1:
            raise ValueError(f"patience must be at least 1, or None. Received: {patience}.")
        self._model, self._optimizer, self._data = model, optimizer, data
        self._batch_size, self._seed = batch_size, seed
        self._parts = optimizer.gradient_accumulation_steps or 1
        self._objective, self._patience, self._curve = objective, patience, curve
        self._fingerprint = dict(fingerprint or {})
        self._classification = interface.task == "classification"
        self._scale = interface.target_scale
        classes, reals = keras.losses.SparseCategoricalCrossentropy, keras.losses.MeanSquaredError
        self._loss = classes() if self._classification else reals()
        self.history: list[dict[str, float]] = []
        self.best_weights: list[Array] = []
        optimizer.build(
            model.trainable_variables
        )  # no variable may be born while a function is traced
        order = tf.TensorSpec([None], tf.int32)
        self._run = tf.function(self._train_batches, input_signature=[order], autograph=False)
        self._check = tf.function(self._validate, input_signature=[], autograph=False)

    @property
    def best_epoch(self) -> int:
        """The position of the best epoch in the history, counted from 0."""
        return best_epoch(self.history, self._objective)

    @property
    def is_exhausted(self) -> bool:
        """Whether patience has ended the training."""
        return is_exhausted(self.history, self._objective, self._patience)

    @property
    def stopped(self) -> Stopped | None:
        """What the learning curve says where it has ended the training; else None."""
        return stopped(self.history, self._objective, self._curve)

    def train(
        self,
        epochs: int,
        on_epoch: OnEpoch = lambda epoch, metrics: None,
        on_call: OnCall = lambda: None,
    ) -> None:
        """Train until the history has this many epochs, or patience or the learning curve has ended it.

        Raises:
            Diverged: the loss of a batch, or `val_loss`, is not finite. The history keeps the finished epochs.
            ValueError: fewer than 1 epoch is asked for.
        """
        if epochs < 1:
            raise ValueError(f"epochs must be at least 1. Received: {epochs}.")
        with fast_graphs():
            while len(self.history) < epochs and not self.is_exhausted and not self.stopped:
                row = self._epoch(on_call)
                self.history.append(row)
                if self.best_epoch == len(self.history) - 1:
                    self.best_weights = _values(self._model.weights)
                on_epoch(len(self.history), row)

    def state(self) -> TrainingState:
        """Everything that the training needs to go on, copied."""
        return TrainingState(
            fingerprint=self._fingerprint,
            history=[dict(row) for row in self.history],
            model=_values(self._model.variables),
            optimizer=_values(self._optimizer.variables),
            best=list(self.best_weights),
        )

    def restore(self, state: TrainingState) -> None:
        """Continue from a state; its fingerprint has been verified by `load_state`. A refused one changes nothing.

        Raises:
            InvalidCheckpoint: the shapes, types or number of the arrays are not those of this training.
        """
        best = state.best if state.history else _values(self._model.weights)
        groups = (
            ("model", self._model.variables, state.model),
            ("optimizer", self._optimizer.variables, state.optimizer),
            ("best weights", self._model.weights, best),
        )
        for name, variables, arrays in groups:
            expected = [(tuple(variable.shape), np.dtype(variable.dtype)) for variable in variables]
            if expected != [(array.shape, array.dtype) for array in arrays]:
                raise InvalidCheckpoint(
                    f"the checkpoint does not fit: other shapes or types in the {name}."
                )
        for _, variables, arrays in groups[:2]:
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
        self.history = [dict(row) for row in state.history]
        self.best_weights = list(state.best)

    def _epoch(self, on_call: OnCall) -> dict[str, float]:
        """One pass over the training data, in the order of (seed, epoch), and one over the validation data."""
        epoch, samples = len(self.history), self._data.samples
        order = generator(self._seed, "order", epoch).permutation(samples).astype(np.int32)
        step, total = BATCHES_PER_CALL * self._batch_size, 0.0
        for start in range(0, samples, step):
            loss, last = self._run(order[start : start + step])
            total += float(loss)
            on_call()
            if not math.isfinite(last):
                raise Diverged(f"The loss of a batch is {float(last)} in epoch {epoch + 1}.")
        loss, metric = self._check()
        row = {
            "loss": total / samples * self._scale**2,
            "val_loss": float(loss),
            self._metric: float(metric),
        }
        if not all(map(math.isfinite, row.values())):
            raise Diverged(f"The validation loss is {row['val_loss']} in epoch {epoch + 1}.")
        return row

    def _train_batches(self, order: Tensor) -> tuple[Tensor, Tensor]:
        """Train on the samples of an order, batch after batch, up to the first loss that is not finite.

        Args:
            order: (samples,), positions in the training data.

        Returns:
            The sum of the samples' losses, and the loss of the last batch.
        """
        samples = tf.size(order)
        parts = -(-samples // self._batch_size) * self._parts

        def go_on(part: Tensor, total: Tensor, last: Tensor) -> Tensor:
            return (part < parts) & tf.math.is_finite(last)

        def train(part: Tensor, total: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            start, stop, size = self._part(part, samples)
            count = tf.cast(stop - start, tf.float64)
            if self._parts == 1:
                loss = self._train_batch(order[start:stop])
            else:  # an empty part of a last batch looks at one sample, which does not count
                share = tf.cast(self._parts * (stop - start), tf.float32) / tf.cast(
                    size, tf.float32
                )
                loss = self._train_batch(order[tf.minimum(start, stop - 1) : stop], share)
            return part + 1, total + tf.cast(loss, tf.float64) * count, loss

        begin = (tf.constant(0), tf.constant(0.0, tf.float64), tf.constant(0.0))
        _, total, last = tf.while_loop(go_on, train, begin)
        return total, last

    def _part(self, number: Tensor, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where the part of this number starts and stops in an order, and how large its whole batch is.

        The parts of a batch are as equal as can be, the larger ones first.
        """
        start = number // self._parts * self._batch_size
        size = tf.minimum(self._batch_size, samples - start)
        bounds = [start - (-size * (number % self._parts + more) // self._parts) for more in (0, 1)]
        return bounds[0], bounds[1], size

    def _train_batch(self, positions: Tensor, share: Tensor | None = None) -> Tensor:
        """One gradient for the optimizer.

        Args:
            share: how much it counts beside those of the batch's other parts; None for a whole batch.
        """
        x = tf.cast(tf.gather(self._data.x, positions), tf.float32)
        y = tf.gather(self._data.y, positions)
        with tf.GradientTape() as tape:
            predicted = self._model(x, training=True)
            if not self._classification:
                y, predicted = tf.cast(y, tf.float32) / self._scale, predicted / self._scale
            loss = tf.add_n(
                [self._loss(y, predicted), *self._model.losses]
            )  # the others are regularization terms
            counted = loss if share is None else loss * share
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(counted, variables), variables)
        return loss

    def _validate(self) -> tuple[Tensor, Tensor]:
        """The mean loss and the mean metric on the validation data, summed in double precision."""
        samples = int(self._data.validation_x.shape[0])

        def go_on(start: Tensor, loss: Tensor, metric: Tensor) -> Tensor:
            return start < samples

        def batch(start: Tensor, loss: Tensor, metric: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            stop = tf.minimum(start + VALIDATION_BATCH, samples)
            x = tf.cast(self._data.validation_x[start:stop], tf.float32)
            losses, metrics = self._scores(
                self._data.validation_y[start:stop], self._model(x, training=False)
            )
            return stop, loss + _sum(losses), metric + _sum(metrics)

        zero = tf.constant(0.0, tf.float64)
        _, loss, metric = tf.while_loop(go_on, batch, (tf.constant(0), zero, zero))
        return loss / samples, metric / samples

    def _scores(self, y: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor]:
        """The loss and the metric of each sample, both (batch,), in the targets' units."""
        if self._classification:
            hits = tf.argmax(predicted, axis=-1, output_type=tf.int32) == tf.cast(y, tf.int32)
            right = tf.cast(tf.gather(predicted, y, batch_dims=1), tf.float64)
            return -tf.math.log(tf.maximum(right, LEAST_PROBABILITY)), hits
        error = tf.cast(tf.reshape(predicted, [-1]), tf.float64) - tf.cast(y, tf.float64)
        return tf.square(error), tf.abs(error)


def _sum(values: Tensor) -> Tensor:
    return tf.reduce_sum(tf.cast(values, tf.float64))


def _values(variables: list[keras.Variable]) -> list[Array]:
    """Copies."""
    return [variable.value.numpy() for variable in variables]


@contextmanager
def fast_graphs() -> Iterator[None]:
    """Without TensorFlow's graph optimizer, which costs a small network more than it gives, except on a GPU."""
    if tf.config.list_logical_devices("GPU"):
        yield
        return
    name = "disable_meta_optimizer"
    before = bool(tf.config.optimizer.get_experimental_options().get(name, False))
    tf.config.optimizer.set_experimental_options({name: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({name: before})
