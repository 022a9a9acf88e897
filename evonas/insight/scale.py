"""The scale on which the values of an objective are averaged and compared.

A loss of 0.02 against 0.04 is the same lead as 0.2 against 0.4: losses are compared by their
logarithms. Accuracies and everything else are compared as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evonas.learning.metrics import is_share
from evonas.trial import Objective

Floats = NDArray[np.float64]

LARGEST_LOGARITHM = 690.0
"""A greater one has no finite number as a float."""


@dataclass(frozen=True)
class Scale:
    """How the values of an objective are averaged and compared.

    Attributes:
        objective: objective of the values.
        is_logarithmic: whether logarithms are averaged and compared.
        is_of_fractions: whether all values lie between 0 and 1. An accuracy beyond is in percent.
        sample: share of one validation sample in an accuracy; 0 if the number of samples is not
            known, and for everything that is not an accuracy.
    """

    objective: Objective
    is_logarithmic: bool = False
    is_of_fractions: bool = True
    sample: float = 0.0

    @property
    def is_accuracy(self) -> bool:
        """Whether differences are told in percentage points."""
        return _is_accuracy(self.objective)

    @property
    def worst(self) -> float:
        """What a failure counts as: no value is worse."""
        return math.inf if self.objective.direction == "min" else -math.inf

    def forward(self, values: Floats) -> Floats:
        """Values on this scale; NaN stays NaN."""
        if self.is_logarithmic:
            return np.log(values)
        return values

    def back(self, places: Floats) -> Floats:
        """The values at these places of the scale."""
        if not self.is_logarithmic:
            return places
        # The end of an interval may be beyond all floats, above all at few seeds.
        within = np.clip(places, -LARGEST_LOGARITHM, LARGEST_LOGARITHM)
        return np.exp(within)

    def heights(self, values: Sequence[float]) -> Floats:
        """Values on this scale, turned so that more is better; a failure is -infinity."""
        found = np.array(values, float)
        failed = ~np.isfinite(found)
        # Any positive number will do: it is replaced below.
        found[failed] = 1.0
        places = self.forward(found)
        if self.objective.direction == "min":
            places = -places
        places[failed] = -math.inf
        return places

    def mean(self, values: Sequence[float]) -> float:
        """The mean on this scale, as a value: the geometric mean of losses."""
        places = self.forward(np.array(values, float))
        return float(self.back(places.mean()))


def scale_of(objective: Objective, values: Iterable[float], samples: int = 0) -> Scale:
    """The scale that suits these values of an objective.

    Args:
        values: final values of all runs that are compared; those that are not finite do not count.
        samples: number of validation samples; 0 if there are none, as in a table.
    """
    known = [value for value in values if math.isfinite(value)]
    is_positive = bool(known) and min(known) > 0
    is_of_fractions = all(0 <= value <= 1 for value in known)
    sample = 0.0
    if samples and is_of_fractions and objective.measure == "accuracy" and not objective.weights:
        sample = 1 / samples
    return Scale(
        objective=objective,
        is_logarithmic=objective.direction == "min" and is_positive,
        is_of_fractions=is_of_fractions,
        sample=sample,
    )


def _is_accuracy(objective: Objective) -> bool:
    # A weighted sum may be called accuracy.
    return is_share(objective.name) and not objective.weights
