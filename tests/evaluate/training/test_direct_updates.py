"""An optimizer that updates directly gives Keras's numbers bit for bit, and leaves no graph."""

from __future__ import annotations

import gc
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.evaluate.training import compiled_loop as module
from evonas.evaluate.training.direct_updates import BY_WAY_OF_DISTRIBUTE, update_directly
from evonas.model.optimizers import OPTIMIZERS, scheduled
from tests.evaluate.training.networks import TARGETS, rows

ORDER = np.arange(70, dtype=np.int32)
ARGUMENTS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "momentum": {"momentum": 0.7, "nesterov": True},
    "adam": {"beta_1": 0.8},
    "adamw": {"weight_decay": 0.05},
    "rmsprop": {"momentum": 0.6},
    "lion": {"weight_decay": 0.05},
}


def trained(name: str, accumulation: int, ema: float = 0.0) -> list[bytes]:
    """All variables after two epochs of a small network, with a schedule of the rate."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(8, activation="tanh", kernel_constraint="max_norm")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    rate = scheduled(0.02, 10, "cosine")
    optimizer = OPTIMIZERS[name](learning_rate=rate, **ARGUMENTS[name])
    if ema:
        optimizer.use_ema, optimizer.ema_momentum = True, ema
    if accumulation > 1:
        optimizer.gradient_accumulation_steps = accumulation
    loop = module.CompiledLoop(model, optimizer, rows().whole(), TARGETS, batch_size=16)
    with loop.at_work():
        for _ in range(2):
            loop.run(ORDER)
            loop.validate()
    return [array.tobytes() for array in [*loop.model_state(), *loop.optimizer_state()]]


def graphs() -> int:
    """How many function graphs are left after what a worker does after a job."""
    keras.backend.clear_session(free_memory=False)
    gc.collect()
    return sum(isinstance(thing, tf.__internal__.FuncGraph) for thing in gc.get_objects())


@pytest.mark.parametrize(
    ("name", "accumulation"), [*((name, 1) for name in OPTIMIZERS), ("adamw", 2)]
)
def test_no_graph_is_left(name: str, accumulation: int) -> None:
    before = graphs()
    trained(name, accumulation)
    assert graphs() == before


@pytest.mark.full
def test_no_graph_is_left_by_averages() -> None:
    before = graphs()
    trained("adam", 2, ema=0.9)
    assert graphs() == before


def test_the_numbers_are_those_of_keras_which_leaves_graphs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AdamW with accumulated gradients takes all three ways; the others are compared with `fit`."""
    ours = trained("adamw", 2)
    monkeypatch.setattr(module, "update_directly", lambda optimizer: None)
    before = graphs()
    assert trained("adamw", 2) == ours
    # Once Keras leaves none, `direct_updates.py` can go.
    assert graphs() > before


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_gets_the_methods_without_tf_distribute(name: str) -> None:
    optimizer = OPTIMIZERS[name](learning_rate=0.1, **ARGUMENTS[name])
    update_directly(optimizer)
    replaced = [method for method in BY_WAY_OF_DISTRIBUTE if method in vars(optimizer)]
    assert replaced == list(BY_WAY_OF_DISTRIBUTE), "Keras has renamed what evonas replaces"


def test_a_step_of_its_own_stays() -> None:
    class Own(keras.optimizers.SGD):  # type: ignore[misc]
        def _backend_update_step(self, grads: Any, variables: Any, rate: Any) -> None:
            raise NotImplementedError

    optimizer = Own(0.1)
    update_directly(optimizer)
    assert "_backend_update_step" not in vars(optimizer)
    assert "_apply_weight_decay" in vars(optimizer)
