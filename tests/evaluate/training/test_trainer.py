"""A training ends when its policy says so, and is the same when it is stopped and resumed.

The loop is one in NumPy: nothing here needs TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.errors import InvalidCheckpoint
from evonas.evaluate.training import trainer as module
from evonas.evaluate.training.checkpoint import load_state, save_state
from evonas.evaluate.training.learning_curve import CurveRule
from evonas.evaluate.training.policy import TrainingPolicy
from evonas.evaluate.training.trainer import Diverged, Trainer
from evonas.learning.metrics import Metric, scores
from evonas.randomness import generator
from evonas.trial import Objective
from tests.evaluate.training.linear_loop import SAMPLES, TARGETS, LinearLoop

LOSS = Objective("val_loss", "min")
ERROR = Objective("val_mean_absolute_error", "min")
HOPELESS = CurveRule(incumbent=-1000.0, epochs=9, after=0.6, margin=1.0)
CUT = [
    TrainingPolicy(ERROR),
    TrainingPolicy(ERROR, patience=3),
    TrainingPolicy(LOSS, None, HOPELESS),
]


def make(policy: TrainingPolicy = CUT[0], seed: int = 3, **options: Any) -> Trainer:
    loop = LinearLoop(**options)
    return Trainer(loop, TARGETS, policy, seed=seed, fingerprint={"seed": seed})


def content(trainer: Trainer) -> tuple[list[bytes], list[dict[str, float]]]:
    state = trainer.state()
    arrays = [*state.model, *state.optimizer, *state.best]
    return [array.tobytes() for array in arrays], trainer.history


def test_the_history_is_in_the_units_of_the_targets() -> None:
    loop = LinearLoop(batch_size=SAMPLES, noise=0.0)
    Trainer(loop, TARGETS, CUT[0], seed=3).train(1)
    trainer = Trainer(LinearLoop(batch_size=SAMPLES, noise=0.0), TARGETS, CUT[0], seed=3)
    trainer.train(1)
    (row,) = trainer.history
    # The loss is that of the weights before their first step, all of them 0.
    assert row["loss"] == pytest.approx(np.square(loop.y).mean())
    found = scores(TARGETS.learning_task.standard, loop.validation_y, loop.validate())
    assert (row["val_loss"], row["val_mean_absolute_error"]) == tuple(found.values())
    assert list(row) == ["loss", "val_loss", "val_mean_absolute_error"]


def test_the_samples_come_in_an_order_of_seed_and_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []
    run = LinearLoop.run

    def noted(self: LinearLoop, order: Any) -> tuple[float, float]:
        assert order.dtype == np.int32
        seen.append(order.tolist())
        return run(self, order)

    monkeypatch.setattr(LinearLoop, "run", noted)
    make(seed=4).train(2)
    expected = [generator(4, "order", epoch).permutation(SAMPLES).tolist() for epoch in range(2)]
    assert seen == expected
    assert seen[0] != seen[1] != generator(5, "order", 1).permutation(SAMPLES).tolist()


def test_a_long_epoch_is_cut_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make()
    whole.train(1)
    monkeypatch.setattr(module, "BATCHES_PER_CALL", 2)
    cut = make()
    calls: list[int] = []
    cut.train(1, on_call=lambda: calls.append(len(cut.history)))
    # 70 samples, batches of 16, two batches a call: each call is told while the epoch goes on.
    assert calls == [0, 0, 0]
    assert content(cut)[0] == content(whole)[0]
    assert cut.history[0]["loss"] == pytest.approx(whole.history[0]["loss"], rel=1e-12)


@pytest.mark.parametrize("policy", CUT, ids=["all", "patience", "curve"])
@pytest.mark.parametrize("at", [1, 3, 6])
def test_resumed_is_the_same_as_never_stopped(
    policy: TrainingPolicy, at: int, tmp_path: Path
) -> None:
    """9 epochs are some and the rest, also if a rule ends them before."""
    whole = make(policy)
    whole.train(9)
    first = make(policy)
    first.train(at)
    save_state(tmp_path / "state.npz", first.state())
    resumed = make(policy, noise=0.3)
    resumed.restore(load_state(tmp_path / "state.npz", {"seed": 3}))
    resumed.train(9)
    assert content(resumed) == content(whole)
    assert (resumed.best_epoch, resumed.stopped) == (whole.best_epoch, whole.stopped)
    is_whole = policy == CUT[0]
    assert (len(whole.history) == 9) is is_whole


def test_a_finished_training_restored_has_nothing_to_do() -> None:
    trainer = make()
    trainer.train(2)
    again = make()
    again.restore(trainer.state())
    before = content(again)
    again.train(2, lambda epoch, metrics: pytest.fail("an epoch was trained"))
    assert content(again) == before
    assert again.best_epoch == trainer.best_epoch


def test_the_best_weights_are_restored_and_not_those_of_the_last_epoch() -> None:
    """A training that gets no better after its resume still ends with its best epoch."""
    trainer = make()
    trainer.train(2)
    state = trainer.state()
    # As if the first epoch had been the best by far, with weights that nobody else has.
    rows = [dict(row) for row in state.history]
    rows[0]["val_mean_absolute_error"] = -1.0
    best = [array + 1 for array in state.best]
    resumed = make()
    resumed.restore(replace(state, history=rows, best=best))
    for epochs in (2, 3):
        resumed.train(epochs)
        assert resumed.best_epoch == 0
        assert [array.tobytes() for array in resumed.best_weights] == [best[0].tobytes()]


@pytest.mark.parametrize("group", ["model", "optimizer", "best"])
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(group: str) -> None:
    trainer = make()
    trainer.train(1)
    state = trainer.state()
    arrays = list(getattr(state, group))
    other = make()
    before = content(other)
    for wrong in (
        arrays[:-1],
        [*arrays[:-1], np.zeros((9, 9), np.float32)],
        [*arrays[:-1], arrays[-1].astype(np.float16)],
    ):
        with pytest.raises(InvalidCheckpoint, match="does not fit"):
            other.restore(replace(state, **{group: wrong}))
    assert content(other) == before


def test_patience_ends_the_training_and_the_best_epoch_stays() -> None:
    trainer = make(TrainingPolicy(LOSS, patience=2))
    told: list[int] = []
    trainer.train(200, lambda epoch, metrics: told.append(epoch))
    assert told == list(range(1, len(trainer.history) + 1))
    assert len(told) < 200
    assert trainer.best_epoch == len(told) - 3
    best = LinearLoop()
    best.assign([*trainer.best_weights, np.zeros((), np.uint32)], LinearLoop().optimizer_state())
    losses = [row["val_loss"] for row in trainer.history]
    found = scores(TARGETS.learning_task.standard, best.validation_y, best.validate())
    assert found["loss"] == losses[trainer.best_epoch] == min(losses)


def test_a_hopeless_training_is_stopped_and_the_best_epoch_stays() -> None:
    full = make()
    full.train(9)
    trainer = make(TrainingPolicy(LOSS, curve=HOPELESS))
    seen: list[int] = []
    trainer.train(9, lambda epoch, metrics: seen.append(epoch))
    assert trainer.stopped is not None
    assert seen == list(range(1, trainer.stopped.epoch + 1))
    assert trainer.stopped.epoch < 9
    assert trainer.history == full.history[: len(seen)]
    hopeful = make(TrainingPolicy(LOSS, curve=replace(HOPELESS, incumbent=1e9)))
    hopeful.train(9)
    assert hopeful.stopped is None
    assert hopeful.history == full.history


def test_the_caller_cuts_a_training_short_after_an_epoch_that_is_whole() -> None:
    trainer = make()
    states = []

    def tell(epoch: int, metrics: Mapping[str, float]) -> bool:
        states.append(trainer.state())
        return epoch == 2

    trainer.train(9, tell)
    assert [len(state.history) for state in states] == [1, 2]
    assert not trainer.is_over(9)
    continued = make()
    continued.restore(states[-1])
    continued.train(9)
    whole = make()
    whole.train(9)
    assert content(continued) == content(whole)


def test_a_loss_that_is_not_finite_ends_the_training_at_once() -> None:
    loop = LinearLoop()
    order = generator(3, "order", 0).permutation(SAMPLES)
    loop.x[order[20]] = math.nan  # in the second batch
    trainer = Trainer(loop, TARGETS, CUT[0], seed=3)
    with pytest.raises(Diverged, match="loss of a batch is nan in epoch 1"):
        trainer.train(5)
    assert trainer.history == []
    assert int(loop.optimizer_state()[0]) == 2  # the optimizer's steps


def test_a_validation_that_is_not_finite_ends_the_training() -> None:
    loop = LinearLoop()
    loop.validation_y[0] = math.nan
    trainer = Trainer(loop, TARGETS, CUT[0], seed=3)
    with pytest.raises(Diverged, match="validation loss is nan in epoch 1"):
        trainer.train(5)
    assert trainer.history == []


UNDEFINED = Metric("m:undefined", None, score=lambda targets, predictions: math.nan)


def test_a_metric_that_is_undefined_ends_a_training_only_if_it_is_needed() -> None:
    metrics = (*TARGETS.learning_task.metrics, UNDEFINED)
    reported = Trainer(LinearLoop(), TARGETS, CUT[0], seed=3, metrics=metrics)
    reported.train(2)
    names = ["loss", *(f"val_{metric.name}" for metric in TARGETS.learning_task.metrics)]
    assert [list(row) for row in reported.history] == [names, names]
    needed = Trainer(
        LinearLoop(), TARGETS, CUT[0], seed=3, metrics=metrics, needed=["val_m:undefined"]
    )
    with pytest.raises(Diverged, match="val_m:undefined is nan in epoch 1"):
        needed.train(2)
    assert needed.history == []


def test_options_that_cannot_be_are_refused() -> None:
    unmeasured = TrainingPolicy(Objective("val_accuracy", "max"))
    with pytest.raises(ValueError, match=r"mean_absolute_error\. Received: 'val_accuracy'"):
        make(unmeasured)
    with pytest.raises(ValueError, match="epochs must be at least 1"):
        make().train(0)
