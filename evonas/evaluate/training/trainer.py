"""Trains one Keras model, to the very numbers that `model.fit` would give on the same batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from evonas.errors import InvalidCheckpoint
from evonas.evaluate.training.checkpoint import Array, TrainingState
from evonas.evaluate.training.direct_updates import update_directly
from evonas.evaluate.training.learning_curve import CurveRule, Stopped, stopped
from evonas.evaluate.training.patience import best_epoch, is_exhausted
from evonas.evaluate.training.scores import LEAST_PROBABILITY
from evonas.evaluate.training.tensors import Tensor, TrainingData
from evonas.learning.interface import Interface
from evonas.randomness import generator
from evonas.trial import Objective

BATCHES_PER_CALL = 1000
"""The most batches in one call of the compiled loop. A call cannot be interrupted, so a long epoch
has several."""

VALIDATION_BATCH = 256

OnEpoch = Callable[[int, Mapping[str, float]], bool | None]
"""Called with the number of the epoch, counted from 1, and its metrics.

The answer True cuts the training short: it ends with this epoch.
"""


OnCall = Callable[[], None]
"""Called after each call of the compiled loop; a long epoch has several."""


class Diverged(ArithmeticError):
    """A loss is not finite; the training is over."""


class Trainer:
    """One training of one model.

    The trainer owns the model and the optimizer until it is done, and the optimizer updates its
    variables directly. The batches of an epoch are a function of (seed, epoch), and the history is
    part of the state. So `state` and `restore` continue a training in another process, on a CPU bit
    for bit. The model draws random numbers from its own seed generators; see
    `keras.utils.set_random_seed`.

    The loss is the sparse categorical cross-entropy, or the mean squared error of targets divided
    by their standard deviation. A learning rate then means the same for all targets. The loss is
    reported in the targets' units.

    An optimizer with `gradient_accumulation_steps` gets each batch in that number of parts, with
    one gradient for each part. A step is still that of a whole batch, also for the last batch of an
    epoch: a part counts by its samples. Except for rounding, the training is that of whole batches,
    if the network has neither batch normalization nor dropout.

    Args:
        model: a built model that takes raw samples, and gives probabilities (batch, classes)
            or targets (batch, 1).
        optimizer: a new optimizer, for this training alone.
        batch_size: samples of one step; the last batch of an epoch may be smaller.
        seed: seed of the epochs' orders.
        objective: one of the metrics in the history.
        patience: number of epochs without a better objective after which the training ends;
            None for all epochs.
        curve: rule that ends a training whose learning curve cannot reach the incumbent, or
            None.
        fingerprint: plain JSON; only a state with an equal fingerprint is restored.

    Attributes:
        history: the metrics of each epoch: `loss` (training, with regularization terms, the mean
            over the epoch), `val_loss` (without them), and `val_accuracy` or
            `val_mean_absolute_error`.
        best_weights: weights of the best epoch, in the order of `model.weights`; empty before the
            first epoch.

    Raises:
        ValueError: the objective is not measured, or the patience is below 1.
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
        """Prepare a training; nothing is traced yet."""
        self._metric = f"val_{interface.metric}"
        _check_rules(objective, patience, measured=("loss", "val_loss", self._metric))
        self._model = model
        self._optimizer = optimizer
        self._data = data
        self._batch_size = batch_size
        self._seed = seed
        self._parts = optimizer.gradient_accumulation_steps or 1
        self._objective = objective
        self._patience = patience
        self._curve = curve
        self._fingerprint = dict(fingerprint or {})
        self._classification = interface.task == "classification"
        self._scale = interface.target_scale
        if self._classification:
            self._loss = keras.losses.SparseCategoricalCrossentropy()
        else:
            self._loss = keras.losses.MeanSquaredError()
        self.history: list[dict[str, float]] = []
        self.best_weights: list[Array] = []
        # TensorFlow allows no new variable while a function is traced, so the optimizer's are
        # created here.
        optimizer.build(model.trainable_variables)
        update_directly(optimizer)
        # The signatures leave the length of an order open: each function is traced once.
        order = tf.TensorSpec([None], tf.int32)
        self._run = tf.function(self._train_batches, input_signature=[order], autograph=False)
        self._check = tf.function(self._validate, input_signature=[], autograph=False)

    @property
    def best_epoch(self) -> int:
        """The position of the best epoch in the history, counted from 0."""
        history = self.history
        return best_epoch(history, self._objective)

    @property
    def is_exhausted(self) -> bool:
        """Whether patience has ended the training."""
        return is_exhausted(
            self.history,
            self._objective,
            self._patience,
        )

    @property
    def stopped(self) -> Stopped | None:
        """The stop that the learning curve has decided, or None."""
        return stopped(
            self.history,
            self._objective,
            self._curve,
        )

    def train(
        self,
        epochs: int,
        on_epoch: OnEpoch = lambda epoch, metrics: None,
        on_call: OnCall = lambda: None,
    ) -> None:
        """Train until the history has this many epochs, or patience or the curve ends the training.

        Raises:
            Diverged: the loss of a batch, or `val_loss`, is not finite. The history keeps the
                finished epochs.
            ValueError: fewer than 1 epoch is asked for.
        """
        if epochs < 1:
            raise ValueError(f"epochs must be at least 1. Received: {epochs}.")
        with fast_graphs():
            while not self.is_over(epochs):
                row = self._epoch(on_call)
                self.history.append(row)
                last = len(self.history) - 1
                if self.best_epoch == last:
                    self.best_weights = _values(self._model.weights)
                # The caller comes last: it may save the state, which must hold this epoch whole.
                if on_epoch(len(self.history), row):
                    return

    def is_over(self, epochs: int) -> bool:
        """Whether a training of so many epochs ends here."""
        if len(self.history) >= epochs:
            return True
        return self.is_exhausted or self.stopped is not None

    def state(self) -> TrainingState:
        """Everything that the training needs to continue, copied."""
        return TrainingState(
            fingerprint=self._fingerprint,
            history=[dict(row) for row in self.history],
            model=_values(self._model.variables),
            optimizer=_values(self._optimizer.variables),
            best=list(self.best_weights),
        )

    def restore(self, state: TrainingState) -> None:
        """Continue from a state, whose fingerprint `load_state` has verified.

        Raises:
            InvalidCheckpoint: the shapes, types or number of the arrays are not those of this
                training. Nothing has changed then.
        """
        variables = self._model.variables
        weights = self._model.weights
        of_optimizer = self._optimizer.variables
        # A state before the first epoch has no best weights; the model's own fit themselves.
        best = state.best if state.history else _values(weights)
        # All groups are compared before the first assignment: a refused state changes nothing.
        _check_fit("model", variables, state.model)
        _check_fit("optimizer", of_optimizer, state.optimizer)
        _check_fit("best weights", weights, best)
        _assign(variables, state.model)
        _assign(of_optimizer, state.optimizer)
        self.history = [dict(row) for row in state.history]
        self.best_weights = list(state.best)

    def _epoch(self, on_call: OnCall) -> dict[str, float]:
        """One pass over the training data in the order of (seed, epoch), and one validation.

        Returns:
            the epoch's row of the history.
        """
        epoch = len(self.history)
        samples = self._data.samples
        rng = generator(self._seed, "order", epoch)
        order = rng.permutation(samples).astype(np.int32)
        step = BATCHES_PER_CALL * self._batch_size
        total = 0.0
        for start in range(0, samples, step):
            loss, last = self._run(order[start : start + step])
            total += float(loss)
            on_call()
            # The compiled loop ends after a loss that is not finite, so this is the last one.
            if not math.isfinite(last):
                raise Diverged(f"The loss of a batch is {float(last)} in epoch {epoch + 1}.")
        loss, metric = self._check()
        row = {
            # Squared errors were divided by the square of the scale, see `_train_batch`.
            "loss": total / samples * self._scale**2,
            "val_loss": float(loss),
            self._metric: float(metric),
        }
        if not all(map(math.isfinite, row.values())):
            raise Diverged(f"The validation loss is {row['val_loss']} in epoch {epoch + 1}.")
        return row

    def _train_batches(self, order: Tensor) -> tuple[Tensor, Tensor]:
        """Train on the samples of an order, up to the first loss that is not finite.

        Args:
            order: (samples,), positions in the training data.

        Returns:
            The sum of the samples' losses, and the loss of the last batch.
        """
        samples = tf.size(order)
        # Rounded up: the last batch may be smaller.
        batches = -(-samples // self._batch_size)
        parts = batches * self._parts

        def go_on(part: Tensor, total: Tensor, last: Tensor) -> Tensor:
            is_left = part < parts
            return is_left & tf.math.is_finite(last)

        def train(part: Tensor, total: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            start, stop, size = self._part(part, samples)
            count = tf.cast(stop - start, tf.float64)
            if self._parts == 1:
                loss = self._train_batch(order[start:stop])
            else:
                # Keras divides the sum of the gradients by the number of parts. A part must count
                # by its share of the samples, so the share is times that number.
                weight = tf.cast(self._parts * (stop - start), tf.float32)
                share = weight / tf.cast(size, tf.float32)
                # A last batch with few samples has empty parts, and the mean over no sample is
                # NaN. So an empty part looks at one sample, with a share of 0.
                first = tf.minimum(start, stop - 1)
                loss = self._train_batch(order[first:stop], share)
            following = part + 1
            summed = total + tf.cast(loss, tf.float64) * count
            return following, summed, loss

        begin = (
            tf.constant(0),
            tf.constant(0.0, tf.float64),
            tf.constant(0.0),
        )
        _, total, last = tf.while_loop(go_on, train, begin)
        return total, last

    def _part(self, number: Tensor, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A part of a batch: its start and its stop in an order, and the size of the whole batch.

        The sizes of a batch's parts differ by one at most; the larger parts come first.
        """
        first = number // self._parts * self._batch_size
        # The last batch has the samples that are left.
        size = tf.minimum(self._batch_size, samples - first)

        def bound(more: int) -> Tensor:
            # Two negations make a division that rounds up.
            negative = -size * (number % self._parts + more)
            return first - negative // self._parts

        start = bound(0)
        stop = bound(1)
        return start, stop, size

    def _train_batch(self, positions: Tensor, share: Tensor | None = None) -> Tensor:
        """One gradient for the optimizer.

        Args:
            positions: (samples,), positions in the training data.
            share: weight of this part among the parts of its batch; None for a whole batch.

        Returns:
            the mean loss of the samples, with regularization terms.
        """
        x = tf.cast(tf.gather(self._data.x, positions), tf.float32)
        y = tf.gather(self._data.y, positions)
        with tf.GradientTape() as tape:
            predicted = self._model(x, training=True)
            if not self._classification:
                y = tf.cast(y, tf.float32) / self._scale
                predicted = predicted / self._scale
            own_loss = self._loss(y, predicted)
            # Read after the call: `model.losses` are the regularization terms of that call.
            terms = [own_loss, *self._model.losses]
            loss = tf.add_n(terms)
            counted = loss if share is None else loss * share
        variables = self._model.trainable_variables
        gradients = tape.gradient(counted, variables)
        self._optimizer.apply(gradients, variables)
        return loss

    def _validate(self) -> tuple[Tensor, Tensor]:
        """The mean loss and the mean metric on the validation data, summed in double precision."""
        all_x = self._data.validation_x
        all_y = self._data.validation_y
        samples = int(all_x.shape[0])

        def go_on(start: Tensor, loss: Tensor, metric: Tensor) -> Tensor:
            return start < samples

        def batch(start: Tensor, loss: Tensor, metric: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            stop = tf.minimum(start + VALIDATION_BATCH, samples)
            x = tf.cast(all_x[start:stop], tf.float32)
            y = all_y[start:stop]
            predicted = self._model(x, training=False)
            losses, metrics = self._scores(y, predicted)
            loss = loss + _sum(losses)
            metric = metric + _sum(metrics)
            return stop, loss, metric

        zero = tf.constant(0.0, tf.float64)
        begin = (tf.constant(0), zero, zero)
        _, loss, metric = tf.while_loop(go_on, batch, begin)
        mean_loss = loss / samples
        mean_metric = metric / samples
        return mean_loss, mean_metric

    def _scores(self, y: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor]:
        """The loss and the metric of each sample, both (batch,), in the targets' units."""
        # The same as `scores.scores` computes in NumPy, for the reasons that are given there.
        if self._classification:
            winner = tf.argmax(predicted, axis=-1, output_type=tf.int32)
            hits = winner == tf.cast(y, tf.int32)
            of_true_class = tf.gather(predicted, y, batch_dims=1)
            probability = tf.cast(of_true_class, tf.float64)
            logarithm = tf.math.log(tf.maximum(probability, LEAST_PROBABILITY))
            return -logarithm, hits
        flat = tf.reshape(predicted, [-1])
        error = tf.cast(flat, tf.float64) - tf.cast(y, tf.float64)
        squared = tf.square(error)
        absolute = tf.abs(error)
        return squared, absolute


def _check_rules(objective: Objective, patience: int | None, measured: Sequence[str]) -> None:
    if objective.name not in measured:
        raise ValueError(
            f"the objective must be one of {', '.join(measured)}. Received: {objective.name!r}."
        )
    if patience is not None and patience < 1:
        raise ValueError(f"patience must be at least 1, or None. Received: {patience}.")


def _check_fit(name: str, variables: Sequence[keras.Variable], arrays: Sequence[Array]) -> None:
    """Raises InvalidCheckpoint if the arrays are not of the variables' shapes and types."""
    expected = []
    for variable in variables:
        dtype = np.dtype(variable.dtype)
        expected.append((tuple(variable.shape), dtype))
    found = [(array.shape, array.dtype) for array in arrays]
    if found != expected:
        raise InvalidCheckpoint(
            f"the checkpoint does not fit: other shapes or types in the {name}."
        )


def _assign(variables: Sequence[keras.Variable], arrays: Sequence[Array]) -> None:
    pairs = zip(variables, arrays, strict=True)
    for variable, array in pairs:
        variable.assign(array)


def _sum(values: Tensor) -> Tensor:
    """The sum in double precision; truth values count as 0 and 1."""
    doubles = tf.cast(values, tf.float64)
    return tf.reduce_sum(doubles)


def _values(variables: Sequence[keras.Variable]) -> list[Array]:
    """The values of the variables, copied."""
    copies = []
    for variable in variables:
        copies.append(variable.value.numpy())
    return copies


@contextmanager
def fast_graphs() -> Iterator[None]:
    """Turns TensorFlow's graph optimizer off, except on a GPU, and afterwards as it was before."""
    if tf.config.list_logical_devices("GPU"):
        yield
        return
    # On a CPU the optimizer costs a small network more time than it saves.
    name = "disable_meta_optimizer"
    options = tf.config.optimizer.get_experimental_options()
    before = bool(options.get(name, False))
    tf.config.optimizer.set_experimental_options({name: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({name: before})
