"""`make bench-verdicts`: how often `evonas compare` claims what is not so.

    python -m benchmarks.verdicts [--repeats 10000]

Strategies are drawn from one distribution, so that every "beats" is a false claim. Then strategies
with a known difference are drawn, and it is counted how often an interval holds it. The sections of
benchmarks/results/verdicts.md are the claims and the intervals of this version, and those of the
method before, which were measured once.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

import numpy as np
from scipy import special, stats

from benchmarks.runs import RESULTS
from benchmarks.sections import paragraph, report
from evonas.insight.comparison import Curve, band
from evonas.insight.paired import difference
from evonas.insight.scale import Floats, Scale, scale_of
from evonas.insight.student import detectable
from evonas.insight.verdict import verdicts
from evonas.trial import Objective

SEEDS = (2, 3, 5, 10)
FAILURES = (0.0, 0.1, 0.3)
STRATEGIES = (1, 3)
"""Numbers of strategies that are compared with the reference."""
REPEATS = 10_000
MOST_FALSE, LEAST_COVERED = 0.06, 0.94
"""What is promised."""

LOSS = Objective("val_loss", "min")
ACCURACY = Objective("val_accuracy", "max")

Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]
"""Draws final values: one row a strategy, one column a seed."""


@dataclass(frozen=True)
class Finals:
    """A distribution of final values.

    Attributes:
        samples: number of validation samples; 0 if it is not known.
        mean: mean of the values.
        log_mean: mean of their logarithms, for a loss.
    """

    name: str
    objective: Objective
    samples: int
    draw: Draw
    mean: float
    log_mean: float = math.nan


def winners(finals: Mapping[str, Sequence[float]], kind: Finals) -> list[str]:
    """The strategies that this version says to beat another one."""
    everything = [value for values in finals.values() for value in values]
    scale = scale_of(kind.objective, everything, kind.samples)
    *_, reference = finals
    found = verdicts(finals, reference, scale)
    return [verdict.better for verdict in found.values() if verdict.is_shown]


def holds(first: Floats, second: Floats, kinds: tuple[Finals, Finals]) -> bool | None:
    """Whether this version's interval holds the true difference."""
    scale = _scale(kinds[0])
    found = difference(first.tolist(), second.tolist(), scale)
    if found.is_by_signs:
        return None
    ours, theirs = kinds
    truth = ours.mean - theirs.mean
    if scale.is_logarithmic:
        # The lead is that of the first one: its loss is lower.
        truth = theirs.log_mean - ours.log_mean
    return found.low <= truth <= found.high


def band_holds(values: Floats, kind: Finals) -> bool | None:
    """Whether the end of this version's band holds the true mean."""
    scale = _scale(kind)
    curves = [Curve(np.zeros(1), np.array([value])) for value in values]
    found = band(curves, 1.0, scale)
    if not found.is_interval:
        return None
    truth = math.exp(kind.log_mean) if scale.is_logarithmic else kind.mean
    return bool(found.low[-1] <= truth <= found.high[-1])


@dataclass(frozen=True)
class Method:
    """What is measured: this version's way to judge, or an older one's.

    Attributes:
        winners: names the strategies that are said to beat another one. The last of the final
            values are those of the reference.
        holds: tells whether the interval holds the difference of the true means; None if there is
            no interval.
        band_holds: tells whether the end of a band holds the true mean; None if it is no interval.
    """

    winners: Callable[[Mapping[str, Sequence[float]], Finals], list[str]]
    holds: Callable[[Floats, Floats, tuple[Finals, Finals]], bool | None]
    band_holds: Callable[[Floats, Finals], bool | None]


PRESENT = Method(winners, holds, band_holds)


def _scale(kind: Finals) -> Scale:
    # One value of each is enough: all losses here are positive, all accuracies fractions.
    return scale_of(kind.objective, [0.5], kind.samples)


def losses(median: float = 0.05, spread: float = 0.5) -> Finals:
    """Lognormal losses."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        return rng.lognormal(math.log(median), spread, shape)

    mean = median * math.exp(spread**2 / 2)
    return Finals("losses", LOSS, 0, draw, mean, math.log(median))


def accuracies(samples: int, centre: float = 0.9, spread: float = 0.02) -> Finals:
    """Accuracies: a network has a true one, and the validation samples are drawn."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        true = np.clip(rng.normal(centre, spread, shape), 0.0, 1.0)
        return rng.binomial(samples, true) / samples

    return Finals(f"accuracies, {samples} samples", ACCURACY, samples, draw, centre)


