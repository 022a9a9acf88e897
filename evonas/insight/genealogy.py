"""The genealogy of a run: who descends from whom, by which operator, and what each step changed and gained.

Every node carries the fitness of its own trial. What an edge says about changes is derived from the two genomes, never
taken from what an operator claims to have done.
"""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evonas.errors import InvalidRecord, UserError
from evonas.genome import changes
from evonas.insight.summary import incumbent, succeeded
from evonas.insight.words import clean, counted, listed, number, shortened, signed
from evonas.trial import Objective, Trial

if TYPE_CHECKING:
    import networkx as nx

COSTS = ("parameters", "flops")
"""The metrics that say what a network costs, as a node carries them."""

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
                f"Trial {trial.id} names trial {parent} as a parent, but a parent has a lower number than its child."
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
    """
    Raises:
        UserError: there is no such trial.
    """
    if not 0 <= trial_id < len(trials):
        allowed = (
            f"Trials are numbered 0 to {len(trials) - 1}." if trials else "There are no trials yet."
        )
        raise UserError(f"There is no trial {trial_id}. {allowed}")


def main_line(trials: Sequence[Trial], trial_id: int) -> list[int]:
    """The ids from the founder to the trial, following the main parents."""
    line = [trial_id]
    while found := parents(trials[line[-1]]):
        line.append(found[0])
    return line[::-1]


def genealogy(trials: Sequence[Trial], objective: Objective) -> nx.DiGraph[int]:
    """All trials as a directed acyclic graph, edges from parent to child.

    Args:
        trials: with ids 0..n-1, in that order.

    Returns:
        A node a trial, keyed by its id, with `fitness` (its own value, or None), `state`, `generation`, `digest`,
        `twin_of`, and `parameters` and `flops` where known. Each edge has `operator`, `changes` (a list of words) and
        `main` (true for the first parent). The graph has `objective` and `direction`.

    Raises:
        InvalidRecord: a parent is not an earlier trial.
    """
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph(objective=objective.name, direction=objective.direction)
    for trial in trials:
        graph.add_node(trial.id, **_node(trial))
    for trial in trials:
        for position, parent in enumerate(parents(trial)):
            graph.add_edge(
                parent,
                trial.id,
                operator=trial.lineage.operator,
                changes=list(changes(trials[parent].genome, trial.genome)),
                main=position == 0,
            )
    return graph


def _node(trial: Trial) -> dict[str, Any]:
    fitness = succeeded(trial)
    known = {
        name: trial.metrics[name]
        for name in COSTS
        if math.isfinite(trial.metrics.get(name, math.nan))
    }
    return {
        "fitness": None if fitness is None else fitness.value,
        "state": str(trial.state),
        "generation": trial.lineage.generation,
        "digest": trial.genome.digest,
        "twin_of": trial.twin_of,
        **{name: round(value) for name, value in known.items()},
    }


def to_graphml(graph: nx.DiGraph[int]) -> str:
    """GraphML for yEd, Gephi and `networkx.read_graphml`.

    GraphML knows neither None nor lists: an unknown value is left out, and changes are joined by `; `.
    """
    import networkx as nx

    flat: nx.DiGraph[int] = nx.DiGraph(**_flat(graph.graph))
    for node, data in graph.nodes(data=True):
        flat.add_node(node, **_flat(data))
    for parent, child, data in graph.edges(data=True):
        flat.add_edge(parent, child, **_flat(data))
    return "\n".join(nx.generate_graphml(flat)) + "\n"


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    joined = {
        key: "; ".join(value) if isinstance(value, list) else value for key, value in data.items()
    }
    return {
        key: clean(value) if isinstance(value, str) else value
        for key, value in joined.items()
        if value is not None
    }


def to_json(graph: nx.DiGraph[int]) -> str:
    """Strict JSON in networkx's node-link form, with the keys `nodes` and `edges`; unknown values are null."""
    import networkx as nx

    return json.dumps(nx.node_link_data(graph, edges="edges"), allow_nan=False)


@dataclass(frozen=True)
class Step:
    """One trial of a line of descent.

    Attributes:
        parent: the main parent; None for the founder.
        others: the other parents.
        changes: what differs from the main parent, in words; empty for the founder.
        fitness: its own value, None where it failed.
        gain: how much better than its main parent, in the unit of the objective; positive is better, whatever the
            direction. None for the founder, and where one of the two has no fitness.
        epochs: how long it was trained, at most.
        resume_from: the trial of the same genome whose training this one continues.
    """

    id: int
    generation: int
    operator: str
    parent: int | None
    others: tuple[int, ...]
    changes: tuple[str, ...]
    fitness: float | None
    gain: float | None
    epochs: int
    resume_from: int | None = None


