"""Trainings by `model.fit`, or by a function of the user's in its place: for callbacks.

With callbacks that do nothing, the numbers are those of the compiled loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras

from evonas.errors import UserError
from evonas.evaluate.contract.raised import quoted
from evonas.evaluate.training.batches import Batches
from evonas.evaluate.training.compiled_loop import CompiledLoop
from evonas.evaluate.training.trainer import Diverged, OnCall, OnEpoch, Trainer
from evonas.learning.recipe import Recipe
from evonas.model.functions import function_of


class FitTraining:
    """One training of one model, by code that decides itself what a step is.

    A callback may keep a state of its own, which no checkpoint holds. So such a training is never
    continued: it begins anew.

    A function of the user's gets callbacks to pass on. Each epoch that they hear of counts, and the
    best one is kept. If they hear of none, the network that the function leaves counts as the only
    epoch.

    Args:
        trainer: validates, and has the history and the policy. It trains nothing itself.
        loop: the loop of the trainer, which has the model, its optimizer and its loss.
        recipe: names the code.
        plugins: modules that may be imported.
        seed: seed of the epochs' orders.
    """

    def __init__(
        self,
        trainer: Trainer,
        loop: CompiledLoop,
        recipe: Recipe,
        plugins: Sequence[str],
        seed: int,
    ) -> None:
        self._trainer = trainer
        self._loop = loop
        self._recipe = recipe
        self._plugins = tuple(plugins)
        self._seed = seed
        self._has_ended = False

    def train(
        self,
        epochs: int,
        on_epoch: OnEpoch = lambda epoch, metrics: None,
        on_call: OnCall = lambda: None,
    ) -> None:
        """Train this many epochs, or fewer if the policy or the user's code ends the training.

        Raises:
            Diverged: a loss is not finite. The history keeps the finished epochs.
            UserError: a function is missing, or returns no callback.
            whatever code of the user's raises.
        """
        teller = Teller(self._trainer, epochs, on_epoch, on_call)
        callbacks = [teller, *self._callbacks()]
        fit: Callable[..., Any] = _fit
        if self._recipe.fit is not None:
            fit = function_of("fit", self._recipe.fit, self._plugins)
        model = self._loop.compiled()
        train, validation = self._loop.batches(self._seed)
        with self._loop.at_work():
            fit(model, train, validation, epochs=epochs, callbacks=callbacks)
            if not self._trainer.history:
                teller.note(float(model.evaluate(train, verbose=0)))
        is_short = len(self._trainer.history) < epochs
        self._has_ended = is_short and not teller.is_cut

    def is_over(self, epochs: int) -> bool:
        """Whether a training of so many epochs ends here. The user's code may have ended it."""
        return self._has_ended or self._trainer.is_over(epochs)

    def _callbacks(self) -> list[keras.callbacks.Callback]:
        """The callbacks of the user's, new ones for this training."""
        found = []
        for name in self._recipe.callbacks:
            made = function_of("callback", name, self._plugins)()
            if not isinstance(made, keras.callbacks.Callback):
                raise UserError(
                    f"the function {name} must return a keras.callbacks.Callback."
                    f" Received: {quoted(made)}."
                )
            found.append(made)
        return found


class Teller(keras.callbacks.Callback):  # type: ignore[misc]
    """Takes each epoch into the history of a training, and ends it when its policy says so.

    Callbacks after it see the row of the epoch in their `logs`: `val_loss` and so on.

    Args:
        epochs: number of epochs at which the training ends.
        on_epoch: told of each epoch; its answer True ends the training.
        on_call: told after each batch.

    Attributes:
        is_cut: whether an answer of `on_epoch` has ended the training.
    """

    def __init__(self, trainer: Trainer, epochs: int, on_epoch: OnEpoch, on_call: OnCall) -> None:
        super().__init__()
        self._trainer = trainer
        self._epochs = epochs
        self._on_epoch = on_epoch
        self._on_call = on_call
        self.is_cut = False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._on_call()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.is_over:
            row = self.note(math.nan if logs is None else float(logs.get("loss", math.nan)))
            if logs is not None:
                logs.update(row)
        if self.is_over:
            self.model.stop_training = True

    @property
    def is_over(self) -> bool:
        """Whether no further epoch counts."""
        return self.is_cut or self._trainer.is_over(self._epochs)

    def note(self, loss: float) -> dict[str, float]:
        """Take an epoch with this loss into the history."""
        number = len(self._trainer.history) + 1
        if not math.isfinite(loss):
            raise Diverged(f"The loss is {loss} in epoch {number}.")
        row = self._trainer.note(loss)
        if self._on_epoch(number, row):
            self.is_cut = True
        return row


def _fit(
    model: keras.Model,
    train: Batches,
    validation: Batches,
    *,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    # The teller validates: it computes all metrics of the run, and is the first to be called.
    model.fit(train, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0)
