"""A run in plain numbers: how many trials, what became of them, and the best."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from evonas.trial import Fitness, Objective, Trial, TrialState, rank


def succeeded(trial: Trial) -> Fitness | None:
    """The fitness of a trial that can be compared; None for one that waits or failed."""
    fitness = trial.fitness if trial.state is TrialState.OK else None
    return fitness if fitness is not None and math.isfinite(fitness.value) else None


def improvements(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that were strictly better than every one before them, in order of id."""
    found: list[Trial] = []
    best: Fitness | None = None
    for trial in sorted(trials, key=lambda trial: trial.id):
        fitness = succeeded(trial)
        if fitness is not None and (best is None or fitness > best):
            best = fitness
            found.append(trial)
    return found


def incumbent(trials: Sequence[Trial]) -> Trial | None:
    """The best trial, or None where none succeeded.

    Of equals the lowest id wins; so a twin, which shares the outcome of an earlier trial, never does.
    """
    return min((trial for trial in trials if succeeded(trial) is not None), key=rank, default=None)


def best_so_far(trials: Sequence[Trial]) -> list[float | None]:
    """The best value after each trial, in order of id; None before the first success."""
    better = {trial.id: succeeded(trial) for trial in improvements(trials)}
    series: list[float | None] = []
    value: float | None = None
    for trial in sorted(trials, key=lambda trial: trial.id):
        fitness = better.get(trial.id)
        value = value if fitness is None else fitness.value
        series.append(value)
    return series


def summarize(trials: Sequence[Trial], objective: Objective) -> dict[str, Any]:
    """What `evonas show` prints and `--json` writes.

    Returns:
        Plain JSON values only: `objective` and `direction`; `trials`, `states` (count by state, without zeros), `twins`
        and `generations` (how many); `best` and `best_value` (trial id and value, or None); `best_so_far` (one value a
        trial) and `improvements` (trial, generation and value of each new best).
    """
    best = incumbent(trials)
    states = Counter(str(trial.state) for trial in trials)
    steps = [
        (trial, fitness.value)
        for trial in improvements(trials)
        if (fitness := succeeded(trial)) is not None
    ]
    return {
        "objective": objective.name,
        "direction": objective.direction,
        "trials": len(trials),
        "states": {str(state): states[state] for state in TrialState if states[state]},
        "twins": sum(trial.twin_of is not None for trial in trials),
        "generations": len({trial.lineage.generation for trial in trials}),
        "best": None if best is None else best.id,
        "best_value": steps[-1][1] if steps else None,
        "best_so_far": best_so_far(trials),
        "improvements": [
            {"trial": trial.id, "generation": trial.lineage.generation, "value": value}
            for trial, value in steps
        ],
    }
