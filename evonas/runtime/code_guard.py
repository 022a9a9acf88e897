"""The code guard: the code of a run's plugins is what it was when the run began.

A user who mends a function and goes on would mix results of two functions. So changed code is
refused, as changed data are: when a session begins, and as soon as a process imports it while the
session goes on. Whoever wants to go on with both says so, and the record keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from evonas.errors import InvalidConfig, Issue, UserError
from evonas.evaluate.contract.evaluator import Call
from evonas.evaluate.contract.imports import Imports
from evonas.evaluate.contract.user_code import MISSING, OPTIONAL, Source, digest_of
from evonas.evaluate.local.limit_check import Measured
from evonas.evaluate.local.op_check import try_ops
from evonas.evaluate.local.plugin_check import Plugins, look_at
from evonas.genome import SearchSpace
from evonas.invocation import command, resuming
from evonas.learning.interface import Interface
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.config.evaluator_config import setting
from evonas.runtime.config.run_config import RunConfig, functions_of_metrics, key_of_metric
from evonas.runtime.record.open_record import OpenRecord
from evonas.runtime.record.record import Record
from evonas.trial import TrialState
from evonas.words import counted, listed

CODE = "code"
"""The key, in the record's meta, of the sha256 of each module and file."""
CODE_FILES = "code files"
"""The key of the path of each of them; an older record has none."""
CODE_RULE = "code rule"
"""The key of the rule by which these are found; an older record has none."""
RULE = 2
"""All that the plugins import and that is the user's, and files that they read meanwhile.

By the rule before it, only modules beside the plugins counted.
"""
LATER = "code imported later"
"""The key of what workers have imported besides, as name -> [sha256, path]."""
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
        code = f"the code of {_named(self.modules)} was changed on purpose"
        # Without the number of the session: a session that was refused has one, too.
        if not self.trials:
            return f"{code} before the first trial"
        trials = counted(self.trials, "trial")
        keep = "they keep the results of the old code, and so do their duplicates"
        if self.trials == 1:
            keep = "it keeps the result of the old code, and so do its duplicates"
        return f"{code} after {trials}: {keep}"


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
    if (call := config.evaluator.call) is not None:
        found.append(call)
    for function in functions_of_metrics(config).values():
        found.append(Call(function, tensors=2, given="arrays"))
    return found


def check_plugins(config: RunConfig, space: SearchSpace, file: Path) -> Sources:
    """Import the plugins in another process, and compare their functions with their calls.

    Args:
        file: the config's file.

    Returns:
        what identifies their code.

    Raises:
        as `checked_plugins`.
    """
    return checked_plugins(config, space, file).sources


def checked_plugins(config: RunConfig, space: SearchSpace, file: Path) -> Plugins:
    """As `check_plugins`; returns all that was found of them.

    Raises:
        InvalidConfig: a plugin cannot be imported, lacks a function, or has one that cannot be
            called as it is going to be.
    """
    found = look_at_plugins(config, space, file)
    if found.wrong_calls:
        wrong = found.wrong_calls.values()
        raise InvalidConfig(Issue(words, "plugins", str(file)) for words in wrong)
    return found


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
        if evaluator.call is not None and evaluator.call.function == function:
            found.append(Issue(words, setting(evaluator), str(loaded.file)))
        for name, of_metric in functions_of_metrics(loaded.config).items():
            if of_metric == function:
                found.append(Issue(words, key_of_metric(loaded.config, name), str(loaded.file)))
        for section in loaded.space.sections.values():
            if function in section.ops:
                key = (section.group, section.name, "ops", function)
                found.append(loaded.space_issue(key, words))
    return found


def try_networks(
    loaded: LoadedConfig, interface: Interface | None, plugins: Plugins, every_op: bool
) -> tuple[list[Issue], Measured | None]:
    """An issue for each op that fails in a small network.

    Also how random networks stand against the limits; None without limits. Without `every_op` only
    if it is remembered.

    Args:
        interface: the two ends of the networks; None if there are none, and then nothing is tried.
        plugins: what was found of the plugins; functions that cannot be called are left out.
        every_op: whether the ops of evonas are tried, too.
    """
    if interface is None:
        return [], None
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


