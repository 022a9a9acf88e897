"""Whether a run's plugins can be imported and have the functions that the space names.

Plugins are the user's code. So they are imported in a process of their own, as a worker would
import them, and never in the driver. This process is
`python -m evonas.evaluate.local.plugin_check REPORT MODULE...`, where REPORT is a file to write.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from evonas.errors import did_you_mean
from evonas.evaluate.local.launcher import python_command, python_environment

TIME_LIMIT = 120.0
"""Seconds that the import of all plugins may take."""


def find_problems(plugins: Sequence[str], ops: Iterable[str]) -> list[str]:
    """What is wrong with plugins, in sentences.

    Args:
        plugins: modules, in the order in which they are imported.
        ops: names of ops. Only those of the form `package.module:function` are looked at.
    """
    if not plugins:
        return []
    found = _import_elsewhere(plugins)
    if isinstance(found, str):
        return [found]
    problems = [str(what) for what in found.values() if isinstance(what, str)]
    for op in ops:
        module, colon, function = op.partition(":")
        functions = found.get(module) if colon else None
        if isinstance(functions, list) and function not in functions:
            public = [name for name in functions if not name.startswith("_")]
            hint = did_you_mean(function, public)
            problems.append(f"the plugin {module} has no function {function!r}.{hint}")
    return problems


def _import_elsewhere(plugins: Sequence[str]) -> Mapping[str, str | list[str]] | str:
    """For each module the names of its functions, or a sentence that says what is wrong with it.

    Returns:
        one sentence for all modules if the process has left no report.
    """
    names = ", ".join(plugins)
    with tempfile.TemporaryDirectory() as scratch:
        # A file rather than standard output, to which the plugins themselves may print.
        report = Path(scratch) / "report.json"
        try:
            done = subprocess.run(
                python_command("evonas.evaluate.local.plugin_check", report, *plugins),
                env=python_environment(),
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=TIME_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return f"importing the plugins {names} took more than {TIME_LIMIT:g} s."
        try:
            found: dict[str, str | list[str]] = json.loads(report.read_text(encoding="utf-8"))
        # A plugin may end the process while it is imported.
        except (OSError, ValueError):
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            ended = f"ended the process with exit code {done.returncode}"
            return " ".join([f"importing the plugins {names} {ended}.", *said])
    return found


def _describe(module: str) -> str | list[str]:
    """The callable names of a module, or a sentence that says why it cannot be imported."""
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError as error:
        # The missing module may be another one, which the plugin imports.
        if _is_or_holds(error.name, module):
            return (
                f"there is no module {module}. "
                "A plugin must be installed, or its folder must be in PYTHONPATH."
            )
        place = _place(error)
        return f"the plugin {module} cannot be imported: {error}.{place}"
    # A user's code may raise anything, also SystemExit.
    except BaseException as error:
        place = _place(error)
        kind = type(error).__name__
        return f"the plugin {module} cannot be imported: {kind}: {error}.{place}"
    return [name for name in dir(imported) if callable(getattr(imported, name, None))]


def _is_or_holds(missing: str | None, module: str) -> bool:
    """Whether a missing module is this one, or a package above it."""
    if missing is None:
        return False
    return module == missing or module.startswith(f"{missing}.")


def _place(error: BaseException) -> str:
    """The line of the plugin that has raised."""
    # Its own text says where it is, and the traceback ends in Python's import.
    if isinstance(error, SyntaxError):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return f" It was raised in {last.filename}, line {last.lineno}."


def main(arguments: Sequence[str]) -> None:
    report, *modules = arguments
    found = {module: _describe(module) for module in modules}
    text = json.dumps(found)
    Path(report).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
