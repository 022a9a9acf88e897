"""How large a model is: parameters and floating-point operations, counted on the model itself.

The count needs shapes only. `measure_unbuilt` therefore builds the model with weights that have no
memory. So a genome of any size is counted in a few hundredths of a second.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
from keras import layers

from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model


@dataclass(frozen=True)
class ModelSize:
    """What a model costs.

    Attributes:
        parameters: number of values in the weights, trainable and not (the moving averages of batch
            normalization count). The mean and variance of `Normalization` layers do not count, and
            neither do the states of random generators.
        flops: floating-point operations of one prediction for one sample, two for each
            multiply-add. All weights of at least two axes (kernels) count, once for each position
            that they are applied to. Convolutions and dense layers are exact; recurrent layers lack
            their gates' elementwise work. Biases, normalization, activations, pooling, additions,
            dropout, and products of two tensors (as in attention) do not count.
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
"""Layers that apply their kernels once for each position of the input, not of the output."""

_FREE = (layers.Embedding, layers.Normalization)
"""Layers whose weights are looked up or subtracted, not multiplied."""


def measure(model: keras.Model) -> ModelSize:
    """The size of a built model; see `ModelSize` for what is counted."""
    flops = 0
    weights: dict[int, int] = {}
    for layer, inputs, outputs in _calls(model):
        if not isinstance(layer, layers.Normalization):
            # By identity: a layer that is called twice has its weights once.
            for weight in layer.weights:
                weights[id(weight)] = math.prod(weight.shape)
        flops += _flops(layer, inputs, outputs)
    return ModelSize(parameters=sum(weights.values()), flops=flops)


def postponed() -> keras.StatelessScope:
    """A scope in which Keras gives the weights of built-in layers their shapes, and no memory.

    They wait for their values until another `StatelessScope` of this thread ends.
    """
    return keras.StatelessScope(initialize_variables=False)


def can_be_postponed(genome: Genome) -> bool:
    """Whether all weights of a genome's network can wait: an op of a plugin may create others."""
    return not any(":" in op for op in genome.ops)


def measure_unbuilt(
    space: SearchSpace, genome: Genome, interface: Interface, plugins: Sequence[str] = ()
) -> ModelSize:
    """The size that `build_model` would give, without memory for weights.

    An op of a plugin is called too, inside a TensorFlow graph: it must not ask for the values of
    weights.

    Raises:
        whatever `build_model` raises.
    """
    build = partial(build_model, space, genome, interface, plugins)
    # Keras draws the seeds of initial weights from Python's `random`. The model that is built
    # afterwards must get the same seeds as without this measurement.
    state = random.getstate()
    try:
        if can_be_postponed(genome):
            return _measure_postponed(build)
        return _measure_in_graph(build)
    finally:
        random.setstate(state)


def _measure_postponed(build: Callable[[], keras.Model]) -> ModelSize:
    """Build and measure in a thread of its own."""

    def work() -> ModelSize:
        with postponed():
            return measure(build())

    # What waits for its value waits in a list of the thread, and nobody else finds it there.
    with ThreadPoolExecutor(max_workers=1) as threads:
        return threads.submit(work).result()


def _measure_in_graph(build: Callable[[], keras.Model]) -> ModelSize:
    """Build and measure inside a TensorFlow graph that is thrown away: a weight is a symbol."""
    import tensorflow as tf

    with tf.Graph().as_default():
        return measure(build())


def _calls(model: keras.Model) -> Iterator[tuple[Any, Any, Any]]:
    """Every call of a layer inside the model.

    Yields:
        the layer, its input shape or shapes, and its output shape or shapes.
    """
    # A `Sequential` has layers, but no operations.
    for operation in getattr(model, "operations", model.layers):
        # A shared layer has several nodes; Keras offers no public way to them.
        for node in operation._inbound_nodes:
            if isinstance(operation, keras.Model):
                yield from _calls(operation)
            elif isinstance(operation, layers.Layer):
                inputs = _shapes(node.input_tensors)
                outputs = _shapes(node.output_tensors)
                yield operation, inputs, outputs


def _shapes(tensors: Sequence[Any]) -> list[tuple[int, ...]]:
    """The shapes of one sample, without the axis of the batch."""
    shapes = []
    for tensor in tensors:
        shapes.append(tuple(tensor.shape[1:]))
    return shapes


def _flops(layer: Any, inputs: list[tuple[int, ...]], outputs: list[tuple[int, ...]]) -> int:
    if isinstance(layer, _FREE):
        return 0
    shapes = inputs if isinstance(layer, _OVER_INPUT) else outputs
    shape = shapes[0]
    # The axes besides that of the channels are the positions.
    channels_first = getattr(layer, "data_format", None) == "channels_first"
    axes = shape[1:] if channels_first else shape[:-1]
    kernels = 0
    for weight in layer.weights:
        if len(weight.shape) > 1:
            kernels += math.prod(weight.shape)
    # An input of raw sequences has no fixed number of positions.
    return 2 * kernels * math.prod(axes) if kernels else 0
