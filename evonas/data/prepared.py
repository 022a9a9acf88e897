"""From a data source to the arrays that workers read: checked, split, and written to the run's
directory.

The driver calls `prepare` once per run. Normalization is only measured here, on training data
alone. The model applies it, so what the user takes home accepts raw samples.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data import raw
from evonas.data.arrays import GIVEN, Arrays
from evonas.data.checks import check_counts, check_targets, check_task
from evonas.data.columns import moments
from evonas.data.encodings import Encoding, encoding_for
from evonas.data.fitting import FITTED, fit
from evonas.data.folding import fold_arrays
from evonas.data.precision import judge
from evonas.data.raw import Array, RawSamples
from evonas.data.reading import ReadAhead, read
from evonas.data.sources import Source
from evonas.data.splits import Chronological, Part, Parts, Shares, Split
from evonas.data.splits.k_fold import KFold
from evonas.data.splits.split import Indices
from evonas.data.splitting import about_groups, check_beside, default_split, split_arrays
from evonas.data.storing import Samples, write_array
from evonas.data.weights import about_weights, check_parts, check_weights
from evonas.data.windows import Horizon, apart, windows_of
from evonas.errors import InvalidData, Issue
from evonas.files import sha256_of, write_text_whole, write_whole
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface, OfTargets
from evonas.learning.tasks import TASKS, LearningTask, Strata, guess_task
from evonas.memory import Memory

FILES: Mapping[Part, tuple[str, str]] = {
    "train": ("data/x_train.npy", "data/y_train.npy"),
    "validation": ("data/x_validation.npy", "data/y_validation.npy"),
    "test": ("data/test/x.npy", "data/test/y.npy"),
}
"""Files of the samples and the targets of each part, relative to the run's directory.

With folds, the training part is all that is not for the test, and there is none for validation. No
training task names the test data.
"""

WEIGHTS: Mapping[Part, str] = {
    "train": "data/weight_train.npy",
    "validation": "data/weight_validation.npy",
    "test": "data/test/weight.npy",
}
"""Files of what the samples of each part count. They are there only if the source gives it."""

RAW_FILES: Mapping[Part, str] = {
    "validation": "data/raw_validation.npz",
    "test": "data/test/raw.npz",
}
"""Files of the first raw samples of a part, if samples are encoded: an export is verified on them.

