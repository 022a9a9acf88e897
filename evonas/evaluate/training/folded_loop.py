"""A loop over the folds of the data: one network for each, all by one compiled loop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.loop import Loop


class FoldedLoop(Loop):
    """Wraps a loop, and lends it to one fold after the other: the states are swapped.

    The tracing of a network takes longer than most of its epochs. So all folds share one model and
    one traced function, and a fold differs in its state and in its samples alone.

    Args:
        inner: a loop whose training and validation data are the same samples, those of all folds.
            Its optimizer is a new one.
        fold_of: (samples,), the number of the fold in which each sample is for validation.
        starts: for each fold, what `model_state` of the inner loop is at its beginning.
    """

    def __init__(
        self,
        inner: Loop,
        fold_of: NDArray[np.integer],
        starts: Sequence[Sequence[Array]],
    ) -> None:
        self._inner = inner
        self._train = [_positions(fold_of != fold) for fold in range(len(starts))]
        self._validation = [_positions(fold_of == fold) for fold in range(len(starts))]
        self._targets = inner.validation_targets
        self._weights = inner.validation_weights
        self._models = [list(start) for start in starts]
        self._optimizers = [inner.optimizer_state() for _ in starts]
        self._fold = 0
        self._lend()

    @property
    def folds(self) -> int:
        return len(self._models)

    def turn_to(self, fold: int) -> None:
        if fold == self._fold:
            return
        self._take_back()
        self._fold = fold
        self._lend()

    @property
    def samples(self) -> int:
        return len(self._train[self._fold])

    @property
    def batch_size(self) -> int:
        return self._inner.batch_size

    @property
    def power(self) -> int:
        return self._inner.power

    def run(self, order: NDArray[np.int32]) -> tuple[float, float]:
        return self._inner.run(self._train[self._fold][order])

    @property
    def validation_targets(self) -> Array:
        targets: Array = self._targets[self._validation[self._fold]]
        return targets

    @property
    def validation_weights(self) -> Array | None:
        if self._weights is None:
            return None
        weights: Array = self._weights[self._validation[self._fold]]
        return weights

    def validate(self, positions: NDArray[np.int32] | None = None) -> Array:
        own = self._validation[self._fold]
        return self._inner.validate(own if positions is None else own[positions])

    def weights(self) -> list[Array]:
        found = []
        for fold in range(self.folds):
            self.turn_to(fold)
            found += self._inner.weights()
        return found

    def model_state(self) -> list[Array]:
        self._take_back()
        return [array for model in self._models for array in model]

    def optimizer_state(self) -> list[Array]:
        self._take_back()
        return [array for optimizer in self._optimizers for array in optimizer]

    def assign(self, model: Sequence[Array], optimizer: Sequence[Array]) -> None:
        self._models = _parted(model, self.folds)
        self._optimizers = _parted(optimizer, self.folds)
        self._lend()

    def at_work(self) -> AbstractContextManager[None]:
        return self._inner.at_work()

    def _lend(self) -> None:
        """Give the inner loop to the current fold."""
        self._inner.assign(self._models[self._fold], self._optimizers[self._fold])

    def _take_back(self) -> None:
        """Keep what the current fold has come to."""
        self._models[self._fold] = self._inner.model_state()
        self._optimizers[self._fold] = self._inner.optimizer_state()


def _positions(chosen: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.flatnonzero(chosen).astype(np.int32)


def _parted(arrays: Sequence[Array], parts: int) -> list[list[Array]]:
    """The arrays in so many parts of equal length."""
    size = len(arrays) // parts
    return [list(arrays[part * size : (part + 1) * size]) for part in range(parts)]
