"""`make bench-search`: the strategies on published tables, beside what others have measured.

    python -m benchmarks.search [--repeats 200] [--only PART ...] [--entrants STRATEGY ...]
                                [--amount AMOUNT]

Each part is a section of benchmarks/results/search.md. A part that is not run again keeps its text.
Entrants that are not run again keep their rows. `--amount missing` continues a measurement that was
cut short. `--amount nothing` measures nothing and writes the report from the raw scores. Without
EVONAS_DATA, all parts are skipped. NAS-Bench-201 is for reporting: nothing is tuned on it.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks.engine import cost, slots
from benchmarks.entrants import ENTRANTS, EVOLUTION, OF_ONE_LENGTH
from benchmarks.intervals import share
from benchmarks.loop import Found, Problem, search, tabled
from benchmarks.published import (
    NASBENCH201,
    SPACES,
    nasbench201,
    nasbench_macro,
    skipped_without_data,
)
from benchmarks.ranks import ranks_part
from benchmarks.runs import RESULTS
from benchmarks.sections import (
    AMOUNTS,
    GUIDED,
    Plan,
    Strategy,
    kind_of,
    paragraph,
    read,
    report,
    rows,
)
from benchmarks.standing import column, standing
from benchmarks.surrogates import LC_FILE, lcbench_part, nasbench301_part
from benchmarks.tuned import CUBE, ELSEWHERE, MODELS, REST
from benchmarks.tuned import EVOLUTION as ON_DIGITS
from evonas.evaluate.known.table import Table
from evonas.genome import Genome
from evonas.runtime.loop.budget import RunLimits
from evonas.search.registry import STRATEGIES
from evonas.search.surrogate import SURROGATES
from evonas.trial import rank

REPEATS = 200
SLOW = {
    "gaussian_process": 40,
    "forest": 66,
    "screened": 5,
    GUIDED: 5,
    "dngo": 66,
    "optuna": 40,
}
"""Strategies that fit a model for each proposal. The repeats are divided by these numbers."""
WITHOUT = """
No rows: `successive_halving`, `hyperband` and `asha` need trainings of several lengths, and here
there is one; with that alone they are random search. `grid` is refused where it is greater than the
budget, as the grid of a whole table is. `seeded` begins with genomes that are known to be good, and
is as good as those.
"""

MACRO = "NAS-Bench-Macro"

PROTOCOL: Mapping[str, tuple[Strategy, tuple[tuple[float, float], ...]]] = {
    "random": ({"random": {}}, ((93.74, 0.37), (71.16, 1.06), (44.72, 1.26))),
    "aging, population 10, sample 3": (
        {"aging": {"population": 10, "sample": 3}},
        ((93.96, 0.35), (71.93, 1.07), (45.44, 1.15)),
    ),
}
"""Strategies under NAS-Bench-201's protocol, with the results of a reproduction.

They are the mean and the standard deviation of 500 repeats on each data set.
"""
PROTOCOL_SECONDS = 12_000.0
REPRODUCED = 500


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean and the half width of its 95 % interval, by the normal distribution.

    It is meant for a hundred repeats and more.
    """
    half = math.inf
    if len(values) > 1:
        half = 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    return statistics.fmean(values), half


def best_after(found: Found, trials: int) -> float:
    """The best fitness among the first trained trials; duplicates are not counted."""
    values = []
    for trial in found.trained[:trials]:
        if trial.fitness is not None:
            values.append(trial.fitness.value)
    return max(values, default=-math.inf)


def protocol(plan: Plan) -> str:
    """NAS-Bench-201's own protocol: 12,000 simulated seconds on CIFAR-10, with one worker.

    Fitness is measured after 12 epochs.
    """
    lines = [
        _about_protocol(plan.repeats),
        "",
        "| strategy | trials in time | data set | test accuracy | reproduction | 95 % intervals |",
        "|---|---|---|---|---|---|",
    ]
    space = SPACES / "nasbench201.yaml"
    problem = tabled(space, nasbench201("cifar10"), "val_accuracy", 12)
    tables = {}
    for data_set in NASBENCH201:
        tables[data_set] = tabled(space, nasbench201(data_set), "val_accuracy", 12).table
    for name, (strategy, reproduction) in PROTOCOL.items():
        best, count = _searched_in_time(problem, strategy, plan.repeats)
        for data_set, reproduced in zip(NASBENCH201, reproduction, strict=True):
            scores = [_tested(tables[data_set], genome) for genome in best]
            row = f"| {name} | {count:.0f} | {data_set} | {_beside(scores, *reproduced)} |"
            lines.append(row)
            print(row, flush=True)
    return "\n".join(lines)


def _about_protocol(repeats: int) -> str:
    return paragraph(
        f"""
        Searched on CIFAR-10: fitness is the validation accuracy after 12 epochs, which cost 12/200
        of the seconds of 200; one worker, {PROTOCOL_SECONDS:,.0f} simulated seconds; what ends
        later does not count. Twins consume no simulated time. Of the best, the test accuracy after
        200 epochs on each data set: mean ± standard deviation of {repeats} repeats (seeds 0 to
        {repeats - 1}) and the mean's 95 % interval, beside {REPRODUCED} repeats of a reproduction.
        No default was chosen on this table. Population and sample of aging are the reproduction's;
        that a child has one edit was chosen on digits (decision 16).
        """
    )


