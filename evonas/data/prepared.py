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
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evonas.data.checks import (
    channels_first,
    check_samples,
    check_targets,
    check_task,
)
from evonas.data.columns import chunks, moments
from evonas.data.precision import judge
from evonas.data.room import stored_dtype
from evonas.data.sources import Array, Arrays, load_npz, load_source
from evonas.errors import InvalidData, Issue
from evonas.files import sha256_of, write_whole
from evonas.learning.interface import InputKind, Interface
from evonas.learning.tasks import TASKS, LearningTask, guess_task
from evonas.memory import Memory

Part = Literal["train", "validation", "test"]

FILES: Mapping[Part, tuple[str, str]] = {
    "train": ("data/x_train.npy", "data/y_train.npy"),
    "validation": ("data/x_validation.npy", "data/y_validation.npy"),
    "test": ("data/test/x.npy", "data/test/y.npy"),
}
"""Files of the samples and the targets of each part, relative to the run's directory.

No training task names the test data.
"""


@dataclass(frozen=True)
class DataSettings:
    """Which samples are used, and how they are split.

    Attributes:
        input: kind of input that the search space is for.
        name: name of a shipped data set. Exactly one of `name` and `path` is given.
        path: path of an `.npz` file.
        task: name of what is learned; None to guess it.
        split_seed: seed of the split alone, so that runs with other seeds have the same test data.
        validation: fraction of all samples that is for validation.
        test: fraction of all samples that is for the test. It has no effect if the source has a
            test set of its own.
    """

    input: InputKind
    name: str | None = None
    path: Path | None = None
    task: str | None = None
    split_seed: int = 0
    validation: float = 0.2
    test: float = 0.2


