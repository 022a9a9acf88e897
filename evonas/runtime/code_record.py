"""What a record holds of the code of a run's plugins, and how that stands to the code of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas.evaluate.contract.user_code import digest_of
from evonas.runtime.record.open_record import OpenRecord
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
        code = f"the code of {named(self.modules)} was changed on purpose"
        # Without the number of the session: a session that was refused has one, too.
        if not self.trials:
            return f"{code} before the first trial"
        trials = counted(self.trials, "trial")
        keep = "they keep the results of the old code, and so do their duplicates"
        if self.trials == 1:
            keep = "it keeps the result of the old code, and so do its duplicates"
        return f"{code} after {trials}: {keep}"


def recorded_code(record: OpenRecord) -> Sources:
    """What identifies the code that a run has now; empty without plugins, and in an old record."""
    return record.meta(CODE) if record.has_meta(CODE) else {}


def known_code(record: OpenRecord) -> Sources:
    """What identifies all code of a run that is known, also what workers have imported late."""
    found = dict(recorded_code(record))
    # What was imported counts more than what was guessed.
    for name, (sha256, _) in imported_later(record).items():
        found[name] = sha256
    return found


def imported_later(record: OpenRecord) -> Mapping[str, Sequence[str]]:
    """What workers have imported besides, as name -> (sha256, path)."""
    return record.meta(LATER) if record.has_meta(LATER) else {}


def changed_late(record: OpenRecord) -> set[str]:
    """What workers have imported besides, and is another one now, or gone."""
    found = set()
    for name, (sha256, path) in imported_later(record).items():
        if digest_of(Path(path)) != sha256:
            found.add(name)
    return found


def code_changes(record: OpenRecord) -> list[CodeChange]:
    """All changes of the code that were accepted, in order."""
    found = []
    for _, kind, detail in record.events():
        if kind == CHANGED:
            modules = tuple(detail["modules"])
            found.append(CodeChange(modules, detail["session"], detail["trials"]))
    return found


def as_detail(change: CodeChange) -> dict[str, object]:
    return {
        "modules": list(change.modules),
        "session": change.session,
        "trials": change.trials,
    }


def changed_code(then: OpenRecord, now: Sources) -> str:
    """That the code is another one now, beside a difference that it may explain; else empty."""
    if not then.has_meta(CODE):
        return ""
    modules = changed_since(then, now)
    if not modules:
        return ""
    return f"the code of {named(modules)} has changed since {since(then)}"


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
        f"the code of {named(modules)} has changed while the run went on: all trials of this"
        " session were judged by the code as it was before"
    )


def changed_since(record: OpenRecord, now: Sources) -> list[str]:
    """The modules and files that are others, new or gone."""
    # An even older record holds no code at all.
    if not record.has_meta(CODE):
        return []
    then = record.meta(CODE)
    later = imported_later(record)
    found = {name for name in then if then[name] != now.get(name)}
    for name in {*now} - {*then}:
        # By the older rule, fewer modules were looked at.
        if name in later:
            if later[name][0] != now[name]:
                found.add(name)
        elif record.has_meta(CODE_RULE):
            found.add(name)
    return sorted(found | changed_late(record))


def since(record: OpenRecord) -> str:
    """Since when the code must be the same."""
    changes = code_changes(record)
    if not changes:
        return "the run began"
    return f"it was last accepted, after {counted(changes[-1].trials, 'trial')}"


def named(modules: Sequence[str]) -> str:
    """A few modules by name, and how many more there are."""
    if len(modules) <= MOST_NAMES:
        return listed(modules)
    more = counted(len(modules) - MOST_NAMES, "other module")
    return listed([*modules[:MOST_NAMES], more])
