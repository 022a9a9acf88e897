"""The front of a run with several objectives, and its constraints, in words.

`show` and `run` share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evonas.cli.console import console, number, say
from evonas.cli.table import Column, print_table
from evonas.invocation import command
from evonas.words import counted, measured

if TYPE_CHECKING:
    from rich.console import Console

    from evonas.api import Run
    from evonas.trial import Trial

MOST_ROWS = 40
"""Members of a front that are listed; `--json` has all."""


def print_front(view: Run) -> None:
    """The front as a table, what it is worth, and how to export one of its members.

    Nothing is printed for one objective.
    """
    if len(view.objectives) < 2:
        return
    out = console()
    members = view.front()
    if not members:
        out.print()
        say(out, "The front is empty: no trial has succeeded within the constraints.")
        return
    out.print()
    _print_members(view, [member.trial for member in members], out)
    more = len(members) - MOST_ROWS
    if more > 0:
        everything = command("show", view.directory, "--json")
        say(out, f"  and {more:,} more: `{everything}` lists all")
    say(out, f"  {_worth(view.hypervolume())}: the share that the front dominates")
    say(out, "  of the box between the best and the worst values that the run has seen")
    # A genome that is no network has nothing to export.
    if view.has_networks:
        last = members[-1].id
        line = command("export", view.directory, last, "--to", f"{view.name}-{last}.keras")
        say(out, f"  Any of them is exported by its number:  {line}")
    picture = command("show", view.directory, "--front", "front.svg")
    say(out, f"  As a picture:  {picture}")


def _worth(reached: Sequence[float]) -> str:
    """The hypervolume, and what it was after half of the trials if there are two halves."""
    words = f"hypervolume {number(reached[-1])}"
    half = len(reached) // 2
    if not half:
        return words
    return f"{words} ({number(reached[half - 1])} after {counted(half, 'trial')})"


def _print_members(view: Run, members: Sequence[Trial], out: Console) -> None:
    """The members of the front, the best by the first objective first."""
    columns = [Column("trial", is_number=True)]
    for one in view.objectives:
        columns.append(Column(f"{one.name} ({one.direction})", is_number=True))
    columns += [Column("generation", is_number=True), Column("operator")]
    rows = []
    for trial in members[:MOST_ROWS]:
        values = [measured(one.name, one.value(trial.metrics)) for one in view.objectives]
        lineage = trial.lineage
        rows.append([str(trial.id), *values, str(lineage.generation), lineage.operator])
    compared = sum(trial.fitness is not None and trial.twin_of is None for trial in view.trials)
    title = (
        f"The front: {len(members):,} of {counted(compared, 'trial')} that succeeded; no trial is"
        " as good as one of these in all objectives and better in one"
    )
    print_table(out, columns, rows, title)


def print_constraints(view: Run) -> None:
    """How many trials satisfy the constraints, and what it means if none does.

    Nothing is printed without constraints.
    """
    best = view.best
    if not view.objective.constraints or best is None or best.fitness is None:
        return
    succeeded = 0
    feasible = 0
    for trial in view.trials:
        # A duplicate would count one training twice.
        if trial.fitness is not None and trial.twin_of is None:
            succeeded += 1
            feasible += trial.fitness.is_feasible
    out = console()
    succeeded_in_words = counted(succeeded, "trial")
    verb = "satisfies" if feasible == 1 else "satisfy"
    out.print()
    say(out, f"{feasible:,} of {succeeded_in_words} that succeeded {verb} the constraints.")
    if not best.fitness.is_feasible:
        say(
            out,
            f"None does: the winner, trial {best.id}, is the one that violates them least.",
            style="bold",
        )