def skewed(samples: int, spread: float = 0.5) -> Finals:
    """Accuracies of which some are far worse than most: a normal distribution of the logit."""
    middle = special.logit(0.9)

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        true = special.expit(rng.normal(middle, spread, shape))
        return rng.binomial(samples, true) / samples

    # The mean has no formula: that of many even quantiles.
    quantiles = (np.arange(100_000) + 0.5) / 100_000
    mean = special.expit(middle + spread * stats.norm.ppf(quantiles)).mean()
    return Finals(f"accuracies, {samples} samples, skewed", ACCURACY, samples, draw, float(mean))


def two_values() -> Finals:
    """A table whose best two entries are found equally often."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        return np.where(rng.random(shape) < 0.5, 0.91, 0.92)

    return Finals("a table, two values", ACCURACY, 0, draw, 0.915)


KINDS = (losses(), accuracies(30), accuracies(100), accuracies(360), two_values())
PAIRS = (
    (losses(0.04), losses(0.05)),
    (accuracies(30, 0.92), accuracies(30)),
    (accuracies(100, 0.92), accuracies(100)),
    (accuracies(360, 0.92), accuracies(360)),
)
"""Strategies of which the first one is better."""
BANDS = (losses(), accuracies(30), accuracies(100), accuracies(360), skewed(100))


@dataclass(frozen=True)
class Share:
    """How often something was so, with its exact 95 % interval (Clopper and Pearson, 1934)."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        found = stats.binomtest(self.count, self.of).proportion_ci(confidence)
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        if not self.of:
            return "-"
        low, high = self.interval()
        return f"{100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def false_claims(
    method: Method,
    kind: Finals,
    failures: float,
    strategies: int,
    seeds: int,
    repeats: int,
    seed: int = 0,
) -> Share:
    """How often a strategy is said to beat another one, although all are drawn alike.

    Args:
        failures: probability that a run finds nothing.
        strategies: number of strategies that are compared with the reference.
        repeats: number of experiments.
        seed: seed of the draws.
    """
    rng = np.random.default_rng([seed, seeds, strategies])
    claims = 0
    for _ in range(repeats):
        values = kind.draw(rng, (strategies + 1, seeds))
        values[rng.random(values.shape) < failures] = math.nan
        finals = {str(number): row.tolist() for number, row in enumerate(values)}
        claims += bool(method.winners(finals, kind))
    return Share(claims, repeats)


def claims_for_failing(method: Method, seeds: int, repeats: int, seed: int = 0) -> Share:
    """How often a strategy is said to beat one that never fails, though it failed at some seeds.

    It fails at 3 of 10 seeds. Otherwise its loss is 40 % lower.

    Returns:
        The share of the experiments in which it failed at one seed or more.
    """
    rng = np.random.default_rng([seed, seeds])
    better = losses(0.03)
    other = losses(0.05)
    claims = 0
    failing = 0
    for _ in range(repeats):
        ours = better.draw(rng, (1, seeds))[0]
        theirs = other.draw(rng, (1, seeds))[0]
        has_failed = rng.random(seeds) < 0.3
        ours[has_failed] = math.nan
        if has_failed.any():
            failing += 1
            finals = {"failing": ours.tolist(), "other": theirs.tolist()}
            claims += "failing" in method.winners(finals, better)
    return Share(claims, failing)


def coverage(
    method: Method, pair: tuple[Finals, Finals], seeds: int, repeats: int, seed: int = 0
) -> Share:
    """How often the interval of the difference holds the true one; those not told do not count."""
    rng = np.random.default_rng([seed, seeds])
    first, second = pair
    told = []
    for _ in range(repeats):
        ours = first.draw(rng, (1, seeds))[0]
        theirs = second.draw(rng, (1, seeds))[0]
        told.append(method.holds(ours, theirs, pair))
    return _share(told)


def band_coverage(method: Method, kind: Finals, seeds: int, repeats: int, seed: int = 0) -> Share:
    """How often the band of a picture holds the true mean at its end."""
    rng = np.random.default_rng([seed, seeds])
    told = []
    for _ in range(repeats):
        values = kind.draw(rng, (1, seeds))[0]
        told.append(method.band_holds(values, kind))
    return _share(told)


def _share(told: Sequence[bool | None]) -> Share:
    known = [held for held in told if held is not None]
    return Share(sum(known), len(known))


def reach(seeds: int, repeats: int, seed: int = 0) -> tuple[float, float, float]:
    """The lead that seeds are said to show, in parts of the lead that they do show.

    Returns:
        The median over experiments with equal losses, and the ends of the middle 90 %.
    """
    rng = np.random.default_rng([seed, seeds])
    kind = losses(spread=0.5)
    scale = _scale(kind)
    errors = []
    for _ in range(repeats):
        ours, theirs = kind.draw(rng, (2, seeds)).tolist()
        errors.append(difference(ours, theirs, scale).standard_error)
    true = 0.5 * math.sqrt(2 / seeds)
    low, middle, high = np.quantile(errors, [0.05, 0.5, 0.95]) / true
    return float(middle), float(low), float(high)


