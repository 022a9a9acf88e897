"""Whether a run's plugins can be imported and have the functions that the space names.

They are the user's code, so they are imported in a process of their own, as a worker would, never in the driver.
Run as `python -m evonas.evaluate.local.plugin_check REPORT MODULE...`, where REPORT is a file to write.
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
        ops: names of the form `package.module:function`; others are passed over.
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
            problems.append(
                f"the plugin {module} has no function {function!r}.{did_you_mean(function, public)}"
            )
    return problems


def _import_elsewhere(plugins: Sequence[str]) -> Mapping[str, str | list[str]] | str:
    """For each module what is wrong with it, or the names of its functions; or why even that cannot be told."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = python_command("evonas.evaluate.local.plugin_check", report, *plugins)
        try:
            done = subprocess.run(
                command,
                env=python_environment(),
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=TIME_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return f"importing the plugins {', '.join(plugins)} took more than {TIME_LIMIT:g} s."
        try:
            found: dict[str, str | list[str]] = json.loads(report.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            ended = f"ended the process with exit code {done.returncode}"
            return " ".join([f"importing the plugins {', '.join(plugins)} {ended}.", *said])
    return found


def _describe(module: str) -> str | list[str]:
    """The callable names of a module, or what keeps it from being imported."""
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            return f"there is no module {module}. A plugin must be installed, or its folder must be in PYTHONPATH."
        return f"the plugin {module} cannot be imported: {error}.{_place(error)}"
    except BaseException as error:  # a user's code may raise anything, SystemExit too
        return f"the plugin {module} cannot be imported: {type(error).__name__}: {error}.{_place(error)}"
    return [name for name in dir(imported) if callable(getattr(imported, name, None))]


def _place(error: BaseException) -> str:
    """The line of the plugin that has raised."""
    if isinstance(error, SyntaxError):
        return ""  # it tells itself
    frames = traceback.extract_tb(error.__traceback__)
    return f" It was raised in {frames[-1].filename}, line {frames[-1].lineno}." if frames else ""


def main(arguments: Sequence[str]) -> None:
    report, *modules = arguments
    found = {module: _describe(module) for module in modules}
    Path(report).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
