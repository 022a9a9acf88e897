"""Changing the config of a run that exists: a few keys, and each change is recorded.

A run whose budget is raised ends like one that began with the greater budget. The smaller budget
had kept the strategy from asking. So the strategy is taken back to that moment, by a replay of what
it was asked and told, and continues from there. What was trained stays trained.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evonas.errors import InvalidConfig, Issue
from evonas.files import expanded, is_file, sha256_of
from evonas.genome import SearchSpace
from evonas.genome.strict_yaml import short
from evonas.invocation import command
from evonas.runtime.audit import replay
from evonas.runtime.config.config_source import OVERRIDE
from evonas.runtime.config.config_warnings import warnings
from evonas.runtime.config.differing import differing
from evonas.runtime.config.evaluator_config import file_key, file_of, is_file_key, with_file
from evonas.runtime.config.limits_config import SECONDS_IN
from evonas.runtime.config.recorded_config import overridden
from evonas.runtime.config.recorded_run import read_inputs
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.open_record import OpenRecord
from evonas.runtime.session import Session
from evonas.trial import TrialState
from evonas.words import counted, number, shown, span

CHANGEABLE: tuple[str, ...] = (
    "budget",
    "pool",
    "limits",
    "storage",
    "finalists",
    "ensemble",
    "neighbours",
    "max_twins_in_a_row",
    "max_failures_in_a_row",
)
"""The keys of a config that `evonas resume --set` may change, with all that is below them.

The path of a table may change, too, if the table is the same.
"""

TIMES = frozenset(f"budget.{unit}" for unit in SECONDS_IN)
"""The keys of the budget of time, of which a config has one."""

REASONS: Mapping[str, str] = {
    "run": "it is the name of the run's folder; to rename a run, rename its folder",
    "seed": "everything random so far came from it",
    "space": "the trials so far were drawn from it",
    "plugins": "the networks so far were built with them",
    "data": "the fitness of the trials so far was measured on them",
    "evaluator": "the fitness of the trials so far was measured by it",
    "deterministic": "in which order the trials so far were told is part of the result",
    "objective": "the trials so far were compared by it",
    "metrics": "the trials so far were measured by these, and others would have gaps",
    "objectives": "the trials so far were compared by them",
    "constraints": "the trials so far were held to them",
    "strategy": "it chose the trials so far, and its state fits no other settings",
    "training": (
        "the trials so far were trained under it, and others could not be compared with them"
    ),
    "look_ahead": "when a trial is asked is part of the result",
    "threads": "the trials so far were trained under it, and it is part of the result",
}
"""Why a key cannot be changed."""


@dataclass(frozen=True)
class ConfigChange:
    """Another config for a run that exists.

    Attributes:
        config: config with the changes.
        changes: keys that differ, each with what it was and what it is: `key`, `from`, `to`.
        notes: sentences for the user.
    """

    config: RunConfig
    changes: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()


def change_config(record: OpenRecord, overrides: Sequence[str]) -> ConfigChange:
    """What these overrides make of a run's config; nothing is written.

    Args:
        overrides: `key.path=value` each, as `evonas run --set` takes them.

    Raises:
        InvalidConfig: an override is wrong or not allowed; names all that are.
    """
    inputs = read_inputs(record)
    config = inputs.config
    changed, problems = overridden(config, overrides)
    if changed is None:
        raise InvalidConfig(problems)
    if changed.evaluator != config.evaluator:
        # Absolute: later sessions may start elsewhere.
        moved = with_file(changed.evaluator, lambda path: os.path.realpath(expanded(path)))
        changed = replace(changed, evaluator=moved)
    changes = tuple(differing(config.to_json(), changed.to_json()))
    problems = _refusals(changes) + _broken_promises(record, config, changed)
    problems += _other_table(record, config, changed)
    if problems:
        raise InvalidConfig(problems)
    notes = _notes(config, changed, changes, inputs.space)
    return ConfigChange(changed, changes, tuple(notes))


def apply(session: Session, config_change: ConfigChange) -> list[str]:
    """Record the change for this session, before its engine is made, and for all later ones.

    Returns:
        Notes for the user.
    """
    if not config_change.changes:
        return []
    notes = list(config_change.notes)
    rewound = None
    if _may_go_on(session.record, session.config, config_change.config):
        rewound = _rewind(session)
        if rewound is None:
            if session.config.deterministic:
                audit = command("audit", session.layout.root)
                why = f"the strategy does not repeat its recorded proposals (`{audit}` says more)"
            else:
                why = "trials were told as they arrived"
            rest = (
                "the run goes on, but it is not the one that would have been,"
                " had it begun with this budget"
            )
            notes.append(f"{why}: {rest}")
    # One transaction for the config and for the strategy: a kill leaves both or neither.
    session.record.change_config(config_change.config.to_json(), config_change.changes, rewound)
    session.read()
    return notes


def _may_go_on(record: OpenRecord, before: RunConfig, after: RunConfig) -> bool:
    """Whether the old config may have kept the strategy from asking, and the new one would not."""
    if not record.has_meta("strategy"):
        return False
    if before.budget != after.budget:
        return True
    return before.max_twins_in_a_row < after.max_twins_in_a_row


def _rewind(session: Session) -> tuple[int, Mapping[str, Any]] | None:
    """How many trials had been told when the last one was asked, and the strategy's state then.

    The state is that just after the last ask. None if the replay is not what was recorded.
    """
    trials = session.record.trials(session.objective)
    told_before = session.record.told_before()
    strategy = session.strategy()
    if not trials or not session.config.deterministic:
        return None
    # Up to the last ask, a greater budget would have changed nothing. After it, the strategy would
    # have been asked again before the next tell.
    told = told_before[-1]
    if not replay(strategy, trials, told_before, told).is_repeated:
        return None
    return told, strategy.state_dict()


def _refusals(changes: Sequence[Mapping[str, Any]]) -> list[Issue]:
    """An issue for each key that may never change."""
    found = []
    for change in changes:
        top = change["key"].partition(".")[0]
        # Where a table lies is no part of the run; what it holds is checked by its sha256.
        if top in CHANGEABLE or is_file_key(change["key"]):
            continue
        reason = REASONS.get(top, "the results so far were made under it")
        message = (
            f"cannot be changed on resume: {reason}. Begin a new run."
            f" Allowed: {', '.join(CHANGEABLE)}."
        )
        found.append(Issue(message, change["key"], OVERRIDE))
    return found


def _other_table(record: OpenRecord, before: RunConfig, after: RunConfig) -> list[Issue]:
    """What is wrong with the new place of a table: the run's own table must be there."""
    path = file_of(after.evaluator)
    if before.evaluator == after.evaluator or path is None:
        return []
    key = file_key(after.evaluator)
    if not is_file(path):
        message = f"there is no such file. Received: {short(str(path), 200)}"
        return [Issue(message, key, OVERRIDE)]
    if sha256_of(path) != record.meta("fingerprint"):
        message = (
            "must be the table that the run began with, moved or copied. This one has another"
            f" content: {short(str(path), 200)}"
        )
        return [Issue(message, key, OVERRIDE)]
    return []


