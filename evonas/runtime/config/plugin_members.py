"""Strategies, sources, export formats and their like, from the user's own modules.

`package.module:Name` is a class in a module that the config lists under `plugins`. The driver uses
it, so it imports that module itself. A process beside it tries the import first: so a module that
crashes or never ends does not take the driver with it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import inspect
import re
import sys
import traceback
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from evonas.data.sources import Source
from evonas.data.splits import Split
from evonas.errors import did_you_mean
from evonas.evaluate.contract.evaluator import Evaluator
from evonas.evaluate.contract.importing import add_folder
from evonas.evaluate.contract.pool import PoolSettings
from evonas.evaluate.contract.raised import message_of
from evonas.evaluate.local.plugin_check import look_at
from evonas.files import kept_folder
from evonas.genome.strict_yaml import short
from evonas.model.formats import ExportFormat
from evonas.model.space_check import to_list
from evonas.runtime.config.families import AsWritten
from evonas.runtime.config.settings import Builder
from evonas.runtime.config.type_hints import describe
from evonas.search.adaptation import Adaptation
from evonas.search.crossover import Crossover
from evonas.search.registry import NAMES
from evonas.search.replacement import Replacement
from evonas.search.sampling import Sampler
from evonas.search.selection import Selection
from evonas.search.strategy import StrategySettings
from evonas.search.surrogate import Surrogate
from evonas.settings import Settings
from evonas.streams import kept_streams
from evonas.words import excerpt, listed

OPEN: Mapping[type[Settings], str] = {
    StrategySettings: "evonas.strategies",
    Selection: "evonas.strategies",
    Crossover: "evonas.strategies",
    Replacement: "evonas.strategies",
    Adaptation: "evonas.strategies",
    Sampler: "evonas.strategies",
    Surrogate: "evonas.strategies",
    Source: "evonas.sources",
    Split: "evonas.sources",
    PoolSettings: "evonas.pools",
    Evaluator: "evonas.evaluators",
    ExportFormat: "evonas.model",
}
"""The families that a plugin can add to, and the public module of each one's base class."""

NETWORKS = ("tensorflow", "keras")
"""What the driver never imports: it would take seconds and memory, and could hold a GPU."""

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)

_first: dict[str, str] = {}
"""Module -> sha256 of its file when this process imported it for a config."""

_digests: dict[tuple[str, str], str] = {}
"""Module and folder of a config -> the same, if a fresh process finds the same code."""


