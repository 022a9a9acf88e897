"""The front of a run with several objectives, and its constraints, in words; what `show` and `run` share."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from evonas.cli.console import console, number

if TYPE_CHECKING:
    from evonas.api import Run

MOST_ROWS = 40
"""Members of a front that are listed; `--json` has all."""


def print_front(view: Run) -> None:
    """The front as a table, what it is worth, and how to take one of its members home; nothing for one objective."""
    from rich import box
    from rich.table import Table

    if len(view.objectives) < 2:
        return
    out, members = console(), view.front()
    if not members:
        out.print("\nThe front is empty: no trial has succeeded within the constraints.")
        return
    trained = sum(trial.twin_of is None for trial in view.trials)
    title = (
        f"The front: {len(members)} of {trained} trials, which no other one beats in all objectives"
    )
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE)
    for name in (
        "trial",
        *(f"{one.name} ({one.direction})" for one in view.objectives),
        "generation",
        "operator",
    ):
        table.add_column(name, justify="left" if name in ("trial", "operator") else "right")
    for trial in members[:MOST_ROWS]:
        values = [number(one.value(trial.metrics)) for one in view.objectives]
        table.add_row(str(trial.id), *values, str(trial.lineage.generation), trial.lineage.operator)
    out.print()
    out.print(table)
    if len(members) > MOST_ROWS:
        out.print(f"  and {len(members) - MOST_ROWS} more: `evonas show --json` lists all")
    reached = view.hypervolume()
    half = reached[len(reached) // 2]
    words = f"  hypervolume {reached[-1]:.4f} ({half:.4f} after half of the trials)"
    out.print(f"{words}: the share that the front dominates")
    out.print("  of the box between the best and the worst values that the run has seen")
    directory = shlex.quote(str(view.directory))
    if view.has_networks:
        line = f"evonas export {directory} {members[-1].id} --to {view.name}-{members[-1].id}.keras"
        out.print(f"  Any of them is exported by its number:  {line}", soft_wrap=True)
    out.print(f"  As a picture:  evonas show {directory} --front front.svg", soft_wrap=True)


def print_constraints(view: Run) -> None:
    """How many trials satisfy the constraints, and what it means where none does; nothing without constraints."""
    if not view.objective.constraints or view.best is None or view.best.fitness is None:
        return
    succeeded = [
        trial.fitness
        for trial in view.trials
        if trial.fitness is not None and trial.twin_of is None
    ]
    feasible = sum(fitness.is_feasible for fitness in succeeded)
    out = console()
    out.print(f"\n{feasible} of {len(succeeded)} trials that succeeded satisfy the constraints.")
    if not view.best.fitness.is_feasible:
        out.print(
            f"None does: the winner, trial {view.best.id}, is the one that violates them least.",
            style="bold",
        )


def draw(view: Run, path: Path) -> None:
    """
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
    write_text_whole(path, front_svg(view.trials, view.objectives, title=view.name))
    console().print(f"wrote {path}", soft_wrap=True)
