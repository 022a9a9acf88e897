"""Who won, and whether it is more than luck: tests of differences over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.insight.comparison import Band, Curve
from evonas.insight.paired import Difference, difference, holm
from evonas.insight.scale import Scale

LEVEL = 0.05
"""A p-value of at most this shows a difference."""


@dataclass(frozen=True)
class Verdict:
    """What the seeds say about a strategy and the one that it is compared with.

    Attributes:
        name: label of the strategy.
        reference: label of the other one.
        found: differences of their final values.
        scale: scale of the differences.
        adjusted: p-value with all comparisons counted (Holm, 1979).
        comparisons: number of strategies that are compared with the reference.
    """

    name: str
    reference: str
    found: Difference
    scale: Scale
    adjusted: float
    comparisons: int = 1

    @property
    def is_shown(self) -> bool:
        """Whether one of them beats the other one."""
        return self.adjusted <= LEVEL

    @property
    def is_shown_alone(self) -> bool:
        """Whether it would be shown if this were the only comparison."""
        return self.found.p <= LEVEL

    @property
    def better(self) -> str:
        return self.name if self.found.is_ahead else self.reference

    @property
    def worse(self) -> str:
        return self.reference if self.found.is_ahead else self.name


def verdicts(
    finals: Mapping[str, Sequence[float]], reference: str, scale: Scale
) -> dict[str, Verdict]:
    """The verdict on every strategy but the reference, by label.

    Args:
        finals: label -> final values, in the same order of seeds; NaN if a run found nothing.
    """
    differences = {}
    for label, values in finals.items():
        if label != reference:
            differences[label] = difference(values, finals[reference], scale)
    adjusted = holm([found.p for found in differences.values()])
    verdicts = {}
    for (label, found), p in zip(differences.items(), adjusted, strict=True):
        verdicts[label] = Verdict(label, reference, found, scale, p, len(differences))
    return verdicts


def share_needed(band: Band, target: float, scale: Scale) -> float | None:
    """The share of the budget after which a mean curve is as good as the target, or None."""
    # The mean is NaN before all runs have a success; a comparison with it is false, as it should.
    with np.errstate(invalid="ignore"):
        if scale.objective.direction == "min":
            good = band.middle <= target
        else:
            good = band.middle >= target
    if not good.any():
        return None
    # `argmax` of truth values is the first one that is true.
    first = np.argmax(good)
    return float(band.budget[first] / band.budget[-1])


def finals(curves: Mapping[int, Curve]) -> list[float]:
    """The final values by seed, in the order of the seeds."""
    found = []
    for seed in sorted(curves):
        found.append(curves[seed].final)
    return found
