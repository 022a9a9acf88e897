"""From a data source to the arrays that workers read: checked, split and described, on the disk of the run.

The driver calls `prepare` once per run. Normalization is only measured here, on training data alone; the model applies
it, so that what the user takes home accepts raw samples.
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

from evonas.data.checks import check_samples, check_targets, check_task, chunks, whole
from evonas.data.sources import Array, Arrays, load_npz, load_source
from evonas.errors import InvalidData, Issue
from evonas.files import sha256_of, write_whole
from evonas.learning.interface import InputKind, Interface, TaskKind

Part = Literal["train", "validation", "test"]

FILES: Mapping[Part, tuple[str, str]] = {
    "train": ("data/x_train.npy", "data/y_train.npy"),
    "validation": ("data/x_validation.npy", "data/y_validation.npy"),
    "test": ("data/test/x.npy", "data/test/y.npy"),
}
"""Where samples and targets of each part are, relative to the run's directory. No training task names the test data."""

MOST_CLASSES = 100
SAMPLES_PER_CLASS = 5
"""Integer targets are guessed to be labels where they have few distinct values, each of them often."""

CONSTANT = 1e-9
"""A standard deviation below this part of the mean is rounding: neighbouring 32-bit floats differ by more."""


@dataclass(frozen=True)
class DataSettings:
    """Which samples, and how they are split.

    Attributes:
        input: the kind of input that the search space is for.
        name: of a shipped data set; exactly one of `name` and `path` is given.
        path: of an `.npz` file.
        task: None to guess.
        split_seed: of the split alone, so that runs with other seeds face the same test data.
        validation: fraction of all samples.
        test: fraction of all samples; without effect where the source has a test set of its own.
    """

    input: InputKind
    name: str | None = None
    path: Path | None = None
    task: TaskKind | None = None
    split_seed: int = 0
    validation: float = 0.2
    test: float = 0.2


@dataclass(frozen=True)
class Prepared:
    """What is known of the data once they are on the disk.

    Attributes:
        interface: what every model of the run must accept and answer; None in a run without networks.
        counts: samples per part: train, validation, test.
        guess: how the task was guessed, one sentence for the user; empty where it was given.
        files: relative path in the run's directory -> sha256.
        fingerprint: sha256 of the source's arrays and of everything that decides their split.
    """

    interface: Interface | None
    counts: Mapping[str, int]
    guess: str
    files: Mapping[str, str]
    fingerprint: str


@dataclass(frozen=True, eq=False)
class _Samples:
    """x and encoded targets of one part, or of all."""

    x: Array
    y: Array

    def take(self, indices: NDArray[np.intp]) -> _Samples:
        return _Samples(self.x[indices], self.y[indices])


def prepare(settings: DataSettings, directory: Path) -> Prepared:
    """Read, check, split, measure and write the data of a run.

    Args:
        settings: which data and how to split them.
        directory: of the run; the arrays go to `data/` in it, see `FILES`.

    Returns:
        x is uint8 where the source is, else float32; y is int32 class numbers, or float32.

    Raises:
        InvalidData: the source cannot be read, or its arrays cannot be used: every problem.
        DiskFailure: the arrays cannot be written.
    """
    arrays = _flat_targets(_load(settings))
    task, guess = _check(arrays, settings)
    encoded, test, classes = _encode(arrays, task)
    parts = _split(encoded, test, settings, arrays.origin, classes)
    interface = _describe(parts["train"], settings.input, task, classes)
    files = {
        name: digest
        for part, samples in parts.items()
        for name, digest in _write(part, samples, directory)
    }
    counts: dict[str, int] = {part: len(samples.y) for part, samples in parts.items()}
    return Prepared(interface, counts, guess, files, _fingerprint(arrays, settings, task))


