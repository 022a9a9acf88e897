"""How large a model is: parameters and floating-point operations, counted on the model itself.

The count needs shapes only. `measure_unbuilt` therefore builds the model inside a TensorFlow graph that is thrown
away, where a weight is a symbol and has no memory: a genome of any size is counted in a few hundredths of a second.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model


@dataclass(frozen=True)
class ModelSize:
    """What a model costs.

    Attributes:
        parameters: numbers in the weights, trainable and not (the moving averages of batch normalization count). The
            mean and variance of `Normalization` layers do not count, and neither do the states of random generators.
        flops: floating-point operations of one prediction for one sample, two for each multiply-add. Counted are all
            weights of at least two axes (kernels), once for each position that they are applied to: convolutions and
            dense layers exactly; recurrent layers without their gates' elementwise work. Not counted are biases,
            normalization, activations, pooling, additions, dropout, and products of two tensors (as in attention).
    """

    parameters: int
    flops: int


_OVER_INPUT = (
    layers.Conv1DTranspose,
    layers.Conv2DTranspose,
    layers.Conv3DTranspose,
    layers.RNN,
    layers.Bidirectional,
)
"""Layers that apply their kernels once for each position of the input; all others do for each one of the output."""

_FREE = (layers.Embedding, layers.Normalization)
"""Layers whose weights are looked up or subtracted, not multiplied."""


def measure(model: keras.Model) -> ModelSize:
    """The size of a built model; see `ModelSize` for what is counted."""
    flops = 0
    weights: dict[int, int] = {}
    for layer, inputs, outputs in _calls(model):
        if not isinstance(layer, layers.Normalization):
            weights |= {id(weight): math.prod(weight.shape) for weight in layer.weights}
        flops += _flops(layer, inputs, outputs)
    return ModelSize(parameters=sum(weights.values()), flops=flops)


def measure_unbuilt(
    space: SearchSpace, genome: Genome, interface: Interface, plugins: Sequence[str] = ()
) -> ModelSize:
    """The size that `build_model` would give, without memory for weights and without drawing from Python's `random`.

    An op of a plugin is called too, inside a TensorFlow graph: it must not ask for the values of weights.

    Raises:
        whatever `build_model` raises.
    """
    state = random.getstate()
    try:
        with tf.Graph().as_default():
            return measure(build_model(space, genome, interface, plugins))
    finally:
        random.setstate(state)


def _calls(model: keras.Model) -> Iterator[tuple[Any, Any, Any]]:
    """Every call of a layer inside the model: the layer, its input shape or shapes, and its output shape or shapes."""
    for operation in getattr(model, "operations", model.layers):  # a `Sequential` has layers only
        for node in (
            operation._inbound_nodes
        ):  # a shared layer has several; Keras offers no public way to them
            if isinstance(operation, keras.Model):
                yield from _calls(operation)
            elif isinstance(operation, layers.Layer):
                yield operation, _shapes(node.input_tensors), _shapes(node.output_tensors)


def _shapes(tensors: Sequence[Any]) -> list[tuple[int, ...]]:
    return [tuple(tensor.shape[1:]) for tensor in tensors]


def _flops(layer: Any, inputs: list[tuple[int, ...]], outputs: list[tuple[int, ...]]) -> int:
    if isinstance(layer, _FREE):
        return 0
    shape = (inputs if isinstance(layer, _OVER_INPUT) else outputs)[0]
    channels_first = getattr(layer, "data_format", None) == "channels_first"
    positions = math.prod(shape[1:] if channels_first else shape[:-1])
    kernels: int = sum(math.prod(weight.shape) for weight in layer.weights if len(weight.shape) > 1)
    return 2 * kernels * positions
