"""When a training is stopped because its learning curve cannot reach the incumbent: a function of its history.

To extrapolate a curve, and to stop what will not become the best, is the idea of Domhan, Springenberg and Hutter
(2015), who sample from eleven families of curves, and of HyperEngine, which learns from the curves of earlier trials. A
worker knows one curve only, and is to be careful. Learning curves are near power laws, `a + b * n**-c` after `n`
epochs. Of all power laws that have the slope which a curve has now, over the logarithm of the epochs, none goes further
than the straight line, the limit of small `c`. What a training can still gain is read from that line.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.training.patience import best_epoch
from evonas.trial import Fitness, Objective

LEARNING_CURVE = "learning_curve"
"""The rule's name in a config, and in `Setup.stop`."""
STOPPED = "stopped"
"""The key in an outcome's details under which a stop is told."""
LEAST = 4
"""Epochs without which there is no line to be read."""
DEVIATIONS = 2.0
"""Standard deviations of the epochs around the line by which the best of those to come may be better than the line."""


@dataclass(frozen=True)
class CurveRule:
    """What a training has to reach, and how much it is trusted to gain.

    Attributes:
        incumbent: the value of the objective that was the best when the trial was asked.
        epochs: of the full training, also where a job asks for fewer.
        after: the share of them that is trained in any case, in (0, 1).
        margin: of what its curve promises, the share that it is trusted to gain beyond that; at least 0.
    """

    incumbent: float
    epochs: int
    after: float
    margin: float


@dataclass(frozen=True)
class Stopped:
    """A training that was stopped.

    Attributes:
        epoch: the last one, counted from 1.
        epochs: of the full training.
        at_best: the value of the objective that could be hoped for.
        incumbent: the value that it would have had to be better than.
    """

    epoch: int
    epochs: int
    at_best: float
    incumbent: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def in_details(cls, details: Mapping[str, Any]) -> Stopped | None:
        """What an outcome's details tell of it; None where they tell nothing."""
        found = details.get(STOPPED)
        return None if found is None else cls(**found)


def rule_of(setup: Setup, incumbent: float | None, epochs: int) -> CurveRule | None:
    """The rule of a run, for one training; None where there is none, or nothing to reach yet."""
    if setup.stop is None or incumbent is None:
        return None
    return CurveRule(incumbent, epochs, **setup.stop[LEARNING_CURVE])


def stopped(
    history: Sequence[Mapping[str, float]], objective: Objective, rule: CurveRule | None
) -> Stopped | None:
    """Whether a training ends after this history, because even at best it would not be better than the incumbent.

    Args:
        history: every row has a finite value of the objective.
    """
    done = len(history)
    if rule is None or done < max(LEAST, rule.after * rule.epochs) or done >= rule.epochs:
        return None
    best = history[best_epoch(history, objective)][objective.name]
    gain = possible_gain(
        [row[objective.name] for row in history], objective, rule.epochs, rule.margin
    )
    at_best = best - gain if objective.direction == "min" else best + gain
    if Fitness(at_best, objective.direction) > Fitness(rule.incumbent, objective.direction):
        return None
    return Stopped(done, rule.epochs, at_best, rule.incumbent)


def first_stop(
    values: Sequence[float], objective: Objective, rule: CurveRule | None
) -> Stopped | None:
    """Where a training would have been stopped whose whole curve is known; None where nowhere.

    Args:
        values: of the objective, one an epoch.
    """
    rows = [{objective.name: value} for value in values] if rule is not None else []
    ends = (stopped(rows[:epoch], objective, rule) for epoch in range(1, len(rows) + 1))
    return next(filter(None, ends), None)


def possible_gain(
    values: Sequence[float], objective: Objective, epochs: int, margin: float
) -> float:
    """By how much the best of these values may still be bettered; at least 0.

    The line is the steeper one of two, through the whole curve and through its latter half: where a training begins to
    learn late, the whole curve says too little.

    Args:
        values: of the objective, one an epoch, at least `LEAST`.
        epochs: of the full training, more than there are values.
        margin: as in `CurveRule`.
    """
    sign = 1.0 if objective.direction == "max" else -1.0
    rising = [sign * value for value in values]
    latter = max(LEAST, math.ceil(len(values) / 2))
    slope, _ = _line(rising, len(rising))
    late_slope, deviation = _line(rising, latter)
    promised = max(slope, late_slope, 0.0) * math.log(epochs / len(values))
    return (1.0 + margin) * promised + DEVIATIONS * deviation


def _line(values: Sequence[float], last: int) -> tuple[float, float]:
    """The least-squares line of the last so many values over the logarithm of their epochs.

    Returns:
        its slope, and the standard deviation of the values around it.
    """
    y = values[-last:]
    x = [math.log(epoch) for epoch in range(len(values) - last + 1, len(values) + 1)]
    slope, intercept = statistics.linear_regression(x, y)
    squares = math.fsum(
        (value - intercept - slope * at) ** 2 for at, value in zip(x, y, strict=True)
    )
    return slope, math.sqrt(squares / (last - 2))
