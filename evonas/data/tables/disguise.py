"""A feature that is the target in disguise: a copy, another unit, or another word for each class.

A network would learn nothing but to copy it, and would fail where it is not known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evonas.data.raw import Array
from evonas.data.tables.cells import Cells
from evonas.genome.strict_yaml import short

SAME = 0.9999
"""Correlation from which on a column of numbers is the target."""

REPEATS = 10
"""So many values that occur again go with their target's by no chance."""


def disguises(
    cells: Cells,
    features: Mapping[str, Array],
    targets: Mapping[str, Array],
    counts: Mapping[str, int],
) -> dict[str, str]:
    """The features that tell a target: name -> why, in words.

    Args:
        features: values of the features of which the user has not said what they hold, by column.
        targets: values of the targets, by column.
        counts: number of distinct values of each feature, with one for all gaps.
    """
    found = {}
    for goal, wanted in targets.items():
        count = cells.frame[goal].n_unique()
        may_repeat = len(wanted) - count >= REPEATS
        for name, values in features.items():
            is_like = may_repeat and counts[name] == count
            if is_like and cells.frame.select(name, goal).n_unique() == count:
                each = f"each of its {count:,} values goes with one value of {short(goal)!r}"
                found[name] = each
            elif (correlation := _correlation(values, wanted)) >= SAME:
                found[name] = f"its correlation with {short(goal)!r} is {correlation:.6f}"
    return found


def _correlation(values: Array, wanted: Array) -> float:
    """The size of the correlation of numbers that are both known; 0 if there is none."""
    if "U" in values.dtype.kind + wanted.dtype.kind or "T" in values.dtype.kind:
        return 0.0
    known = np.isfinite(values)
    if known.sum() < REPEATS:
        return 0.0
    values = values[known]
    others = wanted[known].astype(np.float64)
    # A constant has no correlation. NumPy would warn of it.
    if np.ptp(values) == 0 or np.ptp(others) == 0:
        return 0.0
    return abs(float(np.corrcoef(values, others)[0, 1]))
