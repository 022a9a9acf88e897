"""Calls the methods of an export format. One of a plugin is the user's code: it may do anything."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from evonas.errors import EvonasError, UserError
from evonas.model.formats.export_format import AnySamples, Array, ExportFormat


class FormatFailed(UserError):
    """A format of a plugin has raised, or has not done what it promises; says which method."""


def write(form: ExportFormat, model: Any, path: Path) -> None:
    """Let a format write a model.

    Raises:
        FormatFailed: it is of a plugin, and has raised; or nothing is there.
    """
    with users_format(form, "write()"):
        form.write(model, path)
    is_there = path.is_dir() if form.is_folder else path.is_file()
    if not is_there:
        kind = "folder" if form.is_folder else "file"
        raise FormatFailed(f"write() must make a {kind} at the path that it gets; there is none")


def predict(form: ExportFormat, path: Path, x: AnySamples) -> Array:
    """What a format predicts with the files that it has written.

    Raises:
        FormatFailed: it is of a plugin, and has raised; or it does not give what it must.
    """
    with users_format(form, "load()"):
        function: Any = form.load(path)
    if not callable(function):
        kind = type(function).__name__
        raise FormatFailed(f"load() must give a function that predicts. Received: {kind}")
    with users_format(form, "the function of load()"):
        if isinstance(x, list):
            found = np.concatenate([np.asarray(function(one[np.newaxis])) for one in x])
        else:
            found = np.asarray(function(x))
    if found.dtype.kind not in "iuf":
        raise FormatFailed(
            f"the function of load() must give an array of numbers. Received: {found.dtype}"
        )
    return found


@contextmanager
def users_format(form: ExportFormat, method: str) -> Iterator[None]:
    """Calls a method of a format; what a plugin's raises becomes a `FormatFailed`.

    Args:
        method: what is called, in words.
    """
    module = type(form).__module__
    # A fault of evonas is none of the user's.
    if module.startswith("evonas."):
        yield
        return
    try:
        yield
    except EvonasError:
        raise
    # It may also call `sys.exit`.
    except (Exception, SystemExit) as error:
        # Its text is made by the user's code, too.
        *_, words = traceback.format_exception_only(error)
        where = _place(error, sys.modules[module].__file__)
        raise FormatFailed(f"{method} has raised{where}: {words.strip()}") from error


def _place(error: BaseException, file: str | None) -> str:
    """The last line of a file that an error went through; empty if there is none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == file:
            return f" in {file}, line {frame.lineno}"
    return ""
