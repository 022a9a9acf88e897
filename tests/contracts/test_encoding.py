"""An encoding and the layers of the same name give the same stored samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from evonas.data.arrays import Arrays
from evonas.data.encodings import ENCODINGS, encoding_for
from evonas.data.raw import Array, Frame, Ragged, RawSamples, taken
from evonas.evaluate.training.export_job import given_to_keras
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.input_spec import InputSpec
from evonas.model.formats import SourceCode
from evonas.model.formats.alone import answers
from evonas.model.formats.given import to_keras
from evonas.model.preprocessing import PREPROCESSING, raw_inputs
from tests.slow import few

COUNT = 40
WORDS = ["", "red", "Red", "grün", "blue sky", "😀", "a,b", "'"]


def frame() -> Frame:
    """Numbers with and without gaps, whole numbers, truth values, and words with gaps."""
    rng = np.random.default_rng(0)
    ages = rng.normal(40, 12, COUNT)
    ages[::7] = np.nan
    colours = np.array(WORDS)[rng.integers(0, len(WORDS), COUNT)]
    return Frame(
        {
            "age": ages,
            "capital-gain": rng.integers(0, 99_999, COUNT),
            "is new": rng.random(COUNT) < 0.5,
            "Farbe/Größe": colours,
            "many": np.array([f"w{k}" for k in rng.integers(0, 200, COUNT)]),
            "constant": np.full(COUNT, 3.0),
            "output": np.arange(COUNT),
        }
    )


NASTY = [
    "Don't PANIC!", "ÄÖÜ äöü ß", "naïve café", "", "  ", "...!?", "a\tb\nc\r\nd\x0be\x0cf",
    "no\u00a0break\u2003wide", "😀 smile 😀😀", "[UNK]", "[unk] UNK", "x" * 5_000, "word " * 900,
    "3.14 3,14", "`quoted` 'single' \"double\"", "back\\slash_under-score", "„deutsch“ — dash",
    "İstanbul Straße ǅ", "日本語 テスト", "e\u0301 é", "\x1c\x1d\x1e\x1f", "{curly}|~^",
    "\u200bzero\u200bwidth",
]  # fmt: skip
"""Texts whose words may be split, stripped or made small in different ways."""


def texts() -> Array:
    """Each text twice, so that all words have numbers; then words that are unknown."""
    known = [f"{text} {text}" for text in NASTY[: COUNT // 2]]
    late = [f"{text} new{number}" for number, text in enumerate(NASTY[-COUNT // 2 :])]
    return np.array([*known, *late], dtype=np.dtypes.StringDType())[:COUNT]


def sequences() -> Ragged:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 7, COUNT)
    # Longer than all of the first half.
    lengths[-1] = 9
    return Ragged([rng.normal(size=(length, 2)) for length in lengths])


def pictures() -> Ragged:
    """Pictures of bytes, larger and smaller than they become."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 50, (COUNT, 2))
    return Ragged([rng.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes])


SAMPLES: dict[str, tuple[RawSamples, str]] = {
    "table": (frame(), "table"),
    "one_hot": (frame(), "vector"),
    "text": (texts(), "text"),
    "padded": (sequences(), "sequence"),
    "pixels": (pictures(), "image"),
}
"""Encoding -> raw samples that it takes, and the kind of input."""


def test_every_encoding_has_layers_and_samples() -> None:
    named = {name for name in ENCODINGS if name}
    assert named == set(PREPROCESSING) == set(SAMPLES)


@pytest.mark.parametrize("name", few(SAMPLES, *(set(SAMPLES) - {"pixels"})))
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
def test_the_layers_give_what_the_encoding_stores(name: str, tmp_path: Path) -> None:
    x, kind = SAMPLES[name]
    encoding = encoding_for(x, kind)
    assert encoding.name == name
    assert encoding.issues(Arrays("here", x, np.zeros(len(x))), kind) == []
    # The later samples have words and gaps that the first ones do not have.
    fitted = encoding.fit(taken(x, np.arange(COUNT // 2)))
    stored = encoding.encode(x, fitted).astype(encoding.dtype([x]))
    again = encoding.encode(x, InputSpec.from_json(_spec(kind, stored, fitted)).fitted)
    np.testing.assert_array_equal(again, stored)

    spec = InputSpec.from_json(_spec(kind, stored, fitted, name))
    model = keras.Model(*raw_inputs(spec))
    model.save(tmp_path / "raw.keras")
    loaded: Any = keras.models.load_model(tmp_path / "raw.keras", safe_mode=True)
    for one in (model, loaded):
        given = given_to_keras(x)
        if isinstance(given, list):
            found = np.concatenate([one(item[None]).numpy() for item in given])
        else:
            found = one.predict(to_keras(given), verbose=0)
        np.testing.assert_array_equal(found, stored)
    SourceCode().write(model, tmp_path / "source")
    read = SourceCode().load(tmp_path / "source")
    np.testing.assert_array_equal(answers(read, given_to_keras(x)), stored)


def _spec(kind: str, stored: Any, fitted: Any, encoding: str = "") -> dict[str, Any]:
    import json

    assert len(stored.shape) - 1 in INPUT_KINDS[kind].axes
    given = InputSpec(kind, stored.shape[1:], fitted, str(stored.dtype), encoding=encoding)
    # As a record holds it.
    text: dict[str, Any] = json.loads(json.dumps(given.to_json()))
    return text


@pytest.mark.parametrize("name", SAMPLES)
def test_a_row_depends_on_its_sample_alone(name: str) -> None:
    x, kind = SAMPLES[name]
    encoding = encoding_for(x, kind)
    fitted = encoding.fit(x)
    whole = encoding.encode(x, fitted)
    some = encoding.encode(taken(x, np.array([7, 3])), fitted)
    np.testing.assert_array_equal(some, whole[[7, 3]])


@pytest.mark.parametrize("name", ["padded", "pixels"])
def test_a_model_that_is_called_is_not_in_training(name: str) -> None:
    """Preprocessing layers of Keras may tell the layers behind them that it is one."""
    x, kind = SAMPLES[name]
    encoding = encoding_for(x, kind)
    fitted = encoding.fit(x)
    stored = encoding.encode(x, fitted)
    inputs, prepared = raw_inputs(InputSpec(kind, stored.shape[1:], fitted, encoding=name))
    model = keras.Model(inputs, keras.layers.Dropout(0.9)(prepared))
    raw = given_to_keras(x)[0]
    np.testing.assert_array_equal(model(raw[None]).numpy()[0], stored[0])
