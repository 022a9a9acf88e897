"""Watches over a run's data: its own arrays are what they were, and so is the source that they came from.

A run trains on arrays of its own, so it goes on without its source. A source that has changed is refused nevertheless:
who changes it expects another result, and would not get it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from evonas.data.prepared import Prepared, prepare
from evonas.errors import InvalidData, Issue
from evonas.files import sha256_of
from evonas.genome import SearchSpace
from evonas.runtime.config.run_config import DataConfig
from evonas.runtime.record.record import Record

SOURCE = "source"
"""The key in the record's meta: what is cheap to know of a source and tells whether it is the same."""


def source_mark(data: DataConfig) -> dict[str, Any]:
    """A file's sha256, or the version of the package that a named data set ships in; empty for a missing file."""
    if data.path is None:
        return {"name": data.name, "scikit-learn": metadata.version("scikit-learn")}
    path = Path(data.path)
    return {"sha256": sha256_of(path)} if path.is_file() else {}


def restore_arrays(record: Record, data: DataConfig, space: SearchSpace) -> None:
    """Make damaged or missing arrays of the run again from their source, if that gives the very same.

    Raises:
        InvalidData: it does not.
    """
    files: Mapping[str, str] = record.meta("data_files")
    root = record.path.parent
    damaged = [
        path
        for path, sha in files.items()
        if not (root / path).is_file() or sha256_of(root / path) != sha
    ]
    if not damaged:
        return
    lost = f"the run's arrays {', '.join(damaged)} are missing or damaged"
    with tempfile.TemporaryDirectory(dir=root) as scratch:
        again = _prepared(data, space, Path(scratch), f"{lost}, and their source cannot be read")
        if dict(again.files) != dict(files):
            raise InvalidData(
                Issue(f"{lost}, and their source no longer gives the same.", file=_name(data))
            )
        for path in damaged:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / path).replace(root / path)
    record.event("data restored", damaged)


def check_source(record: Record, data: DataConfig, space: SearchSpace) -> list[str]:
    """Hold the source against what it was when the run began; notes for the user.

    Raises:
        InvalidData: it has changed.
    """
    mark = source_mark(data)
    if not mark:
        return [f"{_name(data)} is no longer there; the run goes on with its own copy of the data"]
    if record.has_meta(SOURCE) and record.meta(SOURCE) == mark:
        return []
    changed = "the data have changed since the run began"
    with tempfile.TemporaryDirectory(dir=record.path.parent) as scratch:
        again = _prepared(data, space, Path(scratch), changed)
    if again.fingerprint != record.meta("fingerprint"):
        help = "Begin a new run with them, or put the old ones back"
        help += (
            "."
            if data.path is None
            else "; where there is no file, the run goes on with its own copy."
        )
        raise InvalidData(Issue(f"{changed}. {help}", file=_name(data)))
    record.put_meta(
        SOURCE, mark
    )  # written anew with the same content; the next session sees it at once
    return []


def _prepared(data: DataConfig, space: SearchSpace, scratch: Path, trouble: str) -> Prepared:
    assert space.input is not None, "a space without networks has no data"
    try:
        return prepare(data.settings(space.input), scratch)
    except InvalidData as error:
        raise InvalidData([Issue(f"{trouble}.", file=_name(data)), *error.problems]) from error


def _name(data: DataConfig) -> str:
    return str(data.path or data.name)
