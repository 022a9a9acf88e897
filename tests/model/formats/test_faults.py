"""Faults that are planted in what a format writes: each of them is seen, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from evonas.model.formats import FORMATS, ExportFormat
from evonas.model.formats.apart import CannotLoad
from evonas.model.formats.verification import UnfaithfulExport, save_verified
from tests.slow import few

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own, when it saves a model under NumPy 2.4."""

EXACT = [name for name, kind in FORMATS.items() if kind.tolerance is not None]
MEAN = 100.0


def network(mean: float = MEAN, seed: int = 1) -> Any:
    """A classifier of raw values about 100."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((4,))
    x = layers.Normalization(mean=[mean] * 4, variance=[50.0] * 4)(inputs)
    x = layers.Dense(8, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="output")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def of_another_trial(model: Any) -> Any:
    return network(seed=2)


def in_another_order(model: Any) -> Any:
    other = network()
    kernel, bias = model.get_layer("output").get_weights()
    other.get_layer("output").set_weights([kernel[:, [1, 0, 2]], bias[[1, 0, 2]]])
    return other


def off_by_a_percent(model: Any) -> Any:
    other = network(mean=1.01 * MEAN)
    other.set_weights(model.get_weights())
    return other


def same(model: Any) -> Any:
    return model


def nothing(path: Path) -> None:
    """Leave what was written."""


def cut(path: Path) -> None:
    """Take the last third of the greatest file."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    longest = max(files, key=lambda one: one.stat().st_size)
    content = longest.read_bytes()
    longest.write_bytes(content[: 2 * len(content) // 3])


@dataclass(frozen=True)
class Faulty(ExportFormat):
    """Writes what another format does, with a fault."""

    inner: ExportFormat = field(default_factory=FORMATS["keras"])
    change: Callable[[Any], Any] = same
    damage: Callable[[Path], None] = nothing

    def write(self, model: Any, path: Path) -> None:
        self.inner.write(self.change(model), path)
        self.damage(path)

    def load(self, path: Path) -> Any:
        raise AssertionError("a process of its own loads it")

    @property
    def reader_path(self) -> Path | None:
        return self.inner.reader_path


def faulty(name: str, change: Callable[[Any], Any], damage: Callable[[Path], None]) -> Faulty:
    """A format like another one, with a fault."""
    inner = FORMATS[name]()
    if inner.missing():
        pytest.skip(f"{name} needs {inner.missing()}")
    values = {
        "ending": inner.ending,
        "is_folder": inner.is_folder,
        "tolerance": inner.tolerance,
    }
    kind = type("Planted", (Faulty,), values)
    made: Faulty = kind(inner, change, damage)
    return made


@pytest.mark.parametrize("name", few(EXACT, "source"))
@pytest.mark.parametrize(
    ("change", "damage"),
    [
        (of_another_trial, nothing),
        (in_another_order, nothing),
        (off_by_a_percent, nothing),
        (same, cut),
    ],
)
def test_a_planted_fault_is_seen(
    name: str,
    change: Callable[[Any], Any],
    damage: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    model = network()
    x = np.random.default_rng(0).normal(MEAN, 7.0, (20, 4)).astype(np.float32)
    predictions = model.predict(x, verbose=0)
    form = faulty(name, change, damage)
    path = tmp_path / f"model{form.ending}"
    with pytest.raises((UnfaithfulExport, CannotLoad)):
        save_verified(form, model, path, x, predictions, is_measured=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", few(EXACT, "source"))
def test_without_a_fault_it_is_written(name: str, tmp_path: Path) -> None:
    """Otherwise the faults above might be seen for another reason."""
    model = network()
    x = np.random.default_rng(0).normal(MEAN, 7.0, (20, 4)).astype(np.float32)
    form = faulty(name, same, nothing)
    path = tmp_path / f"model{form.ending}"
    done = save_verified(form, model, path, x, model.predict(x, verbose=0), is_measured=True)
    assert form.tolerance is not None
    assert done.difference <= form.tolerance
    assert path.exists()
