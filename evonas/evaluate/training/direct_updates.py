"""Keeps an optimizer's steps out of `tf.distribute`, which leaves graphs behind."""

from __future__ import annotations

from types import MethodType

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