def check_code(
    record: Record,
    config: RunConfig,
    plugins: Plugins,
    file: Path,
    accept: bool,
    overrides: Sequence[str] = (),
) -> list[str]:
    """Compare the code with what it was when the run began; notes for the user.

    Args:
        config: config of the session.
        plugins: what was found of the plugins now.
        file: the config's file.
        accept: whether the run goes on with changed code. The record then keeps that.
        overrides: what this session is to change in the config, which is not recorded yet.

    Raises:
        InvalidConfig: the code has changed, and nobody has accepted it.
        UserError: this process has the old code.
    """
    now = plugins.sources
    if not now:
        return []
    modules = _changed_since(record, now)
    if modules and not accept:
        on = resuming(record.path.parent, overrides, ACCEPT)
        message = (
            f"the code has changed since {_since(record)}: {_named(modules)}. What was judged by"
            " the code of that time cannot be compared with what the present one judges. Put that"
            " code back, or begin a new run. To go on with both, which the record will say: "
            f" {on}"
        )
        raise InvalidConfig(Issue(message, "plugins", str(file)))
    # Before anything is written.
    check_process(config, now)
    if not (record.has_meta(CODE_FILES) and record.meta(CODE_FILES) == plugins.files):
        record.put_meta(CODE_FILES, dict(plugins.files))
    if accept:
        _forget(record, {*modules, *now})
    if not modules:
        return _renewed(record, now)
    change = CodeChange(tuple(modules), record.session, _judged(record))
    record.put_meta(CODE_RULE, RULE)
    record.put_noted(CODE, dict(now), CHANGED, _as_detail(change))
    return [change.in_words()]


def _forget(record: Record, modules: Collection[str]) -> None:
    """Forget what was imported late, if it is one of these modules or is no longer there.

    Whatever it is when it is imported again, the user goes on with it.
    """
    later = _later(record)
    kept = {}
    for name, (sha256, path) in later.items():
        if name not in modules and digest_of(Path(path)) == sha256:
            kept[name] = [sha256, path]
    if len(kept) < len(later):
        record.put_meta(LATER, kept)


def _renewed(record: Record, now: Sources) -> list[str]:
    """Have an older record hold all that counts now; notes for the user."""
    if record.has_meta(CODE) and record.has_meta(CODE_RULE):
        return []
    new = sorted({*now} - {*recorded_code(record)})
    record.put_meta(CODE, dict(now))
    record.put_meta(CODE_RULE, RULE)
    if not new:
        return []
    return [f"the code of {_named(new)} is in the record from now on; an older evonas began it"]


def check_imported(
    record: Record, file: Path, look: Callable[[], Sources], sources: Mapping[str, Source]
) -> Callable[[], InvalidConfig] | None:
    """Compare what a process has imported in the middle of a session with the code of the run.

    What is imported for the first time is recorded: a function may import when it is called. What
    the run's code has, and was not found, counts as changed.

    Args:
        file: the config's file.
        look: looks at the plugins once more, as before a session.

    Returns:
        None if it is the run's code; otherwise a function that makes the error which says so.
    """
    known = known_code(record)
    changed = []
    new = {}
    absent = {}
    for name, source in sources.items():
        if source.sha256 in (MISSING, OPTIONAL):
            # Of what the run's code never had, the trial does without, or fails by itself.
            if name in known:
                absent[name] = source
        elif name not in known:
            new[name] = list(source)
        elif known[name] != source.sha256:
            changed.append(name)
    others = _of_other_files({name: sources[name] for name in changed}, known, look)
    for name in others:
        new[name] = list(sources[name])
    changed = [name for name in changed if name not in others]
    changed += [f"{name} (not found)" for name in _gone(record, absent, known, look)]
    if changed:
        return partial(_refusal, record, file, changed)
    if new:
        record.put_meta(LATER, {**_later(record), **new})
    return None


def check_process(config: RunConfig, now: Sources) -> None:
    """Check that this process did not import the plugins as they were before, if they judge in it.

    Args:
        config: config of the session.
        now: what identifies the code now.

    Raises:
        UserError: it did, for example in a notebook. Python imports a module once.
    """
    if not config.pool.in_driver:
        return
    if stale := Imports(config.plugins, now).stale():
        raise UserError(
            f"this process has imported {_named(stale)} before the code was changed, and would go"
            " on with the old code. Start Python anew (a notebook: restart its kernel), and do the"
            " same there."
        )


def _of_other_files(
    changed: Mapping[str, Source], known: Sources, look: Callable[[], Sources]
) -> set[str]:
    """What is not changed, but was found in another file than the look at the plugins has guessed.

    A function may change `sys.path` when it is called, and import a module of a name that two
    folders have.
    """
    found = {}
    for name, source in changed.items():
        # Otherwise it was edited meanwhile: perhaps it is what it was before.
        if digest_of(Path(source.file)) == source.sha256:
            found[name] = known[name]
    if not found:
        return set()
    try:
        now = look()
    except InvalidConfig:
        return set()
    return {name for name, sha256 in found.items() if now.get(name) == sha256}


