from __future__ import annotations

import sys
import types
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from evonas.errors import UserError
from evonas.model import ops


def chain(op: str, shape: tuple[int, ...], **arguments: Any) -> list[Any]:
    """The layers that an op makes of an input of this shape."""
    x = keras.Input(shape)
    y = ops.OPS[op](x, name="gene", **arguments)
    return list(keras.Model(x, y).layers[1:])


def test_conv2d_uses_every_parameter() -> None:
    convolution, normalization, activation, dropout = chain(
        "conv2d", (6, 5, 2), filters=7, kernel_size=3, activation="gelu", batch_normalization=True,
        dropout=0.25, kernel_initializer="he_normal", l1=0.125, l2=0.5,
    )  # fmt: skip
    assert isinstance(convolution, layers.Conv2D)
    assert convolution.kernel.shape == (3, 3, 2, 7)
    assert convolution.output.shape == (None, 6, 5, 7)
    assert isinstance(convolution.kernel_initializer, keras.initializers.HeNormal)
    assert convolution.kernel_regularizer.get_config() == {"l1": 0.125, "l2": 0.5}
    assert convolution.activation is keras.activations.linear
    assert not convolution.use_bias
    assert isinstance(normalization, layers.BatchNormalization)
    assert normalization.momentum == 0.9
    assert activation.activation is keras.activations.gelu
    assert isinstance(dropout, layers.SpatialDropout2D)
    assert dropout.rate == 0.25


def test_conv2d_without_extras_is_one_layer() -> None:
    (convolution,) = chain("conv2d", (6, 5, 2), filters=7, kernel_size=5)
    assert convolution.activation is keras.activations.relu
    assert convolution.use_bias
    assert convolution.kernel_regularizer is None
    assert isinstance(convolution.kernel_initializer, keras.initializers.GlorotUniform)


def test_dense_uses_every_parameter() -> None:
    dense, normalization, activation, dropout = chain(
        "dense", (9,), units=4, activation="tanh", batch_normalization=True, dropout=0.5,
        kernel_initializer="orthogonal", l1=0.25, l2=0.125,
    )  # fmt: skip
    assert isinstance(dense, layers.Dense)
    assert dense.kernel.shape == (9, 4)
    assert isinstance(dense.kernel_initializer, keras.initializers.Orthogonal)
    assert dense.kernel_regularizer.get_config() == {"l1": 0.25, "l2": 0.125}
    assert not dense.use_bias
    assert isinstance(normalization, layers.BatchNormalization)
    assert activation.activation is keras.activations.tanh
    assert isinstance(dropout, layers.Dropout)
    assert dropout.rate == 0.5


def test_separable_conv2d_uses_every_parameter() -> None:
    convolution, normalization, activation, dropout = chain(
        "separable_conv2d", (6, 5, 2), filters=7, kernel_size=3, activation="silu",
        batch_normalization=True, dropout=0.25, kernel_initializer="he_uniform", l1=0.125, l2=0.5,
    )  # fmt: skip
    assert isinstance(convolution, layers.SeparableConv2D)
    assert [tuple(weight.shape) for weight in convolution.weights] == [(3, 3, 2, 1), (1, 1, 2, 7)]
    assert convolution.output.shape == (None, 6, 5, 7)
    for kind in ("depthwise", "pointwise"):
        assert isinstance(getattr(convolution, f"{kind}_initializer"), keras.initializers.HeUniform)
        assert getattr(convolution, f"{kind}_regularizer").get_config() == {"l1": 0.125, "l2": 0.5}
    assert isinstance(normalization, layers.BatchNormalization)
    assert activation.activation is keras.activations.silu
    assert (type(dropout), dropout.rate) == (layers.SpatialDropout2D, 0.25)


def test_conv1d_uses_every_parameter() -> None:
    convolution, normalization, activation, dropout = chain(
        "conv1d", (6, 2), filters=7, kernel_size=3, activation="gelu", batch_normalization=True,
        dropout=0.25, kernel_initializer="he_normal", l1=0.125, l2=0.5,
    )  # fmt: skip
    assert isinstance(convolution, layers.Conv1D)
    assert convolution.kernel.shape == (3, 2, 7)
    assert convolution.output.shape == (None, 6, 7)
    assert isinstance(convolution.kernel_initializer, keras.initializers.HeNormal)
    assert convolution.kernel_regularizer.get_config() == {"l1": 0.125, "l2": 0.5}
    assert isinstance(normalization, layers.BatchNormalization)
    assert activation.activation is keras.activations.gelu
    assert (type(dropout), dropout.rate) == (layers.SpatialDropout1D, 0.25)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent_ops_use_every_parameter(kind: str, bidirectional: bool) -> None:
    op = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "simple_rnn"}[kind]
    (layer,) = chain(
        op, (6, 2), units=7, bidirectional=bidirectional, dropout=0.25, recurrent_dropout=0.125,
        activation="relu", kernel_initializer="orthogonal", l1=0.5, l2=0.25,
    )  # fmt: skip
    assert layer.output.shape == (None, 6, 14 if bidirectional else 7)
    assert layer.name == ("gene_bidirectional" if bidirectional else f"gene_{op}")
    cells = [layer.forward_layer, layer.backward_layer] if bidirectional else [layer]
    for cell in cells:
        assert isinstance(cell, getattr(layers, kind))
        assert (cell.units, cell.dropout, cell.recurrent_dropout) == (7, 0.25, 0.125)
        assert cell.activation is keras.activations.relu
        assert isinstance(cell.kernel_initializer, keras.initializers.Orthogonal)
        assert cell.kernel_regularizer.get_config() == {"l1": 0.5, "l2": 0.25}


