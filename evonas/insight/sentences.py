"""What a comparison of two strategies says, in a sentence."""

from __future__ import annotations

import math

from evonas.insight.paired import Difference
from evonas.insight.scale import LARGEST_LOGARITHM, Scale
from evonas.insight.student import detectable
from evonas.insight.verdict import LEVEL, Verdict
from evonas.words import listed

MOST_TIMES = 10_000
"""A value that is more times as high is told as `over 10,000 times as high`."""
MOST_LOGARITHM = math.log(100)
"""A lead by more than this, 99 % of a loss, is called hardly possible."""


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
            needs = f" and needs {100 * share:.0f} % of its {unit}"
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
        failed = verdict.name if found.failures[0] else verdict.reference
        return f"{failed} found nothing"
    if found.mean == 0:
        return "they are equal"
    return f"{verdict.better} leads {_lead(found.mean, verdict.scale)}"


def _lead_and_test(verdict: Verdict) -> str:
    """By how much the better one is ahead, and by which test."""
    found = verdict.found
    p = _p(found.p)
    if verdict.is_shown and verdict.comparisons > 1:
        p = f"{_p(verdict.adjusted)} with {verdict.comparisons} comparisons counted"
    if found.is_by_signs:
        if found.has_failures:
            why = f"{_failures(verdict)}; "
            return f"at {_wins(found)} seeds ({why}sign test, {p})"
        return f"at {_wins(found)} seeds, {_step(verdict)} (sign test, {p})"
    told = f"{_interval(verdict)}, {found.seeds} seeds"
    # If there is one comparison, the interval says what the p-value would.
    if verdict.comparisons > 1:
        told = f"{told}, {p}"
    return f"{_lead(found.mean, verdict.scale)} ({told})"


def _means(verdict: Verdict) -> str:
    """Why a t test shows no difference, and which one it could show."""
    found = verdict.found
    counted = ""
    if verdict.comparisons > 1:
        counted = f" with {verdict.comparisons} comparisons counted"
    return (
        f" ({verdict.better} leads {_lead(found.mean, verdict.scale)}, {_interval(verdict)});"
        f" {found.seeds} seeds can show {_reach(verdict)}{counted}"
    )


def _signs(verdict: Verdict) -> str:
    """Why a sign test shows no difference, and how many seeds it needs at least."""
    found = verdict.found
    why = []
    if found.has_failures:
        why.append(_failures(verdict))
    if not found.wins and not found.losses:
        why.append("they are equal at each" if not why else "they are equal at the rest")
        return f": {'; '.join(why)}"
    if found.wins == found.losses:
        ahead = f"each is better at {found.wins}"
    else:
        ahead = f"{verdict.better} is better at {_wins(found)}"
    if not found.has_failures:
        ahead += f", {_step(verdict)}"
    why.append(ahead)
    # If all seeds that differ agree, the p-value is 2 to the power of 1 less their number.
    least = 1 + math.ceil(math.log2(verdict.comparisons / LEVEL))
    needs = ""
    if found.wins + found.losses < least:
        needs = f"; it needs at least {least} seeds"
    told = "; ".join(why)
    return f": {told} (sign test, {_p(found.p)}{needs})"


def _step(verdict: Verdict) -> str:
    """The size that all differences have."""
    found = verdict.found
    lead = _lead(found.step, verdict.scale)
    return lead if found.wins + found.losses == 1 else f"each time {lead}"


def _wins(found: Difference) -> str:
    """At how many seeds the better one is better."""
    return f"{max(found.wins, found.losses)} of {found.seeds}"


def _failures(verdict: Verdict) -> str:
    """Which strategy found nothing, and how often."""
    failed: list[str] = []
    names = (verdict.name, verdict.reference)
    for name, failures in zip(names, verdict.found.failures, strict=True):
        if failures:
            verb = "" if failed else " found nothing"
            failed.append(f"{name}{verb} at {failures}")
    return f"{listed(failed)} of {verdict.found.seeds} seeds"


def _p(p: float) -> str:
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3g}"


def _lead(difference: float, scale: Scale) -> str:
    """A lead with its unit, whoever has it: `by 0.40 points`, `with 23 % lower val_loss`."""
    size = abs(difference)
    if scale.is_logarithmic:
        return f"with {_percent(size)} lower {scale.objective.name}"
    return f"by {_number(size, scale)} {_unit(scale)}"


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
    # The deviation of a few differences is known roughly, and so is this.
    shown = float(f"{lead * _points(scale):.2g}")
    return f"a lead of about {shown:g} {_unit(scale)}"


def _unit(scale: Scale) -> str:
    return "points" if scale.is_accuracy else f"in {scale.objective.name}"


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
    told = f"{_higher(-low)} to {_percent(high)} lower"
    if min(-low, high) > MOST_LOGARITHM:
        return f"95 % interval so wide that it says nothing: {told}"
    return f"95 % interval {told}"


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
    """Percentage points in one unit of an accuracy; 1 for anything else."""
    return 100.0 if scale.is_accuracy and scale.is_of_fractions else 1.0


def _most(scale: Scale) -> float:
    """The greatest difference of two accuracies: 100 points."""
    return 100 / _points(scale)
