"""The jobs `score` and `export`: a trained genome in, its scores or verified files out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import keras
import numpy as np
import tensorflow as tf

from evonas.data.encodings.padded import padded
from evonas.data.fitting import open_interface
from evonas.data.prepared import FILES, FOLDS, RAW_FILES, WEIGHTS
from evonas.data.raw import Frame, Ragged, RawSamples, plain
from evonas.data.raw import load as load_raw
from evonas.errors import InvalidRecord
from evonas.evaluate.contract.protocol import ExportJob, Job, ScoreJob, Setup
from evonas.evaluate.contract.raised import message_of
from evonas.evaluate.training.baseline import baseline, persistence
from evonas.evaluate.training.by_target import by_target
from evonas.evaluate.training.checkpoint import Array, load_weights
from evonas.evaluate.training.ensembling import Ensemble, chosen, judged
from evonas.evaluate.training.errors import errors_of
from evonas.evaluate.training.neighbours import neighbours
from evonas.evaluate.training.parts import Part, mapped, predicted, weights_at
from evonas.evaluate.training.proof import proof_of
from evonas.evaluate.training.scoring import MetricFailed, asked_metrics
from evonas.evaluate.training.train_job import space_of
from evonas.evaluate.training.trainer import means
from evonas.files import DISK_ERRORS, delete, sha256_of_tree
from evonas.genome import Genome, SearchSpace
from evonas.learning.input_spec import input_name
from evonas.learning.interface import Interface
from evonas.learning.metrics import Metric
from evonas.learning.recipe import Recipe
from evonas.model.assembly import build_model
from evonas.model.compiling import compile_model
from evonas.model.ensemble import ensemble_model
from evonas.model.formats import DEFAULT, FORMATS, find_format
from evonas.model.formats.apart import CannotLoad
from evonas.model.formats.calls import FormatFailed
from evonas.model.formats.export_format import AnySamples, CannotCarry
from evonas.model.formats.verification import UnfaithfulExport, save_verified
from evonas.model.size import ModelSize, measure
from evonas.model.table import layer_table
from evonas.trial import Cause, Details, Outcome, TrialState


def export(setup: Setup, job: ExportJob) -> Outcome:
    """Rebuild a trained model, score it, write it, load what was written, compare predictions.

    The model is compiled: from a `.keras` file, plain Keras can evaluate it and train it further.
    Without test arrays, validation data serve for the comparison, and there are no `test_` metrics.

    Raises:
        InvalidRecord: the weights are damaged, or are those of another model.
        UnfaithfulExport: what was written predicts something else.
        whatever else a format of evonas raises. A model that a format cannot hold, and what one of
            a plugin does wrong, are outcomes whose cause is the format.
    """
    root = Path(setup.directory)
    interface = open_interface(setup.interface, root)
    space = space_of(setup)
    model = _model(setup, job, interface)
    # Pictures of any size have no number of operations: the network is counted for stored samples.
    size = measure(model)
    network = model
    measured = asked_metrics(setup)
    found = _scored(setup, measured, model, interface, job.arrays)
    x: AnySamples = found.x
    predictions = found.predictions
    if interface.input.encoding:
        model = with_raw_inputs(model, space, job.genome, interface, setup.plugins)
        raw = load_raw(root / RAW_FILES["test" if job.arrays else "validation"])
        x, predictions = given_to_keras(raw), predictions[: len(raw)]
    _compile(setup, job, model, interface)
    form = find_format(job.format, setup.plugins)
    if not interface.input.encoding:
        form = form.calibrated_on(root / FILES["train"][0])
    path = root / job.model
    proof: Mapping[str, Any] = {}
    try:
        done = save_verified(form, model, path, x, predictions, job.is_measured)
        if job.is_measured:
            proof = proof_of(model, interface, measured, found.parts, done, form)
    except CannotCarry as error:
        return Outcome(TrialState.ERROR, message=str(error), details=Details(cause=Cause.FORMAT))
    except (FormatFailed, CannotLoad, UnfaithfulExport) as error:
        if job.format in FORMATS:
            raise
        if _is_of_the_machine(error.__cause__):
            raise error.__cause__ from None
        details = Details(cause=Cause.FORMAT)
        return Outcome(TrialState.ERROR, message=str(error), details=details)
    files = {job.model: sha256_of_tree(root / job.model)}
    more = {
        **_details(model, size, done.difference),
        **proof,
        "unscored": dict(found.failed),
        **_references(setup, interface, measured, found.parts),
    }
    if "test" in found.parts:
        more["errors"] = errors_of(interface, found.parts["test"])
    if job.neighbours is not None:
        more["neighbours"] = neighbours(setup, interface, found.parts, job.neighbours)
    if job.ensemble is not None:
        # That of an earlier end is of other trials.
        delete(root / job.ensemble)
        more["ensemble"] = _with_ensemble(setup, job, interface, measured, network, found)
        if (root / job.ensemble).is_file():
            files[job.ensemble] = sha256_of_tree(root / job.ensemble)
    return Outcome(TrialState.OK, metrics=found.metrics, files=files, details=Details(more=more))


def _compile(setup: Setup, job: ExportJob, model: keras.Model, interface: Interface) -> None:
    """Compile a model with what the job's genome was trained by."""
    _, y_name = FILES["train"]
    train = mapped(Path(setup.directory) / y_name)
    most = setup.epochs or job.epochs
    loss = Recipe.from_json(setup.recipe).loss
    compile_model(model, space_of(setup), job.genome, interface, len(train), most, loss)


