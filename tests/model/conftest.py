"""Keras on one quiet CPU thread: the tests share the machine, and bit-equality needs one thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import pytest
import tensorflow as tf

from evonas.genome import SearchSpace, parse_space
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

SPACE = """
space: small
input: image
network:
  features:
    length: [0, 4]
    wiring: skip
    max_skips: 2
    merge: {choice: [add, concat]}
    ops:
      conv2d:
        filters: {choice: [2, 3, 4]}
        kernel_size: {choice: [1, 3, 5]}
        activation: {same_as: style.activation}
        kernel_initializer: {same_as: style.kernel_initializer}
        batch_normalization: {choice: [false, true]}
        dropout: {float: [0.05, 0.5], off: 0.0}
        l1: {float: [1e-6, 1e-2], log: true, off: 0.0}
        l2: {float: [1e-6, 1e-2], log: true, off: 0.0}
      max_pooling: {}
      average_pooling: {pool_size: 3}
  bridge: {length: [0, 1], ops: {flatten: {}, global_average: {}, global_max: {}}}
  head:
    length: [0, 2]
    ops:
      dense:
        units: {int: [2, 20]}
        activation: {choice: [relu, tanh, gelu]}
        batch_normalization: {choice: [false, true]}
        dropout: {float: [0.05, 0.6], off: 0.0}
        kernel_initializer: orthogonal
        l2: {float: [1e-6, 1e-2], log: true, off: 0.0}
settings:
  style:
    ops:
      style:
        activation: {choice: [relu, tanh]}
        kernel_initializer: {choice: [he_normal, glorot_uniform]}
  optimizer:
    ops:
      sgd: {learning_rate: {float: [1e-3, 1.0], log: true}}
      momentum:
        learning_rate: {float: [1e-3, 1.0], log: true}
        momentum: {float: [0.5, 0.99]}
        nesterov: {choice: [false, true]}
      adam: {learning_rate: {float: [1e-5, 1e-1], log: true}, beta_1: 0.8}
  training: {ops: {training: {batch_size: {choice: [16, 32]}}}}
"""


@pytest.fixture(scope="session")
def space() -> SearchSpace:
    return parse_space(SPACE, "small.yaml")


InterfaceOf = Callable[..., Interface]


@pytest.fixture(scope="session")
def interface_of() -> InterfaceOf:
    """A maker of interfaces for images of any shape."""

    def make(
        shape: tuple[int, ...] = (8, 8),
        mean: tuple[float, ...] = (),
        variance: tuple[float, ...] = (),
        **changes: Any,
    ) -> Interface:
        channels = shape[2] if len(shape) == 3 else 1
        given = InputSpec.normalized(
            "image", shape, mean or (2.0,) * channels, variance or (4.0,) * channels
        )
        return replace(Interface(given, "classification", (0, 1, 2)), **changes)

    return make


@pytest.fixture(scope="session")
def interface(interface_of: InterfaceOf) -> Interface:
    return interface_of()