def line_of_descent(trials: Sequence[Trial], trial_id: int) -> list[Step]:
    """The steps from the founder to a trial, following the main parents.

    Raises:
        UserError: there is no such trial.
        InvalidRecord: a parent is not an earlier trial.
    """
    check_trial(trials, trial_id)
    line = [trials[i] for i in main_line(trials, trial_id)]
    return [_step(parent, child) for parent, child in zip([None, *line], line, strict=False)]


def _step(parent: Trial | None, child: Trial) -> Step:
    fitness = succeeded(child)
    before = None if parent is None else succeeded(parent)
    return Step(
        id=child.id,
        generation=child.lineage.generation,
        operator=child.lineage.operator,
        parent=None if parent is None else parent.id,
        others=parents(child)[1:],
        changes=() if parent is None else tuple(changes(parent.genome, child.genome)),
        fitness=None if fitness is None else fitness.value,
        gain=None if fitness is None or before is None else before.key - fitness.key,
        epochs=child.proposal.fidelity.epochs,
        resume_from=child.proposal.resume_from,
    )


def to_text(
    trials: Sequence[Trial], objective: Objective, trial_id: int | None = None, width: int = WIDTH
) -> str:
    """How a trial came to be, for a terminal: a row a step, with its value, its change and what was done.

    A change is shown as the difference of the two values, and said to be better or worse.

    Args:
        trial_id: the trial to explain; the best one where it is None.
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
    rows = [_columns(step, objective) for step in steps]
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    lines = [
        *textwrap.wrap(
            _headline(steps, objective, len(ancestors(trials, trial_id)), len(trials)), width
        ),
        "",
    ]
    for step, row in zip(steps, rows, strict=True):
        left = f"{row[0]:<{widths[0]}}   {row[1]:<{widths[1]}}   {row[2]:>{widths[2]}}   {row[3]:<{widths[3]}}   "
        left = left if widths[3] else left.rstrip() + "   "
        told = list(_told(step, max(30, width - len(left))))
        lines += [(left + told[0]).rstrip(), *(" " * len(left) + line for line in told[1:])]
    return "\n".join(lines) + "\n"


def _headline(steps: list[Step], objective: Objective, found: int, total: int) -> str:
    last = steps[-1]
    value = "failed" if last.fitness is None else f"{clean(objective.name)} {number(last.fitness)}"
    verb = "is its ancestor" if found == 1 else "are its ancestors"
    return (
        f"How trial {last.id} came to be ({value}, {counted(len(steps) - 1, 'step')}; "
        f"{found:,} of {counted(total, 'trial')} {verb})"
    )


def _columns(step: Step, objective: Objective) -> tuple[str, str, str, str]:
    value = "-" if step.fitness is None else number(step.fitness)
    change = ""
    if step.gain is not None:
        difference = -step.gain if objective.direction == "min" else step.gain
        word = "better" if step.gain > 0 else "worse"
        change = f"{signed(difference)} {word}" if step.gain else "equal"
    return f"gen {step.generation}", f"trial {step.id}", value, change


def _told(step: Step, width: int) -> Iterator[str]:
    """What was done to make this trial, then what it changed; wrapped to the width, long lists cut."""
    yield from textwrap.wrap(clean(_made_by(step)), width) or [""]
    shown = step.changes[:MOST_CHANGES]
    if len(step.changes) == MOST_CHANGES + 1:  # "and 1 more" takes as much room as that one
        shown = step.changes
    for change in shown:
        yield from textwrap.wrap(
            shortened(clean(change), 2 * width - 4), width, subsequent_indent="  "
        )
    if len(shown) < len(step.changes):
        yield f"and {len(step.changes) - len(shown)} more"


def _made_by(step: Step) -> str:
    first, *then = step.operator.split("+")
    if step.others:
        first += f" with trial{'s' if len(step.others) > 1 else ''} {listed([str(i) for i in step.others])}"
    words = [first, *then]
    if step.resume_from is not None:
        words.append(
            f"training of trial {step.resume_from} continued to {counted(step.epochs, 'epoch')}"
        )
    elif not step.changes and step.parent is not None:
        words.append("no change of the genome")
    return ", ".join(word for word in words if word)
