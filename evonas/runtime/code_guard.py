"""The code guard: the code of a run's plugins is what it was when the run began.

A user who mends a function and goes on would mix results of two functions. So changed code is
refused, as changed data are. Whoever wants to go on with both says so, and the record keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas.errors import InvalidConfig, Issue
from evonas.evaluate.local.limit_check import Measured
from evonas.evaluate.local.op_check import try_ops
from evonas.evaluate.local.plugin_check import Call, Plugins, look_at
from evonas.genome import SearchSpace
from evonas.invocation import command
from evonas.learning.interface import Interface
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.config.evaluator_config import PythonConfig
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.words import counted, listed

CODE = "code"
"""The key, in the record's meta, of the sha256 of each module."""
CHANGED = "code changed"
"""The kind of the event of changed code that the user has accepted."""
ACCEPT = "--accept-changed-code"
MOST_NAMES = 5
"""Modules that a sentence names."""

Sources = Mapping[str, str]
"""Module -> sha256 of its file."""


@dataclass(frozen=True)
class CodeChange:
    """Changed code that the user has accepted.

    Attributes:
        modules: names of the modules that are others, new or gone.
        session: number of the session since which the new code counts.
        trials: number of trials that the old code had judged by then.
    """

    modules: tuple[str, ...]
    session: int
    trials: int

    def in_words(self) -> str:
        """A sentence for the user."""
        trials = counted(self.trials, "trial")
        keep = "keeps its result" if self.trials == 1 else "keep their results"
        return (
            f"the code of {_named(self.modules)} was changed on purpose before session"
            f" {self.session}: {trials} of the old code {keep}, and so do their twins"
        )


def plugin_folder(config: RunConfig, file: Path) -> str:
    """The folder in which plugins may lie, besides where Python finds them; empty without plugins.

    Args:
        file: the config's file.
    """
    return str(file.absolute().parent) if config.plugins else ""


def calls_of(config: RunConfig, space: SearchSpace) -> list[Call]:
    """How the ops of a space and the evaluator's function are called."""
    found = []
    for section in space.sections.values():
        for op in section.ops.values():
            tensors = max(1, section.inputs)
            found.append(Call(op.name, tensors, op.names, offered=("name",)))
    if isinstance(config.evaluator, PythonConfig):
        function = config.evaluator.function
        names = tuple(config.evaluator.arguments)
        found.append(Call(function, 1, names, offered=("epochs", "seed")))
    return found


def check_plugins(config: RunConfig, space: SearchSpace, file: Path) -> Sources:
    """Import the plugins in another process, and compare their functions with their calls.

    Args:
        file: the config's file.

    Returns:
        what identifies their code.

    Raises:
        InvalidConfig: a plugin cannot be imported, lacks a function, or has one that cannot be
            called as it is going to be.
    """
    found = look_at_plugins(config, space, file)
    if found.wrong_calls:
        wrong = found.wrong_calls.values()
        raise InvalidConfig(Issue(words, "plugins", str(file)) for words in wrong)
    return found.sources


def look_at_plugins(config: RunConfig, space: SearchSpace, file: Path) -> Plugins:
    """As `check_plugins`, but functions that cannot be called are only told.

    Raises:
        InvalidConfig: a plugin cannot be imported.
    """
    found = look_at(config.plugins, calls_of(config, space), plugin_folder(config, file))
    if found.problems:
        raise InvalidConfig(Issue(words, "plugins", str(file)) for words in found.problems)
    return found


def wrong_calls(loaded: LoadedConfig, plugins: Plugins) -> list[Issue]:
    """An issue for each function that cannot be called, where the config or the space names it."""
    found = []
    evaluator = loaded.config.evaluator
    for function, words in plugins.wrong_calls.items():
        if isinstance(evaluator, PythonConfig) and evaluator.function == function:
            found.append(Issue(words, "evaluator.python", str(loaded.file)))
        for section in loaded.space.sections.values():
            if function in section.ops:
                key = (section.group, section.name, "ops", function)
                found.append(loaded.space_issue(key, words))
    return found


def try_networks(
    loaded: LoadedConfig, interface: Interface, plugins: Plugins, every_op: bool
) -> tuple[list[Issue], Measured | None]:
    """An issue for each op that fails in a small network.

    Also how random networks stand against the limits; None without limits. Without `every_op` only
    if it is remembered.

    Args:
        interface: the two ends of the networks.
        plugins: what was found of the plugins; functions that cannot be called are left out.
        every_op: whether the ops of evonas are tried, too.
    """
    config = loaded.config
    tried = try_ops(
        loaded.space,
        interface,
        config.plugins,
        plugins.sources,
        plugin_folder(config, loaded.file),
        leave_out=plugins.wrong_calls,
        only_plugins=not every_op,
        limits=config.limits.of_size(),
        seeds=list(loaded.seeds.values()),
    )
    found = []
    for (name, op), words in tried.failing.items():
        key = (loaded.space.sections[name].group, name, "ops", op)
        found.append(loaded.space_issue(key, words))
    return found, tried.measured


def check_code(record: Record, now: Sources, file: Path, accept: bool) -> list[str]:
    """Compare the code with what it was when the run began; notes for the user.

    Args:
        now: what identifies the code now.
        file: the config's file.
        accept: whether the run goes on with changed code. The record then keeps that.

    Raises:
        InvalidConfig: the code has changed, and nobody has accepted it.
    """
    if not now:
        return []
    if not record.has_meta(CODE):
        record.put_meta(CODE, dict(now))
        return ["the code of the plugins is in the record from now on; an older evonas began it"]
    modules = _differing(record.meta(CODE), now)
    if not modules:
        return []
    if not accept:
        on = command("resume", record.path.parent, ACCEPT)
        message = (
            f"the code has changed since the run began: {_named(modules)}. What was judged by the"
            " old code cannot be compared with what the new one judges. Put the old code back, or"
            f" begin a new run. To go on with both, which the record will say:  {on}"
        )
        raise InvalidConfig(Issue(message, "plugins", str(file)))
    change = CodeChange(tuple(modules), record.session, record.settled())
    record.put_noted(CODE, dict(now), CHANGED, _as_detail(change))
    return [change.in_words()]


def recorded_code(record: RecordReader) -> Sources:
    """What identifies the code that a run has now; empty without plugins, and in an old record."""
    return record.meta(CODE) if record.has_meta(CODE) else {}


def changed_code(then: RecordReader, now: Sources) -> str:
    """That the code is another one now, beside a difference that it may explain; else empty."""
    if not then.has_meta(CODE):
        return ""
    modules = _differing(then.meta(CODE), now)
    if not modules:
        return ""
    return f"the code of {_named(modules)} has changed since the run began"


def code_changes(record: RecordReader) -> list[CodeChange]:
    """All changes of the code that were accepted, in order."""
    found = []
    for _, kind, detail in record.events():
        if kind == CHANGED:
            modules = tuple(detail["modules"])
            found.append(CodeChange(modules, detail["session"], detail["trials"]))
    return found


def _as_detail(change: CodeChange) -> dict[str, object]:
    return {
        "modules": list(change.modules),
        "session": change.session,
        "trials": change.trials,
    }


def _differing(then: Sources, now: Sources) -> list[str]:
    """The modules that are others, new or gone."""
    return [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]


def _named(modules: Sequence[str]) -> str:
    """A few modules by name, and how many more there are."""
    if len(modules) <= MOST_NAMES:
        return listed(modules)
    more = counted(len(modules) - MOST_NAMES, "other module")
    return listed([*modules[:MOST_NAMES], more])
