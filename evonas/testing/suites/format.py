"""What every export format promises; `evonas.model.formats.ExportFormat` says it in words."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from evonas.model.formats import FORMATS, ExportFormat
from evonas.model.formats.export_format import CannotCarry
from evonas.model.formats.verification import save_verified
from evonas.testing.suites.suite import Suite, check_light

Array = np.ndarray[Any, Any]


class FormatSuite(Suite):
    """The suite of an export format: small networks of Keras are written and looked at.

    Class attributes:
        members: formats, by name.
    """

    members: ClassVar[Mapping[str, ExportFormat]]

    def test_it_is_made_of_settings_with_defaults(self, member: ExportFormat) -> None:
        assert dataclasses.is_dataclass(member)
        assert type(member)() == member, "it must be the same when it is made by its name"
        assert json.dumps(dict(member.about({"keras": "3.15.1", "tensorflow": "2.21.0"})))
        assert json.dumps(dict(member.about({}))), "the versions may not be known"

    def test_its_path_is_no_other_formats(self, member: ExportFormat) -> None:
        assert member.ending == "" or member.ending.startswith(".")
        for other in FORMATS.values():
            same = member.ending == other.ending and member.ending != ""
            assert isinstance(member, other) or not same, f"{member.ending} is taken"

    def test_the_driver_imports_it_without_keras(self, member: ExportFormat) -> None:
        check_light(member)

    def test_a_process_of_its_own_predicts_the_same(
        self, member: ExportFormat, tmp_path: Path
    ) -> None:
        model, x = image_network()
        predictions = model.predict(x, verbose=0)
        path = tmp_path / f"images{member.ending}"
        _leave_something(member, path)
        member = _fitted(member, x, tmp_path)
        done = save_verified(member, model, path, x, predictions, is_measured=True)
        assert done.predictions.shape == predictions.shape
        assert done.difference <= _most(member)
        if member.reader_path is not None:
            assert done.milliseconds is not None
            assert done.milliseconds > 0
        # What was there is replaced, and nothing else was left.
        assert list(tmp_path.iterdir()) == [path]
        assert path.is_dir() is member.is_folder
        assert not (path / "old").exists()

    def test_it_predicts_in_units_of_the_targets_for_any_number_of_samples(
        self, member: ExportFormat, tmp_path: Path
    ) -> None:
        model, x = sequence_network()
        before = model.predict(x, verbose=0)
        path = tmp_path / f"sequences{member.ending}"
        member = _fitted(member, x, tmp_path)
        try:
            member.write(model, path)
        except CannotCarry as error:
            pytest.skip(f"it cannot hold a recurrent network: {error}")
        after = model.predict(x, verbose=0)
        assert np.array_equal(before, after), "writing must leave the model as it is"
        predict = member.load(path)
        for count in (1, 32, 33):
            found = predict(x[:count])
            assert found.shape == (count, 1)
            assert np.allclose(found, before[:count], rtol=_most(member), atol=0)


def _fitted(form: ExportFormat, x: Array, folder: Path) -> ExportFormat:
    """The format, which may look at these samples as at those of a training."""
    path = folder.with_name(f"{folder.name}-samples.npy")
    np.save(path, x)
    return form.calibrated_on(path)


def _most(form: ExportFormat) -> float:
    """The greatest difference of probabilities that the format promises; 1 if it promises none."""
    return 1.0 if form.tolerance is None else form.tolerance


def _leave_something(form: ExportFormat, path: Path) -> None:
    """Put an older export in the place of the new one."""
    if form.is_folder:
        path.mkdir()
        path = path / "old"
    path.write_text("old", encoding="utf-8")


def image_network() -> tuple[Any, Array]:
    """A classifier of 3 classes with batch normalization, and 40 raw images of shape (8, 8)."""
    import keras
    from keras import layers

    inputs = keras.Input((8, 8))
    maps = layers.Reshape((8, 8, 1))(layers.Rescaling(1 / 255)(inputs))
    maps = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(maps))
    outputs = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(maps))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    rng = _weigh(model)
    return model, rng.integers(0, 256, (40, 8, 8)).astype(np.uint8)


def sequence_network() -> tuple[Any, Array]:
    """A regression of targets about 500, and 40 sequences of shape (6, 2)."""
    import keras
    from keras import layers

    inputs = keras.Input((6, 2))
    hidden = layers.Dropout(0.5)(layers.GRU(4)(inputs))
    outputs = layers.Rescaling(80.0, offset=500.0)(layers.Dense(1)(hidden))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mean_squared_error", loss_weights=[1 / 80.0**2])
    rng = _weigh(model)
    return model, rng.normal(size=(40, 6, 2)).astype(np.float32)


def _weigh(model: Any) -> np.random.Generator:
    """Give every variable random values, as a training would, and return the generator."""
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(0.1, 1.0, weight.shape) for weight in model.get_weights()])
    model.optimizer.build(model.trainable_variables)
    return rng
