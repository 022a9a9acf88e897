"""`make bench-search`: the strategies on published tables, against what others have measured on them.

    python -m benchmarks.search [--repeats 200] [--only PART ...] [--entrants STRATEGY ...] [--amount AMOUNT]

Each part is a section of benchmarks/results/search.md; a part that is not run again keeps its text, and so do the rows
of entrants that are not run again. `--amount missing` goes on with a measurement that was cut short, and `--amount
nothing` writes the report anew from what there is. Without EVONAS_DATA the parts that need published data are skipped.
NAS-Bench-201 is for reporting: nothing is tuned on it.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks.engine import cost, slots
from benchmarks.entrants import ENTRANTS, OF_ONE_LENGTH
from benchmarks.loop import Found, Issue, search, tabled
from benchmarks.published import (
    NASBENCH201,
    SPACES,
    nasbench201,
    nasbench_macro,
    skipped_without_data,
)
from benchmarks.ranks import ranks_part
from benchmarks.runs import RESULTS
from benchmarks.sections import AMOUNTS, Plan, Strategy, paragraph, read, report, rows
from benchmarks.surrogates import LC_FILE, lcbench_part, nasbench301_part
from evonas.evaluate.known.table import Table
from evonas.genome import Genome
from evonas.runtime.loop.budget import RunLimits
from evonas.search.registry import STRATEGIES
from evonas.trial import rank

REPEATS = 200
SLOW = {"gaussian_process": 40, "forest": 66, "screened": 5, "dngo": 66, "optuna": 40}
"""Strategies that fit a model for each proposal: one in so many of the repeats."""
WITHOUT = """
No rows: `successive_halving`, `hyperband` and `asha` need trainings of several lengths, and here there is one;
with that alone they are random search. `grid` is refused where it is greater than the budget, as the grid of a whole
table is. `seeded` begins with genomes that are known to be good, and is as good as those.
"""

MACRO = "NAS-Bench-Macro"

PROTOCOL: Mapping[str, tuple[Strategy, tuple[tuple[float, float], ...]]] = {
    "random": ({"random": {}}, ((93.74, 0.37), (71.16, 1.06), (44.72, 1.26))),
    "aging, population 10, sample 3": (
        {"aging": {"population": 10, "sample": 3}},
        ((93.96, 0.35), (71.93, 1.07), (45.44, 1.15)),
    ),
}
"""Strategies under NAS-Bench-201's protocol, and what 500 repeats of a reproduction gave: mean and standard
deviation."""
PROTOCOL_SECONDS = 12_000.0
REPRODUCED = 500


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and the half width of its 95 % interval (normal; for a hundred repeats and more)."""
    half = 1.96 * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return statistics.fmean(values), half


def best_after(found: Found, trials: int) -> float:
    """The best fitness among the first so many trained trials; twins are not counted."""
    values = [trial.fitness.value for trial in found.trained[:trials] if trial.fitness is not None]
    return max(values, default=-math.inf)


def protocol(plan: Plan) -> str:
    """NAS-Bench-201's own protocol: fitness after 12 epochs on CIFAR-10, 12,000 simulated seconds, one worker."""
    repeats = plan.repeats
    lines = [
        paragraph(
            f"""
            Searched on CIFAR-10: fitness is the validation accuracy after 12 epochs, which cost 12/200 of the seconds
            of 200; one worker, {PROTOCOL_SECONDS:,.0f} simulated seconds; what ends later does not count. Twins consume
            no simulated time. Of the best, the test accuracy after 200 epochs on each data set: mean ± standard
            deviation of {repeats} repeats (seeds 0 to {repeats - 1}) and the mean's 95 % interval, beside {REPRODUCED}
            repeats of a reproduction.
            """
        ),
        "",
        "| strategy | trials in time | data set | test accuracy | reproduction | 95 % intervals |",
        "|---|---|---|---|---|---|",
    ]
    problem = tabled(SPACES / "nasbench201.yaml", nasbench201("cifar10"), "val_accuracy", 12)
    tables = [
        tabled(SPACES / "nasbench201.yaml", nasbench201(name), "val_accuracy", 12).table
        for name in NASBENCH201
    ]
    for name, (strategy, reproduction) in PROTOCOL.items():
        limits = RunLimits(None, look_ahead=1, seconds=PROTOCOL_SECONDS)
        runs = [search(problem, strategy, seed, limits) for seed in range(repeats)]
        in_time = [
            [trial for trial in found.trained if found.ends[trial.id] <= PROTOCOL_SECONDS]
            for found in runs
        ]
        best = [min(trials, key=rank).genome for trials in in_time]
        count = statistics.fmean(map(len, in_time))
        for data_set, table, (theirs, deviation) in zip(
            NASBENCH201, tables, reproduction, strict=True
        ):
            scores = [_tested(table, genome) for genome in best]
            mean, half = interval(scores)
            other = 1.96 * deviation / math.sqrt(REPRODUCED)
            verdict = (
                "overlap"
                if abs(mean - theirs) <= half + other
                else f"apart by {mean - theirs:+.2f}"
            )
            lines.append(
                f"| {name} | {count:.0f} | {data_set} | {mean:.2f} ± {statistics.stdev(scores):.2f}"
                f" ({mean - half:.2f} to {mean + half:.2f}) | {theirs:.2f} ± {deviation:.2f}"
                f" ({theirs - other:.2f} to {theirs + other:.2f}) | {verdict} |"
            )
            print(lines[-1], flush=True)
    return "\n".join(lines)


