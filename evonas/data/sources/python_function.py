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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, TypeVar

from evonas.data.arrays import Arrays
from evonas.data.sources.handed import TABLE, find
from evonas.data.sources.source import Source
from evonas.data.tables.cells import read_cells
from evonas.data.tables.reading import to_arrays
from evonas.data.tables.roles import Wanted
from evonas.data.tables.schema import Kind
from evonas.errors import InvalidData, Issue
from evonas.files import expanded
from evonas.memory import Memory
from evonas.words import excerpt, shown

CHILD = "evonas.data.sources.python_child"
_REPORT = "report.json"
_LOG = "output.txt"
_OF_FRAMES = ("target", "text", "columns", "gaps", "sample_weight", "sequence", "order")
"""The settings that have an effect on a frame only."""

Laid = TypeVar("Laid")

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
        target: column of the target if it gives a frame, or columns. The other keys are for frames,
            too, and as for a table in a file.
        text: column that alone is the input.
        group: column that tells which samples belong together; of arrays it is `groups`.
        time: column that tells when a sample was taken; of arrays it is `time`.
        sample_weight: column that tells what a row counts.
        sequence: column of the ids of sequences, whose steps the rows are.
        order: column by which the steps of a sequence are sorted.
        columns: what columns hold, where it is not to be inferred.
        gaps: words that mean that a value is missing, beside the usual ones.
    """

    # Any text: a misspelt name of a class would otherwise be taken for that of a function.
    function: str
    folder: str
    target: str | tuple[str, ...] | None = None
    text: str | None = None
    group: str | None = None
    time: str | None = None
    sample_weight: str | None = None
    sequence: str | None = None
    order: str | None = None
    columns: Mapping[str, Kind] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()

    def read(self, memory: Memory) -> Arrays:
        return self.read_into(Path(tempfile.gettempdir()), memory)

    def read_into(self, folder: Path, memory: Memory) -> Arrays:
        reading = partial(self._found, memory)
        found, notes = called(self.function, self.folder, folder, reading)
        about = f"data: {self.function} was called in a process of its own."
        return replace(found, notes=(about, *found.notes, *notes))

    def naming(self, group: str | None, time: str | None) -> Source:
        return replace(self, group=group or self.group, time=time or self.time)

    def _found(self, memory: Memory, folder: Path) -> Arrays:
        """What lies in the folder: a frame is read as any table is."""
        if (folder / TABLE).is_file():
            target = self.target or ()
            wanted = Wanted(
                target=(target,) if isinstance(target, str) else target,
                text=self.text or "",
                group=self.group or "",
                time=self.time or "",
                sample_weight=self.sample_weight or "",
                sequence=self.sequence or "",
                order=self.order or "",
                columns=self.columns,
                gaps=self.gaps,
            )
            cells = read_cells(folder / TABLE, memory, wanted.all_gaps)
            return to_arrays(replace(cells, origin=self.function), wanted)
        if issues := self._without_frame():
            raise InvalidData(issues)
        arrays: dict[str, Any] = {**find(folder)}
        return Arrays(self.function, **arrays)

    def _without_frame(self) -> list[Issue]:
        """An issue for each setting that only a frame would heed."""
        issues = []
        for key in _OF_FRAMES:
            if value := getattr(self, key):
                message = f"has no effect, because the function gives no frame. Received: {value}."
                issues.append(Issue(message, f"data.{key}", self.function))
        for key, array in (("group", "groups"), ("time", "time")):
            name = getattr(self, key)
            if name not in (None, array):
                message = f"the function gives no frame. Allowed: {array}. Received: {name}."
                issues.append(Issue(message, f"data.{key}", self.function))
        return issues

    def mark(self) -> Mapping[str, str]:
        # The plugin's code is compared by itself: this is for the place that has no plugin.
        name = self.function.partition(":")[0]
        return {"function": self.function, "module": _digest(name, self.folder)}

    def placed(self, folder: Path) -> Source:
        return replace(self, folder=os.path.realpath(folder / expanded(self.folder)))


def called(
    function: str, beside: str, folder: Path, reading: Callable[[Path], Laid]
) -> tuple[Laid, list[str]]:
    """What a function gives, and notes for the user.

    Args:
        function: `package.module:function`.
        beside: folder in which the module may lie, too.
        folder: folder for files, which are gone afterwards but for those that are mapped.
        reading: reads what the function has left in a folder.

    Raises:
        InvalidData: it has raised, has ended the process, or gives something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".evonas-") as scratch:
        place = Path(scratch)
        code = _run(function, beside, place)
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
        return reading(place), list(report["notes"])


def _run(function: str, beside: str, place: Path) -> int | None:
    """Run the child to its end; its exit code."""
    request = json.dumps({"function": function})
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