With folds, that of the validation has the first of the training part.
"""

MOST_RAW = 256
"""The most raw samples in such a file."""

FOLDS = "data/folds.npy"
"""File of the number of the fold in which each sample of the training part is for validation."""


@dataclass(frozen=True)
class DataSettings:
    """Which samples are used, and how they are split.

    Attributes:
        input: kind of input that the search space is for.
        source: where samples come from.
        task: name of what is learned; None to guess it.
        shares: how much is split off. A share has no effect if the source gives that part.
        split: how samples are split; None for stratified, and for random if there are no classes.
        folds: number of folds; None for one part for validation.
        horizon: windows and steps of a forecast; None for other tasks.
        ahead: what the source has given already; None if it was not read yet.
    """

    input: str
    source: Source
    task: str | None = None
    shares: Shares = field(default_factory=Shares)
    split: Split | None = None
    folds: int | None = None
    horizon: Horizon | None = None
    ahead: ReadAhead | None = field(default=None, compare=False, repr=False)

    def read(self, memory: Memory, folder: Path) -> Arrays:
        """What the source gives, which may be slow code of the user's: it is read once.

        Args:
            folder: folder for files of samples that do not fit into memory.

        Raises:
            InvalidData: it cannot be read.
        """
        found = None if self.ahead is None else self.ahead.take()
        return read(self.source, memory, folder) if found is None else found

    @property
    def reader(self) -> Split | None:
        """What reads the arrays beside samples and targets."""
        if self.folds is not None and self.split is None:
            return KFold(self.folds)
        return Chronological() if self.horizon is not None else self.split


@dataclass(frozen=True)
class Prepared:
    """What is known of the data once they are on the disk.

    Attributes:
        interface: what every model of the run must accept and answer; None in a run without
            networks.
        counts: number of samples of each part: train, validation, test. With folds there is no part
            for validation: its samples are in the training part.
        guess: how the task was guessed, one sentence for the user; empty if it was given.
        files: sha256 of each file, by its path relative to the run's directory.
        fingerprint: sha256 of the source's arrays and of everything that decides their split.
        notes: what is allowed and probably not meant, a sentence each, for the user.
    """

    interface: Interface | None
    counts: Mapping[str, int]
    guess: str
    files: Mapping[str, str]
    fingerprint: str
    notes: tuple[str, ...] = ()


def prepare(settings: DataSettings, directory: Path, memory: Memory | None = None) -> Prepared:
    """Read, check, split, measure and write the data of a run.

    Written samples are uint8 if the source's are, otherwise float32. Written targets are int32
    class numbers or labels, or float64: predictions are scored against the targets as they were
    given.

    Args:
        settings: which data are used and how they are split.
        directory: directory of the run. The arrays go to `data/` in it, see `FILES`.
        memory: tells how much memory is free; by default that of this machine.

    Raises:
        InvalidData: the source cannot be read, or its arrays cannot be used. All issues are
            reported at once.
        DiskFailure: the arrays cannot be written.
    """
    memory = memory or Memory()
    found = _flat_targets(settings.read(memory, directory / "data"))
    arrays, rows, notes = windows_of(found, settings.horizon, settings.split, memory)
    encoding = encoding_for(arrays.x, settings.input)
    task, guess = _check(arrays, settings, encoding)
    everything, given, labels = _with_encoded_targets(arrays, task)
    strata = task.strata(everything.y, labels)
    try:
        drawn, fold_of, split_notes = _draw(arrays, settings, strata)
    except InvalidData as error:
        raise InvalidData([*error.problems, *about_guess(guess)]) from error
    drawn, more = apart(drawn, rows, settings.horizon)
    precision = judge(arrays, settings.input, task, are_encoded=bool(encoding.name))
    if precision.issues:
        is_about_targets = any(issue.key == "y" for issue in precision.issues)
        blamed = about_guess(guess) if is_about_targets else []
        raise InvalidData([*precision.issues, *blamed])
    parts = dict(given)
    for drawn_part, indices in drawn.items():
        parts[drawn_part] = everything.take(indices)
    check_parts({part: one.weights for part, one in parts.items()}, arrays.origin)
    # Nothing but the training part may be measured: the other parts stand for unseen samples.
    # To be stored as they are, samples need nothing, and may be more than memory holds.
    fitted = encoding.fit(parts["train"].all()) if encoding.name else {}
    dtype = encoding.dtype(arrays.samples().values())
    files: dict[str, str] = {}
    counts: dict[str, int] = {}
    interface: Interface | None = None
    # The training part comes first.
    for part in (part for part in FILES if part in parts):
        samples = parts[part]
        name = FILES[part][0]
        encoded = (encoding.encode(x, fitted) for x in samples.chunks())
        x = write_array(directory / name, encoded, len(samples.y), dtype)
        files[name] = sha256_of(directory / name)
        if interface is None:
            interface = _describe(x, samples.y, settings, task, labels)
            spec = replace(
                interface.input,
                encoding=encoding.name,
                fitted={**interface.input.fitted, **fitted, **_schema(arrays)},
            )
            # The names of labels are the classes.
            names = () if interface.classes else found.target_names
            interface = replace(interface, input=spec, target_names=names)
        files[FILES[part][1]] = _write_array(samples.y, directory / FILES[part][1])
        if samples.weights is not None:
            files[WEIGHTS[part]] = _write_array(samples.weights, directory / WEIGHTS[part])
        if encoding.name and part in RAW_FILES:
            files |= _write_raw(part, samples.first(MOST_RAW), directory)
        counts[part] = len(samples.y)
    assert interface is not None, "there is a training part"
    if fold_of is not None:
        files[FOLDS] = _write_array(fold_of, directory / FOLDS)
        if encoding.name:
            files |= _write_raw("validation", parts["train"].first(MOST_RAW), directory)
    write_text_whole(directory / FITTED, interface.input.text)
    files[FITTED] = interface.input.digest
    fingerprint = _fingerprint(found, settings, task)
    own = (
        *arrays.notes,
        *encoding.notes(arrays, settings.input, fitted),
        *notes,
        *task.notes(arrays.y),
    )
    told = (
        *own,
        *about_weights(arrays),
        *about_groups(arrays),
        *split_notes,
        *more,
        *precision.notes,
    )
    return Prepared(interface, counts, guess, files, fingerprint, told)


def _draw(
    arrays: Arrays,
    settings: DataSettings,
    strata: Strata | None,
) -> tuple[Parts, Array | None, tuple[str, ...]]:
    """The parts that are drawn from `x`, the fold of each training sample, and notes.

    Raises:
        InvalidData: the samples cannot be split so.
    """
    split = settings.split
    shares = settings.shares
    if settings.folds is None:
        if split is None:
            is_forecast = settings.horizon is not None
            split = Chronological() if is_forecast else default_split(strata)
        drawn, notes = split_arrays(arrays, split, shares, strata)
        return drawn, None, notes
    folds, notes = fold_arrays(arrays, split, settings.folds, shares, strata)
    parts: dict[Part, Indices] = {"train": folds.pool}
    if folds.test is not None:
        parts["test"] = folds.test
    return parts, folds.fold_of, notes


def about_guess(guess: str) -> list[Issue]:
    """What to say beside issues that would be none under another task; nothing if it was given."""
    if not guess:
        return []
    return [Issue(f"was not given, and is guessed to be {guess}.", "data.task")]


def _flat_targets(arrays: Arrays) -> Arrays:
    """The same arrays, with columns of targets (n, 1) as (n,)."""
    flat: dict[str, Any] = {}
    for key, array in arrays.named().items():
        if key.startswith("y"):
            flat[key] = _flat(array)
    return replace(arrays, **flat)


def _flat(y: Array) -> Array:
    """A column (n, 1) as (n,); other shapes as they are."""
    is_column = y.ndim == 2 and y.shape[1] == 1
    if is_column:
        return y[:, 0]
    return y


def _check(arrays: Arrays, settings: DataSettings, encoding: Encoding) -> tuple[LearningTask, str]:
    """The task and how it was guessed.

    Raises:
        InvalidData: all issues of the samples and of the targets.
    """
    issues = encoding.issues(arrays, settings.input)
    if encoding.name:
        issues += check_counts(arrays)
    issues += check_beside(arrays, settings.reader) + check_weights(arrays)
    target_issues = check_targets(arrays)
    # From bad targets no task can be guessed.
    if target_issues:
        raise InvalidData(issues + target_issues)
    if settings.task:
        task, guess = TASKS[settings.task], ""
    else:
        task, guess = guess_task(arrays.y)
    task_issues = check_task(arrays, task)
    if task_issues:
        issues += task_issues + about_guess(guess)
    if issues:
        raise InvalidData(issues)
    return task, guess


def _with_encoded_targets(
    arrays: Arrays, task: LearningTask
) -> tuple[Samples, dict[Part, Samples], Array]:
    """The samples to be split, the parts that are given, and the labels of the classes.

    Targets are in the type in which they are stored.
    """
    labels = task.labels(arrays.y, arrays.target_names)

    def samples(x: RawSamples, y: Array) -> Samples:
        return Samples(x, task.encode(y, labels))

    given: dict[Part, Samples] = {}
    for part in GIVEN:
        if found := arrays.given(part):
            given[part] = samples(*found)
    everything = samples(arrays.x, arrays.y)
    if arrays.sample_weight is not None:
        everything = replace(everything, weights=arrays.sample_weight.astype(np.float32))
    return everything, given, labels


def _describe(
    x: Array, y: Array, settings: DataSettings, task: LearningTask, labels: Array
) -> Interface:
    """The interface of the models, measured on the stored training part."""
    mean: OfTargets = 0.0
    scale: OfTargets = 1.0
    if task.are_quantities:
        # Targets are measured like a table with a feature for each.
        means, variances = moments(y.reshape(len(y), -1), "vector")
        deviations = tuple(math.sqrt(variance) for variance in variances)
        is_one = len(means) == 1
        mean, scale = (means[0], deviations[0]) if is_one else (means, deviations)
    kind = settings.input
    shape = tuple(x.shape[1:])
    given = InputSpec(kind, shape, fit(x, kind), str(x.dtype), file=FITTED)
    steps = 0 if settings.horizon is None else settings.horizon.steps
    return Interface(given, task.name, tuple(labels.tolist()), mean, scale, steps=steps)


def _schema(arrays: Arrays) -> dict[str, Any]:
    """How a table was read, for `fitted`: predictions read other tables alike."""
    return {} if arrays.schema is None else {"schema": arrays.schema}


def _write_array(array: Array, path: Path) -> str:
    """Write an array; returns its sha256."""
    # In C order a sample lies in one piece of the file, which workers map into memory.
    ordered = np.ascontiguousarray(array)
    write = partial(np.save, arr=ordered, allow_pickle=False)
    write_whole(path, write)
    return sha256_of(path)


def _write_raw(part: Part, first: RawSamples, directory: Path) -> dict[str, str]:
    """Write the first raw samples of a part; the sha256 of the file, by its relative path."""
    path = directory / RAW_FILES[part]
    write_whole(path, partial(raw.save, x=first))
    return {RAW_FILES[part]: sha256_of(path)}


def _fingerprint(arrays: Arrays, settings: DataSettings, task: LearningTask) -> str:
    """A sha256 that is the same for equal arrays, wherever they are read from."""
    shares = settings.shares
    decisive: dict[str, Any] = {
        "input": settings.input,
        # The task that is used counts, whether it was given or guessed.
        "task": task.name,
        "split_seed": shares.seed,
        "validation": shares.validation,
        "test": shares.test,
    }
    if settings.split is not None:
        kind = type(settings.split)
        decisive["split"] = [kind.__module__, kind.__qualname__, asdict(settings.split)]
    if settings.folds is not None:
        decisive["folds"] = settings.folds
    if settings.horizon is not None:
        decisive["horizon"] = asdict(settings.horizon)
    text = json.dumps(decisive, sort_keys=True)
    digest = hashlib.sha256(text.encode())
    for key, array in arrays.named().items():
        digest.update(f"{key} ".encode())
        for piece in raw.content(array):
            digest.update(piece)
    return digest.hexdigest()
