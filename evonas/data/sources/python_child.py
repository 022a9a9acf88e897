"""The process that calls a user's function for data: `python -m evonas.data.sources.python_child`.

The function may import TensorFlow or Keras, hold gigabytes, or crash: the driver only finds what it
has left in a folder. The process ends as soon as its standard input does, with the driver.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.arrays import KEYS
from evonas.data.raw import Array
from evonas.data.sources.handed import TABLE, Piece, lay, write_list
from evonas.data.sources.npz import OTHER_NAMES
from evonas.data.sources.values import Unfit, as_word, is_frame, is_of, raw_of
from evonas.data.tables.cells import plain_frame
from evonas.errors import InvalidData, did_you_mean
from evonas.words import counted, excerpt

REPORT = "report.json"

FORMS = (
    "arrays x and y as a pair, two pairs (training, test) or three (training, validation, test), a"
    " dict with x and y, a frame of pandas or polars, a keras.utils.PyDataset, or a tf.data.Dataset"
)


def main(arguments: list[str]) -> None:
    """Call the function that the request names, lay down what it gives, and report."""
    folder = Path(arguments[0])
    _end_with_driver()
    request = json.loads(arguments[1])
    report: dict[str, Any] = {}
    try:
        found = _called(request["function"])
        report["notes"] = laid(found, folder)
    except Unfit as error:
        report["wrong"] = str(error)
    # The function is the user's, and may raise anything, also SystemExit.
    except BaseException as error:
        report["raised"] = _told(error, request["function"])
    (folder / REPORT).write_text(json.dumps(report), encoding="ascii")
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that the user's code has started are not waited for.
    os._exit(0)


def _end_with_driver() -> None:
    """End this process with all that it has started once the driver is gone."""
    mine = os.dup(0)
    # A function that reads from the standard input finds its end.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait() -> None:
        os.read(mine, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, name="driver", daemon=True).start()


def _called(function: str) -> Any:
    """What the function gives.

    Raises:
        Unfit: there is no such function.
        whatever the user's code raises.
    """
    module_name, _, name = function.partition(":")
    module = importlib.import_module(module_name)
    found = vars(module).get(name)
    if not callable(found):
        names = [word for word, thing in vars(module).items() if callable(thing)]
        raise Unfit(
            f"the module {module_name} has no function {name!r}.{did_you_mean(name, names)}"
        )
    return found()


def _told(error: BaseException, function: str) -> str:
    """An error of the user's code in one sentence, with the line in the user's module."""
    *_, words = traceback.format_exception_only(error)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__]
    module = sys.modules.get(function.partition(":")[0])
    file = None if module is None else module.__file__
    # The last line of the user's own, not one within a library that it calls.
    users = [frame for frame in own if frame.filename == file] or own[-1:]
    place = f", in {users[-1].filename}, line {users[-1].lineno}" if users else ""
    return f"{excerpt(words.strip())}{place}"


def laid(found: Any, folder: Path) -> list[str]:
    """Write what a function has given; notes for the user.

    Raises:
        Unfit: it is nothing that can be read.
    """
    if is_of("keras", "PyDataset", found) or is_of("tensorflow", "DatasetV2", found):
        return _laid_batches(found, folder)
    if is_frame(found):
        _lay_frame(found, folder)
        return []
    arrays = _named(found)
    for name in arrays:
        if name not in KEYS:
            known = OTHER_NAMES.get(name.lower())
            hint = f" Did you mean {known!r}?" if known else did_you_mean(name, KEYS)
            raise Unfit(f"{name}: unknown array. Allowed: {', '.join(KEYS)}.{hint}")
    entries = {}
    for name, value in arrays.items():
        raw = raw_of(value, name)
        try:
            entries[name] = lay(raw, name, folder)
        except TypeError as error:
            raise Unfit(f"{name}: must hold plain numbers or words. Received: {error}.") from error
    write_list(entries, folder)
    return []


def _named(found: Any) -> dict[str, Any]:
    """The arrays that a function has given, by the names of evonas.

    Raises:
        Unfit: it has given something else.
    """
    if isinstance(found, Mapping):
        if not {"x", "y"} <= found.keys():
            names = excerpt(", ".join(map(str, found)))
            raise Unfit(f"gives a dict without x and y. Received: {names}.")
        return {str(name): value for name, value in found.items()}
    if isinstance(found, tuple | list):
        # A list may be two samples of two numbers.
        pairs = [one for one in found if isinstance(one, tuple) and len(one) == 2]
        if len(pairs) == len(found) and len(pairs) in (2, 3):
            parts = ("x", "x_test") if len(pairs) == 2 else ("x", "x_val", "x_test")
            named: dict[str, Any] = {}
            for key, (x, y) in zip(parts, pairs, strict=True):
                named |= {key: x, key.replace("x", "y"): y}
            return named
        if len(found) == 2:
            return dict(zip(("x", "y"), found, strict=True))
    received = type(found).__name__
    if isinstance(found, tuple | list):
        received = f"a {received} of {len(found)}"
    raise Unfit(f"must give {FORMS}. Received: {received}.")


def _lay_frame(frame: Any, folder: Path) -> None:
    """Write a frame, which the driver reads as it reads any table.

    Raises:
        Unfit: a column holds values of several types, or its name is no word.
    """
    import polars as pl

    try:
        plain_frame(frame, "the frame").write_parquet(folder / TABLE)
    except (InvalidData, pl.exceptions.PolarsError) as error:
        raise Unfit(f"gives a frame that cannot be used: {error}") from error


def _laid_batches(dataset: Any, folder: Path) -> list[str]:
    """Write a data set batch by batch, which may be larger than memory.

    Raises:
        Unfit: it has no end, or its batches are no pairs of arrays.
    """
    batches = _batches(dataset)
    x = Piece(folder / "x.bin")
    words: dict[str, list[Array]] = {}
    y = Piece(folder / "y.bin")
    count = 0
    for number, batch in enumerate(batches):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            received = f"{len(batch)} values" if isinstance(batch, tuple | list) else "one value"
            raise Unfit(f"each batch must be a pair, x and y. Received: {received}.")
        one_x, one_y = (np.asarray(value) for value in batch)
        if len(one_x) != len(one_y):
            raise Unfit(f"batch {number} has {len(one_x)} samples and {len(one_y)} targets.")
        for key, piece, values in (("x", x, one_x), ("y", y, one_y)):
            # Words have no common length before all are known.
            if values.dtype.kind in "OSU":
                words.setdefault(key, []).append(values)
                continue
            try:
                piece.add(values)
            except TypeError as error:
                raise Unfit(f"{key}, batch {number}: {error}.") from error
        count += len(one_x)
    if not count:
        raise Unfit("gives no batch.")
    entries = {"x": x.end(), "y": y.end()}
    for key, found in words.items():
        flat = [as_word(value) for values in found for value in values.reshape(-1)]
        entries[key] = lay(np.array(flat), f"{key}_words", folder)
    write_list(entries, folder)
    return [f"data: {counted(count, 'sample')} of a data set were read once, and are stored."]


def _batches(dataset: Any) -> Iterator[Any]:
    """The batches of a data set, each once.

    Raises:
        Unfit: it has no end.
    """
    endless = "has no end, and a data set is read once. Write dataset.take(steps)."
    if is_of("keras", "PyDataset", dataset):
        if dataset.num_batches is None:
            raise Unfit(endless)
        return (dataset[number] for number in range(dataset.num_batches))
    # The number of TensorFlow for a data set that repeats itself for ever.
    if int(dataset.cardinality()) == -1:
        raise Unfit(endless)
    spec = dataset.element_spec
    is_pair = isinstance(spec, tuple) and len(spec) == 2
    # One sample at a time: its target is a single number.
    if is_pair and is_of("tensorflow", "TensorSpec", spec[1]) and spec[1].shape.rank == 0:
        dataset = dataset.batch(256)
    found: Iterator[Any] = dataset.as_numpy_iterator()
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
