"""Kin: the ancestors and descendants of one trial."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.insight.genealogy import ancestors, check_trial, parents
from evonas.insight.summary import succeeded
from evonas.trial import Trial
from evonas.words import clean, counted, listed, number


def descendants(trials: Sequence[Trial], trial_id: int) -> set[int]:
    """The ids of all descendants of a trial, without its own."""
    family = {trial_id}
    # Parents come before their children, so that one pass is enough.
    for trial in trials[trial_id + 1 :]:
        if not family.isdisjoint(parents(trial)):
            family.add(trial.id)
    family.remove(trial_id)
    return family


def relatives(trials: Sequence[Trial], trial_id: int, up: bool, down: bool) -> set[int]:
    """A trial with all its ancestors, its descendants, or both.

    Raises:
        UserError: there is no such trial.
    """
    check_trial(trials, trial_id)
    found = {trial_id}
    if up:
        found |= ancestors(trials, trial_id)
    if down:
        found |= descendants(trials, trial_id)
    return found


def kin_text(trials: Sequence[Trial], trial_id: int, found: set[int]) -> str:
    """Relatives of a trial for a terminal, one row each, in order of their ids.

    The trial itself is marked.
    """
    ids = sorted(found)
    # A parent has a lower id than its child. So ids tell ancestors from descendants.
    above = sum(one < trial_id for one in ids)
    below = sum(one > trial_id for one in ids)
    told = f"{counted(above, 'ancestor')} and {counted(below, 'descendant')}"
    lines = [f"Trial {trial_id}: {told} listed", ""]
    rows = [_row(trials[one]) for one in ids]
    columns = list(zip(*rows, strict=True))
    # The operator is the last column and has no width: nothing comes after it.
    generations, names, values, families = (max(map(len, column)) for column in columns[:4])
    for one, (generation, name, value, family, operator) in zip(ids, rows, strict=True):
        line = ">" if one == trial_id else " "
        line += f" {generation:<{generations}}"
        line += f"   {name:<{names}}"
        line += f"   {value:>{values}}"
        line += f"   {family:<{families}}   {operator}"
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def _row(trial: Trial) -> tuple[str, str, str, str, str]:
    """Generation, name, value, parents and operator of a trial."""
    fitness = succeeded(trial)
    value = str(trial.state)
    if fitness is not None:
        value = number(fitness.value)
    family = listed([str(parent) for parent in parents(trial)])
    return (
        f"gen {trial.lineage.generation}",
        f"trial {trial.id}",
        value,
        f"of {family}" if family else "",
        clean(trial.lineage.operator),
    )
