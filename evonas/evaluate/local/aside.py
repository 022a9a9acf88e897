"""Work with the user's code in a process of its own, before a run: bounded, and gone afterwards.

The process is `python -m MODULE FOLDER`. It reads `request.json` in that folder, and answers with
`report.json`, which it writes by a rename. The report decides: from then on nothing of the process
is waited for. Its code may have started helpers and threads that never end.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from evonas.evaluate.local import bootstrap
from evonas.evaluate.local.fork_server import group_is_gone, kill_group
from evonas.evaluate.local.leftovers import kill_marked, new_mark
from evonas.evaluate.local.python_process import has_ended, python_command, python_environment

LOOK = 0.02
"""Seconds between two looks for the report."""
END_LIMIT = 1.0
"""Seconds that the killed processes may take to be gone."""
SAID = 4096
"""Bytes of the process's output that are kept: its end."""
_REQUEST = "request.json"
_REPORT = "report.json"


@dataclass(frozen=True)
class Answer:
    """What a process has left.

    Attributes:
        report: its report, plain JSON; None without one.
        code: exit code of a process that ended without a report, a signal is negative. None if the
            time was over.
        said: the end of what it has printed.
    """

    report: Any
    code: int | None
    said: str


def ask_aside(module: str, request: Mapping[str, Any], seconds: float) -> Answer:
    """Start a process, wait for its report, and end it with all that it has started.

    Args:
        module: module that calls `answer`.
        request: plain JSON.
        seconds: time that it may take.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / _REQUEST).write_text(json.dumps(request), encoding="utf-8")
        reading, writing = os.pipe()
        mark = new_mark()
        try:
            process = subprocess.Popen(
                python_command(module, folder, os.getpid()),
                env={**python_environment(), **mark, "CUDA_VISIBLE_DEVICES": "-1"},
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        is_ended = False
        try:
            said = _wait(process, reading, folder / _REPORT, seconds)
            is_ended = has_ended(process)
        finally:
            # Before the process is reaped: until then no other group can have its number.
            _end_group(process.pid)
            code = process.wait()
            os.close(reading)
            kill_marked(mark)
        report = _read(folder / _REPORT)
        text = said.decode("utf-8", "backslashreplace")
        return Answer(report, code if is_ended else None, text)


def _wait(process: subprocess.Popen[bytes], reading: int, report: Path, seconds: float) -> bytes:
    """Wait for the report, the end of the process, or the end of the time.

    Returns:
        the end of what was printed. All of it is taken from the pipe, which nobody else empties.
    """
    os.set_blocking(reading, False)
    deadline = time.monotonic() + seconds
    said = b""
    while time.monotonic() < deadline:
        is_over = report.exists() or has_ended(process)
        readable, _, _ = select.select([reading], [], [], 0.0 if is_over else LOOK)
        if readable:
            # Empty at the end of file: the process has closed its output, and works on.
            heard = os.read(reading, 1 << 16)
            said = (said + heard)[-SAID:]
            if not heard and not is_over:
                time.sleep(LOOK)
        if is_over:
            break
    return said


def _end_group(leader: int) -> None:
    """Kill a process with all of its group, and wait until they are gone."""
    deadline = time.monotonic() + END_LIMIT
    kill_group(leader)
    while not group_is_gone(leader) and time.monotonic() < deadline:
        time.sleep(LOOK)


def _read(report: Path) -> Any:
    """The report; None if there is none, or if it is none."""
    try:
        return json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def answer(arguments: list[str], work: Callable[[Mapping[str, Any]], Any]) -> NoReturn:
    """The whole life of the process: read the request, work, write the report, leave at once.

    Args:
        arguments: of the command line.
        work: function from the request to the report, both plain JSON.
    """
    folder = Path(arguments[0])
    bootstrap.die_with_parent(int(arguments[1]))
    request = json.loads((folder / _REQUEST).read_text(encoding="utf-8"))
    report = work(request)
    temporary = folder / f"{_REPORT}.tmp"
    # ASCII: a surrogate that stands alone has no other form in a file.
    temporary.write_text(json.dumps(report), encoding="ascii")
    temporary.rename(folder / _REPORT)
    # Threads that the user's code has started, and what it does at exit, are not waited for.
    os._exit(0)
