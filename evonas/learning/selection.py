"""Greedy selection of an ensemble, with replacement (Caruana et al., 2004)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.learning.formulas import Array
from evonas.trial import Direction

PICKS = 25
"""How often a network is taken, at most. A network that is taken twice counts twice."""


@dataclass(frozen=True)
class Selection:
    """Which networks form an ensemble.

    Attributes:
        counts: how often each candidate was taken; 0 for one that is left out.
        value: score of the mean of their predictions.
    """

    counts: tuple[int, ...]
    value: float


def select(
    predictions: Sequence[Array],
    score: Callable[[Array], float],
    direction: Direction,
    sizes: Sequence[int],
    most: int | None = None,
) -> Selection | None:
    """Take the network that makes the mean of the predictions best, again and again.

    Of all ensembles on the way, the first of the best ones is chosen. So a network that does not
    help is left out, and of equal scores the smaller ensemble wins.

    Args:
        predictions: answers of each candidate, (samples, outputs), on data that no training saw.
        score: value of predictions. What is not finite counts as worse than all else.
        sizes: size of each candidate.
        most: greatest sum of the sizes; None without a limit.

    Returns:
        None if no candidate alone has a finite score within the limit.
    """
    sign = 1.0 if direction == "min" else -1.0
    counts = [0] * len(predictions)
    total = np.zeros_like(predictions[0], dtype=np.float64)
    best: Selection | None = None
    for taken in range(PICKS):
        found = []
        for number, one in enumerate(predictions):
            if not _fits(counts, number, sizes, most):
                continue
            value = score((total + one) / (taken + 1))
            if math.isfinite(value):
                # The number decides between equal ones: the better networks come first.
                found.append((sign * value, number))
        if not found:
            break
        cost, number = min(found)
        counts[number] += 1
        total = total + predictions[number]
        if best is None or cost < sign * best.value:
            best = Selection(tuple(counts), sign * cost)
    return best


def _fits(counts: Sequence[int], number: int, sizes: Sequence[int], most: int | None) -> bool:
    """Whether the ensemble stays within the limit with this candidate."""
    if most is None:
        return True
    members = {place for place, count in enumerate(counts) if count} | {number}
    return sum(sizes[place] for place in members) <= most