def test_layer_normalization_works_on_channels() -> None:
    data = np.random.default_rng(0).normal(3, 2, size=(4, 3, 2, 16)).astype("float32")
    x = keras.Input((3, 2, 16))
    normalized = keras.Model(x, ops.layer_normalization(x))(data).numpy()
    np.testing.assert_allclose(normalized.mean(axis=-1), np.zeros((4, 3, 2)), atol=1e-5)
    np.testing.assert_allclose(normalized.std(axis=-1), np.ones((4, 3, 2)), atol=1e-2)


def test_a_sequence_becomes_a_vector() -> None:
    data = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
    x = keras.Input((5, 3))
    np.testing.assert_array_equal(keras.Model(x, ops.last(x))(data).numpy(), data[:, -1])
    pooled = keras.Model(x, ops.attention_pooling(x))
    kernel, bias = (weight.numpy() for weight in pooled.weights)
    scores = np.exp(data @ kernel + bias)
    expected = (data * scores / scores.sum(axis=1, keepdims=True)).sum(axis=1)
    np.testing.assert_allclose(pooled(data).numpy(), expected, rtol=1e-5, atol=1e-6)
    short = keras.Input((1, 3))
    np.testing.assert_array_equal(
        keras.Model(short, ops.last(short))(data[:, :1]).numpy(), data[:, 0]
    )


def test_dense_works_on_the_last_axis_of_a_map() -> None:
    assert chain("dense", (6, 5, 2), units=4)[0].output.shape == (None, 6, 5, 4)


@pytest.mark.parametrize("op", ["max_pooling", "average_pooling"])
@pytest.mark.parametrize(
    ("shape", "pool_size", "expected"),
    [
        ((1, 1, 3), 2, (1, 1, 3)),
        ((1, 5, 3), 2, (1, 3, 3)),
        ((7, 5, 2), 3, (3, 2, 2)),
        ((9, 4), 2, (5, 4)),
        ((1, 4), 2, (1, 4)),
    ],
)
def test_pooling_rounds_up_and_never_fails(
    op: str, shape: tuple[int, ...], pool_size: int, expected: tuple[int, ...]
) -> None:
    (layer,) = chain(op, shape, pool_size=pool_size)
    assert layer.output.shape[1:] == expected


def test_pooling_of_one_pixel_changes_nothing() -> None:
    pixel = np.array([[[[1.0, -2.0, 3.0]]]], "float32")
    x = keras.Input((1, 1, 3))
    for op in ("max_pooling", "average_pooling"):
        assert keras.Model(x, ops.OPS[op](x))(pixel).numpy().tolist() == pixel.tolist()


@pytest.mark.parametrize("shape", [(3, 4, 2), (5, 2)])
def test_global_ops_reduce_a_map_to_its_channels(shape: tuple[int, ...]) -> None:
    data = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
    axes = tuple(range(1, len(shape)))
    x = keras.Input(shape)
    average = keras.Model(x, ops.global_average(x))(data).numpy()
    largest = keras.Model(x, ops.global_max(x))(data).numpy()
    np.testing.assert_allclose(average, data.mean(axes), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(largest, data.max(axes))


def test_layers_are_named_after_the_prefix() -> None:
    made = chain(
        "conv2d", (4, 4, 1), filters=1, kernel_size=1, batch_normalization=True, dropout=0.1
    )
    assert [layer.name for layer in made] == [
        "gene_conv2d",
        "gene_batch_normalization",
        "gene_activation",
        "gene_dropout",
    ]
    assert made[0].kernel.path == "gene_conv2d/kernel"


def test_dropout_owns_its_generator_and_repeats_with_the_seed() -> None:
    def masks() -> Any:
        keras.utils.set_random_seed(5)
        x = keras.Input((6,))
        model = keras.Model(
            x, ops.dense(x, units=20, activation="linear", kernel_initializer="ones", dropout=0.5)
        )
        assert any("seed_generator" in variable.path for variable in model.variables)
        ones = np.ones((3, 6), "float32")
        return np.stack([model(ones, training=True).numpy() for _ in range(2)])

    first = masks()
    assert first.tolist() == masks().tolist()
    assert first[0].tolist() != first[1].tolist()


def test_find_op_names_the_nearest_word() -> None:
    with pytest.raises(UserError, match=r"unknown op 'conv_2d'.*Did you mean 'conv2d'"):
        ops.find_op("conv_2d")


def test_find_op_imports_allowed_modules_only(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("their_ops")
    module.halve = lambda x: x  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "their_ops", module)
    assert ops.find_op("their_ops:halve", ["their_ops"]) is module.halve
    with pytest.raises(UserError, match="not among the plugins: none"):
        ops.find_op("their_ops:halve")
    with pytest.raises(UserError, match="has no function 'double'"):
        ops.find_op("their_ops:double", ["their_ops"])
    with pytest.raises(UserError, match="cannot be imported"):
        ops.find_op("no_such_module_here:f", ["no_such_module_here"])