def _searched_in_time(
    problem: Problem, strategy: Strategy, repeats: int
) -> tuple[list[Genome], float]:
    """The best genome of each search, and the mean number of trials that ended in time."""
    limits = RunLimits(None, look_ahead=1, seconds=PROTOCOL_SECONDS)
    best = []
    counts = []
    for seed in range(repeats):
        found = search(problem, strategy, seed, limits)
        # the trial that runs when the time is over ends too late
        in_time = []
        for trial in found.trained:
            if found.ends[trial.id] <= PROTOCOL_SECONDS:
                in_time.append(trial)
        winner = min(in_time, key=rank)
        best.append(winner.genome)
        counts.append(len(in_time))
    return best, statistics.fmean(counts)


def _beside(scores: Sequence[float], theirs: float, deviation: float) -> str:
    """Cells of the table: our scores, those of the reproduction, and whether they overlap."""
    mean, half = interval(scores)
    other = 1.96 * deviation / math.sqrt(REPRODUCED)
    verdict = "overlap"
    if abs(mean - theirs) > half + other:
        verdict = f"apart by {mean - theirs:+.2f}"
    return (
        f"{mean:.2f} ± {statistics.stdev(scores):.2f}"
        f" ({mean - half:.2f} to {mean + half:.2f}) | {theirs:.2f} ± {deviation:.2f}"
        f" ({theirs - other:.2f} to {theirs + other:.2f}) | {verdict}"
    )


def _tested(table: Table | None, genome: Genome) -> float:
    """The test accuracy after 200 epochs."""
    assert table is not None
    row = table.row(genome)
    assert row is not None
    return table.values(row, 200)["test_accuracy"]


def optimum(plan: Plan) -> str:
    """The share of runs that have found NAS-Bench-201's best cell after each number of trials."""
    space = SPACES / "nasbench201.yaml"
    table = nasbench201("cifar10")
    problem = tabled(space, table, "val_accuracy", 200)
    about = "CIFAR-10, fitness = mean validation accuracy after 200 epochs."
    return _climbs(problem, (50, 100, 150, 300), plan, about, ELSEWHERE)


def macro(plan: Plan) -> str:
    """NAS-Bench-Macro after 50, 100 and 300 trials."""
    space = SPACES / "nasbench_macro.yaml"
    table = nasbench_macro()
    problem = tabled(space, table, "accuracy", 50)
    about = "Fitness = mean accuracy of three trainings on CIFAR-10."
    tuned = f"""
        Some defaults were chosen on this table, which flatters them. {MODELS} Steady state was
        tried on it, and is no default (decision 48). {ON_DIGITS} {CUBE} {REST}
    """
    return _climbs(problem, (50, 100, 300), plan, about, tuned)


def _climbs(problem: Problem, marks: Sequence[int], plan: Plan, about: str, tuned: str) -> str:
    assert problem.table is not None
    table = problem.table
    metric = problem.objective.name
    best = max(table.values(row, problem.epochs)[metric] for row in range(len(table)))

    def measure(name: str, strategy: Strategy) -> str:
        count = max(2, plan.repeats // SLOW.get(kind_of(strategy), 1))
        start = time.process_time()
        trials = 0
        climbs = []
        for seed in range(count):
            found = search(problem, strategy, seed, RunLimits(marks[-1], look_ahead=1))
            climbs.append([best_after(found, mark) for mark in marks])
            trials += len(found.trained)
        cells = []
        for values in zip(*climbs, strict=True):
            found_best = share(sum(value >= best for value in values), count)
            mean = statistics.fmean(values)
            cells.append(f"{mean:.3f} ± {statistics.stdev(values):.3f}, {found_best}")
        cost = (time.process_time() - start) / trials * 1e3
        return f"| {name} | {count} | {' | '.join(cells)} | {cost:.2f} ms |"

    columns = " | ".join(f"{mark} trials" for mark in marks)
    lines = [
        paragraph(
            f"""
            {about} The best of the table is {best:.3f}. One worker, every trial told before the
            next is asked; twins are not counted as trials. Seeds 0 and up, one a repeat. Mean ±
            standard deviation of the best so far, and the share of runs that have found the best,
            with its exact 95 % interval (Clopper and Pearson, 1934).
            """
        ),
        "",
        paragraph(tuned),
        "",
        f"| strategy | repeats | {columns} | CPU a trial |",
        f"|---|---|{'---|' * len(marks)}---|",
    ]
    measured = list(plan.rows(OF_ONE_LENGTH, measure))
    closing = [paragraph(WITHOUT)]
    means = column(measured, 2 + marks.index(100))
    if EVOLUTION in means:
        worse_is_greater = {name: -mean for name, mean in means.items()}
        place = standing(EVOLUTION, worse_is_greater, "the mean after 100 trials")
        closing = [paragraph(place), "", *closing]
    return "\n".join([*lines, *measured, "", *closing])


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
        "--entrants",
        nargs="+",
        choices=[*STRATEGIES, *SURROGATES, GUIDED],
        default=[],
        help="others keep their rows",
    )
    parser.add_argument(
        "--amount",
        choices=AMOUNTS,
        default="anew",
        help="what is measured of them",
    )
    chosen = parser.parse_args(arguments)
    if skipped_without_data():
        return 0
    path = RESULTS / "search.md"
    RESULTS.mkdir(exist_ok=True)
    titles = {name: title for name, (title, _) in PARTS.items()}
    for name in chosen.only:
        title, part = PARTS[name]
        print(f"{title} ...", flush=True)
        old = rows(read(path).get(title, ""))
        plan = Plan(chosen.repeats, frozenset(chosen.entrants), old, chosen.amount)
        text = report(path, titles, {name: part(plan)})
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
