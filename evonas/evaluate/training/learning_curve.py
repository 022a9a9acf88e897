"""Stops a training whose learning curve cannot reach the incumbent: a function of its history.

To extrapolate a curve, and to stop what will not become the best, is an idea of Domhan,
Springenberg and Hutter (2015). They sample from eleven families of curves. HyperEngine learns from
the curves of earlier trials. A worker knows one curve only, so it must be careful.

Learning curves are near power laws, `a + b * n**-c` after `n` epochs. Many power laws have the
slope that a curve has now, over the logarithm of the epochs. None of them goes further than the
straight line, which is the limit of small `c`. What a training can still gain is read from it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evonas.evaluate.contract.protocol import Setup
from evonas.trial import Fitness, Objective, Stopped

LEARNING_CURVE = "learning_curve"
"""The rule's name in a config, and in `Setup.stop`."""
LEAST = 4
"""The least number of epochs through which a line is drawn."""
DEVIATIONS = 2.0
"""How far above the line the best of the coming epochs may be, in standard deviations around it."""


@dataclass(frozen=True)
class CurveRule:
    """What a training has to reach, and how much it is trusted to gain.

    Attributes:
        incumbent: value of the objective that was the best when the trial was asked.
        epochs: number of epochs of the full training, also for a job that asks for fewer.
        after: share of the epochs that is trained in any case, in (0, 1).
        margin: further gain that a training is trusted with, as a share of what its curve promises;
            at least 0.
    """

    incumbent: float
    epochs: int
    after: float
    margin: float


def rule_of(setup: Setup, incumbent: float | None, epochs: int) -> CurveRule | None:
    """The rule of a run, for one training; None without a rule, and without an incumbent."""
    if setup.stop is None or incumbent is None:
        return None
    settings = setup.stop[LEARNING_CURVE]
    return CurveRule(incumbent, epochs, **settings)


def stopped(
    history: Sequence[Mapping[str, float]], objective: Objective, rule: CurveRule | None
) -> Stopped | None:
    """The stop of a training that ends after this history, or None if it continues.

    A training ends if it would not be better than the incumbent even at best.

    Args:
        history: every row has a finite value of the objective.
    """
    if rule is None:
        return None
    done = len(history)
    earliest = max(LEAST, rule.after * rule.epochs)
    if done < earliest or done >= rule.epochs:
        return None
    values = [row[objective.name] for row in history]
    best = min(values) if objective.direction == "min" else max(values)
    gain = possible_gain(values, objective, rule.epochs, rule.margin)
    at_best = best - gain if objective.direction == "min" else best + gain
    hoped = Fitness(at_best, objective.direction)
    to_beat = Fitness(rule.incumbent, objective.direction)
    if hoped > to_beat:
        return None
    return Stopped(done, rule.epochs, at_best, rule.incumbent)


def first_stop(
    values: Sequence[float], objective: Objective, rule: CurveRule | None
) -> Stopped | None:
    """The epoch at which this finished training would have been stopped, or None.

    Args:
        values: the objective's value after each epoch.
    """
    if rule is None:
        return None
    rows = [{objective.name: value} for value in values]
    for done in range(1, len(rows) + 1):
        stop = stopped(rows[:done], objective, rule)
        if stop is not None:
            return stop
    return None


def possible_gain(
    values: Sequence[float], objective: Objective, epochs: int, margin: float
) -> float:
    """By how much the best of these values may still be surpassed; at least 0.

    Args:
        values: the objective's value after each epoch, for at least `LEAST` epochs.
        epochs: number of epochs of the full training, more than there are values.
        margin: as in `CurveRule`.
    """
    done = len(values)
    sign = 1.0 if objective.direction == "max" else -1.0
    rising = [sign * value for value in values]
    # A training may begin to learn late. Then the line through the whole curve is too flat, so the
    # steeper one of two is used: through the whole curve, and through its latter half.
    latter = max(LEAST, math.ceil(done / 2))
    slope, _ = _line(rising, done)
    late_slope, deviation = _line(rising, latter)
    steepest = max(slope, late_slope, 0.0)
    promised = steepest * math.log(epochs / done)
    # The best of the epochs to come is a lucky one: it lies above the line.
    luck = DEVIATIONS * deviation
    return (1.0 + margin) * promised + luck


def _line(values: Sequence[float], last: int) -> tuple[float, float]:
    """The least-squares line through the last values, over the logarithm of their epochs.

    Args:
        last: number of values that the line goes through.

    Returns:
        its slope, and the standard deviation of the values around it.
    """
    y = values[-last:]
    first_epoch = len(values) - last + 1
    x = [math.log(epoch) for epoch in range(first_epoch, len(values) + 1)]
    slope, intercept = statistics.linear_regression(x, y)
    squares = []
    for at, value in zip(x, y, strict=True):
        error = value - intercept - slope * at
        squares.append(error**2)
    # Two degrees of freedom went into the slope and the intercept.
    variance = math.fsum(squares) / (last - 2)
    return slope, math.sqrt(variance)
