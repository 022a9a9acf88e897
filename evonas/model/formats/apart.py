"""A process of its own loads an exported model and predicts, as another machine would.

The process is `python -m evonas.model.formats.apart FOLDER`. Samples and predictions are arrays in
that folder. It runs on the device of the process that starts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evonas.model.formats import find_format
from evonas.model.formats.calls import FormatFailed, predict
from evonas.model.formats.export_format import AnySamples, Array, ExportFormat

_REQUEST = "request.json"
_SAMPLES = "x.npz"
_PREDICTIONS = "predictions.npy"
_FAILURE = "failure.txt"

SAID = 2000
"""Characters that are kept of what a failed process has said."""


class CannotLoad(RuntimeError):
    """A process of its own could not load what was written, or could not predict with it."""


def predicted_apart(form: ExportFormat, path: Path, x: AnySamples) -> Array:
    """What an exported model predicts in a process that knows its files only.

    Args:
        form: format of the files.
        path: path of the file or folder.
        x: raw samples.

    Raises:
        CannotLoad: the process has failed; says its last words.
    """
    kind = type(form)
    request = {
        "module": kind.__module__,
        "name": f"{kind.__module__}:{kind.__qualname__}",
        "path": str(path.absolute()),
    }
    with tempfile.TemporaryDirectory(prefix="evonas-export-") as scratch:
        folder = Path(scratch)
        (folder / _REQUEST).write_text(json.dumps(request), encoding="utf-8")
        _save_samples(folder / _SAMPLES, x)
        done = subprocess.run(
            # `-P`: a user's file in the working directory hides no module of the same name.
            [sys.executable, "-P", "-m", __name__, str(folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(_places())},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            why = done.stderr.decode("utf-8", "backslashreplace")[-SAID:]
            if (folder / _FAILURE).is_file():
                why = (folder / _FAILURE).read_text(encoding="utf-8")
            raise CannotLoad(
                f"a process of its own cannot load it (exit code {done.returncode}): {why}"
            )
        predictions: Array = np.load(folder / _PREDICTIONS, allow_pickle=False)
    return predictions


def _save_samples(path: Path, x: AnySamples) -> None:
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


def _load_samples(path: Path) -> AnySamples:
    with np.load(path, allow_pickle=False) as archive:
        if "item_0" in archive.files:
            return [archive[f"item_{number}"] for number in range(len(archive.files))]
        if "x" in archive.files:
            found: Array = archive["x"]
            return found
        names = archive["names"].tolist()
        return {name: archive[f"column_{number}"] for number, name in enumerate(names)}


def _places() -> list[str]:
    """Where this process finds modules: the format may be one of a plugin."""
    return [str(Path(entry).absolute()) for entry in sys.path]


def _predict(folder: Path) -> None:
    """In the process: load, predict, and write the predictions."""
    request = json.loads((folder / _REQUEST).read_text(encoding="utf-8"))
    form = find_format(request["name"], [request["module"]])
    x = _load_samples(folder / _SAMPLES)
    predictions = predict(form, Path(request["path"]), x)
    np.save(folder / _PREDICTIONS, predictions, allow_pickle=False)


def _main(folder: Path) -> None:
    try:
        _predict(folder)
    # A format of a plugin may raise anything.
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        # Its own words say what was raised, and where.
        if isinstance(error, FormatFailed):
            text = str(error)
        (folder / _FAILURE).write_text(text[:SAID], encoding="utf-8", errors="backslashreplace")
        raise


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
