"""A program that loads exported files in a process without evonas, predicts, and measures.

It is run by its path, `python alone.py FOLDER`, and imports nothing of evonas: whatever it needed
would be missing on another machine. Samples and predictions are arrays in the folder.
"""

from __future__ import annotations

import json
import runpy
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

REQUEST = "request.json"
SAMPLES = "x.npz"
PREDICTIONS = "predictions.npz"
MEASURED = "measured.json"
FAILURE = "failure.txt"

ODD = 7
"""Samples of a batch that is odd, and smaller than the usual one."""

CALLS = 30
"""Calls that are timed at most."""

SECONDS = 1.0
"""Seconds that timing takes at most."""


def save_samples(path: Path, x: Any) -> None:
    """Write samples of any form, without pickle."""
    if isinstance(x, list):
        items: dict[str, Any] = {f"item_{number}": item for number, item in enumerate(x)}
        np.savez(path, **items)
        return
    if not isinstance(x, Mapping):
        np.savez(path, x=x)
        return
    # A name may hold anything, and so is no name in the file.
    columns: dict[str, Any] = {
        f"column_{number}": column for number, column in enumerate(x.values())
    }
    np.savez(path, names=np.array(list(x)), **columns)


def load_samples(path: Path) -> Any:
    """What `save_samples` has written."""
    with np.load(path, allow_pickle=False) as archive:
        if "item_0" in archive.files:
            return [archive[f"item_{number}"] for number in range(len(archive.files))]
        if "x" in archive.files:
            found: Array = archive["x"]
            return found
        names = archive["names"].tolist()
        return {name: archive[f"column_{number}"] for number, name in enumerate(names)}


def first(x: Any, count: int) -> Any:
    """The first samples."""
    if isinstance(x, Mapping):
        return {name: column[:count] for name, column in x.items()}
    return x[:count]


def answers(predict: Callable[[Any], Any], x: Any) -> Array:
    """Predictions for samples; for pictures of different sizes one by one."""
    if isinstance(x, list):
        return np.concatenate([np.asarray(predict(one[np.newaxis])) for one in x])
    return np.asarray(predict(x))


def milliseconds(predict: Callable[[Any], Any], x: Any) -> float:
    """How long one sample takes: the median of some calls, after one that is not timed."""
    one = first(x, 1)
    answers(predict, one)
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while not times or (len(times) < CALLS and time.perf_counter() < end):
        begun = time.perf_counter()
        answers(predict, one)
        times.append(time.perf_counter() - begun)
    return 1000 * float(np.median(times))


def _run(folder: Path) -> None:
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    # An import of evonas fails from here on, also if it is installed.
    sys.modules["evonas"] = None  # type: ignore[assignment]
    load = runpy.run_path(request["reader"])["load"]
    predict = load(Path(request["path"]))
    x = load_samples(folder / SAMPLES)
    found = {"all": answers(predict, x)}
    measured = {}
    if request["is_measured"]:
        for name, count in (("one", 1), ("odd", ODD)):
            found[name] = answers(predict, first(x, count))
        measured["milliseconds"] = milliseconds(predict, x)
    np.savez(folder / PREDICTIONS, **found)  # type: ignore[arg-type]
    (folder / MEASURED).write_text(json.dumps(measured), encoding="utf-8")


def _main(folder: Path) -> None:
    try:
        _run(folder)
    # A library may raise anything.
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        (folder / FAILURE).write_text(text, encoding="utf-8", errors="backslashreplace")
        raise


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
