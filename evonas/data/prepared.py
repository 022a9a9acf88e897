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
from evonas.data.reading import read
from evonas.data.sources import Source
from evonas.data.splits import Part, Parts, Shares, Split
from evonas.data.splits.k_fold import KFold
from evonas.data.splits.split import Indices
from evonas.data.splitting import check_beside, default_split, split_arrays
from evonas.errors import InvalidData, Issue
from evonas.files import sha256_of, write_text_whole, write_whole
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.learning.tasks import TASKS, LearningTask, guess_task
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
    """

    input: str
    source: Source
    task: str | None = None
    shares: Shares = field(default_factory=Shares)
    split: Split | None = None
    folds: int | None = None

    @property
    def reader(self) -> Split | None:
        """What reads the arrays beside samples and targets."""
        return KFold(self.folds) if self.folds is not None and self.split is None else self.split


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


@dataclass(frozen=True, eq=False)
class _Samples:
    """Raw samples and encoded targets of one part, or of all parts."""

    x: RawSamples
    y: Array

    def take(self, indices: Indices) -> _Samples:
        """The samples at these indices."""
        return _Samples(raw.taken(self.x, indices), self.y[indices])


def prepare(settings: DataSettings, directory: Path, memory: Memory | None = None) -> Prepared:
    """Read, check, split, measure and write the data of a run.

    Written samples are uint8 if the source's are, otherwise float32. Written targets are int32
    class numbers, or float64: predictions are scored against the targets as they were given.

    Args:
        settings: which data are used and how they are split.
        directory: directory of the run. The arrays go to `data/` in it, see `FILES`.
        memory: tells how much memory is free; by default that of this machine.

    Raises:
        InvalidData: the source cannot be read, or its arrays cannot be used. All issues are
            reported at once.
        DiskFailure: the arrays cannot be written.
    """
    found = read(settings.source, memory or Memory())
    arrays = _flat_targets(found)
    encoding = encoding_for(arrays.x, settings.input)
    task, guess = _check(arrays, settings, encoding)
    everything, given, classes = _with_encoded_targets(arrays, task)
    strata = task.strata(everything.y)
    try:
        drawn, fold_of, split_notes = _draw(arrays, settings, strata, classes)
    except InvalidData as error:
        raise InvalidData([*error.problems, *about_guess(guess)]) from error
    precision = judge(arrays, settings.input, task, are_encoded=bool(encoding.name))
    if precision.issues:
        is_about_targets = any(issue.key == "y" for issue in precision.issues)
        blamed = about_guess(guess) if is_about_targets else []
        raise InvalidData([*precision.issues, *blamed])
    parts = dict(given)
    for drawn_part, indices in drawn.items():
        parts[drawn_part] = everything.take(indices)
    # Nothing but the training part may be measured: the other parts stand for unseen samples.
    fitted = encoding.fit(parts["train"].x)
    dtype = encoding.dtype(arrays.samples().values())
    files: dict[str, str] = {}
    counts: dict[str, int] = {}
    interface: Interface | None = None
    # The training part comes first.
    for part in (part for part in FILES if part in parts):
        samples = parts[part]
        x = encoding.encode(samples.x, fitted).astype(dtype, copy=False)
        if interface is None:
            interface = _describe(x, samples.y, settings.input, task, classes)
            spec = replace(
                interface.input,
                encoding=encoding.name,
                fitted={**interface.input.fitted, **fitted, **_schema(arrays)},
            )
            interface = replace(interface, input=spec)
        files |= _write(part, x, samples.y, directory)
        if encoding.name and part in RAW_FILES:
            files |= _write_raw(part, samples.x, directory)
        counts[part] = len(samples.y)
    assert interface is not None, "there is a training part"
    if fold_of is not None:
        files[FOLDS] = _write_array(fold_of, directory / FOLDS)
        if encoding.name:
            files |= _write_raw("validation", parts["train"].x, directory)
    write_text_whole(directory / FITTED, interface.input.text)
    files[FITTED] = interface.input.digest
    fingerprint = _fingerprint(arrays, settings, task)
    own = encoding.notes(arrays, settings.input, fitted)
    notes = (*arrays.notes, *own, *split_notes, *precision.notes)
    return Prepared(interface, counts, guess, files, fingerprint, notes)


def _draw(
    arrays: Arrays,
    settings: DataSettings,
    strata: Array | None,
    classes: tuple[str | int, ...],
) -> tuple[Parts, Array | None, tuple[str, ...]]:
    """The parts that are drawn from `x`, the fold of each training sample, and notes.

    Raises:
        InvalidData: the samples cannot be split so.
    """
    split = settings.split
    shares = settings.shares
    if settings.folds is None:
        split = split or default_split(strata)
        drawn, notes = split_arrays(arrays, split, shares, strata, classes)
        return drawn, None, notes
    folds, notes = fold_arrays(arrays, split, settings.folds, shares, strata, classes)
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
    issues += check_beside(arrays, settings.reader)
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
) -> tuple[_Samples, dict[Part, _Samples], tuple[str | int, ...]]:
    """The samples to be split, the parts that are given, and the classes.

    Targets are in the type in which they are stored.
    """
    labels = task.labels(arrays.y)

    def samples(x: RawSamples, y: Array) -> _Samples:
        return _Samples(x, task.encode(y, labels))

    given: dict[Part, _Samples] = {}
    for part in GIVEN:
        if found := arrays.given(part):
            given[part] = samples(*found)
    return samples(arrays.x, arrays.y), given, tuple(labels.tolist())


def _describe(
    x: Array, y: Array, kind: str, task: LearningTask, classes: tuple[str | int, ...]
) -> Interface:
    """The interface of the models, measured on the stored training part."""
    target_mean = 0.0
    target_scale = 1.0
    if task.are_quantities:
        # Targets are measured like a table with a single feature.
        column = y[:, np.newaxis]
        (target_mean,), (target_variance,) = moments(column, "vector")
        target_scale = math.sqrt(target_variance)
    shape = tuple(x.shape[1:])
    given = InputSpec(kind, shape, fit(x, kind), str(x.dtype), file=FITTED)
    return Interface(given, task.name, classes, target_mean, target_scale)


def _schema(arrays: Arrays) -> dict[str, Any]:
    """How a table was read, for `fitted`: predictions read other tables alike."""
    return {} if arrays.schema is None else {"schema": arrays.schema}


def _write(part: Part, x: Array, y: Array, directory: Path) -> dict[str, str]:
    """Write both arrays of a part; the sha256 of each, by its relative path."""
    written = {}
    for name, array in zip(FILES[part], (x, y), strict=True):
        written[name] = _write_array(array, directory / name)
    return written


def _write_array(array: Array, path: Path) -> str:
    """Write an array; returns its sha256."""
    # In C order a sample lies in one piece of the file, which workers map into memory.
    ordered = np.ascontiguousarray(array)
    write = partial(np.save, arr=ordered, allow_pickle=False)
    write_whole(path, write)
    return sha256_of(path)


def _write_raw(part: Part, x: RawSamples, directory: Path) -> dict[str, str]:
    """Write the first raw samples of a part; the sha256 of the file, by its relative path."""
    path = directory / RAW_FILES[part]
    first = raw.taken(x, np.arange(min(len(x), MOST_RAW)))
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
    text = json.dumps(decisive, sort_keys=True)
    digest = hashlib.sha256(text.encode())
    for key, array in arrays.named().items():
        digest.update(f"{key} ".encode())
        for piece in raw.content(array):
            digest.update(piece)
    return digest.hexdigest()
