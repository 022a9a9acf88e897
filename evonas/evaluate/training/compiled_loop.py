"""The loop in TensorFlow: whole epochs in one compiled function, to the numbers of `model.fit`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from evonas.evaluate.training.augmentation import Augmentation
from evonas.evaluate.training.batches import Batches
from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.direct_updates import update_directly
from evonas.evaluate.training.loop import Loop
from evonas.evaluate.training.tensors import Tensor, TrainingData
from evonas.learning.interface import Interface
from evonas.model.losses import Goal, Scaled, build_loss

VALIDATION_BATCH = 256


class CompiledLoop(Loop):
    """Trains a Keras model, and gives the very numbers that `model.fit` would give.

    The optimizer updates its variables directly. The model draws random numbers from its own seed
    generators; see `keras.utils.set_random_seed`.

    An optimizer with `use_ema` averages the weights. The averages are what predicts: they are
    validated, and kept for the best epoch. The states hold both.

    An optimizer with `gradient_accumulation_steps` gets each batch in that number of parts, with
    one gradient for each part. A step is still that of a whole batch, also for the last batch of an
    epoch: a part counts by its samples. Except for rounding, the training is that of whole batches,
    if the network has neither batch normalization nor dropout.

    Args:
        model: a built model that takes stored samples, and gives probabilities (batch, classes)
            or targets (batch, targets).
        optimizer: a new optimizer, for this training alone.
        batch_size: samples of one step; the last batch of an epoch may be smaller.
        goal: what is minimized; None for the loss of the task.
        augmentation: what happens to a batch, or to each part of it, before the network sees it;
            None for nothing.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        data: TrainingData,
        interface: Interface,
        batch_size: int,
        goal: Goal | None = None,
        augmentation: Augmentation | None = None,
    ) -> None:
        """Prepare a training; nothing is traced yet."""
        self._model = model
        self._optimizer = optimizer
        self._data = data
        self._batch_size = batch_size
        self._parts = optimizer.gradient_accumulation_steps or 1
        self._is_scaled = interface.head.is_scaled
        # One number, or one for each target.
        self._scale = interface.target_scale
        self._augmentation = augmentation or Augmentation()
        takes_rows = self._augmentation.mixes_targets
        self._goal = goal or Goal(build_loss(interface, takes_rows=takes_rows))
        # TensorFlow allows no new variable while a function is traced, so the optimizer's are
        # created here.
        optimizer.build(model.trainable_variables)
        update_directly(optimizer)
        # The signatures leave the length of an order open: each function is traced once.
        order = tf.TensorSpec([None], tf.int32)
        self._run = tf.function(self._train_batches, input_signature=[order], autograph=False)
        self._check = tf.function(self._validate, input_signature=[order], autograph=False)

    @property
    def samples(self) -> int:
        return self._data.train.count

    @property
    def batch_size(self) -> int:
        return self._batch_size

    @property
    def power(self) -> int:
        return self._goal.power

    def compiled(self) -> keras.Model:
        """The model, compiled for `model.fit` with the optimizer and the loss of this loop."""
        loss = self._goal.loss
        if self._is_scaled:
            loss = Scaled(loss, self._scale)
        self._model.compile(self._optimizer, loss, jit_compile=False)
        return self._model

    def batches(self, seed: int) -> tuple[Batches, Batches]:
        """The training data in the orders of this seed, and the validation data, for `model.fit`.

        An optimizer that accumulates gradients gets each batch in parts. Here the parts of an epoch
        are of one size, except for the last one.
        """
        # Rounded up: a part has at least one sample.
        size = -(-self._batch_size // self._parts)
        train = Batches(self._data.train, size, seed, self._goal.by_class)
        return train, Batches(self._data.validation, VALIDATION_BATCH)

    def run(self, order: NDArray[np.int32]) -> tuple[float, float]:
        total, last = self._run(order)
        return float(total), float(last)

    @property
    def validation_targets(self) -> Array:
        targets: Array = self._data.validation.y.numpy()
        return targets

    @property
    def validation_weights(self) -> Array | None:
        weights = self._data.validation.weights
        return None if weights is None else weights.numpy()

    def validate(self, positions: NDArray[np.int32] | None = None) -> Array:
        if positions is None:
            positions = np.arange(self._data.validation.count, dtype=np.int32)
        with self._averaged():
            predictions: Array = self._check(positions).numpy()
        return predictions

    def weights(self) -> list[Array]:
        with self._averaged():
            return _values(self._model.weights)

    def model_state(self) -> list[Array]:
        return _values(self._state)

    def optimizer_state(self) -> list[Array]:
        return _values(self._optimizer.variables)

    def assign(self, model: Sequence[Array], optimizer: Sequence[Array]) -> None:
        _assign(self._state, model)
        _assign(self._optimizer.variables, optimizer)

    @property
    def _state(self) -> list[keras.Variable]:
        """The model's weights, its statistics, and the states of all random generators."""
        return [*self._model.variables, *self._augmentation.variables]

    def at_work(self) -> AbstractContextManager[None]:
        return fast_graphs()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The model predicts by the averages of its weights; afterwards all is as it was.

        Without averages, and before the first step, nothing is done.
        """
        # A training of the user's may have compiled the model anew.
        optimizer = self._model.optimizer if self._model.compiled else self._optimizer
        if not optimizer.use_ema or not int(optimizer.iterations):
            yield
            return
        trained = self._model.trainable_variables
        kept = _values(trained)
        optimizer.finalize_variable_values(trained)
        try:
            yield
        finally:
            _assign(trained, kept)

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
            the mean loss of the samples, each times its weight, with regularization terms.
        """
        # As in `fit`, the losses are multiplied by the weights, and not divided by their sum.
        x, y, weights = self._data.train.batch(positions)
        if self._goal.by_class is not None:
            # Before labels are mixed: what a sample counts stays that of its own label.
            of_class = tf.gather(self._goal.by_class, y)
            weights = of_class if weights is None else weights * of_class
        x, y = self._augmentation(tf.cast(x, tf.float32), y)
        with tf.GradientTape() as tape:
            predicted = self._model(x, training=True)
            if self._is_scaled:
                y = tf.cast(y, tf.float32) / self._scale
                predicted = predicted / self._scale
            own_loss = self._goal.loss(y, predicted, weights)
            # Read after the call: `model.losses` are the regularization terms of that call.
            terms = [own_loss, *self._model.losses]
            loss = tf.add_n(terms)
            counted = loss if share is None else loss * share
        variables = self._model.trainable_variables
        gradients = tape.gradient(counted, variables)
        self._optimizer.apply(gradients, variables)
        return loss

    def _validate(self, order: Tensor) -> Tensor:
        """The predictions for the validation data, (samples, outputs).

        Args:
            order: (samples,), positions in the validation data.
        """
        samples = tf.size(order)
        # Rounded up: the last batch may be smaller.
        batches = -(-samples // VALIDATION_BATCH)
        (output,) = self._model.outputs
        found = tf.TensorArray(
            output.dtype,
            batches,
            infer_shape=False,
            element_shape=[None, *output.shape[1:]],
        )

        def go_on(number: Tensor, found: Tensor) -> Tensor:
            return number < batches

        def batch(number: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
            start = number * VALIDATION_BATCH
            stop = tf.minimum(start + VALIDATION_BATCH, samples)
            x, _, _ = self._data.validation.batch(order[start:stop])
            x = tf.cast(x, tf.float32)
            predicted = self._model(x, training=False)
            return number + 1, found.write(number, predicted)

        _, found = tf.while_loop(go_on, batch, (tf.constant(0), found))
        return found.concat()


def _assign(variables: Sequence[keras.Variable], arrays: Sequence[Array]) -> None:
    pairs = zip(variables, arrays, strict=True)
    for variable, array in pairs:
        variable.assign(array)


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
