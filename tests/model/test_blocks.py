from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from evonas.model import ops
from evonas.model.size import measure

BLOCKS = ("residual", "bottleneck", "inverted_residual")


def built(op: str, shape: tuple[int, ...], **arguments: Any) -> Any:
    x = keras.Input(shape)
    return keras.Model(x, ops.OPS[op](x, name="gene", **arguments))


@pytest.mark.parametrize("op", BLOCKS)
@pytest.mark.parametrize(
    ("size", "halved"), [((1, 1), (1, 1)), ((2, 1), (1, 1)), ((7, 5), (4, 3)), ((8, 8), (4, 4))]
)
def test_a_stride_rounds_up_and_never_fails(
    op: str, size: tuple[int, int], halved: tuple[int, int]
) -> None:
    for channels in (1, 3):
        # Only shapes are of interest, so the weights get no values.
        with keras.StatelessScope(initialize_variables=False):
            model = built(op, (*size, channels), filters=4, stride=2, squeeze_excitation=True)
        assert model.output_shape == (None, *halved, 4)


def test_a_residual_block_layer_by_layer() -> None:
    model = built(
        "residual", (6, 6, 2), filters=8, kernel_size=5, stride=2, squeeze_excitation=True,
        stochastic_depth=0.25, activation="gelu", kernel_initializer="he_normal", l1=0.5, l2=0.25,
    )  # fmt: skip
    made = {layer.name: layer for layer in model.layers[1:]}
    assert set(made) == {
        "gene_1_conv2d", "gene_1_batch_normalization", "gene_1_activation", "gene_2_conv2d",
        "gene_2_batch_normalization", "gene_squeeze", "gene_excitation_1", "gene_excitation_2",
        "gene_recalibration", "gene_shortcut_average_pooling", "gene_shortcut_conv2d",
        "gene_shortcut_batch_normalization", "gene_stochastic_depth", "gene_add",
        "gene_activation",
    }  # fmt: skip
    first, second = made["gene_1_conv2d"], made["gene_2_conv2d"]
    assert (first.kernel.shape, first.strides) == ((5, 5, 2, 8), (2, 2))
    assert (second.kernel.shape, second.strides) == ((5, 5, 8, 8), (1, 1))
    for convolution in (first, second, made["gene_shortcut_conv2d"]):
        assert isinstance(convolution.kernel_initializer, keras.initializers.HeNormal)
        assert convolution.kernel_regularizer.get_config() == {"l1": 0.5, "l2": 0.25}
        assert not convolution.use_bias
    assert made["gene_excitation_1"].units == 2
    assert made["gene_1_activation"].activation is keras.activations.gelu
    assert made["gene_activation"].activation is keras.activations.gelu
    assert made["gene_1_batch_normalization"].momentum == 0.9


def test_a_block_with_the_shape_of_its_input_adds_it_as_it_is() -> None:
    for op, last in (("residual", "2"), ("bottleneck", "3"), ("inverted_residual", "projection")):
        model = built(op, (4, 4, 8), filters=8, activation="linear")
        kernel = model.get_layer(f"gene_{last}_conv2d").kernel
        # A branch that gives 0 leaves the input.
        kernel.assign(0 * kernel)
        x = np.random.default_rng(0).normal(size=(3, 4, 4, 8)).astype("float32")
        np.testing.assert_allclose(model(x).numpy(), x, atol=1e-6)


def test_a_bottleneck_is_narrow_and_an_inverted_residual_is_wide() -> None:
    narrow = built("bottleneck", (6, 6, 8), filters=16)
    kernels = [tuple(narrow.get_layer(f"gene_{i}_conv2d").kernel.shape) for i in (1, 2, 3)]
    assert kernels == [(1, 1, 8, 4), (3, 3, 4, 4), (1, 1, 4, 16)]
    wide = built("inverted_residual", (6, 6, 8), filters=16, expansion=3, kernel_size=5, l2=0.5)
    depthwise = wide.get_layer("gene_depthwise_depthwise_conv2d")
    assert depthwise.kernel.shape == (5, 5, 24, 1)
    assert depthwise.depthwise_regularizer.l2 == 0.5
    assert wide.get_layer("gene_projection_conv2d").kernel.shape == (1, 1, 24, 16)
    # Without an activation behind the projection, and without a shortcut to other channels.
    assert wide.layers[-1].name == "gene_projection_batch_normalization"
    plain = built("inverted_residual", (6, 6, 8), filters=8, expansion=1)
    assert "gene_expansion_conv2d" not in {layer.name for layer in plain.layers}


def test_flops_are_those_of_the_formula() -> None:
    pixels = 3 * 3
    first, second, shortcut = 9 * 2 * 8, 9 * 8 * 8, 2 * 8
    excitation = 8 * 2 + 2 * 8
    model = built("residual", (6, 6, 2), filters=8, stride=2, squeeze_excitation=True)
    assert measure(model).flops == 2 * (pixels * (first + second + shortcut) + excitation)
    model = built("inverted_residual", (6, 6, 2), filters=8, stride=2, expansion=4)
    # The depthwise kernels are applied once for each channel.
    assert measure(model).flops == 2 * (36 * 2 * 8 + pixels * (9 * 8 + 8 * 8))


def test_stochastic_depth_leaves_out_the_branch_of_whole_samples() -> None:
    keras.utils.set_random_seed(1)
    model = built("residual", (4, 4, 3), filters=3, stochastic_depth=0.5, activation="linear")
    owned = [v for v in model.variables if "seed_generator" in v.path]
    assert len(owned) == 1
    x = np.random.default_rng(0).normal(size=(64, 4, 4, 3)).astype("float32")
    branch = np.abs(model(x, training=True).numpy() - x).reshape(64, -1)
    is_left_out = (branch == 0).all(axis=1)
    assert 16 < is_left_out.sum() < 48
    assert (branch[~is_left_out] > 0).any(axis=1).all()
    # When it predicts, every sample has its branch.
    assert (np.abs(model(x).numpy() - x).reshape(64, -1) > 0).any(axis=1).all()


@pytest.mark.parametrize("op", BLOCKS)
def test_a_file_needs_keras_alone(op: str) -> None:
    model = built(op, (5, 4, 2), filters=2, squeeze_excitation=True, stochastic_depth=0.2)
    assert "evonas" not in model.to_json()
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    again = keras.Model.from_config(model.get_config())
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert isinstance(model.layers[0], layers.InputLayer)