def _gone(
    record: OpenRecord,
    absent: Mapping[str, Source],
    known: Sources,
    look: Callable[[], Sources],
) -> list[str]:
    """Which of the modules that were not found count as changed.

    A job that has failed may have failed for it, also if it is there again. A job that did without
    one may always do so: what functions may import is guessed, from all folders of the code.
    """
    found = [name for name, source in absent.items() if source.sha256 == MISSING]
    if len(found) == len(absent):
        return found
    try:
        now = look()
    except InvalidConfig:
        return list(absent)
    later = _later(record)
    changed = changed_late(record)
    for name in {*absent} - {*found}:
        is_there = name not in changed if name in later else now.get(name) == known[name]
        if not is_there:
            found.append(name)
    return sorted(found)


def _refusal(record: Record, file: Path, modules: Sequence[str]) -> InvalidConfig:
    """The error of a session in whose middle the code has changed."""
    root = record.path.parent
    judged = counted(_judged(record), "trial was judged", "trials were judged")
    message = (
        f"the code has changed while the run went on: {_named(modules)}. Nothing that the new code"
        f" judged is in the record: its {judged} by the old code. Put the old code back,"
        f" and `{command('resume', root)}` goes on as if nothing had happened. To go on with both,"
        f" which the record will say:  {command('resume', root, ACCEPT)}"
    )
    return InvalidConfig(Issue(message, "plugins", str(file)))


def _judged(record: OpenRecord) -> int:
    """The number of trials that have an outcome of their own."""
    return record.count() - record.count(TrialState.WAITING)


def known_code(record: OpenRecord) -> Sources:
    """What identifies all code of a run that is known, also what workers have imported late."""
    found = dict(recorded_code(record))
    # What was imported counts more than what was guessed.
    for name, (sha256, _) in _later(record).items():
        found[name] = sha256
    return found


def _later(record: OpenRecord) -> Mapping[str, Sequence[str]]:
    """What workers have imported besides, as name -> (sha256, path)."""
    return record.meta(LATER) if record.has_meta(LATER) else {}


def recorded_code(record: OpenRecord) -> Sources:
    """What identifies the code that a run has now; empty without plugins, and in an old record."""
    return record.meta(CODE) if record.has_meta(CODE) else {}


def changed_code(then: OpenRecord, now: Sources) -> str:
    """That the code is another one now, beside a difference that it may explain; else empty."""
    if not then.has_meta(CODE):
        return ""
    modules = _changed_since(then, now)
    if not modules:
        return ""
    return f"the code of {_named(modules)} has changed since {_since(then)}"


def _since(record: OpenRecord) -> str:
    """Since when the code must be the same."""
    changes = code_changes(record)
    if not changes:
        return "the run began"
    return f"it was last accepted, after {counted(changes[-1].trials, 'trial')}"


def edited_meanwhile(record: OpenRecord) -> str:
    """That the code on the disk is no longer the one that has judged, in words; else empty.

    A process that had imported the edited code would have ended the session.
    """
    files = record.meta(CODE_FILES) if record.has_meta(CODE_FILES) else {}
    code = recorded_code(record)
    edited = {name for name, file in files.items() if digest_of(Path(file)) != code.get(name)}
    if not (modules := sorted(edited | changed_late(record))):
        return ""
    return (
        f"the code of {_named(modules)} has changed while the run went on: all trials of this"
        " session were judged by the code as it was before"
    )


def code_changes(record: OpenRecord) -> list[CodeChange]:
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


def _changed_since(record: OpenRecord, now: Sources) -> list[str]:
    """The modules and files that are others, new or gone."""
    # An even older record holds no code at all.
    if not record.has_meta(CODE):
        return []
    then = record.meta(CODE)
    later = _later(record)
    found = {name for name in then if then[name] != now.get(name)}
    for name in {*now} - {*then}:
        # By the older rule, fewer modules were looked at.
        if name in later:
            if later[name][0] != now[name]:
                found.add(name)
        elif record.has_meta(CODE_RULE):
            found.add(name)
    return sorted(found | changed_late(record))


def changed_late(record: OpenRecord) -> set[str]:
    """What workers have imported besides, and is another one now, or gone."""
    found = set()
    for name, (sha256, path) in _later(record).items():
        if digest_of(Path(path)) != sha256:
            found.add(name)
    return found


def _named(modules: Sequence[str]) -> str:
    """A few modules by name, and how many more there are."""
    if len(modules) <= MOST_NAMES:
        return listed(modules)
    more = counted(len(modules) - MOST_NAMES, "other module")
    return listed([*modules[:MOST_NAMES], more])
