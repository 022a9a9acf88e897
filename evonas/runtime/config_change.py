"""Changing the config of a run that exists: a few keys, each change recorded, and the same result wherever it can be.

A run whose budget is raised has the content of one that was begun with the greater budget: where the smaller one had
kept the strategy from asking, the strategy is taken back to that moment, by a replay of what it was asked and told, and
goes on from there. What was trained stays trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evonas.errors import InvalidConfig, Issue
from evonas.genome import SearchSpace, parse_space
from evonas.runtime.audit import replay
from evonas.runtime.config.config_file import OVERRIDE, overridden, warnings
from evonas.runtime.config.run_config import LocalConfig, RunConfig
from evonas.runtime.record.reader import RecordReader, decoding
from evonas.runtime.session import Session

CHANGEABLE: tuple[str, ...] = (
    "budget",
    "pool",
    "limits",
    "storage",
    "max_twins_in_a_row",
    "max_failures_in_a_row",
)
"""The keys of a config that `evonas resume --set` may change, with all that is below them."""

REASONS: Mapping[str, str] = {
    "run": "it is the name of the run's folder; to rename a run, rename its folder",
    "seed": "everything random so far came from it",
    "space": "the trials so far were drawn from it",
    "plugins": "the networks so far were built with them",
    "data": "the fitness of the trials so far was measured on them",
    "evaluator": "the fitness of the trials so far was measured by it",
    "deterministic": "in which order the trials so far were told is part of the result",
    "objective": "the trials so far were compared by it",
    "objectives": "the trials so far were compared by them",
    "constraints": "the trials so far were held to them",
    "strategy": "it chose the trials so far, and its state fits no other settings",
    "training": "the trials so far were trained under it, and others could not be compared with them",
    "look_ahead": "when a trial is asked is part of the result",
    "threads": "the trials so far were trained under it, and it is part of the result",
}
"""Why a key cannot be changed."""


@dataclass(frozen=True)
class ConfigChange:
    """Another config for a run that exists.

    Attributes:
        config: with the changes.
        changes: the keys that differ, each with what it was and what it is: `key`, `from`, `to`.
        notes: sentences for the user.
    """

    config: RunConfig
    changes: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()


def change_config(record: RecordReader, overrides: Sequence[str]) -> ConfigChange:
    """What these overrides make of a run's config; nothing is written.

    Args:
        overrides: `key.path=value` each, as `evonas run --set` takes them.

    Raises:
        InvalidConfig: all that is wrong with them.
    """
    with decoding(record.path):
        config = RunConfig.from_json(record.meta("config"))
        space = parse_space(record.meta("space"), "the recorded space")
    changed, problems = overridden(config, overrides)
    if changed is None:
        raise InvalidConfig(problems)
    changes = tuple(_differences((), config.to_json(), changed.to_json()))
    if problems := _refusals(changes) + _broken_promises(record, config, changed):
        raise InvalidConfig(problems)
    return ConfigChange(changed, changes, tuple(_notes(config, changed, changes, space)))


def apply(session: Session, config_change: ConfigChange) -> list[str]:
    """Let a session, before its engine is made, and all later ones go by this config; notes for the user."""
    if not config_change.changes:
        return []
    notes, rewound = list(config_change.notes), None
    if _may_go_on(session.record, session.config, config_change.config):
        rewound = _rewind(session)
        if rewound is None:
            why = "the strategy does not repeat its recorded proposals (`evonas audit` says more)"
            if not session.config.deterministic:
                why = "trials were told as they arrived"
            rest = "the run goes on, but it is not the one that would have been, had it begun with this budget"
            notes.append(f"{why}: {rest}")
    session.record.change_config(config_change.config.to_json(), config_change.changes, rewound)
    session.read()
    return notes


def _may_go_on(record: RecordReader, before: RunConfig, after: RunConfig) -> bool:
    """Whether the old config has perhaps kept the strategy from asking, and the new one would not have."""
    return record.has_meta("strategy") and (
        before.budget != after.budget or before.max_twins_in_a_row < after.max_twins_in_a_row
    )


def _rewind(session: Session) -> tuple[int, Mapping[str, Any]] | None:
    """How many trials had been told when the last one was asked, and the strategy's state just after that.

    Up to there, a greater budget would have changed nothing. None where the replay is not what was recorded.
    """
    trials, told_before = session.record.trials(session.objective), session.record.told_before()
    strategy = session.strategy()
    if not trials or not session.config.deterministic:
        return None
    if not replay(strategy, trials, told_before, told_before[-1]).is_repeated:
        return None
    return told_before[-1], strategy.state_dict()


def _refusals(changes: Sequence[Mapping[str, Any]]) -> list[Issue]:
    found = []
    for change in changes:
        top = change["key"].partition(".")[0]
        if top not in CHANGEABLE:
            reason = REASONS.get(top, "the results so far were made under it")
            message = f"cannot be changed on resume: {reason}. Begin a new run. Allowed: {', '.join(CHANGEABLE)}."
            found.append(Issue(message, change["key"], OVERRIDE))
    return found


def _broken_promises(record: RecordReader, before: RunConfig, after: RunConfig) -> list[Issue]:
    """What is wrong with changes that are allowed in general."""
    found = []
    if _threads(before) != _threads(after):
        message = f"cannot be changed on resume: {REASONS['threads']}. Allowed: {_threads(before)}."
        found.append(
            Issue(f"{message} Received: {_threads(after)}.", "pool.local.threads", OVERRIDE)
        )
    charged, trials = record.charged(), after.budget.trials
    if after.budget != before.budget and trials is not None and trials < charged:
        message = f"{charged} trials are proposed already. Allowed: at least {charged}, which ends the run with them."
        found.append(Issue(f"{message} Received: {trials}.", "budget.trials", OVERRIDE))
    return found


def _threads(config: RunConfig) -> int:
    return config.pool.threads if isinstance(config.pool, LocalConfig) else 1


def _differences(path: tuple[str, ...], before: Any, after: Any) -> list[dict[str, Any]]:
    """The lowest keys that differ; where a choice by name was changed, the choice."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return [
            found for key in before for found in _differences((*path, key), before[key], after[key])
        ]
    return [{"key": ".".join(path), "from": before, "to": after}]


def _notes(
    before: RunConfig, after: RunConfig, changes: Sequence[Mapping[str, Any]], space: SearchSpace
) -> list[str]:
    notes = [
        f"{change['key']} is {change['to']} from now on; it was {change['from']}"
        for change in changes
    ]
    if before.limits != after.limits:
        notes.append(
            "trials so far were held to the old limits, those to come are held to the new ones: this run is no longer"
            " the one that a run begun with them would be"
        )
    known = warnings(before, space)
    return notes + [
        warning.rstrip(".") for warning in warnings(after, space) if warning not in known
    ]
