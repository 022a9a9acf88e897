"""What a framework does in a training: steps on batches, and predictions for the validation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from evonas.evaluate.training.checkpoint import Array


class Loop(ABC):
    """Trains one model with one optimizer, and owns both until the training is done.

    A loop decides nothing: a `Trainer` says which samples come when, and when the training ends.
    All that the following numbers depend on is in `model_state` and `optimizer_state`.

    The loss is that of the task, or another one. Quantities are divided by their scale first. A
    learning rate then means the same for all targets.

    A loop may train several networks, one for each fold of the data. It then is about one fold at a
    time. Weights and states are those of all folds, one after the other.
    """

    @property
    def folds(self) -> int:
        """Number of folds; 1 for a loop that trains one network."""
        return 1

    def turn_to(self, fold: int) -> None:
        """What is run and validated from now on is this fold, counted from 0."""
        # One network is its own only fold.
        return

    @property
    @abstractmethod
    def samples(self) -> int:
        """Number of samples in the training data."""

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Number of samples of one step."""

    @property
    def power(self) -> int:
        """How the loss grows with the targets' unit: 2 for squared errors, 0 if it does not."""
        return 2

    @abstractmethod
    def run(self, order: NDArray[np.int32]) -> tuple[float, float]:
        """Train on the samples of an order, up to the first loss that is not finite.

        Args:
            order: (samples,), positions in the training data. Each batch takes the next
                `batch_size` of them, and the last batch what is left.

        Returns:
            the sum of the samples' losses, with regularization terms, and the mean loss of the
            last batch.
        """

    @property
    @abstractmethod
    def validation_targets(self) -> Array:
        """The targets of the validation data, as the task has encoded them: (samples,) or
        (samples, targets)."""

    @property
    def validation_weights(self) -> Array | None:
        """What each sample of the validation data counts, (samples,); None if all the same."""
        return None

    @abstractmethod
    def validate(self, positions: NDArray[np.int32] | None = None) -> Array:
        """The predictions for the validation data, (samples, outputs), in the targets' units.

        Args:
            positions: (samples,), positions in the validation data; None for all of them.
        """

    @abstractmethod
    def weights(self) -> list[Array]:
        """The weights that predict, in the order of `model.weights`, copied."""

    @abstractmethod
    def model_state(self) -> list[Array]:
        """The weights and whatever else of the model changes in a training, copied."""

    @abstractmethod
    def optimizer_state(self) -> list[Array]:
        """Whatever of the optimizer changes in a training, copied."""

    @abstractmethod
    def assign(self, model: Sequence[Array], optimizer: Sequence[Array]) -> None:
        """Continue from these states, of the shapes and types that this loop's own states have."""

    def at_work(self) -> AbstractContextManager[None]:
        """Settings of the framework that hold during a training, and are then as they were."""
        return nullcontext()
