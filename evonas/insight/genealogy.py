"""The genealogy of a run: who descends from whom, by which operator, and what each step gained.

Every node carries the fitness of its own trial. What an edge says about changes is derived from the
two genomes, never taken from what an operator claims to have done.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evonas.errors import InvalidRecord, UserError
from evonas.genome import changes
from evonas.insight.summary import incumbent, succeeded
from evonas.insight.words import shortened
from evonas.trial import Expected, Objective, Trial
from evonas.words import clean, counted, difference, listed, number

if TYPE_CHECKING:
    import networkx as nx

COSTS = ("parameters", "flops")
"""The metrics of a node that say what its network costs."""

WIDTH = 100
MOST_CHANGES = 5


def parents(trial: Trial) -> tuple[int, ...]:
    """The ids of the parents, the main one first, each once.

    Raises:
        InvalidRecord: a parent is not an earlier trial, so that the genealogy would not be a DAG.
    """
    found = tuple(dict.fromkeys(trial.lineage.parents))
    for parent in found:
        if not 0 <= parent < trial.id:
            raise InvalidRecord(
                f"Trial {trial.id} names trial {parent} as a parent,"
                " but a parent has a lower number than its child."
            )
    return found


def ancestors(trials: Sequence[Trial], trial_id: int) -> set[int]:
    """The ids of all ancestors of a trial, without its own."""
    found: set[int] = set()
    open_ids = [trial_id]
    while open_ids:
        for parent in parents(trials[open_ids.pop()]):
            if parent not in found:
                found.add(parent)
                open_ids.append(parent)
    return found


def check_trial(trials: Sequence[Trial], trial_id: int) -> None:
    """Refuses the number of a trial that does not exist.

    Raises:
        UserError: there is no such trial.
    """
    if 0 <= trial_id < len(trials):
        return
    allowed = "There are no trials yet."
    if trials:
        allowed = f"Trials are numbered 0 to {len(trials) - 1}."
    raise UserError(f"There is no trial {trial_id}. {allowed}")


def main_line(trials: Sequence[Trial], trial_id: int) -> list[int]:
    """The ids from the founder to the trial, following the main parents."""
    line = [trial_id]
    while found := parents(trials[line[-1]]):
        line.append(found[0])
    line.reverse()
    return line


def genealogy(trials: Sequence[Trial], objective: Objective) -> nx.DiGraph[int]:
    """All trials as a directed acyclic graph, edges from parent to child.

    Args:
        trials: trials with ids 0..n-1, in that order.

    Returns:
        A graph with one node a trial, keyed by its id. A node has `fitness` (its own value, or
        None), `state`, `generation`, `digest`, `twin_of`, and `parameters` and `flops` if known.
        If a surrogate has chosen it, it has `expected`, `expected_low` and `expected_high`. An edge
        has `operator`, `changes` (a list of words) and `main` (true for the first parent).
        The graph has `objective` and `direction`.

    Raises:
        InvalidRecord: a parent is not an earlier trial.
    """
    # networkx is imported here because the driver starts without it.
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph(objective=objective.name, direction=objective.direction)
    for trial in trials:
        graph.add_node(trial.id, **node(trial))
    for trial in trials:
        for position, parent in enumerate(parents(trial)):
            differences = changes(trials[parent].genome, trial.genome)
            graph.add_edge(
                parent,
                trial.id,
                operator=trial.lineage.operator,
                changes=list(differences),
                main=position == 0,
            )
    return graph


def node(trial: Trial) -> dict[str, Any]:
    """What a node says of its trial."""
    fitness = succeeded(trial)
    known = {
        "fitness": None if fitness is None else fitness.value,
        "state": str(trial.state),
        "generation": trial.lineage.generation,
        "digest": trial.genome.digest,
        "twin_of": trial.twin_of,
    }
    for name in COSTS:
        value = trial.metrics.get(name, math.nan)
        if math.isfinite(value):
            known[name] = round(value)
    expected = trial.proposal.expected
    if expected is not None:
        known["expected"] = expected.median
        known["expected_low"] = expected.low
        known["expected_high"] = expected.high
    return known


@dataclass(frozen=True)
class Step:
    """One trial of a line of descent.

    Attributes:
        parent: id of the main parent; None for the founder.
        others: ids of the other parents.
        changes: differences from the main parent, in words; empty for the founder.
        fitness: the trial's own value, or None if it failed.
        gain: how much better the trial is than its main parent, in the unit of the objective.
            Positive is better, whatever the direction. None for the founder, and if one of the two
            has no fitness.
        epochs: most epochs that the trial was trained for.
        resume_from: id of the trial of the same genome whose training this one continues.
        expected: what a surrogate expected of it; None if none has chosen it.
    """

    id: int
    generation: int
    operators: tuple[str, ...]
    parent: int | None
    others: tuple[int, ...]
    changes: tuple[str, ...]
    fitness: float | None
    gain: float | None
    epochs: int
    resume_from: int | None = None
    expected: Expected | None = None


def line_of_descent(trials: Sequence[Trial], trial_id: int) -> list[Step]:
    """The steps from the founder to a trial, following the main parents.

    Raises:
        UserError: there is no such trial.
        InvalidRecord: a parent is not an earlier trial.
    """
    check_trial(trials, trial_id)
    steps = []
    parent: Trial | None = None
    for i in main_line(trials, trial_id):
        child = trials[i]
        steps.append(_step(parent, child))
        parent = child
    return steps


def _step(parent: Trial | None, child: Trial) -> Step:
    """The step from a parent to its child, or to the founder."""
    fitness = succeeded(child)
    before = None
    differences: tuple[str, ...] = ()
    if parent is not None:
        before = succeeded(parent)
        differences = tuple(changes(parent.genome, child.genome))
    gain = None
    if fitness is not None and before is not None:
        # A key is smaller the better it is, so that the parent's comes first.
        gain = before.key - fitness.key
    return Step(
        id=child.id,
        generation=child.lineage.generation,
        operators=child.lineage.operators,
        parent=None if parent is None else parent.id,
        others=parents(child)[1:],
        changes=differences,
        fitness=None if fitness is None else fitness.value,
        gain=gain,
        epochs=child.proposal.fidelity.epochs,
        resume_from=child.proposal.resume_from,
        expected=child.proposal.expected,
    )


def to_text(
    trials: Sequence[Trial], objective: Objective, trial_id: int | None = None, width: int = WIDTH
) -> str:
    """How a trial came to be, for a terminal.

    Each step is a row: its value, its change and what was done. The change says by how much the
    step is better or worse than its main parent.

    Args:
        trial_id: id of the trial to explain; None for the best one.
        width: columns of the terminal.

    Raises:
        UserError: there is no such trial.
    """
    if trial_id is None:
        best = incumbent(trials)
        if best is None:
            return "No trial has succeeded yet: there is no line of descent to tell.\n"
        trial_id = best.id
    steps = line_of_descent(trials, trial_id)
    relatives = len(ancestors(trials, trial_id))
    headline = _headline(steps, objective, relatives, len(trials))
    lines = textwrap.wrap(headline, width)
    lines.append("")
    for step, left in zip(steps, _left_columns(steps), strict=True):
        # A narrow terminal wraps lines itself; a column of a few letters would be harder to read.
        room = max(30, width - len(left))
        first, *more = _told(step, room)
        lines.append((left + first).rstrip())
        indent = " " * len(left)
        for line in more:
            lines.append(indent + line)
    return "\n".join(lines) + "\n"


def _left_columns(steps: Sequence[Step]) -> list[str]:
    """Generation, name, value and change of each step, in columns."""
    rows = [_columns(step) for step in steps]
    columns = list(zip(*rows, strict=True))
    generations, names, values, gains = (max(map(len, column)) for column in columns)
    found = []
    for generation, name, value, gain in rows:
        left = f"{generation:<{generations}}   {name:<{names}}   {value:>{values}}   "
        # Without any change to show, the column takes no room.
        if gains:
            left += f"{gain:<{gains}}   "
        found.append(left)
    return found


def _headline(steps: list[Step], objective: Objective, found: int, total: int) -> str:
    """What the text is about, and how many of all trials are ancestors."""
    last = steps[-1]
    value = "failed"
    if last.fitness is not None:
        value = f"{clean(objective.name)} {number(last.fitness)}"
    made = counted(len(steps) - 1, "step")
    trials = counted(total, "trial")
    verb = "are its ancestors"
    if found == 1:
        verb = "is its ancestor"
    return f"How trial {last.id} came to be ({value}, {made}; {found:,} of {trials} {verb})"


def _columns(step: Step) -> tuple[str, str, str, str]:
    """Generation, name, value and change of a step."""
    value = "-"
    if step.fitness is not None:
        value = number(step.fitness)
    return (
        f"gen {step.generation}",
        f"trial {step.id}",
        value,
        _change(step),
    )


def _change(step: Step) -> str:
    """By how much a step is better or worse than its main parent; empty if it is not known."""
    if step.gain is None:
        return ""
    if not step.gain:
        return "equal"
    word = "better" if step.gain > 0 else "worse"
    return f"{difference(step.gain)} {word}"


def _told(step: Step, width: int) -> Iterator[str]:
    """What was done to make this trial, then what it changed; wrapped to the width, lists cut."""
    made_by = clean(_made_by(step))
    # The first line stands beside the columns, even if there is nothing to say.
    yield from textwrap.wrap(made_by, width) or [""]
    shown = step.changes[:MOST_CHANGES]
    # "and 1 more" would take as much room as the change itself.
    if len(step.changes) == MOST_CHANGES + 1:
        shown = step.changes
    # Two lines a change are enough.
    longest = 2 * width - 4
    for change in shown:
        short = shortened(clean(change), longest)
        yield from textwrap.wrap(short, width, subsequent_indent="  ")
    more = len(step.changes) - len(shown)
    if more:
        yield f"and {more} more"


def _made_by(step: Step) -> str:
    """The operators that made a trial, in words."""
    words = list(step.operators)
    # The other parents belong to the first operator: crossover comes before mutation.
    if step.others:
        noun = "trial"
        if len(step.others) > 1:
            noun = "trials"
        others = listed([str(i) for i in step.others])
        words[0] += f" with {noun} {others}"
    if step.resume_from is not None:
        epochs = counted(step.epochs, "epoch")
        words.append(f"training of trial {step.resume_from} continued to {epochs}")
    elif not step.changes and step.parent is not None:
        words.append("no change of the genome")
    if (expected := step.expected) is not None:
        bounds = f"{number(expected.low)} to {number(expected.high)}"
        words.append(f"expected {number(expected.median)} ({bounds})")
    return ", ".join(word for word in words if word)
