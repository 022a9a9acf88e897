"""A run in plain numbers: how many trials, what became of them, and the best."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from evonas.insight.findings import failing_ops, given_founder
from evonas.trial import Fitness, Objective, Trial, TrialState, rank


def succeeded(trial: Trial) -> Fitness | None:
    """The fitness of a trial that can be compared; None for one that waits or failed."""
    if trial.state is not TrialState.OK:
        return None
    fitness = trial.fitness
    if fitness is None or not math.isfinite(fitness.value):
        return None
    return fitness


def improvements(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that were strictly better than all earlier ones, in order of id."""
    return [trial for trial, _ in _records(trials)]


def _records(trials: Sequence[Trial]) -> list[tuple[Trial, float]]:
    """Each trial that was strictly better than all earlier ones, with its value."""
    found: list[tuple[Trial, float]] = []
    best: Fitness | None = None
    for trial in sorted(trials, key=lambda trial: trial.id):
        fitness = succeeded(trial)
        if fitness is None:
            continue
        if best is None or fitness > best:
            best = fitness
            found.append((trial, fitness.value))
    return found


def incumbent(trials: Sequence[Trial]) -> Trial | None:
    """The best trial, or None if none succeeded.

    Of equal trials the one with the lowest id wins.
    """
    comparable = [trial for trial in trials if succeeded(trial) is not None]
    if not comparable:
        return None
    # A duplicate shares the outcome of an earlier trial. So the lowest id is never a duplicate.
    return min(comparable, key=rank)


def best_so_far(trials: Sequence[Trial]) -> list[float | None]:
    """The best value after each trial, in order of id; None before the first success."""
    better = {}
    for trial, value in _records(trials):
        better[trial.id] = value
    series: list[float | None] = []
    best: float | None = None
    for trial in sorted(trials, key=lambda trial: trial.id):
        best = better.get(trial.id, best)
        series.append(best)
    return series


def summarize(trials: Sequence[Trial], objective: Objective) -> dict[str, Any]:
    """What `evonas show` prints and `--json` writes.

    Returns:
        Plain JSON values only: `objective` and `direction`; `trials`, `states` (count by state,
        without zeros), `twins`, `done` (with an outcome, without twins and cancelled ones) and
        `generations` (how many); `best` and `best_value` (trial id and value, or None);
        `given_founder` (name of the founder that the user gave, if it is the best, or None);
        `failing_ops` (ops that no genome survived); `best_so_far` (one value a trial) and
        `improvements` (trial, generation and value of each new best).
    """
    best = incumbent(trials)
    twins = sum(trial.twin_of is not None for trial in trials)
    generations = {trial.lineage.generation for trial in trials}
    records = _records(trials)
    founder = "" if best is None else given_founder(trials, best)
    return {
        "objective": objective.name,
        "direction": objective.direction,
        "trials": len(trials),
        "states": _states(trials),
        "twins": twins,
        "done": count_done(trials),
        "generations": len(generations),
        "best": None if best is None else best.id,
        "best_value": records[-1][1] if records else None,
        "given_founder": founder or None,
        "failing_ops": _failing(trials),
        "best_so_far": best_so_far(trials),
        "improvements": [_improvement(trial, value) for trial, value in records],
    }


def count_done(trials: Sequence[Trial]) -> int:
    """The number of trials with an outcome, without twins and cancelled ones."""
    return sum(map(_is_done, trials))


def _is_done(trial: Trial) -> bool:
    """Whether a trial counts as done in the budget."""
    if trial.twin_of is not None or trial.state is TrialState.CANCELLED:
        return False
    return trial.state.is_final


def _states(trials: Sequence[Trial]) -> dict[str, int]:
    """The number of trials in each state, without zeros."""
    counts = Counter(trial.state for trial in trials)
    states = {}
    # A fixed order, unlike that of the counter, which is the order of first appearance.
    for state in TrialState:
        if counts[state]:
            states[str(state)] = counts[state]
    return states


def _improvement(trial: Trial, value: float) -> dict[str, Any]:
    return {
        "trial": trial.id,
        "generation": trial.lineage.generation,
        "value": value,
    }


def _failing(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """The ops that no genome survived, as plain JSON."""
    found = []
    for failing in failing_ops(trials):
        plain = {
            "ops": list(failing.ops),
            "genomes": failing.genomes,
            "states": dict(failing.states),
        }
        found.append(plain)
    return found
