"""Whether a run's plugins can be imported and have the functions that the space names.

Plugins are the user's code. So they are imported in a process of their own, as a worker would
import them, and never in the driver.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import Any

from evonas.errors import did_you_mean
from evonas.evaluate.contract.evaluator import Call
from evonas.evaluate.contract.import_watch import importing
from evonas.evaluate.contract.importing import add_folder
from evonas.evaluate.contract.imports import Imports
from evonas.evaluate.local.aside import Answer, answer, ask_aside
from evonas.evaluate.local.sources import sources_of
from evonas.genome.strict_yaml import short
from evonas.words import listed

TIME_LIMIT = 120.0
"""Seconds that the import of all plugins may take."""
MOST_SAID = 400
"""Characters of what the user's code says that stand in a sentence."""


@dataclass(frozen=True)
class Plugins:
    """What was found of a run's plugins.

    Attributes:
        problems: sentences about the modules.
        wrong_calls: sentences about functions, by the function's name.
        sources: module -> sha256 of its file, of the plugins and of all that they import and that
            is the user's; also files that they read meanwhile.
        files: their paths, by the same names.
        taken: function -> the offered arguments that it takes (see `Call`).
    """

    problems: Sequence[str] = ()
    wrong_calls: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, Sequence[str]] = field(default_factory=dict)


def look_at(plugins: Sequence[str], calls: Iterable[Call] = (), folder: str = "") -> Plugins:
    """Import plugins in another process, and compare their functions with their calls.

    Args:
        plugins: modules, in the order in which they are imported.
        calls: calls of functions. Only those of these plugins are looked at.
        folder: folder of the config, in which modules may lie, too.
    """
    if not plugins:
        return Plugins()
    own = []
    for call in calls:
        module, colon, _ = call.function.partition(":")
        if colon and module in plugins:
            own.append(asdict(call))
    request = {"plugins": list(plugins), "calls": own, "folder": folder}
    found = ask_aside("evonas.evaluate.local.plugin_check", request, TIME_LIMIT)
    if isinstance(found.report, dict):
        return Plugins(**found.report)
    return Plugins(problems=[_without_report(plugins, found)])


def _without_report(plugins: Sequence[str], found: Answer) -> str:
    """Why a process has left no report: a plugin may end it while it is imported."""
    what = f"importing the plugins {', '.join(plugins)}"
    if found.code is None:
        return f"{what} took more than {TIME_LIMIT:g} s."
    said = found.said.strip().splitlines()[-1:]
    words = [short(line, MOST_SAID) for line in said]
    return " ".join([f"{what} ended the process with exit code {found.code}.", *words])


def _look(request: Mapping[str, Any]) -> dict[str, Any]:
    """In the process: import everything, and say what was found."""
    add_folder(request["folder"])
    plugins: list[str] = request["plugins"]
    modules: dict[str, ModuleType] = {}
    problems = []
    imports = Imports(plugins)
    with importing(plugins):
        for name in plugins:
            found = _import(name, request["folder"])
            if isinstance(found, str):
                problems.append(found)
            else:
                modules[name] = found
    if not problems:
        problems += [_rewritten(name, file) for name, file in imports.rewritten().items()]
    wrong = {}
    taken = {}
    for data in request["calls"]:
        call = Call(**data)
        module = modules.get(call.function.partition(":")[0])
        # A module that cannot be imported has its sentence already.
        if module is not None and (words := _misfit(module, call)):
            wrong[call.function] = words
        elif module is not None:
            taken[call.function] = _offers_taken(module, call)
    sources = sources_of(imports)
    digests = {name: source.sha256 for name, source in sources.items()}
    files = {name: source.file for name, source in sources.items()}
    return {
        "problems": problems,
        "wrong_calls": wrong,
        "sources": digests,
        "files": files,
        "taken": taken,
    }


def _rewritten(name: str, file: str) -> str:
    """That each process would find another text of a module."""
    return (
        f"importing the plugins changes the file of the module {name}, {file}. So its code is"
        " another one each time, and no run could be compared with itself. Write to another file."
    )


def _import(name: str, folder: str) -> ModuleType | str:
    """The module, or a sentence that says why it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # The missing module may be another one, which the plugin imports.
        if _is_or_holds(error.name, name):
            return no_module(name, folder)
        return f"the plugin {name} cannot be imported: {_said(error)}.{_place(error)}"
    # A user's code may raise anything, also SystemExit.
    except BaseException as error:
        kind = type(error).__name__
        return f"the plugin {name} cannot be imported: {kind}: {_said(error)}.{_place(error)}"


def no_module(name: str, folder: str) -> str:
    """The sentence about a module that is nowhere.

    Args:
        folder: folder of the config, or an empty text.
    """
    beside = f"lie beside the config, in {folder}" if folder else "lie beside the config"
    return (
        f"there is no module {name}. A plugin must be installed, or {beside},"
        f" or its folder must be in PYTHONPATH.{_near(name, folder)}"
    )


def _near(name: str, folder: str) -> str:
    """A hint at a module with a similar name, in the same place."""
    package, dot, _ = name.rpartition(".")
    folders = getattr(sys.modules.get(package), "__path__", None) if dot else [*sys.path, folder]
    known = [f"{package}{dot}{found.name}" for found in pkgutil.iter_modules(folders)]
    return did_you_mean(name, known)


def _said(error: BaseException) -> str:
    """The text of an error, as it can stand within a sentence."""
    # The text is made by the user's code, too.
    try:
        text = str(error)
    except Exception as second:
        text = f"(its text cannot be made: {type(second).__name__})"
    return short(text, MOST_SAID)


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


def _misfit(module: ModuleType, call: Call) -> str:
    """Why a function cannot be called so, in a sentence; empty if it can."""
    name = call.function.partition(":")[2]
    function = getattr(module, name, None)
    if not callable(function):
        public = [found for found in dir(module) if _is_public_function(module, found)]
        hint = did_you_mean(name, public)
        return f"the plugin {module.__name__} has no function {name!r}.{hint}"
    if inspect.isclass(function):
        return (
            f"{call.function} is a class, and a function is called here. Write a function that"
            f" makes a {name} and calls it."
        )
    try:
        signature = inspect.signature(function)
    # Some functions of C tell nothing of their arguments.
    except (TypeError, ValueError):
        return ""
    given: list[None] = [None] * call.tensors
    taken = [one for one in call.offered if one in signature.parameters]
    try:
        signature.bind(*given, **dict.fromkeys([*call.names, *taken]))
    except TypeError as error:
        names = f" with {listed(call.names)}" if call.names else ""
        joint = "and" if names else "with"
        many = f" {joint} {call.tensors} {call.given}" if call.tensors > 1 else ""
        takes = [one for one in signature.parameters if one not in call.names]
        hints = [did_you_mean(one, takes) for one in call.names if one not in signature.parameters]
        return (
            f"the function {call.function} cannot be called{names}{many}: {_said(error)}."
            f" It is {short(name + str(signature), MOST_SAID)}.{''.join(hints)}"
        )
    return ""


def _offers_taken(module: ModuleType, call: Call) -> list[str]:
    """The offered arguments that a function takes; all if it does not tell."""
    function = getattr(module, call.function.partition(":")[2])
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return list(call.offered)
    return [name for name in call.offered if name in parameters]


def _is_public_function(module: ModuleType, name: str) -> bool:
    return not name.startswith("_") and callable(getattr(module, name, None))


if __name__ == "__main__":
    answer(sys.argv[1:], _look)
