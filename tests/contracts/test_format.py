"""What `evonas.model.formats.ExportFormat` promises, held against the formats of evonas."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.model.formats import FORMATS, SavedModel
from evonas.model.formats.apart import CannotLoad
from evonas.model.formats.verification import save_verified
from evonas.testing import FormatSuite

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own, when it saves a model under NumPy 2.4."""


class TestFormat(FormatSuite):
    members = {name: kind() for name, kind in FORMATS.items() if not kind().missing()}


@pytest.mark.parametrize("name", FORMATS)
def test_the_libraries_of_every_format_are_installed(name: str) -> None:
    """Otherwise the suite above has left it out."""
    form = FORMATS[name]()
    if missing := form.missing():
        pytest.skip(f"{name} needs {', '.join(missing)}: the extra {form.extra}")
    assert form.bundled_as


class InPython(keras.layers.Layer):
    """It calls Python, which a graph names but does not hold."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        found = tf.numpy_function(np.exp, [x], tf.float32)
        found.set_shape(x.shape)
        return found


@pytest.mark.full
def test_what_only_this_process_can_load_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, InPython()(inputs))
    x = np.zeros((3, 2), np.float32)
    with pytest.raises(CannotLoad, match=r"(?s)a process of its own cannot .*callback with key"):
        save_verified(SavedModel(), model, tmp_path / "served", x, np.exp(x))
    assert list(tmp_path.iterdir()) == []
