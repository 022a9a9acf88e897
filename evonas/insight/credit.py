"""Credit: which operators have paid, over all trials of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evonas.insight.genealogy import parents
from evonas.insight.summary import succeeded
from evonas.trial import Trial


@dataclass(frozen=True)
class Credit:
    """What an operator has brought.

    Attributes:
        operator: its name.
        children: number of children that it has made, by itself or with others, and that can be
            compared with their main parent.
        better: how many of them are better than their main parent.
        low: lower end of the exact interval of 95 % of that share (Clopper and Pearson, 1934).
        high: upper end.
        gain: median gain over the main parent, in units of the objective; more is better.
        seconds: seconds of the children's trainings; NaN if they are not known.
    """

    operator: str
    children: int
    better: int
    low: float
    high: float
    gain: float
    seconds: float

    @property
    def better_a_minute(self) -> float:
        """How many better children came of each minute of training; NaN if that is not known."""
        return 60.0 * self.better / self.seconds if self.seconds > 0 else math.nan


def credits(trials: Sequence[Trial], seconds: Mapping[int, float]) -> list[Credit]:
    """What each operator has brought, the most used one first.

    A child of several operators counts for each of them: the record cannot tell them apart. Copies
    and duplicates do not count.

    Args:
        seconds: trial -> seconds of its training.
    """
    gains: dict[str, list[tuple[float, float]]] = {}
    for trial in trials:
        gain = gain_of(trials, trial)
        if gain is None:
            continue
        for operator in dict.fromkeys(trial.lineage.operators):
            took = seconds.get(trial.id, math.nan)
            gains.setdefault(operator, []).append((gain, took))
    found = [_credit(operator, rows) for operator, rows in gains.items()]
    return sorted(found, key=lambda one: (-one.children, one.operator))


def gain_of(trials: Sequence[Trial], trial: Trial) -> float | None:
    """How much better a child is than its main parent; None if the two cannot be compared."""
    if trial.twin_of is not None:
        return None
    above = parents(trial)
    fitness = succeeded(trial)
    if not above or fitness is None:
        return None
    parent = trials[above[0]]
    before = succeeded(parent)
    # A longer training of the same genome is no child.
    if before is None or parent.genome == trial.genome:
        return None
    return before.key - fitness.key


def _credit(operator: str, rows: Sequence[tuple[float, float]]) -> Credit:
    from statistics import median

    from scipy import stats

    gains = [gain for gain, _ in rows]
    better = sum(gain > 0 for gain in gains)
    share = stats.binomtest(better, len(rows)).proportion_ci(0.95, method="exact")
    return Credit(
        operator,
        len(rows),
        better,
        float(share.low),
        float(share.high),
        median(gains),
        math.fsum(took for _, took in rows),
    )
