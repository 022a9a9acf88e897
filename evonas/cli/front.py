"""The front of a run with several objectives, and its constraints, in words.

`show` and `run` share it.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evonas.cli.console import console, number

if TYPE_CHECKING:
    from rich.table import Table

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
        out.print("\nThe front is empty: no trial has succeeded within the constraints.")
        return
    out.print()
    out.print(_table(view, members))
    more = len(members) - MOST_ROWS
    if more > 0:
        out.print(f"  and {more} more: `evonas show --json` lists all")
    reached = view.hypervolume()
    half = reached[len(reached) // 2]
    words = f"  hypervolume {reached[-1]:.4f} ({half:.4f} after half of the trials)"
    out.print(f"{words}: the share that the front dominates")
    out.print("  of the box between the best and the worst values that the run has seen")
    directory = shlex.quote(str(view.directory))
    # A genome that is no network has nothing to export.
    if view.has_networks:
        last = members[-1].id
        line = f"evonas export {directory} {last} --to {view.name}-{last}.keras"
        out.print(f"  Any of them is exported by its number:  {line}", soft_wrap=True)
    out.print(f"  As a picture:  evonas show {directory} --front front.svg", soft_wrap=True)


def _table(view: Run, members: Sequence[Trial]) -> Table:
    """The members of the front, the best by the first objective first."""
    from rich import box
    from rich.table import Table

    trained = sum(trial.twin_of is None for trial in view.trials)
    table = Table(
        title=(
            f"The front: {len(members)} of {trained} trials,"
            " which no other one beats in all objectives"
        ),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE,
    )
    table.add_column("trial", justify="left")
    for one in view.objectives:
        table.add_column(f"{one.name} ({one.direction})", justify="right")
    table.add_column("generation", justify="right")
    table.add_column("operator", justify="left")
    for trial in members[:MOST_ROWS]:
        values = [number(one.value(trial.metrics)) for one in view.objectives]
        lineage = trial.lineage
        table.add_row(str(trial.id), *values, str(lineage.generation), lineage.operator)
    return table


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
    out.print(f"\n{feasible} of {succeeded} trials that succeeded satisfy the constraints.")
    if not best.fitness.is_feasible:
        out.print(
            f"None does: the winner, trial {best.id}, is the one that violates them least.",
            style="bold",
        )


def draw(view: Run, path: Path) -> None:
    """Writes the picture of the front.

    Raises:
        UserError: the run has one objective, or the file is no SVG.
    """
    from evonas.errors import UserError
    from evonas.files import write_text_whole
    from evonas.insight.front_picture import front_svg

    if len(view.objectives) < 2:
        raise UserError(
            f"the run {view.name} has one objective, {view.objective.name}, and so no front"
        )
    if path.suffix != ".svg":
        raise UserError(f"the picture of a front is an .svg file. Received: {path}")
    picture = front_svg(view.trials, view.objectives, title=view.name)
    write_text_whole(path, picture)
    console().print(f"wrote {path}", soft_wrap=True)
