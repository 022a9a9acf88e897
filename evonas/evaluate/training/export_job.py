"""The job `export`: a trained genome in, its test scores and its verified files out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from evonas.data.fitting import open_interface
from evonas.data.prepared import FILES
from evonas.errors import InvalidRecord
from evonas.evaluate.contract.protocol import Job, Setup
from evonas.evaluate.training.baseline import baseline
from evonas.evaluate.training.checkpoint import Array, load_weights
from evonas.evaluate.training.scoring import asked_metrics
from evonas.evaluate.training.train_job import space_of
from evonas.files import sha256_of_tree
from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import Interface
from evonas.learning.metrics import scores
from evonas.model.assembly import build_model
from evonas.model.compiling import compile_model
from evonas.model.formats import find_format
from evonas.model.formats.verification import save_verified
from evonas.model.size import measure
from evonas.model.table import layer_table
from evonas.trial import Details, Outcome, TrialState


def export(setup: Setup, job: Job) -> Outcome:
    """Rebuild a trained model, score it, write it, load what was written, compare predictions.

    The model is compiled: from a `.keras` file, plain Keras can evaluate it and train it further.
    Without test arrays, validation data serve for the comparison, and there are no `test_` metrics.

    Args:
        job: names the `weights` of the best epoch, the file or folder to write (`model`), its
            `format`, and the test data's `arrays` x and y.

    Raises:
        InvalidRecord: the weights are damaged, or are those of another model.
        UnfaithfulExport: what was written predicts something else.
        ValueError: the job names no file for the model.
        whatever the format raises, for a model that it cannot hold.
    """
    if job.model is None:
        raise ValueError("a job `export` needs the path `model`. Received: None.")
    root = Path(setup.directory)
    interface = open_interface(setup.interface, Path(setup.directory))
    genome = Genome.from_dict(job.genome)
    space = space_of(setup)
    model = load_model(space, genome, interface, root / job.weights, setup.plugins)

    parts = {"val": FILES["validation"]}
    if job.arrays:
        parts["test"] = (job.arrays["x"], job.arrays["y"])
    measured = asked_metrics(setup)
    metrics: dict[str, float] = {}
    targets: dict[str, Array] = {}
    for part, (x_name, y_name) in parts.items():
        x = _mapped(root / x_name)
        y = _mapped(root / y_name)
        targets[part] = y
        # `model.predict` with Keras's own batch size, and NumPy: another process can repeat both.
        predictions = _predict(model, x)
        for name, value in scores(measured, y, predictions).items():
            # A score of few samples may be undefined.
            if math.isfinite(value):
                metrics[f"{part}_{name}"] = value

    _, y_name = FILES["train"]
    train = _mapped(root / y_name)
    compile_model(model, space, genome, interface, len(train), setup.epochs or job.epochs)
    # `x` and `predictions` are those of the last part: the test data, if there are any.
    form = find_format(job.format, setup.plugins)
    difference = save_verified(form, model, root / job.model, x, predictions)
    return Outcome(
        TrialState.OK,
        metrics=metrics,
        files={job.model: sha256_of_tree(root / job.model)},
        details=Details(
            more={
                **_details(model, difference),
                "baseline": baseline(interface, measured, train, targets),
            }
        ),
    )


def _details(model: keras.Model, difference: float) -> dict[str, Any]:
    """What the exported model is, for its card."""
    size = measure(model)
    return {
        "layers": layer_table(model),
        "parameters": size.parameters,
        "flops": size.flops,
        "reload_difference": difference,
        "versions": {
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
    }


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
    found = [array.shape for array in arrays]
    expected = [tuple(variable.shape) for variable in model.weights]
    if found != expected:
        raise InvalidRecord(
            f"{weights} are the weights of another model: "
            f"their shapes are not those of {model.name}."
        )
    model.set_weights(arrays)
    return model


def _mapped(path: Path) -> Array:
    """An array that is read from the disk where it is used, not loaded as a whole."""
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _predict(model: Any, x: Array) -> Array:
    predictions: Array = model.predict(x, verbose=0)
    return predictions
