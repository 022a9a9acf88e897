"""ONNX and LiteRT: every op of every space, and what neither of them can hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from evonas.genome import load_space
from evonas.genome.library import find
from evonas.learning.examples import examples
from evonas.model.formats import FORMATS, ExportFormat
from evonas.model.formats.apart import answered_apart
from evonas.model.formats.export_format import CannotCarry
from evonas.model.formats.served import convert
from evonas.model.formats.verification import save_verified
from tests.model.covering import covering_genomes
from tests.model.source.test_program import network
from tests.model.test_spaces import NAMES, interfaces

RUNTIMES = ("onnx", "litert")


def installed(name: str) -> ExportFormat:
    form = FORMATS[name]()
    if missing := form.missing():
        pytest.skip(f"{name} needs {', '.join(missing)}: the extra {form.extra}")
    return form


@pytest.mark.full
@pytest.mark.parametrize("form", RUNTIMES)
@pytest.mark.parametrize("name", NAMES)
def test_five_genomes_that_hold_every_op_predict_the_same(
    name: str, form: str, tmp_path: Path
) -> None:
    made = installed(form)
    assert made.tolerance == 1e-5
    space = load_space(find("spaces", name))
    for genome, ends in zip(covering_genomes(space), interfaces(str(space.input)), strict=False):
        model = network(space, genome, ends)
        x = examples(ends.input, np.random.default_rng(1), 7).astype(np.float32)
        wanted = model.predict(x, verbose=0)
        path = tmp_path / f"model{made.ending}"
        made.write(model, path)
        predict = made.load(path)
        largest = max(1.0, float(np.abs(wanted).max()))
        for count in (1, 7):
            found = predict(x[:count])
            assert found.shape == wanted[:count].shape
            assert np.abs(found - wanted[:count]).max() <= made.tolerance * largest
    keras.backend.clear_session()


def of_columns() -> tuple[Any, dict[str, Any]]:
    """A network that takes a mapping of numbers, by names that are no names of Python."""
    names = ("Größe (m)", "2nd")
    inputs = {name: keras.Input((1,), name=name) for name in names}
    gaps = keras.ops.isnan(inputs[names[0]])
    first = keras.ops.where(gaps, 0.5, inputs[names[0]])
    x = layers.Concatenate()([first, inputs[names[1]]])
    model = keras.Model(inputs, layers.Dense(3, activation="gelu")(x))
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=20).astype(np.float32) for name in names}
    columns[names[0]][3] = np.nan
    return model, columns


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_mapping_of_numbers_with_gaps_is_carried(name: str, tmp_path: Path) -> None:
    """Exact gelu, too, for which ONNX has no operator of TensorFlow's name."""
    form = installed(name)
    model, columns = of_columns()
    wanted = model.predict({key: values[:, None] for key, values in columns.items()}, verbose=0)
    path = tmp_path / f"model{form.ending}"
    done = save_verified(form, model, path, columns, wanted, is_measured=True)
    assert np.isfinite(done.predictions).all()
    assert done.milliseconds is not None
    again = answered_apart(form, path, columns, is_measured=True)
    assert again.one is not None
    assert again.one.shape == (1, 3)


@pytest.mark.parametrize("name", [*RUNTIMES, "litert_int8"])
def test_what_they_cannot_hold_is_said(name: str, tmp_path: Path) -> None:
    form = installed(name).calibrated_on(tmp_path / "none.npy")
    word = keras.Input((1,), dtype="string", name="colour")
    codes = layers.StringLookup(vocabulary=["red"], mask_token="")(word)
    of_words = keras.Model({"colour": word}, layers.Embedding(3, 2)(codes))
    picture = keras.Input((None, None, 1))
    of_pictures = keras.Model(picture, keras.ops.image.resize(picture, (4, 4)))
    for model, words in (
        (of_words, r"takes words \(colour\), and its tables of words have no counterpart"),
        (of_pictures, r"resizes pictures of any size, and (ONNX|LiteRT) does that with another"),
    ):
        with pytest.raises(CannotCarry, match=words):
            form.write(model, tmp_path / f"model{form.ending}")
    assert list(tmp_path.iterdir()) == []


def test_integers_need_samples_of_the_training(tmp_path: Path) -> None:
    model, _ = of_columns()
    with pytest.raises(CannotCarry, match="integers are scaled by raw samples of the training"):
        FORMATS["litert_int8"]().write(model, tmp_path / "model.int8.tflite")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.abort()", "its process has ended with the code -6"),
        ("raise ValueError('no such op')", "ValueError: no such op$"),
    ],
)
def test_a_converter_that_fails_is_no_bug_of_the_worker(
    code: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(
        CannotCarry, match=rf"(?s)the converter does not take the network: .*{words}"
    ):
        convert(["-c", code], tmp_path / "failure.txt")
