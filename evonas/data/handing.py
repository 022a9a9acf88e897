"""From what `evonas.evolve` is given to arrays and tables; what cannot be used is refused at once.

An issue is named after the argument. What needs a look at the values, such as NaN, is checked later
with the data of any other run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.data.door import refuse_masks
from evonas.data.raw import Array, Frame, Ragged
from evonas.data.sources.values import Unfit, is_of, raw_of
from evonas.data.tables.cells import is_known, plain_frame
from evonas.data.tables.roles import USUAL_TARGETS
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.genome.strict_yaml import short
from evonas.words import counted, listed

if TYPE_CHECKING:
    import polars as pl

MOST_NAMED = 30
"""The most columns that a message names."""

TEXT = "x"
"""The column of texts that are given as a list or an array."""


@dataclass(frozen=True, eq=False)
class Handed:
    """What was given, in the form in which a run keeps it.

    Attributes:
        arrays: arrays by the names of `KEYS`; what is beside a table if there is one.
        table: samples and targets as columns, instead of arrays.
        validation: more rows of that table, for validation.
        settings: what `Given` must know of the table, by the names of its settings.
    """

    arrays: Mapping[str, Array | Ragged]
    table: pl.DataFrame | None = None
    validation: pl.DataFrame | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def gathered(
    x: Any,
    y: Any = None,
    *,
    target: str | Sequence[str] | None = None,
    validation_data: Any = None,
    sample_weight: Any = None,
    groups: Any = None,
    columns: Mapping[str, str] | None = None,
) -> Handed:
    """What `evonas.evolve` was given; the arguments are its own.

    Raises:
        InvalidData: an argument is missing, is of no use beside the others, or is nothing that can
            be read. The issue is named after it.
    """
    if isinstance(x, str | Path):
        message = (
            "is a word, and samples are wanted: read the file first, such as by polars.read_csv."
            f" A config may name a file. Received: {short(str(x))}."
        )
        raise _refusal("x", message)
    refuse_masks(x=x, y=y, sample_weight=sample_weight, groups=groups)
    if isinstance(validation_data, tuple | list):
        for place, part in enumerate(validation_data):
            refuse_masks(**{f"validation_data[{place}]": part})
    else:
        refuse_masks(validation_data=validation_data)
    if _is_table(x):
        return _as_table(x, y, target, validation_data, sample_weight, groups, columns)
    for name, value in (("target", target), ("columns", columns)):
        if value is not None:
            hint = "Give the targets as y." if name == "target" else "Leave it out."
            kind = type(x).__name__
            raise _refusal(name, f"tells of the columns of a frame, and x is a {kind}. {hint}")
    arrays = _pair(x, y, "x", "y")
    if validation_data is not None:
        x_val, y_val = _two(validation_data)
        part = _pair(x_val, y_val, "validation_data[0]", "validation_data[1]")
        arrays |= {"x_val": part["x"], "y_val": part["y"]}
    return Handed(arrays | _beside(sample_weight, groups))


def _as_table(
    x: Any,
    y: Any,
    target: str | Sequence[str] | None,
    validation_data: Any,
    sample_weight: Any,
    groups: Any,
    columns: Mapping[str, str] | None,
) -> Handed:
    """What is kept as a table; arguments and errors as for `gathered`."""
    table = _table(x, "x")
    names = _targets(table, y, target)
    table = _with_targets(table, y, names, "y")
    settings: dict[str, Any] = {"target": names[0] if len(names) == 1 else list(names)}
    if _are_texts(x):
        # It is the whole input, so nobody needs to find out what it holds.
        settings["columns"] = {TEXT: "text"}
    if columns is not None:
        for name in columns:
            _check_column(name, "columns", table)
        settings["columns"] = dict(columns)
    if isinstance(sample_weight, str):
        name = sample_weight
        _check_column(name, "sample_weight", table)
        if name in names:
            raise _refusal("sample_weight", f"the column {short(name)!r} is the target.")
        sample_weight = table[name].to_numpy()
        table = table.drop(name)
    if isinstance(groups, str):
        _check_column(groups, "groups", table)
        settings["group"] = groups
        groups = None
    validation = None
    if validation_data is not None:
        validation = _validation(validation_data, y is not None, names)
        if "group" in settings:
            _check_groups(table, validation, settings["group"])
    return Handed(_beside(sample_weight, groups), table, validation, settings)


def _refusal(argument: str, message: str) -> InvalidData:
    return InvalidData(Issue(message, argument))


def _are_texts(x: Any) -> bool:
    """Whether these are texts, one a sample."""
    if isinstance(x, list | tuple):
        return bool(x) and all(isinstance(one, str) for one in x)
    if any(is_of(library, "Series", x) for library in ("pandas", "polars")):
        return _are_texts(x.to_list())
    if isinstance(x, np.ndarray) and x.ndim == 1:
        is_words = x.dtype.kind in "UT"
        return is_words or (x.dtype == object and _are_texts(x.tolist()))
    return False


def _is_table(x: Any) -> bool:
    """Whether samples are kept as a table: frames, columns by name, and texts."""
    if isinstance(x, Mapping) or _are_texts(x):
        return True
    import narwhals as nw

    return nw.dependencies.is_into_dataframe(x)


def _table(x: Any, argument: str) -> pl.DataFrame:
    """Samples as a frame of polars.

    Raises:
        InvalidData: they are none, or have no columns or no rows.
    """
    import polars as pl

    if _are_texts(x):
        return pl.DataFrame([_series(TEXT, list(map(str, x)), argument)])
    if not isinstance(x, Mapping):
        try:
            return plain_frame(x, "")
        except InvalidData as error:
            raise _of_argument(error, argument) from None
    lengths = {str(name): _length(column) for name, column in x.items()}
    if len(lengths) != len(x):
        twice = next(name for name in x if not isinstance(name, str) and str(name) in x)
        raise _refusal(argument, f"two columns have the name {short(str(twice))!r}.")
    if len(set(lengths.values())) != 1:
        told = listed([f"{short(name)} {length:,}" for name, length in lengths.items()])
        wanted = "all columns must have one length, of at least one row"
        raise _refusal(argument, f"{wanted}. Received: {told or 'no column'}.")
    return pl.DataFrame([_series(str(name), column, argument) for name, column in x.items()])


def _of_argument(error: InvalidData, argument: str) -> InvalidData:
    """The same issues, named after the argument with the column in brackets."""
    issues = []
    for one in error.problems:
        issues.append(Issue(one.message, f"{argument}[{one.key!r}]" if one.key else argument))
    return InvalidData(issues)


def _series(name: str, values: Any, argument: str) -> pl.Series:
    """A column.

    Raises:
        InvalidData: it holds no plain values, or values of several types.
    """
    import polars as pl

    where = f"{argument}[{name!r}]"
    wanted = "must hold numbers, words, dates or truth values"
    is_array = isinstance(values, np.ndarray) and values.dtype != object and values.ndim == 1
    if is_array and (values.dtype.kind in "cmV" or values.dtype == np.longdouble):
        raise _refusal(where, f"{wanted}. Received: dtype {values.dtype}.")
    if is_array and values.dtype.kind == "M":
        # polars has days and thousandths of a second and less, but no years, hours or seconds.
        unit = np.datetime_data(values.dtype)[0]
        to = {"Y": "D", "M": "D", "W": "D", "h": "ms", "m": "ms", "s": "ms"}.get(unit, unit)
        values = values.astype(f"datetime64[{to}]")
    try:
        found = pl.Series(name, values if is_array else list(values))
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        why = short(str(error).partition("\n")[0], 200).rstrip(".")
        raise _refusal(where, f"{wanted}: {why}.") from None
    if not is_known(found.dtype):
        raise _refusal(where, f"{wanted}. Received: values of the type {found.dtype}.")
    return found


def _length(values: Any) -> int:
    try:
        return len(values)
    except TypeError:
        return 0


def _targets(table: pl.DataFrame, y: Any, target: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names of the columns of the target: those that are there, or new ones for `y`.

    Raises:
        InvalidData: there is no such column, or it is not said which one.
    """
    known = table.columns
    if isinstance(y, str):
        raise _refusal("y", f"is a word. A column of x goes under target={short(y)!r}.")
    if y is not None:
        if target is not None:
            raise _refusal("target", "names a column, and y is given, too. Leave one of both out.")
        return _new_names(y, known)
    if target is None:
        usual = [name for name in known if name.lower() in USUAL_TARGETS]
        if len(usual) == 1:
            return (usual[0],)
        message = f"is missing: the column that is to be predicted. Columns: {_some(known)}."
        raise _refusal("target", message)
    names = (target,) if isinstance(target, str) else tuple(target)
    for name in names:
        _check_column(name, "target", table)
    return names