def _broken_promises(record: OpenRecord, before: RunConfig, after: RunConfig) -> list[Issue]:
    """What is wrong with changes that are allowed in general."""
    found = []
    threads = before.pool.threads
    if threads != after.pool.threads:
        message = (
            f"cannot be changed on resume: {REASONS['threads']}. Allowed: {threads}."
            f" Received: {after.pool.threads}."
        )
        found.append(Issue(message, "pool.local.threads", OVERRIDE))
    charged = record.count()
    infeasible = record.count(TrialState.INFEASIBLE) if record.gives_back else 0
    # At most as many infeasible ones are given back as the budget has trials.
    least = max(charged - infeasible, math.ceil(charged / 2))
    trials = after.budget.trials
    if after.budget != before.budget and trials is not None and trials < least:
        back = f", and {infeasible:,} of them are infeasible" if infeasible else ""
        message = (
            f"{counted(charged, 'trial is', 'trials are')} proposed already{back}."
            f" Allowed: at least {least:,}, which ends the run with that."
            f" Received: {trials:,}."
        )
        found.append(Issue(message, "budget.trials", OVERRIDE))
    return [*found, *_worked_already(record, before, after)]


def _worked_already(record: OpenRecord, before: RunConfig, after: RunConfig) -> list[Issue]:
    """What is wrong with another budget of time: it must not be below what was worked."""
    time = after.budget.time
    if time is None or time == before.budget.time:
        return []
    # A simulation has spent its virtual clock.
    worked = record.latest_end() if after.pool.is_simulated else record.worked_seconds()
    if time >= worked:
        return []
    ((unit, amount),) = after.budget.times.items()
    least = math.ceil(100 * worked / SECONDS_IN[unit]) / 100
    message = (
        f"{worked:,.1f} seconds have been worked already."
        f" Allowed: at least {least:,.10g} {unit}, which ends the run with what it has."
        f" Received: {amount:,.10g} {unit}."
    )
    return [Issue(message, f"budget.{unit}", OVERRIDE)]


def _change_in_words(change: Mapping[str, Any]) -> str:
    """`budget.seconds is 90 from now on; it was 18`."""
    key, old, new = change["key"], change["from"], change["to"]
    is_limit = key.startswith(("budget.", "limits."))
    words = f"{key} is {_value(new)} from now on"
    if is_limit and new is None:
        words = f"there is no limit on {key} any more"
    if is_limit and old is None:
        return f"{words}; there was no limit"
    return f"{words}; it was {_value(old)}"


def _value(value: Any) -> str:
    """The value of a key, as a sentence has it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return shown(value)
    return number(int(value) if float(value).is_integer() else value)


def _notes(
    before: RunConfig, after: RunConfig, changes: Sequence[Mapping[str, Any]], space: SearchSpace
) -> list[str]:
    """What the user should know about the changes."""
    notes = []
    times = [change for change in changes if change["key"] in TIMES]
    if len(times) > 1:
        now, then = span(after.budget.time or 0.0), span(before.budget.time or 0.0)
        notes.append(f"the budget of time is {now} from now on; it was {then}")
    for change in changes:
        if len(times) > 1 and change in times:
            continue
        notes.append(_change_in_words(change))
    if before.limits != after.limits:
        notes.append(
            "trials so far were held to the old limits, those to come are held to the new ones:"
            " this run is no longer the one that a run begun with them would be"
        )
    # The user has seen the warnings of the old config when the run began.
    known = warnings(before, space)
    for warning in warnings(after, space):
        if warning not in known:
            notes.append(warning.rstrip("."))
    return notes