def guess_task(y: Array) -> tuple[TaskKind, str]:
    """The task that these targets (n,) look like, and why, in a sentence."""
    if y.dtype.kind == "U":
        return "classification", "classification, because the targets are words"
    if y.dtype.kind == "b":
        return "classification", "classification, because the targets are booleans"
    if y.dtype.kind == "f":
        return (
            "regression",
            "regression, because the targets are floats; for labels, write `task: classification`",
        )
    count = len(np.unique(y))
    if count <= MOST_CLASSES and count * SAMPLES_PER_CLASS <= len(y):
        reason = f"the targets are integers of {count} distinct values; for quantities, write `task: regression`"
        return "classification", f"classification, because {reason}"
    reason = f"the targets are integers of {count} distinct values in {len(y)} samples"
    return "regression", f"regression, because {reason}; for labels, write `task: classification`"


def _load(settings: DataSettings) -> Arrays:
    if settings.name is not None:
        return load_source(settings.name)
    if settings.path is None:
        raise ValueError("data settings need a name or a path")
    return load_npz(settings.path)


def _flat_targets(arrays: Arrays) -> Arrays:
    """A column of targets (n, 1) is as good as (n,)."""
    flat = {
        key: y[:, 0]
        for key, y in arrays.named().items()
        if key.startswith("y") and y.ndim == 2 and y.shape[1] == 1
    }
    return Arrays(
        arrays.origin,
        arrays.x,
        flat.get("y", arrays.y),
        arrays.x_test,
        flat.get("y_test", arrays.y_test),
    )


def _check(arrays: Arrays, settings: DataSettings) -> tuple[TaskKind, str]:
    """The task and how it was guessed.

    Raises:
        InvalidData: all problems of the samples and of the targets.
    """
    problems = check_samples(arrays, settings.input)
    target_problems = check_targets(arrays)
    if target_problems:
        raise InvalidData(problems + target_problems)
    task, guess = (settings.task, "") if settings.task else guess_task(arrays.y)
    problems += check_task(arrays, task)
    if problems:
        raise InvalidData(problems)
    return task, guess


def _encode(
    arrays: Arrays, task: TaskKind
) -> tuple[_Samples, _Samples | None, tuple[str | int, ...]]:
    """All samples in the types that they are stored in, those of the test set, and the classes."""
    tests = [array for array in (arrays.x_test,) if array is not None]
    small = all(x.dtype.kind == "b" or x.dtype == np.uint8 for x in (arrays.x, *tests))
    dtype = np.dtype(np.uint8 if small else np.float32)
    classes = np.unique(whole(arrays.y)) if task == "classification" else np.empty(0)

    def samples(x: Array, y: Array) -> _Samples:
        if task == "regression":
            return _Samples(x.astype(dtype, copy=False), y.astype(np.float32))
        return _Samples(
            x.astype(dtype, copy=False), np.searchsorted(classes, whole(y)).astype(np.int32)
        )

    test = None
    if arrays.x_test is not None and arrays.y_test is not None:
        test = samples(arrays.x_test, arrays.y_test)
    return samples(arrays.x, arrays.y), test, tuple(classes.tolist())


def _split(
    encoded: _Samples,
    test: _Samples | None,
    settings: DataSettings,
    origin: str,
    classes: tuple[str | int, ...],
) -> dict[Part, _Samples]:
    """The three parts, each in the order of the source; stratified for classification.

    Raises:
        InvalidData: there are too few samples, or too few of a class.
    """
    wanted: dict[Part, float] = {"validation": settings.validation}
    if test is None:
        wanted["test"] = settings.test
    sizes = {part: round(fraction * len(encoded.y)) for part, fraction in wanted.items()}
    problems = _check_sizes(encoded.y, sizes, origin, classes)
    if problems:
        raise InvalidData(problems)
    parts: dict[Part, _Samples] = {} if test is None else {"test": test}
    rest = np.arange(len(encoded.y))
    for part, size in sizes.items():
        rest, taken = _draw(rest, encoded.y if classes else None, size, settings.split_seed)
        parts[part] = encoded.take(taken)
    absent = sorted(set(range(len(classes))) - set(encoded.y[rest].tolist()))
    if absent:
        few = ", ".join(repr(classes[number]) for number in absent[:10])
        message = f"too few samples of class {few}: none is left to train on. Add samples, or split off less."
        raise InvalidData(Issue(message, "y", origin))
    return {"train": encoded.take(rest), **parts}


