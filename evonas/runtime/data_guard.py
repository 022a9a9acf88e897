"""The data guard: a run's own arrays are what they were, and so is the source that they came from.

A run trains on arrays of its own, so it can continue without its source. A source that has changed
is refused all the same: a user who changes it expects another result, and would not get it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.prepared import Prepared, prepare
from evonas.data.reading import mark_of
from evonas.errors import InvalidData, Issue
from evonas.files import is_folder, sha256_of, write_whole
from evonas.genome import SearchSpace
from evonas.runtime.config.data_config import DataConfig
from evonas.runtime.config.recorded_config import opened_data
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.record import Record
from evonas.words import listed

SOURCE = "source"
"""The key, in the record's meta, of the mark that identifies a source and is cheap to make."""


_OTHER_SOURCE = (
    "their source no longer gives the same. Put back the data that the run began with, or begin a"
    " new run."
)
_OTHER_WAY = (
    "their source is the same, but is split or stored in another way now. Resume the run with what"
    " it began with ({then}), or begin a new run."
)


def source_mark(data: DataConfig) -> dict[str, Any]:
    """What identifies the content of a source; empty if there is none to be read now."""
    return mark_of(data.any_source())


def restore_arrays(record: Record, config: RunConfig, file: Path, space: SearchSpace) -> None:
    """Make damaged or missing arrays of the run again from their source, if it gives the same.

    Args:
        file: the config's file; a source may be of a plugin beside it.

    Raises:
        InvalidData: it does not.
    """
    files: Mapping[str, str] = record.meta("data_files")
    root = record.path.parent
    damaged = [path for path, sha in files.items() if not _is_intact(root / path, sha)]
    if not damaged:
        return
    data = opened_data(config, file)
    lost = f"the run's arrays {', '.join(damaged)} are missing or damaged"
    # Within the run's directory, so that the arrays can be renamed into their place.
    with tempfile.TemporaryDirectory(dir=root) as scratch:
        again = _prepared(data, space, Path(scratch), f"{lost}, and their source cannot be read")
        # Another evonas may store the other arrays in another type.
        if not all(_is_as_before(Path(scratch) / path, files[path]) for path in damaged):
            is_same = again.fingerprint == record.meta("fingerprint")
            why = _OTHER_WAY if is_same else _OTHER_SOURCE
            message = f"{lost}, and {why.format(then=_made_with(record))}"
            raise InvalidData(Issue(message, file=data.origin))
        for path in damaged:
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / path).replace(target)
    record.event("data restored", damaged)


def _is_as_before(path: Path, sha: str) -> bool:
    """Whether an array made again is the run's; in the type of an older evonas if it must be."""
    if sha256_of(path) == sha:
        return True
    if path.suffix != ".npy":
        return False
    array = np.load(path, allow_pickle=False)
    if array.dtype != np.float64:
        return False
    # Real targets were once stored as 32-bit floats. The run has been trained on these.
    older = array.astype(np.float32)
    write_whole(path, partial(np.save, arr=older, allow_pickle=False))
    return sha256_of(path) == sha


def _made_with(record: Record) -> str:
    """What has decided the split and the types of a run's arrays, in words."""
    made_with = record.meta("versions")
    return listed([f"{name} {made_with.get(name)}" for name in ("evonas", "scikit-learn")])


def check_source(record: Record, config: RunConfig, file: Path, space: SearchSpace) -> list[str]:
    """Compare the source with what it was when the run began; notes for the user.

    Raises:
        InvalidData: it has changed.
    """
    data = opened_data(config, file)
    mark = source_mark(data)
    if not mark:
        change = "is a folder now" if is_folder(Path(data.origin)) else "is no longer there"
        return [f"{data.origin} {change}; the run goes on with its own copy of the data"]
    if record.has_meta(SOURCE) and record.meta(SOURCE) == mark:
        return []
    # Another mark may still mean the same data: a file that was saved again, a newer package.
    changed = "the data have changed since the run began"
    with tempfile.TemporaryDirectory(dir=record.path.parent) as scratch:
        again = _prepared(data, space, Path(scratch), changed)
    if again.fingerprint != record.meta("fingerprint"):
        help = (
            "Begin a new run with them, or put the old ones back; without any, the run goes on with"
            " its own copy."
        )
        raise InvalidData(Issue(f"{changed}. {help}", file=data.origin))
    # The content is the same. With the new mark, the next session need not read all of it again.
    record.put_meta(SOURCE, mark)
    return []


def _is_intact(path: Path, sha: str) -> bool:
    if not path.is_file():
        return False
    return sha256_of(path) == sha


def _prepared(data: DataConfig, space: SearchSpace, scratch: Path, trouble: str) -> Prepared:
    """The data, read and split once more.

    Args:
        scratch: directory that gets the arrays.
        trouble: what to say first if the source cannot be used.
    """
    assert space.input is not None, "a space without networks has no data"
    try:
        return prepare(data.settings(space.input), scratch)
    except InvalidData as error:
        first = Issue(f"{trouble}.", file=data.origin)
        raise InvalidData([first, *error.problems]) from error