def _with_ensemble(
    setup: Setup,
    job: ExportJob,
    interface: Interface,
    measured: Sequence[Metric],
    winner: keras.Model,
    found: _Scored,
) -> dict[str, Any]:
    """Choose an ensemble and write it; what the card tells of it, or why there is none."""
    test = found.parts["test"]
    try:
        made = chosen(setup, job, interface, measured)
        if isinstance(made, str):
            return {"left_out": made}
        more, answers = judged(setup, made, winner, test, interface, measured)
        written = _write_ensemble(setup, job, interface, made, test, answers)
    # The winner is as good without it.
    except (InvalidRecord, MetricFailed, UnfaithfulExport) as error:
        return {"left_out": message_of(error)}
    metrics = {**made.about["metrics"], **more.pop("metrics", {})}
    return {**made.about, **more, **written, "metrics": metrics}


def _write_ensemble(
    setup: Setup,
    job: ExportJob,
    interface: Interface,
    ensemble: Ensemble,
    test: Part,
    answers: Array,
) -> dict[str, Any]:
    """Write an ensemble as one verified model that takes raw samples."""
    assert job.ensemble is not None
    root = Path(setup.directory)
    model = ensemble_model(ensemble.networks, interface, takes_raw=True)
    x: AnySamples = test.x
    if interface.input.encoding:
        raw = load_raw(root / RAW_FILES["test"])
        x, answers = given_to_keras(raw), answers[: len(raw)]
    _compile(setup, job, model, interface)
    done = save_verified(FORMATS[DEFAULT](), model, root / job.ensemble, x, answers)
    return {"layers": layer_table(model), "reload_difference": done.difference}


def _is_of_the_machine(error: BaseException | None) -> TypeGuard[Exception]:
    """Whether memory or disk has failed, so that another attempt may succeed."""
    if isinstance(error, OSError):
        return error.errno in DISK_ERRORS
    return isinstance(error, MemoryError | tf.errors.ResourceExhaustedError)


def score(setup: Setup, job: ScoreJob) -> Outcome:
    """Rebuild a trained model, and score it.

    Raises:
        InvalidRecord: the weights are damaged, or are those of another model.
    """
    root = Path(setup.directory)
    interface = open_interface(setup.interface, root)
    model = _model(setup, job, interface)
    found = _scored(setup, asked_metrics(setup), model, interface, job.arrays)
    return Outcome(TrialState.OK, metrics=found.metrics)


def _model(setup: Setup, job: Job, interface: Interface) -> keras.Model:
    """The trained model of a job, from its weights."""
    weights = Path(setup.directory) / job.weights
    return load_model(space_of(setup), job.genome, interface, weights, setup.plugins)


@dataclass(frozen=True)
class _Scored:
    """What a model scores on validation data, and on the test data if they are named.

    With folds it was trained on all validation data, and has no score on them.

    Attributes:
        parts: the parts by the prefix of their scores; the test data last.
        x: samples of the last part: the test data, if there are any. Without any part they are the
            training data.
        predictions: the model's answers for them.
        failed: why a function of the user's has given no score, by the name of the score.
    """

    metrics: Mapping[str, float]
    parts: Mapping[str, Part]
    x: Array
    predictions: Array
    failed: Mapping[str, str]