def measured(method: Method, repeats: int) -> str:
    """All tables about a method."""
    lines = [_about(repeats), ""]
    for row in _claim_rows(method, repeats):
        print(row, flush=True)
        lines.append(row)
    cells = [str(claims_for_failing(method, seeds, repeats)) for seeds in SEEDS]
    lines.append(f"| one that failed beats one that never does | 30 % | 1 | {' | '.join(cells)} |")
    lines += ["", _about_coverage(), ""]
    for row in _coverage_rows(method, repeats):
        print(row, flush=True)
        lines.append(row)
    return "\n".join(lines)


def _about(repeats: int) -> str:
    return paragraph(
        f"""
        scipy {metadata.version("scipy")}; seed 0 of all draws; {repeats:,} experiments a cell.
        *False claims*: experiments in which at least one strategy is said to beat the reference, or
        to be beaten, although all are drawn from one distribution. *Failures*: the probability that
        a run finds nothing. In brackets: the exact 95 % interval of the share (Clopper and
        Pearson). Losses are lognormal (deviation of the logarithm 0.5). An accuracy is binomial
        around a true one, which is normal (0.9, deviation 0.02). A table has two values, each found
        by half of the runs. Last row: one strategy fails at 3 of 10 seeds and has a 40 % lower loss
        at the others; of the experiments in which it failed, those in which it is said to beat.
        """
    )


def _claim_rows(method: Method, repeats: int) -> Iterator[str]:
    yield f"| final values | failures | compared | {_heads()} |"
    yield "|---|---|---|" + "---|" * len(SEEDS)
    for kind in KINDS:
        for failures in FAILURES:
            for strategies in STRATEGIES:
                cells = []
                for seeds in SEEDS:
                    found = false_claims(method, kind, failures, strategies, seeds, repeats)
                    cells.append(str(found))
                names = f"{kind.name} | {100 * failures:.0f} % | {strategies}"
                yield f"| {names} | {' | '.join(cells)} |"


def _about_coverage() -> str:
    return paragraph(
        """
        *Interval*: how often it holds the true difference of two strategies, of those that are
        told; the first one is better (losses of 0.04 and 0.05 in the median, accuracies of 0.92 and
        0.9). *Band*: how often the end of a strategy's band holds the true mean; no band is drawn
        below 4 seeds. *Skewed*: the logit of the true accuracy is normal (deviation 0.5).
        """
    )


def _coverage_rows(method: Method, repeats: int) -> Iterator[str]:
    yield f"| coverage | {_heads()} |"
    yield "|---|" + "---|" * len(SEEDS)
    for pair in PAIRS:
        cells = [str(coverage(method, pair, seeds, repeats)) for seeds in SEEDS]
        yield f"| interval, {pair[0].name} | {' | '.join(cells)} |"
    for kind in BANDS:
        cells = [str(band_coverage(method, kind, seeds, repeats)) for seeds in SEEDS]
        yield f"| band, {kind.name} | {' | '.join(cells)} |"


def _heads() -> str:
    return " | ".join(f"{seeds} seeds" for seeds in SEEDS)


def reach_part(repeats: int) -> str:
    """The table of the leads that seeds are said to show."""
    lines = [
        paragraph(
            f"""
            The lead that seeds are said to show with a probability of 80 %, in parts of the one
            that they do show; lognormal losses, {repeats:,} experiments, seed 0. It is computed
            from the deviation of a few differences, so that it is "about".
            """
        ),
        "",
        "| seeds | true lead, in deviations of a difference | told / true, median | 90 % of all |",
        "|---|---|---|---|",
    ]
    for seeds in SEEDS:
        middle, low, high = reach(seeds, repeats)
        true = detectable(seeds) / math.sqrt(seeds)
        lines.append(f"| {seeds} | {true:.2f} | {middle:.2f} | {low:.2f} to {high:.2f} |")
    return "\n".join(lines)


TITLES = {
    "present": "This version",
    "reach": "The lead that seeds can show",
    "before": "The method before: failures left out, no logarithms, bootstrap bands",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=REPEATS)
    arguments = parser.parse_args()
    texts = {"reach": reach_part(arguments.repeats)}
    texts["present"] = measured(PRESENT, arguments.repeats)
    path = RESULTS / "verdicts.md"
    path.write_text(report(path, TITLES, texts, "What `evonas compare` claims"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
