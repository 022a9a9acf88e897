"""The table of `show --trials`: a line for each trial, and the columns that a window has room for.

A pipe gets all columns. A narrow window gets those that matter most, and says which are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evonas.cli.console import number
from evonas.cli.table import Column, least_width, print_table
from evonas.cli.winner import print_words
from evonas.learning.metrics import VALIDATION
from evonas.words import cut, excerpt, listed, measured

if TYPE_CHECKING:
    from rich.console import Console

    from evonas.genome import Genome
    from evonas.trial import Brief, Trial
    from evonas.view import Run

REASON = 60
"""Characters of a reason in a window. A pipe has some hundred, and `--json` has all of it."""

FOLDED = 12
"""Characters that words keep before a column is left out for them."""

WORDS = ("state", "operator", "parents", "reason")
"""Columns that are no numbers."""

FIRST_TO_GO = ("parents", "generation", "parameters", "operator")
"""What is left out of a narrow window, in this order; then the metrics, from the right."""

LAST_TO_GO = ("seconds", "epochs", "learning rate")
"""What is left out after the metrics."""

Row = Mapping[str, str]
"""The cells of a trial, by the names of their columns."""


def print_trials(view: Run, out: Console) -> None:
    """Every trial, the best first."""
    rows = _rows(view, is_window=out.is_terminal)
    objective = view.objective.name
    names = _names_with_content(rows, objective)
    kept = fitting(names, rows, out.width, keep=("trial", "state", objective, "reason"))
    print_table(out, _columns(kept), _cells(kept, rows))
    left_out = [name for name in names if name not in kept]
    if left_out:
        told = listed(left_out)
        print_words(f"{out.width} columns have no room for {told}; --json has them.", out)


def fitting(
    names: Sequence[str], rows: Sequence[Row], width: int, keep: Sequence[str]
) -> list[str]:
    """The names of the columns that a window has room for.

    Args:
        width: characters of a line.
        keep: names of the columns that are never left out.
    """
    kept = list(names)
    named = (*keep, *FIRST_TO_GO, *LAST_TO_GO)
    metrics = [name for name in reversed(names) if name not in named]
    for name in (*FIRST_TO_GO, *metrics, *LAST_TO_GO):
        if least_width(_columns(kept), _cells(kept, rows)) <= width:
            break
        if name in kept and name not in keep:
            kept.remove(name)
    return kept


def _columns(names: Sequence[str]) -> list[Column]:
    columns = []
    for name in names:
        is_number = name not in WORDS
        # A heading is folded between its words only.
        least = max(map(len, name.split())) if is_number else FOLDED
        columns.append(Column(name, is_number, least=least))
    return columns


def _cells(names: Sequence[str], rows: Sequence[Row]) -> list[list[str]]:
    """The cells of these columns, row by row."""
    found = []
    for row in rows:
        found.append([row[name] for name in names])
    return found


def _names_with_content(rows: Sequence[Row], objective: str) -> list[str]:
    """The names of the columns, without those that have nothing to say.

    A table of known results has no learning rates, and a run without failures no reasons.
    """
    names = []
    for name in rows[0] if rows else ():
        has_content = any(row[name].strip("-") for row in rows)
        if has_content or name == objective:
            names.append(name)
    return names


def _rows(view: Run, is_window: bool) -> list[Row]:
    """The cells of every trial, the best first."""
    from evonas.trial import rank

    attempts = view.briefs()
    companions = _companions(view)
    rows: list[Row] = []
    for trial in sorted(view.trials, key=rank):
        row = _row(view, trial, attempts.get(trial.id, ()), companions)
        if is_window:
            row["reason"] = cut(row["reason"], REASON)
        rows.append(row)
    return rows


def _row(
    view: Run, trial: Trial, attempts: Sequence[Brief], companions: Sequence[str]
) -> dict[str, str]:
    """The cells of a trial.

    Args:
        companions: metrics beside the objective.
    """
    lineage = trial.lineage
    trained = in_numbers(view, trial, attempts, trial.genome)
    seconds = trained["seconds"]
    rate = trained["learning_rate"]
    return {
        "trial": str(trial.id),
        "generation": str(lineage.generation),
        "state": _state(trial),
        **_metrics(view, trial, companions),
        "epochs": number(trained["epochs"]),
        "seconds": "-" if seconds is None else f"{seconds:,.1f}",
        "learning rate": "-" if rate is None else f"{rate:.4g}",
        "operator": lineage.operator,
        "parents": " ".join(map(str, lineage.parents)),
        "reason": excerpt(message_of(trial, attempts)),
    }


def in_numbers(
    view: Run, trial: Trial, attempts: Sequence[Brief], genome: Genome
) -> dict[str, float | int | None]:
    """How a trial was trained: `epochs`, `seconds` and `learning_rate`, each None if unknown.

    They are those of the attempt that the outcome is of. A duplicate was not trained.

    Args:
        genome: genome of the trial.
    """
    from evonas.insight.settings import learning_rate
    from evonas.trial import deciding

    attempt = deciding(trial.state, attempts)
    # A training may fail before its first epoch. A function may have no epochs.
    is_known = attempt is not None and (view.has_networks or attempt.epochs > 0)
    return {
        "epochs": attempt.epochs if attempt is not None and is_known else None,
        "seconds": None if attempt is None else attempt.seconds,
        "learning_rate": learning_rate(view.space, genome),
    }


def message_of(trial: Trial, attempts: Sequence[Brief]) -> str:
    """Why a trial failed; empty for one that succeeded or has no attempt."""
    if trial.fitness is not None or not attempts:
        return ""
    return attempts[-1].message


def _metrics(view: Run, trial: Trial, companions: Sequence[str]) -> Mapping[str, str]:
    """The objective's value, then the other metrics, each once."""
    value = None if trial.fitness is None else trial.fitness.value
    objective = view.objective.name
    found = {objective: measured(objective, value)}
    for name in companions:
        # The objective stands in front already.
        found.setdefault(name, measured(name, trial.metrics.get(name)))
    return found


def _companions(view: Run) -> list[str]:
    """The metrics beside the objective that the table shows."""
    needed: list[str] = []
    for one in view.objectives:
        needed += one.metrics
    if view.has_networks:
        return [*needed, *_of_validation(view), "parameters"]
    return [*needed, *_others(view)]


def _of_validation(view: Run) -> list[str]:
    """The metrics of the validation data beside the loss: all of a success, in their order."""
    found = {f"{VALIDATION}{view.interface.metric}": None}
    for trial in view.trials:
        for name in trial.metrics:
            if name.startswith(VALIDATION) and name != "val_loss":
                found[name] = None
    return list(found)


def _others(view: Run) -> tuple[str, ...]:
    """The metrics beside the objective that an evaluator has given, at most three."""
    found: dict[str, None] = {}
    for trial in view.trials:
        for name in trial.metrics:
            found[name] = None
    found.pop(view.objective.name, None)
    return tuple(found)[:3]


def _state(trial: Trial) -> str:
    """What became of a trial, in the words of the table."""
    from evonas.cli.one_trial import is_cut

    # The state of a duplicate is that of the trial which it names.
    if trial.twin_of is not None:
        return f"duplicate of {trial.twin_of}"
    state = str(trial.state)
    if is_cut(trial):
        state += ", cut batches"
    if trial.is_cut_short:
        state += ", cut short"
    return state
