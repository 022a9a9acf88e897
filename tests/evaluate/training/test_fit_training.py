"""A training by `model.fit` is that of the compiled loop, and hears what callbacks have to say."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.errors import UserError
from evonas.evaluate.training.fit_training import FitTraining
from evonas.evaluate.training.policy import TrainingPolicy
from evonas.evaluate.training.trainer import Diverged, Trainer
from evonas.learning.recipe import Recipe
from evonas.trial import Objective
from tests.evaluate.training.networks import (
    CLASSES,
    LOSS,
    TARGETS,
    Given,
    bits,
    images,
    make,
    make_loop,
    perceptron,
    rows,
    small,
)

MODULE = """
import keras

class Noted(keras.callbacks.Callback):
    rows = []
    def on_epoch_end(self, epoch, logs=None):
        self.rows.append(dict(logs))
        if len(self.rows) == 3:
            self.model.stop_training = True

def noted():
    Noted.rows.clear()
    return Noted()

def nothing():
    return keras.callbacks.Callback()

def no_callback():
    return 7

def passes_on(model, train, validation, epochs, callbacks):
    x, y = train.whole()
    assert x.shape == (70, 6, 6) and len(train) == 5 and len(validation) == 1
    model.fit(train, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0)

def tells_nothing(model, train, validation, epochs, callbacks):
    model.fit(train, epochs=epochs, shuffle=False, verbose=0)

def raises(model, train, validation, epochs, callbacks):
    raise ValueError("not today")
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_fit.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_fit", raising=False)


def by_fit(
    fit: str | None = None,
    callback: str | None = None,
    policy: TrainingPolicy = LOSS,
    **options: Any,
) -> tuple[Any, Trainer, FitTraining]:
    interface = options.get("interface", CLASSES)
    model, loop = make_loop(**{"build": small, **options})
    trainer = Trainer(loop, interface, policy, seed=3)
    callbacks = () if callback is None else (f"own_fit:{callback}",)
    recipe = Recipe(callbacks=callbacks, fit=None if fit is None else f"own_fit:{fit}")
    return model, trainer, FitTraining(trainer, loop, recipe, ["own_fit"], seed=3)


@pytest.mark.full
def test_callbacks_that_do_nothing_change_nothing() -> None:
    compiled, trainer = make(small)
    trainer.train(2)
    for fit, callback in ((None, "nothing"), ("passes_on", None)):
        model, theirs, training = by_fit(fit, callback)
        calls: list[None] = []
        training.train(2, on_call=partial(calls.append, None))
        assert bits(model) == bits(compiled)
        for ours, row in zip(trainer.history, theirs.history, strict=True):
            assert row == pytest.approx(ours, rel=1e-6)
        best = [[array.tobytes() for array in one.best_weights] for one in (trainer, theirs)]
        assert best[0] == best[1]
        assert len(calls) == 2 * 5
        assert training.is_over(2)
        assert not training.is_over(3)


@pytest.mark.full
def test_targets_are_divided_by_their_scale() -> None:
    compiled, trainer = make(perceptron, data=rows(), interface=TARGETS)
    trainer.train(1)
    options = {"build": perceptron, "data": rows(), "interface": TARGETS}
    model, theirs, training = by_fit(None, "nothing", **options)
    training.train(1)
    for ours, other in zip(compiled.get_weights(), model.get_weights(), strict=True):
        assert ours == pytest.approx(other, rel=1e-5, abs=1e-6)
    assert theirs.history[0] == pytest.approx(trainer.history[0], rel=1e-5)


def test_a_callback_sees_what_was_measured_and_can_end_the_training() -> None:
    _, trainer, training = by_fit(None, "noted")
    told: list[int] = []
    training.train(6, lambda epoch, row: told.append(epoch))
    assert told == [1, 2, 3]
    # It has ended by itself, and was not cut short.
    assert training.is_over(6)
    assert not trainer.is_over(6)
    seen = sys.modules["own_fit"].Noted.rows
    assert [row["val_accuracy"] for row in seen] == [row["val_accuracy"] for row in trainer.history]


@pytest.mark.full
def test_the_policy_and_the_driver_end_it_too() -> None:
    never_better = TrainingPolicy(Objective("val_loss", "max"), patience=1)
    _, trainer, training = by_fit(None, "nothing", never_better)
    training.train(9)
    assert len(trainer.history) < 9
    assert training.is_over(9)
    _, trainer, training = by_fit(None, "nothing")
    training.train(9, lambda epoch, row: epoch == 2)
    assert len(trainer.history) == 2
    assert not training.is_over(9)


def test_a_network_whose_epochs_nobody_tells_counts_as_it_is_left() -> None:
    model, trainer, training = by_fit("tells_nothing")
    training.train(2)
    assert [sorted(row) for row in trainer.history] == [["loss", "val_accuracy", "val_loss"]]
    assert training.is_over(2)
    assert [array.tobytes() for array in trainer.best_weights] == [
        array.tobytes() for array in model.get_weights()
    ]


def test_what_fails_is_told() -> None:
    _, _, training = by_fit(None, "no_callback")
    with pytest.raises(UserError, match=r"own_fit:no_callback must return a keras.*Received: 7"):
        training.train(1)
    _, _, training = by_fit("raises")
    with pytest.raises(ValueError, match="not today"):
        training.train(1)
    data = images()
    broken = Given(np.full_like(data.x, np.nan, np.float32), *data[1:])
    _, trainer, training = by_fit(None, "nothing", data=broken)
    with pytest.raises(Diverged):
        training.train(1)
    assert trainer.history == []