def is_member_name(name: Any) -> bool:
    """Whether this is written as `package.module:Name`."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def names_plugin(data: Any) -> bool:
    """Whether plain data hold a name that only a plugin can have."""
    if isinstance(data, dict):
        return any(is_member_name(key) or names_plugin(value) for key, value in data.items())
    if isinstance(data, list):
        return any(names_plugin(item) for item in data)
    return is_member_name(data)


def as_written(member: Any, kind: type[AsWritten]) -> Any:
    """The plain data of a member, kept as they are if something in them may be gone.

    Args:
        kind: what keeps them.
    """
    if isinstance(member, str):
        member = {member: {}}
    if not isinstance(member, dict) or len(member) != 1:
        return member
    ((name, settings),) = member.items()
    if is_member_name(name) or kind.is_kept(name, settings):
        return kind(name, settings)
    return member


def not_listed(module: str, plugins: Sequence[str]) -> str:
    """Why a module may not be imported; empty if it may."""
    if module in plugins:
        return ""
    allowed = short(", ".join(plugins), 200) or "none"
    return (
        f"the module {short(module)!r} is not among the plugins that may be imported: {allowed}."
        f"{did_you_mean(module, plugins) or to_list(module, plugins)}"
    )


def misspelt(module: str, plugins: Sequence[str], folder: str) -> str:
    """Which of the plugins is a misspelt name of a module that is there; empty if none is.

    Args:
        folder: folder of the config, in which modules may lie.
    """
    places = [*sys.path, folder]
    top, _, _ = module.partition(".")
    if PathFinder.find_spec(top, places) is None:
        return ""
    for name in plugins:
        is_close = bool(did_you_mean(name, [module]))
        if is_close and PathFinder.find_spec(name.partition(".")[0], places) is None:
            return name
    return ""


def raised_in(error: BaseException) -> str:
    """Which module of a strategy has raised an error, and where; empty if none has."""
    loaded = [name for name in _first if name in sys.modules]
    # A module that was made in memory has no file, and is in no traceback.
    names = {vars(sys.modules[name]).get("__file__"): name for name in loaded}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in names:
            return f"the plugin {names[frame.filename]}, in {frame.filename}, line {frame.lineno}"
    return ""


@dataclass(frozen=True)
class PluginMembers:
    """Finds the classes that a config names.

    Attributes:
        plugins: modules that the config lists.
        folder: folder of the config, in which they may lie, too.
    """

    plugins: Sequence[str]
    folder: str
    # What came of each import, because a module that cannot be imported may take long.
    _tried: dict[str, ModuleType | str] = field(default_factory=dict, init=False, repr=False)

    def find(self, family: type[Settings], name: str) -> type[Settings] | str | None:
        """The class of a member, or a sentence that says why there is none.

        It is None if a plugin cannot add to the family, or the name is not written as one of a
        plugin.

        Args:
            family: class that the member must derive from.
        """
        if family not in OPEN or not is_member_name(name):
            return None
        module_name, _, attribute = name.partition(":")
        if wrong := not_listed(module_name, self.plugins):
            return wrong
        if module_name not in self._tried:
            self._tried[module_name] = self._module(module_name)
        module = self._tried[module_name]
        if isinstance(module, str):
            return module
        found = vars(module).get(attribute)
        known = [word for word, thing in vars(module).items() if _is_of(thing, family)]
        if found is None:
            hint = did_you_mean(attribute, known) or _there_are(known)
            return f"the plugin {module_name} has no class {attribute!r}.{hint}"
        if not _is_of(found, family):
            base = f"{OPEN[family]}.{family.__name__}"
            return f"{name} does not derive from {base}, as it must here.{_there_are(known)}"
        return _unfit(found, name) or found

    def _module(self, name: str) -> ModuleType | str:
        """The module, or a sentence that says why the driver cannot have it."""
        imported = sys.modules.get(name)
        known = _digests.get((name, self.folder))
        # It was tried already, as the runs of an experiment do, and has not changed since.
        if imported is not None and known is not None and known == _sha256(imported):
            return imported
        looked = look_at([name], folder=self.folder)
        if looked.problems:
            return " ".join(looked.problems)
        before = {library for library in NETWORKS if library in sys.modules}
        add_folder(self.folder)
        try:
            with kept_streams(), kept_folder():
                module = importlib.import_module(name)
        # The module is the user's code, and may raise anything. It may also call `sys.exit`.
        except (Exception, SystemExit) as error:
            return f"the plugin {name} cannot be imported: {excerpt(message_of(error))}"
        for library in NETWORKS:
            if library in sys.modules and library not in before:
                return (
                    f"the plugin {name} imports {library}. Evonas itself imports the modules of"
                    " strategies, sources and export formats, and no network may take it down. Put"
                    f" the class into a module of its own, which imports {library} within functions"
                    " only."
                )
        if imported is None:
            _first[name] = _sha256(module)
        digest = _first.get(name, _sha256(module))
        if digest != looked.sources.get(name, digest):
            return (
                f"this process has imported {name} before, and with other code:"
                f" {short(str(module.__file__), 200)}. Begin with a new process."
            )
        _digests[(name, self.folder)] = digest
        return module


def _there_are(names: Sequence[str]) -> str:
    """A sentence that lists names, with a space before it; empty without any."""
    return f" There are {short(', '.join(names), 200)}." if names else ""


def _is_of(thing: Any, family: type[Settings]) -> bool:
    """Whether this is a class of the family, and not the family's own base."""
    return inspect.isclass(thing) and issubclass(thing, family) and thing is not family


def _unfit(cls: type[Settings], name: str) -> str:
    """Why a class cannot be filled from a config; empty if it can."""
    module_name, _, attribute = name.partition(":")
    # The record keeps one name, from which the class is found again.
    if (cls.__module__, cls.__qualname__) != (module_name, attribute):
        return (
            f"{name} is defined as {cls.__module__}:{cls.__qualname__}. Write that name, and list"
            " its module under plugins."
        )
    # A subclass inherits the fields of its base, so `is_dataclass` would be true without them.
    if "__dataclass_fields__" not in vars(cls):
        return f"{name} must be a dataclass: write `@dataclass(frozen=True)` above it."
    if inspect.isabstract(cls):
        missing = [word for word, thing in inspect.getmembers(cls) if _is_abstract(thing)]
        return f"{name} lacks {listed(missing)}, which its base class asks for."
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    # The hints are the user's code, and are evaluated here.
    except Exception as error:
        return f"the types of {name} cannot be read: {excerpt(message_of(error))}"
    for item in dataclasses.fields(cls):
        hint = hints[item.name]
        if not _is_writable(hint):
            kind = describe(hint)
            return f"the field {item.name} of {name} has a type that no config can write: {kind}."
    return ""


def _is_writable(hint: Any) -> bool:
    """Whether values of this type can be built from plain data."""
    builder = Builder(NAMES)
    try:
        builder.build(hint, None)
    # Pydantic raises various errors for types that it does not know.
    except Exception:
        return False
    return True


def _is_abstract(thing: Any) -> bool:
    """Whether this is a method that a subclass must define."""
    return bool(vars(thing).get("__isabstractmethod__")) if inspect.isfunction(thing) else False


def _sha256(module: ModuleType) -> str:
    """The sha256 of a module's file; empty if it has none that can be read."""
    file = module.__file__
    if file is None:
        return ""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""