@dataclass(frozen=True)
class Prepared:
    """What is known of the data once they are on the disk.

    Attributes:
        interface: what every model of the run must accept and answer; None in a run without
            networks.
        counts: number of samples of each part: train, validation, test.
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
    """x and encoded targets of one part, or of all parts."""

    x: Array
    y: Array

    def take(self, indices: NDArray[np.intp]) -> _Samples:
        """The samples at these indices."""
        x = self.x[indices]
        y = self.y[indices]
        return _Samples(x, y)


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
    found = _load(settings, memory)
    arrays = _flat_targets(found)
    task, guess = _check(arrays, settings)
    encoded, test, classes = _encode(arrays, task)
    try:
        parts = _split(encoded, test, settings, arrays.origin, classes, task)
    except InvalidData as error:
        raise InvalidData([*error.problems, *about_guess(guess)]) from error
    precision = judge(arrays, settings.input, task)
    if precision.issues:
        is_about_targets = any(issue.key == "y" for issue in precision.issues)
        blamed = about_guess(guess) if is_about_targets else []
        raise InvalidData([*precision.issues, *blamed])
    # Nothing but the training part may be measured: the other parts stand for unseen samples.
    train = parts["train"]
    interface = _describe(train, settings.input, task, classes)
    files: dict[str, str] = {}
    counts: dict[str, int] = {}
    for part, samples in parts.items():
        files |= _write(part, samples, directory)
        counts[part] = len(samples.y)
    fingerprint = _fingerprint(arrays, settings, task)
    notes = (*channels_first(arrays.x, settings.input), *precision.notes)
    return Prepared(interface, counts, guess, files, fingerprint, notes)


def about_guess(guess: str) -> list[Issue]:
    """What to say beside issues that would be none under another task; nothing if it was given."""
    if not guess:
        return []
    return [Issue(f"was not given, and is guessed to be {guess}.", "data.task")]


def _load(settings: DataSettings, memory: Memory | None) -> Arrays:
    """The arrays of the source."""
    if settings.name is not None:
        return load_source(settings.name)
    if settings.path is None:
        raise ValueError("data settings need a name or a path")
    return load_npz(settings.path, memory)


def _flat_targets(arrays: Arrays) -> Arrays:
    """The same arrays, with columns of targets (n, 1) as (n,)."""
    y_test = arrays.y_test
    if y_test is not None:
        y_test = _flat(y_test)
    return Arrays(
        arrays.origin,
        x=arrays.x,
        y=_flat(arrays.y),
        x_test=arrays.x_test,
        y_test=y_test,
    )


def _flat(y: Array) -> Array:
    """A column (n, 1) as (n,); other shapes as they are."""
    is_column = y.ndim == 2 and y.shape[1] == 1
    if is_column:
        return y[:, 0]
    return y


def _check(arrays: Arrays, settings: DataSettings) -> tuple[LearningTask, str]:
    """The task and how it was guessed.

    Raises:
        InvalidData: all issues of the samples and of the targets.
    """
    issues = check_samples(arrays, settings.input)
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


def _encode(
    arrays: Arrays, task: LearningTask
) -> tuple[_Samples, _Samples | None, tuple[str | int, ...]]:
    """All samples in the types that they are stored in, those of the test set, and the classes."""
    given = [x for x in (arrays.x, arrays.x_test) if x is not None]
    dtype = stored_dtype(x.dtype for x in given)
    labels = task.labels(arrays.y)

    def samples(x: Array, y: Array) -> _Samples:
        stored = x.astype(dtype, copy=False)
        return _Samples(stored, task.encode(y, labels))

    test = None
    if arrays.x_test is not None and arrays.y_test is not None:
        test = samples(arrays.x_test, arrays.y_test)
    return samples(arrays.x, arrays.y), test, tuple(labels.tolist())


def _split(
    encoded: _Samples,
    test: _Samples | None,
    settings: DataSettings,
    origin: str,
    classes: tuple[str | int, ...],
    task: LearningTask,
) -> dict[Part, _Samples]:
    """The three parts, each in the order of the source, with the strata of the task.

    Raises:
        InvalidData: there are too few samples, or too few of a class.
    """
    total = len(encoded.y)
    sizes: dict[Part, int] = {"validation": round(settings.validation * total)}
    parts: dict[Part, _Samples] = {}
    if test is None:
        sizes["test"] = round(settings.test * total)
    else:
        parts["test"] = test
    issues = _check_sizes(encoded.y, sizes, origin, classes)
    if issues:
        raise InvalidData(issues)
    strata = task.strata(encoded.y)
    rest = np.arange(total)
    # Each part is drawn from what the parts before have left.
    for part, size in sizes.items():
        rest, taken = _draw(rest, strata, size, settings.split_seed)
        parts[part] = encoded.take(taken)
    train = encoded.take(rest)
    issues = _check_classes(train.y, origin, classes)
    if issues:
        raise InvalidData(issues)
    return {"train": train, **parts}


def _check_sizes(
    y: Array, sizes: Mapping[Part, int], origin: str, classes: tuple[str | int, ...]
) -> list[Issue]:
    """Issues of the sizes: every part needs a sample of each class, the training part too."""
    counts = {"train": len(y) - sum(sizes.values()), **sizes}
    issues = []
    least = max(1, len(classes))
    if min(counts.values()) < least:
        received = ", ".join(f"{part} {count}" for part, count in counts.items())
        of_each = "at least one"
        if classes:
            of_each = f"at least {least}, as many as there are classes"
        message = (
            f"there are too few samples: each part of the split needs {of_each}."
            f" Received: {len(y)} in all, split into {received}."
        )
        issues.append(Issue(message, "y", origin))
    parts = ", ".join(counts)
    for number, label in enumerate(classes):
        found = np.flatnonzero(y == number)
        if len(found) >= len(counts):
            continue
        message = (
            f"class {label!r} has too few samples for a stratified split into {parts}:"
            f" needs at least {len(counts)}."
            f" Received: {len(found)}, the first at y[{found[0]}]."
        )
        issues.append(Issue(message, "y", origin))
    return issues


def _check_classes(y: Array, origin: str, classes: tuple[str | int, ...]) -> list[Issue]:
    """The training part needs a sample of each class.

    Large enough parts are no guarantee: a stratified draw rounds the number of each class.
    """
    present = set(y.tolist())
    absent = [number for number in range(len(classes)) if number not in present]
    if not absent:
        return []
    few = ", ".join(repr(classes[number]) for number in absent[:10])
    message = (
        f"too few samples of class {few}: none is left to train on. Add samples, or split off less."
    )
    return [Issue(message, "y", origin)]


def _draw(
    indices: NDArray[np.intp], strata: Array | None, size: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """What is left of the indices, and `size` of them, each in ascending order."""
    # The import takes 1.1 s.
    from sklearn.model_selection import train_test_split

    stratify = None
    if strata is not None:
        stratify = strata[indices]
    left, taken = train_test_split(indices, test_size=size, random_state=seed, stratify=stratify)
    return np.sort(left), np.sort(taken)


def _describe(
    train: _Samples, kind: InputKind, task: LearningTask, classes: tuple[str | int, ...]
) -> Interface:
    """The interface of the models, measured on the training part."""
    mean, variance = moments(train.x, kind)
    target_mean = 0.0
    target_scale = 1.0
    if task.are_quantities:
        # Targets are measured like a table with a single feature.
        column = train.y[:, np.newaxis]
        (target_mean,), (target_variance,) = moments(column, "vector")
        target_scale = math.sqrt(target_variance)
    return Interface(
        kind,
        shape=tuple(train.x.shape[1:]),
        task=task.name,
        classes=classes,
        mean=mean,
        variance=variance,
        target_mean=target_mean,
        target_scale=target_scale,
    )


def _write(part: Part, samples: _Samples, directory: Path) -> dict[str, str]:
    """Write both arrays of a part; the sha256 of each, by its relative path."""
    written = {}
    arrays = (samples.x, samples.y)
    for name, array in zip(FILES[part], arrays, strict=True):
        path = directory / name
        # In C order a sample lies in one piece of the file, which workers map into memory.
        ordered = np.ascontiguousarray(array)
        write = partial(np.save, arr=ordered, allow_pickle=False)
        write_whole(path, write)
        written[name] = sha256_of(path)
    return written


def _fingerprint(arrays: Arrays, settings: DataSettings, task: LearningTask) -> str:
    """A sha256 that is the same for equal arrays, wherever they are read from."""
    decisive = asdict(settings)
    # A data set may be renamed, and a file may be moved.
    for key in ("name", "path"):
        del decisive[key]
    # The task that is used counts, whether it was given or guessed.
    decisive["task"] = task.name
    text = json.dumps(decisive, sort_keys=True)
    digest = hashlib.sha256(text.encode())
    for key, array in arrays.named().items():
        header = f"{key} {array.dtype.str} {array.shape}"
        digest.update(header.encode())
        for _, chunk in chunks(array):
            ordered = np.ascontiguousarray(chunk)
            digest.update(ordered.tobytes())
    return digest.hexdigest()
