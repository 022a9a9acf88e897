"""Who won, by how much, and whether it is more than luck: sentences about strategies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.insight.comparison import Band, Curve
from evonas.insight.paired import Difference, difference, holm
from evonas.insight.scale import LARGEST_LOGARITHM, Scale
from evonas.insight.student import detectable
from evonas.insight.words import listed

LEVEL = 0.05
"""A p-value of at most this shows a difference."""
MOST_TIMES = 10_000
"""A value that is more times as high is told as `over 10,000 times as high`."""
MOST_LOGARITHM = math.log(100)
"""A lead by more than this, 99 % of a loss, is called hardly possible."""


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


def sentence(verdict: Verdict, unit: str, share: float | None = None) -> str:
    """What a comparison of two strategies says.

    Args:
        unit: unit of the budget: `trials`, `epochs` or `seconds`.
        share: share of the budget that the better strategy needs for the other one's final mean;
            None if it is not known. It is told if one beats the other and no seed failed. A share
            of 0 is not told: the other one's front is empty.
    """
    found = verdict.found
    both = f"{verdict.name} and {verdict.reference}"
    if found.failures == (found.seeds, found.seeds):
        return f"{both} cannot be compared: neither of them found anything at any seed."
    if found.seeds == 1:
        return f"One seed shows nothing about {both}: {_at_one_seed(verdict)}."
    seeds = f"{found.seeds} seeds"
    if verdict.is_shown:
        needs = ""
        if share and not found.has_failures:
            needs = f" and needs {share:.0%} of its {unit}"
        return f"{verdict.better} beats {verdict.worse} {_lead_and_test(verdict)}{needs}."
    if verdict.is_shown_alone:
        return (
            f"{verdict.better} is ahead of {verdict.worse} {_lead_and_test(verdict)}, but with"
            f" {verdict.comparisons} comparisons counted this is not shown"
            f" ({_p(verdict.adjusted)} by Holm's method)."
        )
    why = _signs(verdict) if found.is_by_signs else _means(verdict)
    return f"No difference between {both} can be shown at {seeds}{why}."


def _at_one_seed(verdict: Verdict) -> str:
    found = verdict.found
    if found.has_failures:
        return _failures(verdict)
    if found.mean == 0:
        return "they are equal"
    return f"{verdict.better} leads by {_lead(found.mean, verdict.scale)}"


def _lead_and_test(verdict: Verdict) -> str:
    """By how much the better one is ahead, and by which test."""
    found = verdict.found
    p = _p(found.p)
    if verdict.is_shown and verdict.comparisons > 1:
        p = f"{_p(verdict.adjusted)} with {verdict.comparisons} comparisons counted"
    if found.is_by_signs:
        return f"at {_wins(verdict)} ({_reason(verdict)}; sign test, {p})"
    told = f"{_interval(verdict)}, {found.seeds} seeds"
    # If there is one comparison, the interval says what the p-value would.
    if verdict.comparisons > 1:
        told = f"{told}, {p}"
    return f"by {_lead(found.mean, verdict.scale)} ({told})"


def _means(verdict: Verdict) -> str:
    """Why a t test shows no difference, and which one it could show."""
    found = verdict.found
    counted = ""
    if verdict.comparisons > 1:
        counted = f" with {verdict.comparisons} comparisons counted"
    return (
        f" ({verdict.better} leads by {_lead(found.mean, verdict.scale)}, {_interval(verdict)});"
        f" {found.seeds} seeds can show {_reach(verdict)}{counted}"
    )


def _signs(verdict: Verdict) -> str:
    """Why a sign test shows no difference, and how many seeds it needs at least."""
    found = verdict.found
    if not found.wins and not found.losses:
        if found.has_failures:
            return f": {_failures(verdict)}, and the others are equal"
        return ": they are equal at each"
    if found.wins == found.losses:
        ahead = f"each is better at {found.wins}"
    else:
        ahead = f"{verdict.better} is better at {_wins(verdict)}"
    told = f": {_reason(verdict)}; {ahead} (sign test, {_p(found.p)})"
    # If all seeds that differ agree, the p-value is 2 to the power of 1 less their number.
    least = 1 + math.ceil(math.log2(verdict.comparisons / LEVEL))
    if found.wins + found.losses < least:
        told = f"{told}; such a test needs at least {least} seeds"
    return told


def _wins(verdict: Verdict) -> str:
    found = verdict.found
    return f"{max(found.wins, found.losses)} of {found.seeds} seeds"


def _reason(verdict: Verdict) -> str:
    """Why there is no interval."""
    if verdict.found.has_failures:
        return _failures(verdict)
    return f"always by {_lead(verdict.found.mean, verdict.scale)}"


def _failures(verdict: Verdict) -> str:
    """Which strategy found nothing, and how often."""
    of = verdict.found.seeds
    told = []
    names = (verdict.name, verdict.reference)
    for name, failed in zip(names, verdict.found.failures, strict=True):
        if failed:
            told.append(f"{name} found nothing at {failed} of {of} seeds")
    return listed(told)


def _p(p: float) -> str:
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3g}"


def _lead(difference: float, scale: Scale) -> str:
    """A lead with its unit, whoever has it."""
    size = abs(difference)
    if scale.is_logarithmic:
        return f"a {_percent(size)} lower {scale.objective.name}"
    if scale.is_accuracy:
        return f"{_number(size, scale)} points"
    return f"{_number(size, scale)} in {scale.objective.name}"


def _reach(verdict: Verdict) -> str:
    """The lead that so many seeds can show, if the differences vary as they do."""
    found = verdict.found
    scale = verdict.scale
    errors = detectable(found.seeds, 1 - LEVEL / verdict.comparisons)
    lead = errors * found.standard_error
    if scale.is_logarithmic:
        if lead > MOST_LOGARITHM:
            return "hardly any lead"
        return f"a lead of about {_percent(lead)}"
    if scale.is_accuracy and lead >= _most(scale):
        return "hardly any lead"
    return f"a lead of about {_lead(lead, scale)}"


def _interval(verdict: Verdict) -> str:
    """The interval of the lead, for the one that leads."""
    low = verdict.found.low
    high = verdict.found.high
    scale = verdict.scale
    if not verdict.found.is_ahead:
        low, high = -high, -low
    if scale.is_accuracy:
        low = max(low, -_most(scale))
        high = min(high, _most(scale))
    if not scale.is_logarithmic:
        return f"95 % interval {_number(low, scale)} to {_number(high, scale)}"
    # If both ends are on the leader's side, the lead before it has said that this is lower.
    if low >= 0:
        return f"95 % interval {_percent(low)} to {_percent(high)}"
    return f"95 % interval {_higher(-low)} to {_percent(high)} lower"


def _percent(logarithm: float) -> str:
    """How much lower a value is that is lower by this logarithm."""
    percent = -100 * math.expm1(-logarithm)
    if percent >= 99:
        # Not rounded to 100 %, which would be all of it.
        tenths = min(999, math.floor(10 * percent))
        return f"{tenths / 10} %"
    if percent >= 9.5:
        return f"{percent:.0f} %"
    return f"{percent:.2g} %"


def _higher(logarithm: float) -> str:
    """How much higher a value is that is higher by this logarithm."""
    times = math.exp(min(logarithm, LARGEST_LOGARITHM))
    if times > MOST_TIMES:
        return f"over {MOST_TIMES:,} times as high"
    if times >= 10:
        return f"{times:,.0f} times as high"
    percent = 100 * (times - 1)
    if percent >= 9.5:
        return f"{percent:.0f} % higher"
    return f"{percent:.2g} % higher"


def _number(value: float, scale: Scale) -> str:
    """A difference without its unit."""
    if not scale.is_accuracy:
        return f"{value:.4g}"
    points = value * _points(scale)
    # Two decimals, and more if the first ones are zeros: no lead is called 0.00.
    if 0 < abs(points) < 0.1:
        return f"{points:.2g}"
    return f"{points:.2f}"


def _points(scale: Scale) -> float:
    """Percentage points in one unit of the values."""
    return 100.0 if scale.is_of_fractions else 1.0


def _most(scale: Scale) -> float:
    """The greatest difference of two accuracies: 100 points."""
    return 100 / _points(scale)


def finals(curves: Mapping[int, Curve]) -> list[float]:
    """The final values by seed, in the order of the seeds."""
    found = []
    for seed in sorted(curves):
        found.append(curves[seed].final)
    return found
