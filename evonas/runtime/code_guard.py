"""The code guard: the code of a run's plugins is what it was when the run began.

A user who mends a function and goes on would mix results of two functions. So changed code is
refused, as changed data are: when a session begins, and as soon as a process imports it while the
session goes on. Whoever wants to go on with both says so, and the record keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from evonas.errors import InvalidConfig, Issue, UserError
from evonas.evaluate.contract.imports import Imports
from evonas.evaluate.contract.user_code import MISSING, OPTIONAL, Source, digest_of
from evonas.evaluate.local.plugin_check import Plugins
from evonas.invocation import command, resuming
from evonas.runtime.code_record import (
    CHANGED,
    CODE,
    CODE_FILES,
    CODE_RULE,
    LATER,
    RULE,
    CodeChange,
    Sources,
    as_detail,
    changed_late,
    changed_since,
    imported_later,
    known_code,
    named,
    recorded_code,
    since,
)
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.open_record import OpenRecord
from evonas.runtime.record.record import Record
from evonas.trial import TrialState
from evonas.words import counted

ACCEPT = "--accept-changed-code"


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
    modules = changed_since(record, now)
    if modules and not accept:
        on = resuming(record.path.parent, overrides, ACCEPT)
        message = (
            f"the code has changed since {since(record)}: {named(modules)}. What was judged by"
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
    record.put_noted(CODE, dict(now), CHANGED, as_detail(change))
    return [change.in_words()]


def _forget(record: Record, modules: Collection[str]) -> None:
    """Forget what was imported late, if it is one of these modules or is no longer there.

    Whatever it is when it is imported again, the user goes on with it.
    """
    later = imported_later(record)
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
    return [f"the code of {named(new)} is in the record from now on; an older evonas began it"]


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
        record.put_meta(LATER, {**imported_later(record), **new})
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
            f"this process has imported {named(stale)} before the code was changed, and would go"
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
    later = imported_later(record)
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
        f"the code has changed while the run went on: {named(modules)}. Nothing that the new code"
        f" judged is in the record: its {judged} by the old code. Put the old code back,"
        f" and `{command('resume', root)}` goes on as if nothing had happened. To go on with both,"
        f" which the record will say:  {command('resume', root, ACCEPT)}"
    )
    return InvalidConfig(Issue(message, "plugins", str(file)))


def _judged(record: OpenRecord) -> int:
    """The number of trials that have an outcome of their own."""
    return record.count() - record.count(TrialState.WAITING)
