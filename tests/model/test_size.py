from __future__ import annotations

import random
from typing import Any

import keras
import numpy as np
import psutil
import pytest
import tensorflow as tf
from keras import layers

from evonas.genome import Genome, SearchSpace, parse_genome, parse_space, sample
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.size import ModelSize, measure, measure_unbuilt


def small_genome(space: SearchSpace) -> Genome:
    return parse_genome(
        """
        space: small
        features:
          - conv2d: {filters: 4, kernel_size: 3, batch_normalization: true, dropout: 0.5}
          - max_pooling: {}
          - conv2d: {filters: 2, kernel_size: 5}
        bridge: [flatten: {}]
        head: [dense: {units: 10, activation: relu}]
        style: [style: {activation: relu, kernel_initializer: he_normal}]
        optimizer: [adam: {learning_rate: 0.01}]
        training: [training: {batch_size: 16}]
        """,
        "small_genome.yaml",
        space,
    )


def profiled(model: keras.Model) -> dict[str, int]:
    """Floating-point operations by kind, as TensorFlow's profiler counts them for one sample."""
    spec = tf.TensorSpec((1, *model.input_shape[1:]))
    graph = tf.function(lambda x: model(x)).get_concrete_function(spec).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    node = tf.compat.v1.profiler.profile(graph, cmd="op", options=options)
    counts = {}
    while True:  # a chain in which each node's total includes the nodes below it
        below = node.children[0] if node.children else None
        counts[node.name] = node.total_float_ops - (below.total_float_ops if below else 0)
        if below is None:
            return counts
        node = below


def test_count_by_hand(space: SearchSpace, interface: Interface) -> None:
    model = build_model(space, small_genome(space), interface)
    parameters = (9 * 4 + 4 * 4) + (25 * 4 * 2 + 2) + (32 * 10 + 10) + (10 * 3 + 3)
    flops = 2 * (64 * 9 * 4 + 16 * 25 * 4 * 2 + 32 * 10 + 10 * 3)
    assert measure(model) == ModelSize(parameters, flops)
    assert model.count_params() == parameters


def network(*made: Any, shape: tuple[int, ...]) -> keras.Model:
    x = inputs = keras.Input(shape)
    for layer in made:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    "model",
    [
        lambda: network(
            layers.Conv2D(5, 3, padding="same"), layers.Flatten(), layers.Dense(7), shape=(6, 5, 2)
        ),
        lambda: network(layers.Conv2D(4, 3, strides=2), layers.Conv2D(6, (1, 2)), shape=(9, 9, 2)),
        lambda: network(layers.Dense(3), layers.Dense(4, use_bias=False), shape=(4, 4, 2)),
        lambda: network(
            layers.BatchNormalization(), layers.Conv2D(3, 5, activation="tanh"), shape=(8, 8, 1)
        ),
    ],
    ids=["conv-dense", "strides", "dense-on-map", "normalized"],
)
def test_flops_are_the_profilers_convolutions_and_products(model: Any) -> None:
    """Exactly: flops == the profiler's Conv2D + MatMul.

    Its biases, pooling and elementwise operations are left out.
    """
    built = model()
    counts = profiled(built)
    assert measure(built).flops == counts.get("Conv2D", 0) + counts.get("MatMul", 0) > 0


def test_flops_of_layers_that_the_profiler_does_not_see() -> None:
    assert (
        measure(network(layers.Conv2D(6, (1, 2), groups=2), shape=(4, 4, 4))).flops == 2 * 12 * 24
    )
    assert measure(
        network(layers.SeparableConv2D(5, 3, padding="same"), shape=(4, 4, 2))
    ).flops == 2 * 16 * (18 + 10)
    assert (
        measure(network(layers.Conv2DTranspose(3, 2, strides=2), shape=(4, 4, 5))).flops
        == 2 * 16 * 60
    )
    assert measure(network(layers.SimpleRNN(6), shape=(10, 3))).flops == 2 * 10 * (18 + 36)


def test_shared_and_nested_layers() -> None:
    shared = layers.Dense(4)
    assert measure(network(shared, shared, shape=(4,))) == ModelSize(20, 2 * 2 * 16)
    inner = network(layers.Dense(4), shape=(3,))
    sequential = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert measure(network(inner, sequential, shape=(3,))) == ModelSize(16 + 10, 2 * (12 + 8))


def test_normalization_is_not_counted() -> None:
    normalization = layers.Normalization()
    normalization.build((None, 3))
    assert measure(network(normalization, layers.Dense(2), shape=(3,))) == ModelSize(8, 12)


def test_unbuilt_is_the_same_and_draws_nothing(space: SearchSpace, interface: Interface) -> None:
    genome = small_genome(space)
    random.seed(3)
    before = random.getstate()
    size = measure_unbuilt(space, genome, interface)
    assert random.getstate() == before
    assert size == measure(build_model(space, genome, interface))


def test_a_monstrous_genome_is_measured_without_its_memory(interface_of: Any) -> None:
    monster = parse_space(
        """
        space: monster
        input: image
        network:
          flat: {ops: {flatten: {}}}
          head: {length: 2, ops: {dense: {units: 1000000}}}
        settings:
          optimizer: {ops: {adam: {learning_rate: 0.1}}}
          training: {ops: {training: {batch_size: 16}}}
        """,
        "monster.yaml",
    )
    process = psutil.Process()
    before = process.memory_info().rss
    size = measure_unbuilt(monster, sample(monster, np.random.default_rng(0)), interface_of((8, 8)))
    assert size.parameters > 10**12
    # Here Keras would give the weights their values, if they still waited for them.
    with keras.StatelessScope():
        pass
    assert process.memory_info().rss - before < 200e6