def _tested(table: Table | None, genome: Genome) -> float:
    """The test accuracy after 200 epochs."""
    assert table is not None
    row = table.row(genome)
    assert row is not None
    return table.values(row, 200)["test_accuracy"]


def optimum(plan: Plan) -> str:
    """Share of runs that have found NAS-Bench-201's best cell by so many trials."""
    problem = tabled(SPACES / "nasbench201.yaml", nasbench201("cifar10"), "val_accuracy", 200)
    return _climbs(
        problem,
        (50, 100, 150, 300),
        plan,
        "CIFAR-10, fitness = mean validation accuracy after 200 epochs.",
    )


def macro(plan: Plan) -> str:
    """NAS-Bench-Macro after 50, 100 and 300 trials."""
    problem = tabled(SPACES / "nasbench_macro.yaml", nasbench_macro(), "accuracy", 50)
    return _climbs(
        problem, (50, 100, 300), plan, "Fitness = mean accuracy of three trainings on CIFAR-10."
    )


def _climbs(problem: Issue, marks: Sequence[int], plan: Plan, about: str) -> str:
    assert problem.table is not None
    table = problem.table
    best = max(
        table.values(row, problem.epochs)[problem.objective.name] for row in range(len(table))
    )

    def measure(name: str, strategy: Strategy) -> str:
        count = max(2, plan.repeats // SLOW.get(next(iter(strategy)), 1))
        start, trials, climbs = time.process_time(), 0, []
        for seed in range(count):
            found = search(problem, strategy, seed, RunLimits(marks[-1], look_ahead=1))
            climbs.append([best_after(found, mark) for mark in marks])
            trials += len(found.trained)
        cells = []
        for values in zip(*climbs, strict=True):
            share = sum(value >= best for value in values) / count
            cells.append(
                f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}, {share:.0%}"
            )
        cost = (time.process_time() - start) / trials * 1e3
        return f"| {name} | {count} | {' | '.join(cells)} | {cost:.2f} ms |"

    lines = [
        paragraph(
            f"""
            {about} The best of the table is {best:.3f}. One worker, every trial told before the next is asked; twins
            are not counted as trials. Seeds 0 and up, one a repeat. Mean ± standard deviation of the best so far, and
            the share of runs that have found the best.
            """
        ),
        "",
        f"| strategy | repeats | {' | '.join(f'{mark} trials' for mark in marks)} | CPU a trial |",
        f"|---|---|{'---|' * len(marks)}---|",
    ]
    return "\n".join([*lines, *plan.rows(OF_ONE_LENGTH, measure), "", paragraph(WITHOUT)])


PARTS: Mapping[str, tuple[str, Callable[[Plan], str]]] = {
    "protocol": ("NAS-Bench-201, the paper's protocol", protocol),
    "optimum": ("NAS-Bench-201, the way to the optimum", optimum),
    "macro": (MACRO, macro),
    "lcbench": ("LCBench", lcbench_part),
    "nasbench301": ("NAS-Bench-301", nasbench301_part),
    "ranks": (
        "Ranks",
        lambda plan: ranks_part(plan, LC_FILE, MACRO, list(ENTRANTS)),
    ),
    "cost": ("Engine, record and strategy together", lambda plan: cost(plan.repeats)),
    "slots": ("A thousand simulated workers", lambda plan: slots(plan.repeats)),
}
"""Title and measurement of each section, by its name on the command line."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Measure the strategies on published tables.")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument(
        "--entrants", nargs="+", choices=list(STRATEGIES), default=[], help="others keep their rows"
    )
    parser.add_argument(
        "--amount", choices=AMOUNTS, default="anew", help="what is measured of them"
    )
    chosen = parser.parse_args(arguments)
    if skipped_without_data():
        return 0
    path = RESULTS / "search.md"
    RESULTS.mkdir(exist_ok=True)
    for name in chosen.only:
        title, part = PARTS[name]
        print(f"{title} ...", flush=True)
        old = rows(read(path).get(title, ""))
        text = part(Plan(chosen.repeats, frozenset(chosen.entrants), old, chosen.amount))
        path.write_text(
            report(path, {name: title for name, (title, _) in PARTS.items()}, {name: text}),
            encoding="utf-8",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
