from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from evonas.model.merging import merge, resize

SHAPES = [(8, 8, 3), (4, 4, 3), (4, 4, 5), (7, 5, 2), (1, 1, 3), (3, 1, 4)]


def run(main: tuple[int, ...], skips: list[tuple[int, ...]], how: str) -> tuple[Any, Any]:
    inputs = [keras.Input(shape) for shape in (main, *skips)]
    model = keras.Model(inputs, merge(inputs[0], inputs[1:], how, "gene"))
    return model, model([np.ones((2, *shape), "float32") for shape in (main, *skips)])


@pytest.mark.parametrize("main", SHAPES)
@pytest.mark.parametrize("skip", SHAPES)
def test_maps_of_any_two_shapes_merge(main: tuple[int, ...], skip: tuple[int, ...]) -> None:
    assert run(main, [skip], "add")[1].shape == (2, *main)
    assert run(main, [skip], "concat")[1].shape == (2, *main[:-1], main[-1] + skip[-1])


@pytest.mark.parametrize(
    ("main", "skip"), [((5, 2), (9, 3)), ((6,), (4,)), ((6,), (4, 4, 2)), ((6,), (7, 6))]
)
def test_sequences_and_vectors_merge(main: tuple[int, ...], skip: tuple[int, ...]) -> None:
    assert run(main, [skip], "add")[1].shape == (2, *main)
    assert run(main, [skip], "concat")[1].shape == (2, *main[:-1], main[-1] + skip[-1])


def test_equal_shapes_are_added_as_they_are() -> None:
    model, y = run((4, 4, 3), [(4, 4, 3), (4, 4, 3)], "add")
    assert model.count_params() == 0
    assert np.all(y.numpy() == 3)


def test_resizing_averages_whole_windows() -> None:
    x = keras.Input((4, 4, 1))
    data = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    y = keras.Model(x, resize(x, (2, 2)))(data).numpy()
    assert y.reshape(2, 2).tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_layers_are_named_after_the_prefix() -> None:
    model, _ = run((4, 4, 3), [(8, 8, 2), (4, 4, 1)], "add")
    names = [layer.name for layer in model.layers if layer.name.startswith("gene")]
    assert sorted(names) == [
        "gene_add",
        "gene_skip_0_average_pooling",
        "gene_skip_0_projection",
        "gene_skip_1_projection",
    ]


def test_nothing_to_merge_and_unknown_ways() -> None:
    x = keras.Input((4,))
    assert merge(x, [], "add") is x
    with pytest.raises(ValueError, match="Received: 'multiply'"):
        merge(x, [x], "multiply")
