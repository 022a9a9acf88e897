"""Keeps an optimizer's steps out of `tf.distribute`, which leaves graphs behind."""

from __future__ import annotations

from types import MethodType
from typing import Any

import keras

BY_WAY_OF_DISTRIBUTE = (
    "_apply_weight_decay",
    "_backend_update_step",
    "_backend_increment_gradient_accumulators",
)
"""What Keras does for the variables of a step by `merge_call`, for training on several devices."""


def update_directly(optimizer: keras.optimizers.Optimizer) -> None:
    """Let an optimizer update its variables itself: the same numbers, and nothing left behind.

    A `merge_call` within a compiled function leaves three graphs and about 19 MB behind, for as
    long as the process lives. Keras also has each of these methods for any backend, without
    `tf.distribute`. Here the optimizer gets those. They do the same arithmetic in the same order.

    The names are private to Keras. If another version has no such pair, the optimizer keeps what
    it has: it trains as before, and leaks.

    Args:
        optimizer: an optimizer that trains on one device. It is changed.
    """
    kind = type(optimizer)
    for name in BY_WAY_OF_DISTRIBUTE:
        methods = [vars(base)[name] for base in kind.__mro__ if name in vars(base)]
        # The backend's own and then the general one. With a third, the optimizer has its own way.
        if len(methods) == 2:
            setattr(optimizer, name, MethodType(methods[1], optimizer))
    if optimizer.use_ema and optimizer.gradient_accumulation_steps:
        _average_after_steps(optimizer)


def _average_after_steps(optimizer: keras.optimizers.Optimizer) -> None:
    """Let an optimizer average the weights after each step.

    Keras 3.15 does so after each gradient, and several of them make a step.
    """
    name = "_update_model_variables_moving_average"
    average = getattr(optimizer, name)

    def average_after_step(variables: Any) -> None:
        # Keras counts gradients here.
        count = optimizer._iterations + 1
        is_step = count % optimizer.gradient_accumulation_steps == 0
        keras.ops.cond(is_step, lambda: average(variables), lambda: None)

    setattr(optimizer, name, average_after_step)
