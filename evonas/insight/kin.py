"""Kin: the ancestors and descendants of one trial."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.insight.genealogy import ancestors, check_trial, parents
from evonas.insight.summary import succeeded
from evonas.insight.words import clean, counted, listed, number
from evonas.trial import Trial


def descendants(trials: Sequence[Trial], trial_id: int) -> set[int]:
    """The ids of all descendants of a trial, without its own."""
    found: set[int] = set()
    for trial in trials[trial_id + 1 :]:  # parents come before their children
        if any(parent == trial_id or parent in found for parent in parents(trial)):
            found.add(trial.id)
    return found


def relatives(trials: Sequence[Trial], trial_id: int, up: bool, down: bool) -> set[int]:
    """A trial with all its ancestors, its descendants, or both.

    Raises:
        UserError: there is no such trial.
    """
    check_trial(trials, trial_id)
    above = ancestors(trials, trial_id) if up else set()
    below = descendants(trials, trial_id) if down else set()
    return {trial_id, *above, *below}


def kin_text(trials: Sequence[Trial], trial_id: int, found: set[int]) -> str:
    """Relatives of a trial for a terminal, a row each, in order of their ids; the trial itself is marked."""
    above, below = sum(id < trial_id for id in found), sum(id > trial_id for id in found)
    rows = [_row(trials[id]) for id in sorted(found)]
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    lines = [
        f"Trial {trial_id}: {counted(above, 'ancestor')} and {counted(below, 'descendant')} listed",
        "",
    ]
    for id, row in zip(sorted(found), rows, strict=True):
        mark = ">" if id == trial_id else " "
        columns = f"{row[0]:<{widths[0]}}   {row[1]:<{widths[1]}}   {row[2]:>{widths[2]}}   {row[3]:<{widths[3]}}"
        lines.append(f"{mark} {columns}   {row[4]}".rstrip())
    return "\n".join(lines) + "\n"


def _row(trial: Trial) -> tuple[str, str, str, str, str]:
    fitness = succeeded(trial)
    value = str(trial.state) if fitness is None else number(fitness.value)
    of = listed([str(parent) for parent in parents(trial)])
    return (
        f"gen {trial.lineage.generation}",
        f"trial {trial.id}",
        value,
        f"of {of}" if of else "",
        clean(trial.lineage.operator),
    )
