"""Samples that come after a run, for its model to answer: read as the run's own data were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evonas.data.arrays import Arrays
from evonas.data.checks import check_given
from evonas.data.encodings import ENCODINGS
from evonas.data.raw import Array, Frame, Ragged, Raw, RawSamples
from evonas.data.sources.by_path import kind_at
from evonas.data.sources.npy import Npy
from evonas.data.sources.npz import Npz
from evonas.data.sources.path_source import PathSource
from evonas.data.sources.picture_folder import is_picture
from evonas.data.sources.pictures import Pictures
from evonas.data.sources.sequence_folder import SequenceFolder
from evonas.data.sources.table import Table
from evonas.data.sources.text_folder import TextFolder
from evonas.data.tables.compared import MOST_NAMED, notes_on
from evonas.data.tables.endings import tables_in
from evonas.data.tables.long import steps_of
from evonas.data.tables.reading import cells_like, rows_like, samples_like
from evonas.data.tables.schema import Schema
from evonas.data.windows import channels_of, whole_windows
from evonas.errors import InvalidData, Issue
from evonas.genome.strict_yaml import short
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.memory import Memory
from evonas.words import counted, listed

ARRAYS: Sequence[type[PathSource]] = (Npz, Npy)
"""What holds arrays, whose columns have no names."""

OF_TEXTS: Sequence[type[PathSource]] = (*ARRAYS, TextFolder)
"""What may hold texts without a table, for a model that has learned from a column of texts."""


_OTHERS: Mapping[str, Sequence[type[PathSource]]] = {
    "image": (Pictures,),
    "sequence": (SequenceFolder,),
    "text": (TextFolder,),
}
"""What else holds samples for each kind of input."""


@dataclass(frozen=True, eq=False)
class NewSamples:
    """Samples, and what each of them is called.

    Attributes:
        x: samples as the model takes them.
        called: what the names are, in a word; empty if there are none.
        names: a name for each sample, if more than their order tells them apart: a file, the id of
            a sequence, or the row that a forecast follows.
        notes: what was left out of them or not known of them, in sentences.
    """

    x: RawSamples
    called: str = ""
    names: Sequence[str | int] = ()
    notes: Sequence[str] = ()


def new_samples(path: Path, interface: Interface, memory: Memory) -> NewSamples:
    """The samples in a file or folder of the kind that the run's data came from.

    Targets are not needed, but for a forecast, which is made from the past of its targets.

    Args:
        path: path of the file or folder.
        interface: ends of the model.

    Raises:
        InvalidData: they cannot be read, or are of another kind than the run's.
    """
    spec = interface.input
    schema = spec.fitted.get("schema")
    if interface.steps:
        return _windows(path, interface, memory)
    if schema:
        first = Schema.from_json(schema)
        if not (first.is_text and any(kind.reads(path) for kind in OF_TEXTS)):
            if first.is_text and path.is_dir():
                raise InvalidData(_no_texts(first, path))
            if path.exists() and any(kind.reads(path) for kind in ARRAYS):
                raise InvalidData(_no_table(first, path))
            return _of_table(first, path, spec, memory)
    is_one = path.is_file() and is_picture(path.name)
    kind = Pictures if is_one else kind_at(path)
    source = kind(str(path))
    if isinstance(source, Pictures):
        source = Pictures(str(path), channels=_channels(spec))
    elif isinstance(source, Table):
        raise InvalidData(_table_for_arrays(path, spec))
    x, names = source.unlabelled(memory)
    if issues := _issues(x, spec, str(path)):
        raise InvalidData(issues)
    if not len(x):
        raise InvalidData(Issue("holds no sample.", file=str(path)))
    return NewSamples(x, "file" if names else "", names)


def _no_texts(schema: Schema, path: Path) -> Issue:
    """An issue for a folder that is none of texts."""
    message = (
        "is a folder without a .txt file. Allowed: a folder of .txt files; an .npy or .npz file of"
        f" texts; a table with the column {short(schema.features[0].name)!r}, or of one column."
    )
    return Issue(f"{message} {tables_in(path)}".rstrip(), file=str(path))


def _no_table(schema: Schema, path: Path) -> Issue:
    """An issue for arrays, which have no names for the columns of a table."""
    names = [repr(short(one.name)) for one in schema.features]
    more = len(names) - MOST_NAMED
    told = listed([*names[:MOST_NAMED], *([f"{more:,} more"] if more > 0 else [])])
    columns = counted(len(names), "column")
    message = (
        f"holds arrays, and the model takes a table with {columns}: {told}. Allowed: {Table.words}."
    )
    return Issue(message, file=str(path))


def _table_for_arrays(path: Path, spec: InputSpec) -> Issue:
    """An issue for a table: the model has learned from samples without names for their parts."""
    what = "texts" if spec.kind == "text" else f"samples of shape {spec.shape}"
    allowed = [kind.words for kind in (*ARRAYS, *_OTHERS.get(spec.kind, ()))]
    message = f"holds a table, and the model takes {what}. Allowed: {'; '.join(allowed)}."
    message += " y is not needed."
    return Issue(message, file=str(path))


def _of_table(schema: Schema, path: Path, spec: InputSpec, memory: Memory) -> NewSamples:
    """The rows of another table, read as the first one was."""
    cells = cells_like(schema, path, memory)
    x = samples_like(schema, cells)
    if schema.sequence:
        names = steps_of(cells, schema.sequence, schema.order).names.tolist()
        return NewSamples(x, schema.sequence, names, notes_on(schema, cells, x, ()))
    fitted = spec.fitted.get("columns", ()) if isinstance(x, Frame) else ()
    return NewSamples(x, notes=notes_on(schema, cells, x, fitted))


def _channels(spec: InputSpec) -> int | None:
    """The channels of the pictures that a model takes; None if it takes no pictures."""
    if spec.kind != "image":
        return None
    return spec.shape[2] if len(spec.shape) == 3 else 1


def _issues(x: RawSamples, spec: InputSpec, origin: str) -> list[Issue]:
    """What is wrong with samples for a model with this input."""
    issues: list[Issue] = []
    if not spec.encoding and isinstance(x, Raw):
        message = f"the model takes samples of shape {spec.shape}. Received: {x.words}."
        issues = [Issue(message, "x", origin)]
    elif not spec.encoding and not isinstance(x, Raw):
        issues = check_given(x, spec.shape, spec.kind, origin)
    elif spec.kind == "text" and not (isinstance(x, np.ndarray) and x.dtype.kind in "UT"):
        message = f"the model takes texts. Received: {_received(x)}."
        issues = [Issue(message, "x", origin)]
    else:
        looked_at = x
        # Pictures of one size are an array, and those of the run were not.
        if not isinstance(x, Raw) and spec.encoding == "pixels":
            looked_at = Ragged(list(x))
        # Only the samples are looked at: there are no targets.
        arrays = Arrays(origin, looked_at, np.zeros(len(x)))
        encoding = ENCODINGS[spec.encoding]
        # A single text may be answered, and nothing can be learned from it.
        if encoding.takes(looked_at, spec.kind):
            issues = [] if spec.kind == "text" else encoding.issues(arrays, spec.kind)
        elif not (isinstance(x, np.ndarray) and x.dtype.kind in "biuf"):
            message = f"the model takes other samples: its run had a {spec.kind} of each."
            issues = [Issue(message, "x", origin)]
    # Values of 16 bits are another scale.
    if not issues and spec.kind == "image" and spec.dtype == "uint8" and _dtype(x) != np.uint8:
        message = f"the model was trained on pixels of 8 bits. Received: {_dtype(x)}."
        issues = [Issue(message, "x", origin)]
    return issues


def _received(x: RawSamples) -> str:
    return f"{x.dtype}, shape {x.shape}" if isinstance(x, np.ndarray) else "other samples"


def _dtype(x: RawSamples) -> np.dtype[np.generic]:
    if isinstance(x, Ragged):
        return x.items[0].dtype
    assert isinstance(x, np.ndarray), "pictures have no columns"
    return x.dtype


def _windows(path: Path, interface: Interface, memory: Memory) -> NewSamples:
    """Every window of a file without a gap, each with the last row that it has seen."""
    window, channels = interface.input.shape
    rows = _rows(path, interface, memory)
    if rows.shape[1] != channels:
        message = f"the model sees {channels} columns. Received: {rows.shape[1]}."
        raise InvalidData(Issue(message, file=str(path)))
    samples, first = whole_windows(rows, window)
    if not len(samples):
        message = f"needs {window} rows in order of time without a gap. It has {len(rows):,} rows."
        raise InvalidData(Issue(message, file=str(path)))
    # Counted from 1, as the rows of a table are.
    return NewSamples(samples, "after row", [int(row) + window for row in first])


def _rows(path: Path, interface: Interface, memory: Memory) -> Array:
    """What a forecast sees of each row: other columns, and last the past of the targets."""
    schema = interface.input.fitted.get("schema")
    if schema:
        return rows_like(Schema.from_json(schema), path, memory)
    arrays = kind_at(path)(str(path)).read(memory)
    return channels_of(arrays)