def _scored(
    setup: Setup,
    measured: Sequence[Metric],
    model: keras.Model,
    interface: Interface,
    arrays: Mapping[str, str],
) -> _Scored:
    """Score a model on validation data, and on these test data.

    Args:
        arrays: files of the test data, `x`, `y` and perhaps `weights`; may be empty.
    """
    root = Path(setup.directory)
    x_name, y_name = FILES["validation"]
    validation = {"x": x_name, "y": y_name, "weights": WEIGHTS["validation"]}
    files = {} if setup.folds else {"val": validation}
    if arrays:
        files["test"] = {"weights": WEIGHTS["test"], **arrays}
    metrics: dict[str, float] = {}
    parts: dict[str, Part] = {}
    failed: dict[str, str] = {}
    for part, names in files.items():
        x = mapped(root / names["x"])
        y = mapped(root / names["y"])
        weights = weights_at(root / names["weights"])
        # `model.predict` with Keras's own batch size, and NumPy: another process can repeat both.
        predictions = predicted(model, x)
        parts[part] = Part(x, y, weights, predictions)
        for metric in measured:
            try:
                found = interface.scores([metric], y, predictions, weights)
            # The model is as good without this score, which the search has not asked for.
            except MetricFailed as error:
                failed[f"{part}_{metric.name}"] = str(error)
                continue
            for name, value in found.items():
                # A score of few samples may be undefined.
                if math.isfinite(value):
                    metrics[f"{part}_{name}"] = value
    if not parts:
        x = mapped(root / FILES["train"][0])
        predictions = predicted(model, x)
    return _Scored(metrics, parts, x, predictions, failed)


def _references(
    setup: Setup, interface: Interface, measured: Sequence[Metric], parts: Mapping[str, Part]
) -> dict[str, Any]:
    """What is scored without learning, and what each of several targets scores."""
    weights = {part: one.weights for part, one in parts.items()}
    samples = {part: (one.x, one.y) for part, one in parts.items()}
    found: dict[str, Any] = {"baseline": _baseline(setup, interface, measured, parts)}
    if known := persistence(interface, measured, samples, weights):
        found["persistence"] = known
    of_targets: dict[str, dict[str, float]] = {}
    for part, one in parts.items():
        for name, scored in by_target(interface, part, one.y, one.predictions, one.weights).items():
            of_targets.setdefault(name, {}).update(scored)
    if of_targets:
        found["targets"] = of_targets
    return found


def _baseline(
    setup: Setup, interface: Interface, measured: Sequence[Metric], parts: Mapping[str, Part]
) -> dict[str, float]:
    """The baseline of each part that is scored; with folds also the mean over them."""
    root = Path(setup.directory)
    train = mapped(root / FILES["train"][1])
    of_train = weights_at(root / WEIGHTS["train"])
    targets = {part: one.y for part, one in parts.items()}
    weights = {part: one.weights for part, one in parts.items()}
    found = baseline(interface, measured, train, targets, {**weights, "train": of_train})
    if setup.folds is None:
        return found
    fold_of = mapped(root / FOLDS)
    rows = []
    for fold in range(setup.folds):
        own = fold_of == fold
        of_fold: dict[str, Array | None] = {}
        if of_train is not None:
            of_fold = {"train": of_train[~own], "val": of_train[own]}
        rows.append(baseline(interface, measured, train[~own], {"val": train[own]}, of_fold))
    return {**means(rows), **found}


def _details(model: keras.Model, size: ModelSize, difference: float) -> dict[str, Any]:
    """What the exported model is, for its card."""
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


def with_raw_inputs(
    model: keras.Model,
    space: SearchSpace,
    genome: Genome,
    interface: Interface,
    plugins: Sequence[str] = (),
) -> keras.Model:
    """The same network, which takes raw samples instead of stored ones.

    Args:
        model: a trained model of the genome.
    """
    made = build_model(space, genome, interface, plugins, takes_raw=True)
    trained = {layer.name: layer for layer in model.layers if layer.weights}
    for layer in made.layers:
        # The layers of the preprocessing have their values already.
        if layer.name in trained:
            layer.set_weights(trained[layer.name].get_weights())
    return made


def given_to_keras(raw: RawSamples) -> AnySamples:
    """Raw samples in the form in which an exported model takes them."""
    if isinstance(raw, Ragged) and raw.items[0].ndim == 3:
        return list(raw.items)
    if isinstance(raw, Frame):
        return {input_name(name): _column(values) for name, values in raw.columns.items()}
    if isinstance(raw, np.ndarray) and raw.dtype.kind in "UT":
        return plain(raw)
    # Pictures of one size.
    if isinstance(raw, np.ndarray) and raw.ndim == 4:
        return raw
    return padded(raw)


def _column(values: Array) -> Array:
    """A column as Keras takes it: words, or 32-bit floats."""
    if values.dtype.kind in "UT":
        return plain(values)
    return values.astype(np.float32)
