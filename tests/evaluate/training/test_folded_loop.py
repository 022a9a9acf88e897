"""Folds are trained in step: their means count, and one state holds them all."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evonas.evaluate.training.checkpoint import Array, load_state, save_state
from evonas.evaluate.training.folded_loop import FoldedLoop
from evonas.evaluate.training.policy import TrainingPolicy
from evonas.evaluate.training.tensors import TrainingData
from evonas.evaluate.training.trainer import Diverged, Trainer, means
from evonas.randomness import fold_seed
from evonas.trial import Objective
from tests.evaluate.training.linear_loop import TARGETS, LinearLoop
from tests.evaluate.training.networks import CLASSES, Given, convnet, images, make_loop

LOSS = TrainingPolicy(Objective("val_loss", "min"), patience=3)
FOLDS = 3


class PoolLoop(LinearLoop):
    """All samples are for training and for validation.

    Attributes:
        fold_of: the fold of each sample; the folds differ in size.
    """

    def __init__(self) -> None:
        super().__init__()
        self._validation_x = self.x
        self.validation_y = self.y.copy()
        self.fold_of = np.arange(len(self.x)) % 4 % FOLDS


class OneFold(LinearLoop):
    """One fold's samples alone."""

    def __init__(self, fold: int) -> None:
        super().__init__()
        own = PoolLoop().fold_of == fold
        self._validation_x, self.validation_y = self.x[own], self.y[own]
        self.x, self.y = self.x[~own], self.y[~own]

    @property
    def samples(self) -> int:
        return len(self.x)


def start(fold: int) -> list[Array]:
    """The folds begin with different weights."""
    return [np.full(3, 0.1 * fold), np.array(7 * fold, np.uint32)]


def folded(policy: TrainingPolicy = LOSS) -> Trainer:
    inner = PoolLoop()
    loop = FoldedLoop(inner, inner.fold_of, [start(fold) for fold in range(FOLDS)])
    return Trainer(loop, TARGETS, policy, seed=3, fingerprint={"folds": FOLDS})


def content(trainer: Trainer) -> tuple[list[bytes], list[dict[str, float]]]:
    state = trainer.state()
    arrays = [*state.model, *state.optimizer, *state.best]
    return [array.tobytes() for array in arrays], trainer.history


def alone(fold: int, epochs: int) -> Trainer:
    """A training of one fold, with its seed and its first weights."""
    loop = OneFold(fold)
    loop.assign(start(fold), loop.optimizer_state())
    policy = replace(LOSS, patience=None)
    trainer = Trainer(loop, TARGETS, policy, seed=fold_seed(3, fold))
    trainer.train(epochs)
    return trainer


def test_a_row_is_the_mean_of_trainings_that_each_have_one_fold() -> None:
    trainer = folded(replace(LOSS, patience=None))
    trainer.train(5)
    singles = [alone(fold, 5) for fold in range(FOLDS)]
    for epoch, row in enumerate(trainer.history):
        rows = [single.history[epoch] for single in singles]
        assert row == {name: math.fsum(one[name] for one in rows) / FOLDS for name in row}
    # The weights are those of one epoch for all folds, which is the best of the means.
    best = trainer.best_epoch
    weights = [alone(fold, best + 1).state().model[0] for fold in range(FOLDS)]
    assert [array.tobytes() for array in trainer.best_weights] == [w.tobytes() for w in weights]


@pytest.mark.parametrize("at", [1, 4])
def test_one_state_holds_all_folds(at: int, tmp_path: Path) -> None:
    whole = folded()
    whole.train(40)
    assert len(whole.history) < 40, "patience sees the means"
    first = folded()
    first.train(at)
    save_state(tmp_path / "state.npz", first.state())
    resumed = folded()
    resumed.restore(load_state(tmp_path / "state.npz", {"folds": FOLDS}))
    resumed.train(40)
    assert content(resumed) == content(whole)


def test_that_one_fold_diverges_ends_the_training() -> None:
    inner = PoolLoop()
    inner.validation_y[inner.fold_of == 1] = math.nan
    loop = FoldedLoop(inner, inner.fold_of, [start(fold) for fold in range(FOLDS)])
    trainer = Trainer(loop, TARGETS, LOSS, seed=3)
    with pytest.raises(Diverged, match="validation loss is nan in epoch 1 of fold 2"):
        trainer.train(5)
    assert trainer.history == []


def test_a_metric_that_a_fold_lacks_has_no_mean() -> None:
    assert means([{"loss": 1.0, "auc": 0.5}, {"loss": 3.0}]) == {"loss": 2.0}
    assert means([{"loss": 0.1}]) == {"loss": 0.1}


def test_without_an_objective_the_last_epoch_counts_and_nothing_is_validated() -> None:
    trainer = Trainer(LinearLoop(), TARGETS, TrainingPolicy(None), seed=3, metrics=())
    trainer.train(3)
    assert [list(row) for row in trainer.history] == [["loss"]] * 3
    assert trainer.best_epoch == 2
    with pytest.raises(ValueError, match="needs an objective"):
        TrainingPolicy(None, patience=2)


@pytest.mark.full
def test_swapped_in_tensorflow_a_fold_is_what_it_is_alone() -> None:
    """Adam, batch normalization and dropout: all that a network keeps is swapped."""
    given = images(70)
    pool = given.whole().train
    fold_of = np.arange(70) % 2
    whole = TrainingData(pool, pool, fold_of)
    models = [make_loop(convnet, "adam", whole, seed=fold_seed(3, fold)) for fold in range(2)]
    (_, loop), (_, other) = models
    trainer = Trainer(
        FoldedLoop(loop, fold_of, [loop.model_state(), other.model_state()]), CLASSES, LOSS, seed=3
    )
    trainer.train(2)
    rows = []
    state = trainer.state()
    size = len(state.model) // 2
    for fold in range(2):
        own = fold_of == fold
        part = Given(given.x[~own], given.y[~own], given.x[own], given.y[own])
        seed = fold_seed(3, fold)
        _, single = make_loop(convnet, "adam", part, seed=seed)
        training = Trainer(single, CLASSES, LOSS, seed=seed)
        training.train(2)
        rows.append(training.history)
        arrays = state.model[fold * size : (fold + 1) * size]
        for array, expected in zip(arrays, single.model_state(), strict=True):
            np.testing.assert_array_equal(array, expected)
    assert trainer.history == [means(pair) for pair in zip(*rows, strict=True)]
