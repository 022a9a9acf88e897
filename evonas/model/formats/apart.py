"""A process of its own loads an exported model and predicts, as another machine would.

A format of evonas has a reader, which is run without evonas (`alone`). One of a plugin is loaded by
its own class: `python -m evonas.model.formats.apart FOLDER`. Samples and predictions are arrays in
that folder. The process runs on the device of the one that starts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas.model.formats import alone, find_format
from evonas.model.formats.alone import (
    FAILURE,
    MEASURED,
    PREDICTIONS,
    REQUEST,
    SAMPLES,
    load_samples,
    save_samples,
)
from evonas.model.formats.calls import FormatFailed, predict
from evonas.model.formats.export_format import AnySamples, Array, ExportFormat

SAID = 2000
"""Characters that are kept of what a failed process has said."""


class CannotLoad(RuntimeError):
    """A process of its own could not load what was written, or could not predict with it."""


@dataclass(frozen=True)
class Answered:
    """What a process of its own has answered.

    Attributes:
        predictions: for all samples.
        one: for the first sample alone; None if it was not asked.
        odd: for the first few; None if it was not asked.
        milliseconds: how long one sample takes; None if it was not measured.
    """

    predictions: Array
    one: Array | None = None
    odd: Array | None = None
    milliseconds: float | None = None


def predicted_apart(form: ExportFormat, path: Path, x: AnySamples) -> Array:
    """What an exported model predicts in a process that knows its files only.

    Args:
        form: format of the files.
        path: path of the file or folder.
        x: raw samples.

    Raises:
        CannotLoad: the process has failed; says its last words.
    """
    return answered_apart(form, path, x).predictions


def answered_apart(
    form: ExportFormat, path: Path, x: AnySamples, is_measured: bool = False
) -> Answered:
    """The same, with answers for batches of other sizes, and a time, if it is to be measured.

    Raises:
        CannotLoad: the process has failed; says its last words.
    """
    kind = type(form)
    request = {
        "module": kind.__module__,
        "name": f"{kind.__module__}:{kind.__qualname__}",
        "reader": str(form.reader_path or ""),
        "path": str(path.absolute()),
        "is_measured": is_measured and form.reader_path is not None,
    }
    # `-P`: a user's file in the working directory hides no module of the same name.
    command = [sys.executable, "-P", "-m", __name__]
    if form.reader_path is not None:
        command = [sys.executable, "-P", alone.__file__]
    with tempfile.TemporaryDirectory(prefix="evonas-export-") as scratch:
        folder = Path(scratch)
        (folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        save_samples(folder / SAMPLES, x)
        _run([*command, str(folder)], folder)
        measured = json.loads((folder / MEASURED).read_text(encoding="utf-8"))
        with np.load(folder / PREDICTIONS, allow_pickle=False) as found:
            return Answered(
                predictions=found["all"],
                one=found["one"] if "one" in found.files else None,
                odd=found["odd"] if "odd" in found.files else None,
                milliseconds=measured.get("milliseconds"),
            )


def _run(command: Sequence[str], folder: Path) -> None:
    """Run the process.

    Raises:
        CannotLoad: it has failed.
    """
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(_places())},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        why = done.stderr.decode("utf-8", "backslashreplace")[-SAID:]
        if (folder / FAILURE).is_file():
            why = (folder / FAILURE).read_text(encoding="utf-8")[:SAID]
        raise CannotLoad(
            f"a process of its own cannot load it (exit code {done.returncode}): {why}"
        )


def _places() -> list[str]:
    """Where this process finds modules: the format may be one of a plugin."""
    return [str(Path(entry).absolute()) for entry in sys.path]


def _predict(folder: Path) -> None:
    """In the process: load, predict, and write the predictions."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    form = find_format(request["name"], [request["module"]])
    x: Any = load_samples(folder / SAMPLES)
    predictions = predict(form, Path(request["path"]), x)
    np.savez(folder / PREDICTIONS, all=predictions)
    (folder / MEASURED).write_text("{}", encoding="utf-8")


def _main(folder: Path) -> None:
    try:
        _predict(folder)
    # A format of a plugin may raise anything.
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        # Its own words say what was raised, and where.
        if isinstance(error, FormatFailed):
            text = str(error)
        (folder / FAILURE).write_text(text[:SAID], encoding="utf-8", errors="backslashreplace")
        raise


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
