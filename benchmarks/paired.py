"""Two entrants on the same tasks and seeds, and the rule by which a step stays (PROTOCOL.md)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.ranks import bootstrap, places
from evonas.insight.paired import holm, sign_test
from evonas.insight.student import half_width

Areas = Mapping[tuple[str, int], float]
"""Areas of the regret by task and seed; less is better."""

EQUAL = 1e-6
"""Areas that differ by less are a draw."""
LEVEL = 0.05


@dataclass(frozen=True)
class Paired:
    """A step beside its base on one family. Less is better.

    Attributes:
        base: mean area of the base. Each task counts alike, whatever the number of its seeds.
        step: mean area of the step.
        half: half the width of the 95 % interval of their difference (Student's), over the tasks,
            or over the seeds if there is one task; infinite if there is one pair.
        wins: number of pairs in which the step is better.
        draws: number of pairs without a difference.
        losses: number of pairs in which the base is better.
    """

    base: float
    step: float
    half: float
    wins: int
    draws: int
    losses: int

    @property
    def difference(self) -> float:
        """How much greater the step's area is; negative if the step is better."""
        return self.step - self.base

    @property
    def is_worse(self) -> bool:
        """Whether the step is worse beyond the interval."""
        return self.difference - self.half > 0

    @property
    def p(self) -> float:
        """The p-value of the exact sign test, for this family alone."""
        return sign_test(self.wins, self.losses)


def paired(base: Areas, step: Areas) -> Paired:
    """Compare two entrants, pair by pair. Searches that one of them lacks are left out.

    Raises:
        ValueError: they have no task and seed in common.
    """
    keys = [key for key in base if key in step]
    if not keys:
        raise ValueError("The two entrants have no search in common.")
    differences = {key: step[key] - base[key] for key in keys}
    by_task = means(differences)
    # The tasks are a sample of all tasks. If there is one, the seeds are a sample of all seeds.
    units = list(by_task.values()) if len(by_task) > 1 else list(differences.values())
    half = math.inf
    if len(units) > 1:
        half = float(half_width(np.array(units)))
    wins = sum(difference < -EQUAL for difference in differences.values())
    losses = sum(difference > EQUAL for difference in differences.values())
    return Paired(
        base=statistics.fmean(means({key: base[key] for key in keys}).values()),
        step=statistics.fmean(means({key: step[key] for key in keys}).values()),
        half=half,
        wins=wins,
        draws=len(keys) - wins - losses,
        losses=losses,
    )


def means(areas: Areas) -> dict[str, float]:
    """The mean over the seeds of each task."""
    by_task: dict[str, list[float]] = {}
    for (task, _), area in areas.items():
        by_task.setdefault(task, []).append(area)
    return {task: statistics.fmean(found) for task, found in by_task.items()}


def verdicts(families: Sequence[Paired]) -> list[tuple[float, str]]:
    """The p-value of each comparison, adjusted for all of them (Holm, 1979), and what it shows."""
    found = []
    for one, p in zip(families, holm([one.p for one in families]), strict=True):
        word = "not told apart"
        if p <= LEVEL:
            word = "better" if one.wins > one.losses else "worse"
        found.append((p, word))
    return found


def regrets(families: Sequence[Paired]) -> tuple[float, float]:
    """The development regrets of the base and of the step: the means over the families."""
    base = statistics.fmean(one.base for one in families)
    step = statistics.fmean(one.step for one in families)
    return base, step


def is_kept(families: Sequence[Paired]) -> bool:
    """Whether a step stays: the regret falls, and no family is worse beyond its interval."""
    base, step = regrets(families)
    return step < base and not any(one.is_worse for one in families)


def mean_ranks(entrants: Mapping[str, Areas]) -> dict[str, tuple[float, float, float]]:
    """The mean rank of each entrant over the tasks, with its interval by a bootstrap of the tasks.

    1 is the best. Only searches count that all entrants have.
    """
    common = set.intersection(*[set(areas) for areas in entrants.values()])
    scores = {}
    for name, areas in entrants.items():
        by_task = means({key: areas[key] for key in sorted(common)})
        # `places` gives 1 to the greatest score
        scores[name] = {task: -area for task, area in by_task.items()}
    found = {}
    for name, ranks in places(scores).items():
        low, high = bootstrap(ranks)
        found[name] = (statistics.fmean(ranks), low, high)
    return found
