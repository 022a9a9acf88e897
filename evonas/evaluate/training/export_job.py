"""The job `export`: a trained genome in, its scores on the test data and a verified `.keras` file out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from evonas.data.prepared import FILES
from evonas.errors import InvalidRecord
from evonas.evaluate.contract.protocol import Job, Setup
from evonas.evaluate.training.checkpoint import Array, load_weights
from evonas.evaluate.training.scores import scores
from evonas.evaluate.training.train_job import space_of
from evonas.files import sha256_of
from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.size import measure
from evonas.model.table import layer_table
from evonas.trial import Outcome, TrialState

TOLERANCE = 1e-6
"""Between the predictions of the model and of its file, loaded again."""


class UnfaithfulExport(RuntimeError):
    """A saved model, loaded again, does not predict what the model did; no file is left."""


def export(setup: Setup, job: Job) -> Outcome:
    """Rebuild a trained model, score it, write its file, load that again, and compare the predictions.

    Scores come from `model.predict(x)`, with Keras's own batch size, and NumPy: another process can repeat them.
    Without test arrays, validation data serve for the comparison, and there are no `test_` metrics.

    Args:
        job: `weights` of the best epoch, `model` for the file to write, and the `arrays` x and y of the test data.

    Raises:
        InvalidRecord: the weights are damaged, or are those of another model.
        UnfaithfulExport: the file predicts something else.
        ValueError: the job names no file for the model.
    """
    if job.model is None:
        raise ValueError("a job `export` needs the path `model`. Received: None.")
    root, interface = Path(setup.directory), Interface.from_json(setup.interface)
    genome = Genome.from_dict(job.genome)
    model = load_model(space_of(setup), genome, interface, root / job.weights, setup.plugins)
    metrics: dict[str, float] = {}
    parts = {"val": FILES["validation"]}
    if job.arrays:
        parts["test"] = (job.arrays["x"], job.arrays["y"])
    for part, names in parts.items():
        x, y = (np.load(root / name, mmap_mode="r", allow_pickle=False) for name in names)
        predictions = _predict(model, x)
        metrics |= {
            f"{part}_{name}": value for name, value in scores(interface, y, predictions).items()
        }
    difference = save_verified(
        model, root / job.model, x, predictions
    )  # on the last part: the test data, if any
    size = measure(model)
    details = {
        "layers": layer_table(model),
        "parameters": size.parameters,
        "flops": size.flops,
        "reload_difference": difference,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
    }
    return Outcome(
        TrialState.OK,
        metrics=metrics,
        files={job.model: sha256_of(root / job.model)},
        details=details,
    )


def load_model(
    space: SearchSpace,
    genome: Genome,
    interface: Interface,
    weights: Path,
    plugins: Sequence[str] = (),
) -> keras.Model:
    """The trained model of a genome, from the weights that its training has written.

    Raises:
        InvalidRecord: the weights are missing or damaged, or are those of another model.
    """
    model = build_model(space, genome, interface, plugins)
    arrays = load_weights(weights)
    found, expected = (
        [array.shape for array in arrays],
        [tuple(variable.shape) for variable in model.weights],
    )
    if found != expected:
        raise InvalidRecord(
            f"{weights} are the weights of another model: their shapes are not those of {model.name}."
        )
    model.set_weights(arrays)
    return model


def save_verified(model: keras.Model, path: Path, x: Array, predictions: Array) -> float:
    """Write a `.keras` file that is whole, loads in safe mode, and predicts what the model does.

    The file has its name only after all that; a crash leaves the old one, or none.

    Args:
        x: raw samples.
        predictions: of the model, for `x`.

    Returns:
        The greatest difference between two predictions.

    Raises:
        UnfaithfulExport: the difference is above 1e-6, or not a number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.tmp.keras")  # Keras insists on the ending
    try:
        model.save(temporary)
        loaded = keras.models.load_model(temporary, compile=False, safe_mode=True)
        difference = float(np.max(np.abs(_predict(loaded, x) - predictions), initial=0.0))
        if not difference <= TOLERANCE:
            raise UnfaithfulExport(
                f"The saved model predicts something else: the difference is {difference}."
            )
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    return difference


def _predict(model: Any, x: Array) -> Array:
    predictions: Array = model.predict(x, verbose=0)
    return predictions
