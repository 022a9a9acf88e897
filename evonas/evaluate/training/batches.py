"""The samples of a part in batches, as `model.fit` and a loop of the user's take them."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from evonas.evaluate.training.tensors import Samples
from evonas.learning.formulas import Array
from evonas.randomness import generator


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Samples in batches, as `model.fit` and a loop of the user's take them.

    The batches of an epoch are those of the compiled loop: a function of (seed, epoch).

    Args:
        batch_size: samples of a batch; the last one may be smaller.
        seed: seed of the order; None for the order in which the samples are stored.
        by_class: (classes,), what a sample counts by its class; None if all count the same.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        seed: int | None = None,
        by_class: Array | None = None,
    ) -> None:
        super().__init__()
        self._samples = samples
        self._batch_size = batch_size
        self._seed = seed
        self._by_class = by_class
        self._epoch = 0
        # Keras looks at a few batches before the first epoch.
        self._order = self._new_order()

    def __len__(self) -> int:
        return -(-self._samples.count // self._batch_size)

    def __getitem__(self, number: int) -> tuple[Array, ...]:
        """(x, y), or (x, y, weights)."""
        start = number * self._batch_size
        return self._at(self._order[start : start + self._batch_size])

    def on_epoch_begin(self) -> None:
        """Each epoch has another order. Keras calls this before it takes the first batch.

        It calls `on_epoch_end` once more, before the first epoch.
        """
        self._order = self._new_order()
        self._epoch += 1

    def whole(self) -> tuple[Array, ...]:
        """All samples at once, in the order in which they are stored: (x, y), or with weights."""
        return self._at(np.arange(self._samples.count, dtype=np.int32))

    def _at(self, positions: Array) -> tuple[Array, ...]:
        x, y, weights = self._samples.batch(tf.constant(positions))
        arrays = [tf.cast(x, tf.float32).numpy(), y.numpy()]
        counts = None if weights is None else weights.numpy()
        if self._by_class is not None:
            of_class = self._by_class[arrays[1]]
            counts = of_class if counts is None else counts * of_class
        return tuple(arrays) if counts is None else (*arrays, counts)

    def _new_order(self) -> Array:
        count = self._samples.count
        if self._seed is None:
            return np.arange(count, dtype=np.int32)
        rng = generator(self._seed, "order", self._epoch)
        return rng.permutation(count).astype(np.int32)
