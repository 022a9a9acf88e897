"""What a function of the user's gives: arrays, a frame, or a data set of Keras or TensorFlow.

It runs in a process of its own, because it may import TensorFlow or Keras, which the driver never
does. The arrays come through files, which are mapped.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from evonas.data.arrays import Arrays
from evonas.data.sources.handed import find
from evonas.data.sources.source import Source
from evonas.errors import InvalidData, Issue
from evonas.files import expanded
from evonas.memory import Memory
from evonas.words import excerpt, shown

CHILD = "evonas.data.sources.python_child"
_REPORT = "report.json"
_LOG = "output.txt"

MOST_SAID = 4096
"""Bytes of the end of its output that are looked at if it has left no report."""


def function_problem(name: str | None) -> str:
    """Why this word cannot name a function; empty if it can."""
    if name is None:
        return ""
    module, colon, function = name.partition(":")
    are_words = all(word.isidentifier() for word in (*module.split("."), function))
    if colon and are_words:
        return ""
    return f"must be package.module:function. Received: {shown(name)}."


@dataclass(frozen=True)
class PythonFunction(Source):
    """A function without arguments.

    Attributes:
        function: as `package.module:function`. The module is among the plugins.
        folder: folder in which the module may lie, too: that of the config.
        target: column of the target if it gives a frame, or columns.
    """

    # Any text: a misspelt name of a class would otherwise be taken for that of a function.
    function: str
    folder: str
    target: str | tuple[str, ...] | None = None

    def read(self, memory: Memory) -> Arrays:
        return self.read_into(Path(tempfile.gettempdir()), memory)

    def read_into(self, folder: Path, memory: Memory) -> Arrays:
        found, notes = called(self.function, self.target, self.folder, folder)
        about = f"data: {self.function} was called in a process of its own."
        return Arrays(self.function, **found, notes=(about, *notes))

    def mark(self) -> Mapping[str, str]:
        # The plugin's code is compared by itself: this is for the place that has no plugin.
        name = self.function.partition(":")[0]
        return {"function": self.function, "module": _digest(name, self.folder)}

    def placed(self, folder: Path) -> Source:
        return replace(self, folder=os.path.realpath(folder / expanded(self.folder)))


def called(
    function: str, target: str | tuple[str, ...] | None, beside: str, folder: Path
) -> tuple[dict[str, Any], list[str]]:
    """The arrays that a function gives, by name, and notes for the user.

    Args:
        function: `package.module:function`.
        target: column or columns of the target in a frame.
        beside: folder in which the module may lie, too.
        folder: folder for files, which are gone afterwards but for those that are mapped.

    Raises:
        InvalidData: it has raised, has ended the process, or gives something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".evonas-") as scratch:
        place = Path(scratch)
        code = _run(function, target, beside, place)
        try:
            report = json.loads((place / _REPORT).read_text(encoding="ascii"))
        except (OSError, ValueError):
            report = {"ended": _ended(code, place / _LOG)}
        if wrong := report.get("wrong"):
            raise InvalidData(Issue(wrong, file=function))
        if raised := report.get("raised"):
            raise InvalidData(Issue(f"has raised {raised}.", file=function))
        if ended := report.get("ended"):
            raise InvalidData(Issue(ended, file=function))
        # A file that is mapped stays until it is no longer needed.
        return find(place), list(report["notes"])


def _run(
    function: str, target: str | tuple[str, ...] | None, beside: str, place: Path
) -> int | None:
    """Run the child to its end; its exit code."""
    request = json.dumps({"function": function, "target": target})
    # The folder comes last: a file of the user's must not hide a library of the same name.
    entries = [str(Path(entry).absolute()) for entry in sys.path]
    path = os.pathsep.join([*entries, *filter(None, [beside])])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        # A device is for trainings.
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    with (place / _LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", CHILD, str(place), request],
            env=environment,
            # Held open: the child ends when the driver does.
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            process.wait()
        finally:
            # Also whatever it has started, and also after Ctrl-C.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert process.stdin is not None
            process.stdin.close()
    return process.returncode


def _ended(code: int | None, log: Path) -> str:
    """How a process ended that has left no report, with the last line of what it said."""
    said = log.read_bytes()[-MOST_SAID:].decode("utf-8", "backslashreplace").strip()
    last = excerpt(said.splitlines()[-1]) if said else ""
    how = f"ended its process with exit code {code}"
    if code is not None and code < 0:
        how = f"was killed by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            how += ", perhaps by the system for want of memory"
    return f"{how}. {last}".strip()


def _digest(module: str, folder: str) -> str:
    """The sha256 of a module's file; empty if it has none."""
    path: list[str] | None = [*sys.path, folder] if folder else None
    spec = None
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), path)
        if spec is None:
            return ""
        path = list(spec.submodule_search_locations or [])
    if spec is None or spec.origin is None:
        return ""
    try:
        return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()
    except OSError:
        return ""