def _new_names(y: Any, known: Sequence[str]) -> tuple[str, ...]:
    """Names of columns for targets that are given as `y`."""
    shape = np.shape(y)
    names = ["y"]
    if len(shape) == 2 and shape[1] > 1:
        names = [f"y_{place}" for place in range(shape[1])]
    free = []
    for name in names:
        while name in known:
            name += "_"
        free.append(name)
    return tuple(free)


def _check_column(name: Any, argument: str, table: pl.DataFrame) -> None:
    """Raises InvalidData if the table has no such column."""
    known = table.columns
    if name in known:
        return
    word = str(name)
    alike = [one for one in known if one.lower() == word.lower()]
    hint = f" Did you mean {alike[0]!r}?" if alike else did_you_mean(word, known)
    message = f"there is no column {short(word)!r}.{hint} Columns: {_some(known)}."
    raise _refusal(argument, message)


def _some(names: Sequence[str]) -> str:
    """The first columns: there may be thousands."""
    told = ", ".join(short(name, 40) for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{told} and {more:,} more" if more > 0 else told


def _with_targets(table: pl.DataFrame, y: Any, names: Sequence[str], argument: str) -> pl.DataFrame:
    """The table with the columns of its targets.

    Raises:
        InvalidData: they are no plain values, or another number of them.
    """
    if y is None:
        return table
    targets = _raw(y, argument)
    if not isinstance(targets, np.ndarray) or targets.ndim not in (1, 2):
        raise _refusal(argument, "must have one axis (one target a sample) or two.")
    _check_lengths(len(table), len(targets), argument, "x")
    columns = targets.reshape(len(targets), -1).T
    if len(columns) != len(names):
        message = f"must have {counted(len(names), 'column')}. Received: {len(columns)}."
        raise _refusal(argument, message)
    found = [_series(name, values, argument) for name, values in zip(names, columns, strict=True)]
    return table.with_columns(found)


def _validation(data: Any, is_apart: bool, names: Sequence[str]) -> pl.DataFrame:
    """The rows for validation, with their targets.

    Args:
        is_apart: whether targets are given beside the samples.
        names: names of the target's columns.

    Raises:
        InvalidData: they are none.
    """
    argument = "validation_data"
    if is_apart:
        x, y = _two(data)
        table = _table(x, f"{argument}[0]") if _is_table(x) else None
        if table is None:
            raise _refusal(f"{argument}[0]", "must be of the kind of x, a frame or texts.")
        return _with_targets(table, y, names, f"{argument}[1]")
    if isinstance(data, tuple | list) or not _is_table(data):
        kind = type(data).__name__
        message = f"must be a frame with the columns of x and of the target. Received: {kind}."
        raise _refusal(argument, message)
    table = _table(data, argument)
    for name in names:
        _check_column(name, argument, table)
    return table


def _check_groups(table: pl.DataFrame, validation: pl.DataFrame, name: str) -> None:
    """Raises InvalidData if a group is on both sides: validation would know it from training."""
    if name not in validation.columns:
        return
    known = set(validation[name].to_list())
    shared = len(known.intersection(table[name].to_list()))
    if shared:
        message = (
            f"{shared:,} of its {counted(len(known), 'group')} in the column {short(name)!r} are in"
            " x, too, and a group must stay in one part. Leave their rows out on one side, or leave"
            " out groups."
        )
        raise _refusal("validation_data", message)


def _two(data: Any) -> tuple[Any, Any]:
    """The samples and targets of `validation_data`.

    Raises:
        InvalidData: it is no pair.
    """
    if isinstance(data, tuple | list) and len(data) == 2:
        return data[0], data[1]
    kind = type(data).__name__
    received = f"a {kind} of {len(data)}" if isinstance(data, tuple | list) else f"a {kind}"
    raise _refusal("validation_data", f"must be a pair (x, y). Received: {received}.")


def _pair(x: Any, y: Any, x_name: str, y_name: str) -> dict[str, Array | Ragged]:
    """Samples and their targets.

    Raises:
        InvalidData: one is missing or cannot be read, or they are not equally many.
    """
    samples = _raw(x, x_name)
    if y is None:
        raise _refusal(y_name, f"is missing: the targets, one for each sample of {x_name}.")
    targets = _raw(y, y_name)
    if not isinstance(targets, np.ndarray):
        message = "must be one array of numbers or words. Received: rows of different lengths."
        raise _refusal(y_name, message)
    _check_lengths(len(samples), len(targets), y_name, x_name)
    return {"x": samples, "y": targets}


def _raw(value: Any, argument: str) -> Array | Ragged:
    """An array, or rows of different lengths.

    Raises:
        InvalidData: it is none of both.
    """
    try:
        found = raw_of(value, argument)
    except Unfit as error:
        message = str(error).removeprefix(f"{argument}: ")
        raise _refusal(argument, message) from None
    except (TypeError, ValueError) as error:
        why = short(str(error).partition("\n")[0], 200).rstrip(".")
        kind = type(value).__name__
        message = f"must be an array or a frame. Received: a {kind} ({why})."
        raise _refusal(argument, message) from None
    if isinstance(found, Frame):
        raise _refusal(argument, "must be an array. Received: columns by name.")
    if not isinstance(found, np.ndarray):
        return found
    if not found.ndim:
        message = f"must be an array. Received: the single value {short(str(found))}."
        raise _refusal(argument, message)
    if found.dtype.kind == "T":
        # Words of one width have plain bytes.
        return found.astype(np.str_)
    if found.dtype.hasobject or found.dtype.kind == "V":
        kind = type(value).__name__
        message = f"must hold numbers or words. Received: a {kind} of dtype {found.dtype}."
        raise _refusal(argument, message)
    return found


def _check_lengths(samples: int, targets: int, y_name: str, x_name: str) -> None:
    if samples != targets:
        message = (
            "needs one target for each sample."
            f" Received: {targets:,} in {y_name}, {samples:,} in {x_name}."
        )
        raise _refusal(y_name, message)


def _beside(sample_weight: Any, groups: Any) -> dict[str, Array | Ragged]:
    """What is given beside samples and targets, by the names of `KEYS`."""
    found: dict[str, Array | Ragged] = {}
    if sample_weight is not None:
        found["sample_weight"] = _raw(sample_weight, "sample_weight")
    if groups is not None:
        found["groups"] = _raw(groups, "groups")
    return found
