"""Makes references.csv, the frozen scale of the regret; PROTOCOL.md says how.

    python -m benchmarks.references

What has a line keeps it: references that change would make old raw rows mean something else. New
recordings of replay tables get new lines.
"""

from __future__ import annotations

import csv
import io
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, differential_evolution

from benchmarks import functions, replay, surrogates
from benchmarks.climb import upwards
from benchmarks.families import FAMILIES
from benchmarks.loop import Problem
from benchmarks.machine import describe
from benchmarks.published import (
    lcbench_accuracies,
    lcbench_best,
    nasbench301_best,
    skipped_without_data,
)
from benchmarks.regret import FILE, FIRST, Reference, references
from benchmarks.runs import RESULTS
from benchmarks.scores import Scores
from evonas.files import write_text_whole
from evonas.genome import Genome, decode, sample

DRAWS = 20_000
"""Random genomes of a task of LCBench, for the mean of random search."""
SLOW_DRAWS = 2_000
"""The same where each genome is looked up alone."""
INSTANCES = 20
"""Places of a function's optimum over which its random search is averaged."""


def expected_best(values: Sequence[float] | NDArray[np.float64], draws: int) -> float:
    """The expected maximum of `draws` values that are drawn at random from these."""
    return _expected(np.sort(np.asarray(values, dtype=np.float64)), draws)


def _expected(ordered: NDArray[np.float64], draws: int) -> float:
    """The expected value of the last one in this order, among `draws` random draws."""
    count = len(ordered)
    # the chance that all draws are among the i least values
    below = (np.arange(count + 1) / count) ** draws
    return float(np.sum(np.diff(below) * ordered))


def of_table(problem: Problem) -> Reference:
    """The best of a whole table, and random search on it."""
    table = problem.table
    assert table is not None
    metric = problem.objective.name
    values = [table.values(row, problem.epochs)[metric] for row in range(len(table))]
    return Reference(max(values), expected_best(values, FIRST))


def of_lcbench(task: str) -> Reference:
    """The best of what is published, of our own searches, and of a long search of the surrogate."""
    space = surrogates.lcbench_problem(task).space
    rng = np.random.default_rng(0)
    genomes = [sample(space, rng) for _ in range(DRAWS)]
    values = lcbench_accuracies(genomes, task)
    best = [lcbench_best(task), max(values), _long_search(task)]
    scores = Scores(RESULTS / surrogates.LC_FILE)
    for name in scores.strategies:
        best += [one.best for one in scores.of(name)[task]]
    return Reference(max(best), expected_best(values, FIRST))


def _long_search(task: str) -> float:
    """Differential evolution by SciPy, with many more evaluations than any search has."""
    space = surrogates.lcbench_problem(task).space

    def losses(points: NDArray[np.float64], /) -> Any:
        genomes = [decode(space, point) for point in points.T]
        return -np.array(lcbench_accuracies(genomes, task))

    found = differential_evolution(
        losses,
        Bounds([0.0] * space.dimension, [1.0] * space.dimension),
        maxiter=300,
        popsize=30,
        rng=0,
        polish=False,
        vectorized=True,
        updating="deferred",
    )
    return -float(found.fun)


def of_function(name: str) -> Reference:
    """The optimum, which is 0, and random search on instances with other optima."""
    _, function, dimension = functions.PARTS[name]
    means = []
    for instance in range(INSTANCES):
        problem = functions.problem(function, dimension, instance)
        rng = np.random.default_rng(instance)
        values = []
        for _ in range(SLOW_DRAWS):
            value = function(sample(problem.space, rng), instance)["value"]
            values.append(upwards(problem.objective, value))
        means.append(expected_best(values, FIRST))
    return Reference(0.0, statistics.fmean(means))


def of_nasbench301(task: str) -> Reference:
    """The published best of random cells or our own, and random search."""
    space = surrogates.nasbench301_problem().space
    rng = np.random.default_rng(0)
    values = []
    for _ in range(SLOW_DRAWS):
        metrics = surrogates.nasbench301_score(sample(space, rng), surrogates.NB_EPOCHS)
        values.append(metrics["val_accuracy"])
    best = [nasbench301_best(), max(values)]
    scores = Scores(RESULTS / surrogates.NB_FILE)
    for name in scores.strategies:
        for found in scores.of(name).values():
            best += [one.best for one in found]
    return Reference(max(best), expected_best(values, FIRST))


def of_replay(name: str) -> Reference:
    """The best mean of recorded and of random genomes, and random search, which sees the noise."""
    judge = replay.judge(name)
    rng = np.random.default_rng(0)
    return of_noisy(judge, [sample(judge.recording.space, rng) for _ in range(SLOW_DRAWS)])


def of_noisy(judge: replay.Replay, random: Sequence[Genome]) -> Reference:
    """The reference of a landscape with noise.

    Args:
        random: random genomes; each is trained once, with a seed of its own.
    """
    means = [judge.mean(genome) for genome in random]
    seen = [judge(genome, judge.epochs, seed)[replay.METRIC] for seed, genome in enumerate(random)]
    # what is best with noise is worth its mean
    order = np.argsort(seen, kind="stable")
    best = max(*means, *map(judge.mean, judge.recording.genomes))
    return Reference(best, _expected(np.asarray(means)[order], FIRST))


OF_TASK: Mapping[str, Callable[[str], Reference]] = {
    "lcbench": of_lcbench,
    "lcbench-other": of_lcbench,
    "functions": of_function,
    "nasbench301": of_nasbench301,
    "macro": lambda task: of_table(FAMILIES["macro"].problem(task, 0)),
    "nasbench201": lambda task: of_table(FAMILIES["nasbench201"].problem(task, 0)),
    "replay": of_replay,
}
"""What gives the reference of a task, by its family."""


def write(path: Path) -> None:
    """Add the references that a file does not have yet."""
    old = dict(references(path)) if path.exists() else {}
    for name, reference in OF_TASK.items():
        for task in FAMILIES[name].tasks():
            if (name, task) not in old:
                old[name, task] = reference(task)
                print(name, task, old[name, task], flush=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("family", "task", "best", "random"))
    for (name, task), found in old.items():
        writer.writerow((name, task, f"{found.best:.8g}", f"{found.random:.8g}"))
    write_text_whole(path, text.getvalue())


def main() -> int:
    if skipped_without_data():
        return 0
    print(describe())
    write(FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
