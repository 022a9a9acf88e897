"""Splits arrays by a split, and refuses what does not fit it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evonas.data.arrays import GIVEN, Arrays, locked
from evonas.data.raw import Array, Raw
from evonas.data.reading import named, users_code
from evonas.data.splits import SPLITS, Part, Parts, Random, Samples, Shares, Split, Stratified
from evonas.data.splits.split import Indices, Misfit
from evonas.errors import InvalidData, Issue
from evonas.learning.tasks import Strata
from evonas.words import counted, excerpt, listed

BESIDE = {
    "groups": ("biuU", "integers or words, one group for each sample"),
    "time": ("iufM", "numbers or datetime64 without NaN, one time for each sample"),
}
"""The arrays that only a split reads: the types that each may have, and in words."""


def default_split(strata: Strata | None) -> Split:
    """How samples are split if a config does not say it."""
    return Random() if strata is None else Stratified()


def check_beside(arrays: Arrays, split: Split | None) -> list[Issue]:
    """Issues of the arrays that only a split reads, also of those that it misses.

    Args:
        split: None if the config does not say it.
    """
    named = arrays.named()
    needs = () if split is None else split.needs
    read = () if split is None else (*split.needs, *split.takes)
    issues = []
    for key in BESIDE:
        if key in named:
            message = _beside_problem(named[key], key, arrays) if key in read else _unread(key)
        elif key in needs:
            message = f"this array is missing, and the split needs it. Found: {', '.join(named)}."
        else:
            message = ""
        if message:
            issues.append(Issue(message, key, arrays.origin))
    return issues


def _unread(key: str) -> str:
    """Why an array would not be read, and what would read it."""
    readers = [name for name, one in SPLITS.items() if key in (*one.needs, *one.takes)]
    ways = " or ".join(f"`split: {name}`" for name in readers)
    return (
        "would not be read, because the split does not use it."
        f" Allowed: {ways} under `data`, or a file without this array."
    )


def _beside_problem(array: Array, key: str, arrays: Arrays) -> str:
    """What is wrong with an array that the split reads; empty if nothing is."""
    kinds, words = BESIDE[key]
    wanted = f"must hold {words}."
    if array.dtype.kind not in kinds:
        return f"{wanted} Received: dtype {array.dtype}."
    samples = (len(arrays.x),) if isinstance(arrays.x, Raw) else arrays.x.shape[:1]
    if array.shape != samples:
        return f"{wanted} Received: shape {array.shape}; x has {len(arrays.x):,}."
    if array.dtype.kind not in "fM":
        return ""
    # Both NaN and "not a time" differ from themselves.
    unknown = np.flatnonzero(array != array)
    return f"{wanted} Received: {array[unknown[0]]} at {key}[{unknown[0]}]." if len(unknown) else ""


def split_arrays(
    arrays: Arrays,
    split: Split,
    shares: Shares,
    strata: Strata | None,
) -> tuple[Parts, tuple[str, ...]]:
    """The parts that are drawn from `x`, and notes for the user.

    Args:
        strata: what each part should have the same shares of; None if nothing.

    Raises:
        InvalidData: the split does not fit the samples, or nothing is left to train on.
    """
    samples = samples_of(arrays, strata)
    with users_code(split):
        found = _misfits(split.misfits(samples, shares), split)
    if found:
        raise InvalidData([Issue(message, key, arrays.origin) for key, message in found])
    with users_code(split):
        drawn = _parts(split.parts(samples, shares), split)
        notes = _sentences(split.notes(samples), split)
    # A part that the source gives is kept as it is.
    parts = {part: indices for part, indices in drawn.items() if part not in samples.given}
    if wrong := wrong_parts(parts, samples):
        raise InvalidData(Issue(wrong, "y", arrays.origin))
    unused = samples.count - sum(len(indices) for indices in parts.values())
    if unused:
        notes = (*notes, f"x: {counted(unused, 'sample is', 'samples are')} in no part.")
    return parts, notes


def samples_of(arrays: Arrays, strata: Strata | None) -> Samples:
    """What a split may know of these arrays; other arguments as for `split_arrays`."""
    # These arrays are written, and identify the data. A split only reads them.
    return Samples(
        len(arrays.y),
        () if strata is None else strata.names,
        None if strata is None else locked(strata.numbers),
        None if arrays.groups is None else locked(arrays.groups),
        None if arrays.time is None else locked(arrays.time),
        frozenset(part for part in GIVEN if arrays.given(part) is not None),
    )


def _misfits(found: Any, split: Split) -> list[Misfit]:
    """What `misfits` has given, if it is what it must be. A plugin's may give anything."""
    is_list = isinstance(found, list | tuple)
    if not is_list or not all(_are_words(pair) and len(pair) == 2 for pair in found):
        wanted = "misfits() must give pairs of words: the name of an array, and what is wrong"
        raise _refusal(wanted, repr(found), split)
    return [(key, message) for key, message in found]


def _sentences(found: Any, split: Split) -> tuple[str, ...]:
    """The same for `notes`."""
    if not _are_words(found):
        raise _refusal("notes() must give sentences", repr(found), split)
    return tuple(found)


def _parts(found: Any, split: Split) -> dict[Part, Indices]:
    """The same for `parts`."""
    if not isinstance(found, Mapping) or not {*found} <= {"train", *GIVEN}:
        received = repr(list(found) if isinstance(found, Mapping) else found)
        raise _refusal("parts() must give train, validation and test", received, split)
    parts: dict[Part, Indices] = {}
    for part, given in found.items():
        indices = np.asarray(given)
        # An empty list has no type. That a part is empty is told elsewhere.
        if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
            received = f"dtype {indices.dtype} and shape {indices.shape} for {part}"
            raise _refusal("parts() must give indices, a row of integers", received, split)
        parts[part] = indices.astype(np.intp, copy=False)
    return parts


def _are_words(found: Any) -> bool:
    return isinstance(found, list | tuple) and all(isinstance(word, str) for word in found)


def _refusal(wanted: str, received: str, split: Split) -> InvalidData:
    return InvalidData(Issue(f"{wanted}. Received: {excerpt(received)}.", file=named(split)))


def wrong_parts(parts: Parts, samples: Samples) -> str:
    """Why nobody can train on these parts; empty if they are right.

    A split that rounds the number of each class may leave none of one to train on.
    """
    missing = {"train", *GIVEN} - {*parts, *samples.given}
    empty = [part for part in parts if not len(parts[part])]
    if missing or empty:
        named = ", ".join(sorted({*missing, *empty}))
        return f"the split must give each part a sample. Received: none for {named}."
    indices = np.concatenate(list(parts.values()))
    are_within = 0 <= indices.min() <= indices.max() < samples.count
    if not are_within or len(np.unique(indices)) < len(indices):
        return f"the split must give indices below {samples.count}, each to one part."
    if samples.strata is None:
        return ""
    present = set(samples.strata[parts["train"]].tolist())
    absent = [label for number, label in enumerate(samples.classes) if number not in present]
    if not absent:
        return ""
    few = ", ".join(repr(label) for label in absent[:10])
    return (
        f"too few samples of class {few}: none is left to train on. Add samples, or split off less."
    )


def about_groups(arrays: Arrays) -> tuple[str, ...]:
    """What nobody can tell of the groups, in a sentence: whether a given part has some of them."""
    given = [x for part, (x, _) in GIVEN.items() if arrays.given(part)]
    if arrays.groups is None or not given or arrays.are_apart:
        return ()
    named = listed(given)
    return (
        f"groups: is of x alone, so nobody can tell whether samples of {named} are of the same"
        " groups. If some are, scores on them are too good.",
    )
