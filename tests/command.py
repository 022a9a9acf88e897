"""The `evonas` command inside the process of the tests: the same words and exit code, and no start.

It stands for a process where a test looks at what evonas says and at how it ends, and at nothing
else. `tests/cli/test_command.py` holds it against the real command.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

from evonas.cli.app import main


def run_evonas(
    *arguments: object, cwd: Path | None = None, **environment: str
) -> CompletedProcess[str]:
    """What `subprocess.run` returns for a process that runs `evonas` with captured text.

    Args:
        arguments: words of the command line.
        cwd: working directory; by default that of the tests.
        environment: variables that are set beside those of the tests.
    """
    words = ["evonas", *map(str, arguments)]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
    ):
        with (
            contextlib.chdir(cwd or Path.cwd()),
            mock.patch.dict(os.environ, environment),
            mock.patch.object(sys, "argv", words),
            _redirected("stdout", out.fileno()),
            _redirected("stderr", err.fileno()),
        ):
            code = _exit_code()
        out.seek(0)
        err.seek(0)
        return CompletedProcess(words, code, out.read(), err.read())


def _exit_code() -> int:
    """Run the command line and end it as the interpreter does.

    `main` turns every exception into an exit code. One that it lets through fails the test.
    """
    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        # a process prints any other code on standard error
        sys.stderr.write(f"{end.code}\n")
        return 1
    return 0


@contextlib.contextmanager
def _redirected(name: str, target: int) -> Iterator[None]:
    """Send a standard stream, and its descriptor, which child processes inherit, to a file."""
    number = {"stdout": 1, "stderr": 2}[name]
    getattr(sys, name).flush()
    saved = os.dup(number)
    os.dup2(target, number)
    # buffered as in a process whose output is a pipe
    stream = open(  # noqa: SIM115 - a descriptor, and not closed: a logger may keep it
        number,
        "w",
        buffering=1 if name == "stderr" else -1,
        encoding="utf-8",
        errors="backslashreplace" if name == "stderr" else "strict",
        closefd=False,
    )
    try:
        with mock.patch.object(sys, name, stream):
            yield
    finally:
        stream.flush()
        os.dup2(saved, number)
        os.close(saved)
