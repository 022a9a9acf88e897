"""`make bench-schemes`: selection and replacement schemes on digits with equal budget.

Each scheme has five seeds. One part is changed at a time, and everything else is as in BASE. A
scheme is compared with the base by the paired differences over the seeds. The test is a t interval
of their mean, at 95 % for all comparisons together (Bonferroni).
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Sequence

from scipy.stats import t as student

from benchmarks.machine import describe
from benchmarks.runs import RESULTS, SEEDS, finished, spread
from benchmarks.sections import paragraph
from benchmarks.tuned import EVOLUTION

BASE = "selection tournament, replacement elitist"
SCHEMES: dict[str, str] = {
    BASE: "{}",
    "selection roulette": "{selection: roulette}",
    "selection rank": "{selection: rank}",
    "selection stochastic_universal": "{selection: stochastic_universal}",
    "selection best": "{selection: best}",
    "selection random": "{selection: random}",
    "replacement generational": "{replacement: generational}",
    "replacement tournament": "{replacement: tournament}",
    "replacement plus": "{replacement: plus}",
    "replacement comma": "{replacement: comma}",
    "replacement steady_state": "{replacement: steady_state}",
}
CHANGES = (
    "budget.trials=48",
    "training={epochs: 6}",
    "limits={parameters: 100000, flops: 2000000}",
)
RANDOM = "random search"

TUNED = f"""
{EVOLUTION} Both seeds are among those of this table. No measurement is recorded for the selection
and the replacement of the base.
"""


def strategy(scheme: str) -> Sequence[str]:
    """The changes to configs/digits.yaml that make it this scheme, or random search."""
    if scheme == RANDOM:
        return ("strategy=random",)
    settings = "population: 8, seeds: [lenet5]"
    if part := SCHEMES[scheme].strip("{}"):
        settings += f", {part}"
    return (f"strategy={{evolution: {{{settings}}}}}",)


def difference(
    values: Sequence[float], base: Sequence[float], comparisons: int
) -> tuple[float, float]:
    """The mean of the paired differences, and the half width of its interval."""
    paired = [a - b for a, b in zip(values, base, strict=True)]
    # Bonferroni: each comparison has its share of the 5 %, half of it at each end
    share = 0.05 / comparisons / 2
    quantile = student.ppf(1 - share, len(paired) - 1)
    half = quantile * statistics.stdev(paired) / math.sqrt(len(paired))
    return statistics.mean(paired), float(half)


def main() -> int:
    print(describe())
    losses: dict[str, list[float]] = {}
    accuracy: dict[str, list[float]] = {}
    for seed in SEEDS:
        for scheme in (*SCHEMES, RANDOM):
            _, _, short = scheme.rpartition(" replacement ")
            short = short.replace(" ", "-").replace(",", "")
            changes = [f"seed={seed}", *CHANGES, *strategy(scheme)]
            run = finished("digits", "bench-schemes", f"{short}-{seed}", changes)
            metrics = (run.result or {})["metrics"]
            losses.setdefault(scheme, []).append(metrics["val_loss"])
            accuracy.setdefault(scheme, []).append(metrics["test_accuracy"])
    machine = paragraph(f"{describe()}.")
    lines = ["# Selection and replacement schemes on digits", "", machine, ""]
    lines += [
        paragraph(
            f"""
            Seeds {SEEDS.start} to {SEEDS.stop - 1}, each with 48 trials of 6 epochs, a population
            of 8, the founder lenet5, at most 100,000 parameters and 2,000,000 FLOPs. The base is
            selection tournament of 3 and replacement elitist with 2 elites; each other row changes
            the one part that it names. ± is the standard deviation over the seeds. The last column
            is the mean of the paired differences of the validation loss to the base with its
            interval, 95 % for all {len(SCHEMES)} comparisons together.
            """
        ),
        "",
        paragraph(TUNED),
        "",
        "| scheme | validation loss of the winner | test accuracy | difference to the base |",
        "|---|---|---|---|",
    ]
    told_apart = []
    for scheme in (*SCHEMES, RANDOM):
        row = f"| {scheme} | {spread(losses[scheme])} | {spread(accuracy[scheme])} |"
        if scheme == BASE:
            lines.append(f"{row} |")
            continue
        mean, half = difference(losses[scheme], losses[BASE], len(SCHEMES))
        noise = ": within noise"
        if abs(mean) > half:
            told_apart.append(scheme)
            noise = ""
        lines.append(f"{row} {mean:+.4f} ± {half:.4f}{noise} |")
    if told_apart:
        verdict = f"Told apart from the base: {', '.join(told_apart)}."
        rest = "Everything else is"
    else:
        verdict = "No scheme can be told apart from the base."
        rest = "All differences are"
    lines += ["", f"{verdict} {rest} within noise at five seeds.", ""]
    text = "\n".join(lines)
    (RESULTS / "schemes.md").write_text(text)
    print("\n" + text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
