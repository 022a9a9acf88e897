"""What the ops for tables give."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from evonas.learning.examples import examples
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.input_spec import InputSpec
from evonas.model.catalog import NUMBERS
from evonas.model.tabular import embed_columns, gated_dense, residual_dense

SPEC = InputSpec("table", (4,), INPUT_KINDS["table"].example_fitted)
"""Two numbers, the first with gaps; three words and two words."""


def model_of(**parameters: Any) -> Any:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    return keras.Model(inputs, embed_columns(inputs, spec=SPEC, name="c", **parameters))


@pytest.mark.parametrize("numbers", NUMBERS)
def test_gaps_and_unknown_words_give_finite_values(numbers: str) -> None:
    model = model_of(embedding_size=3, numbers=numbers, frequencies=5)
    x = examples(SPEC, np.random.default_rng(0), 12)
    assert np.isnan(x).any()
    y = model.predict(x, verbose=0)
    # Two values, one mark of gaps, and two embeddings; then what is told of each number.
    more = {"plain": 0, "piecewise": 2 * 16, "periodic": 2 * 2 * 5}
    assert y.shape == (12, 2 + 1 + 2 * 3 + more[numbers])
    assert np.isfinite(y).all()


def test_a_gap_is_the_mean_with_a_mark() -> None:
    model = model_of(embedding_size=1)
    x = np.array([[np.nan, 0.5, 2, 2], [0.0, 0.5, 2, 2]], dtype=np.float32)
    gap, mean = model.predict(x, verbose=0)
    assert gap[:3].tolist() == [0, 0.5, 1]
    assert mean[:3].tolist() == [0, 0.5, 0]
    assert gap[3:].tolist() == mean[3:].tolist()


def test_words_of_two_columns_have_rows_of_their_own() -> None:
    model = model_of(embedding_size=2)
    (rows,) = [layer for layer in model.layers if layer.name == "c_embedding"]
    # A gap, an unknown word and three words; the same and two words.
    assert rows.get_weights()[0].shape == (9, 2)
    rows.set_weights([np.repeat(np.arange(9.0)[:, None], 2, axis=1)])
    x = np.array([[0, 0, 0, 0], [0, 0, 4, 3]], dtype=np.float32)
    found = model.predict(x, verbose=0)[:, 3:]
    assert found.tolist() == [[0, 0, 5, 5], [4, 4, 8, 8]]


def test_bins_are_filled_one_after_the_other() -> None:
    model = model_of(embedding_size=1, numbers="piecewise")
    # The quantiles of both columns are -2, -1.75, ... 2.
    x = np.array([[-9, 9, 0, 0], [-1.625, 0, 0, 0]], dtype=np.float32)
    bins = model.predict(x, verbose=0)[:, 3:35].reshape(2, 2, 16)
    assert bins[0, 0].tolist() == [0] * 16
    assert bins[0, 1].tolist() == [1] * 16
    np.testing.assert_allclose(bins[1, 0], [1, 0.5] + [0] * 14, atol=1e-5)
    np.testing.assert_allclose(bins[1, 1], [1] * 8 + [0] * 8, atol=1e-5)


def test_a_residual_block_without_its_branch_is_the_identity() -> None:
    inputs = keras.Input((6,))
    model = keras.Model(inputs, residual_dense(inputs, units=6, name="r"))
    (narrow,) = [layer for layer in model.layers if layer.name == "r_narrow"]
    narrow.set_weights([np.zeros_like(weight) for weight in narrow.get_weights()])
    x = np.arange(12, dtype=np.float32).reshape(2, 6)
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)


def test_a_closed_gate_lets_nothing_through() -> None:
    inputs = keras.Input((6,))
    model = keras.Model(inputs, gated_dense(inputs, units=4, name="g"))
    (gate,) = [layer for layer in model.layers if layer.name == "g_gate"]
    kernel, bias = gate.get_weights()
    gate.set_weights([kernel * 0, bias - 1e4])
    x = np.arange(12, dtype=np.float32).reshape(2, 6)
    assert model.predict(x, verbose=0).tolist() == [[0] * 4] * 2