def _check_sizes(
    y: Array, sizes: Mapping[Part, int], origin: str, classes: tuple[str | int, ...]
) -> list[Issue]:
    """Every part needs a sample of each class, and so does the training part."""
    counts = {"train": len(y) - sum(sizes.values()), **sizes}
    least = max(1, len(classes))
    problems = []
    if min(counts.values()) < least:
        received = ", ".join(f"{part} {count}" for part, count in counts.items())
        of_each = f"at least {least}, as many as there are classes" if classes else "at least one"
        message = f"there are too few samples: each part of the split needs {of_each}."
        problems.append(
            Issue(f"{message} Received: {len(y)} in all, split into {received}.", "y", origin)
        )
    for number, label in enumerate(classes):
        found = np.flatnonzero(y == number)
        if len(found) < len(counts):
            message = (
                f"class {label!r} has too few samples for a stratified split into {', '.join(counts)}: needs at least "
                f"{len(counts)}. Received: {len(found)}, the first at y[{found[0]}]."
            )
            problems.append(Issue(message, "y", origin))
    return problems


def _draw(
    indices: NDArray[np.intp], labels: Array | None, size: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """What is left of the indices, and `size` of them, each in ascending order."""
    from sklearn.model_selection import train_test_split  # 1.1 s

    stratify = None if labels is None else labels[indices]
    left, taken = train_test_split(indices, test_size=size, random_state=seed, stratify=stratify)
    return np.sort(left), np.sort(taken)


def _describe(
    train: _Samples, kind: InputKind, task: TaskKind, classes: tuple[str | int, ...]
) -> Interface:
    mean, variance = moments(train.x, kind)
    target_mean, target_scale = 0.0, 1.0
    if task == "regression":
        (target_mean,), (target_variance,) = moments(train.y[:, np.newaxis], "vector")
        target_scale = math.sqrt(target_variance)
    shape = tuple(train.x.shape[1:])
    return Interface(kind, shape, task, classes, mean, variance, target_mean, target_scale)


def moments(x: Array, kind: InputKind) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and variance per channel (image, sequence) or per feature (vector), in float64.

    Args:
        x: samples (n, ...); those without an axis of channels, an image of 2 axes or a sequence of 1, have one channel.

    Returns:
        Two tuples with an entry a channel or feature. A variance of 0 becomes 1, so that a constant stays finite.
    """
    has_channels = x.ndim == {"image": 4, "sequence": 3, "vector": 2}[kind]
    columns = x.shape[-1] if has_channels else 1
    total = np.zeros(columns)
    for _, chunk in chunks(x):
        total += chunk.reshape(-1, columns).sum(axis=0, dtype=np.float64)
    count = x.size // columns
    mean = total / count
    squares = np.zeros(columns)
    for _, chunk in chunks(x):
        squares += np.square(chunk.reshape(-1, columns) - mean).sum(axis=0)
    variance = squares / count
    varies = variance > np.square(CONSTANT * mean)
    return tuple(mean.tolist()), tuple(np.where(varies, variance, 1.0).tolist())


def _write(part: Part, samples: _Samples, directory: Path) -> list[tuple[str, str]]:
    """Write both arrays of a part, in C order so that they can be mapped; the relative path and sha256 of each."""
    written = []
    for name, array in zip(FILES[part], (samples.x, samples.y), strict=True):
        write_whole(
            directory / name, partial(np.save, arr=np.ascontiguousarray(array), allow_pickle=False)
        )
        written.append((name, sha256_of(directory / name)))
    return written


def _fingerprint(arrays: Arrays, settings: DataSettings, task: TaskKind) -> str:
    """The same for equal arrays, wherever they are read from."""
    told = {
        key: value for key, value in asdict(settings).items() if key not in ("name", "path", "task")
    }
    digest = hashlib.sha256(json.dumps({**told, "task": task}, sort_keys=True).encode())
    for key, array in arrays.named().items():
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
        for _, chunk in chunks(array):
            digest.update(np.ascontiguousarray(chunk).tobytes())
    return digest.hexdigest()
