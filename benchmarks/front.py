"""Several objectives: accuracy against the latency of two devices on NAS-Bench-201, and a front on digits.

    make bench-front                              # both parts
    python -m benchmarks.front --only latency --seeds 30

The published data are named by EVONAS_DATA; without them the first part is skipped. Nothing is tuned on NAS-Bench-201.
"""

from __future__ import annotations

import argparse
import functools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from deap import base, tools
from scipy import stats

from benchmarks.loop import Issue, search
from benchmarks.published import (
    CHECKOUT,
    OPS_201,
    SPACES,
    nasbench201_latencies,
    skipped_without_data,
)
from benchmarks.runs import RESULTS
from benchmarks.sections import paragraph, report
from evonas import api
from evonas.evaluate.known.evaluator import TableEvaluator
from evonas.evaluate.known.table import load_table
from evonas.genome import load_space
from evonas.insight.front import Box, dominates, hypervolumes
from evonas.insight.front_picture import front_svg
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.engine import RunLimits
from evonas.trial import Objective

SEEDS = 30
POPULATION = 20
MARKS = (100, 200, 500)
"""Evaluations after which the hypervolume is told."""

ACCURACY = Objective("val_accuracy", "max")
SMALL, LARGE = Objective("raspi4_ms", "min"), Objective("gtx1080ti_ms", "min")
PROBLEMS: Mapping[str, tuple[Objective, ...]] = {
    "accuracy, Raspberry Pi 4, GTX 1080 Ti": (ACCURACY, SMALL, LARGE),
    "accuracy, Raspberry Pi 4": (ACCURACY, SMALL),
    "accuracy, GTX 1080 Ti": (ACCURACY, LARGE),
}
Values = tuple[float, ...]
"""Of one network, in the order of the objectives, turned so that less is better."""


@dataclass(frozen=True)
class Landscape:
    """NAS-Bench-201 under some objectives.

    Attributes:
        known: the values of each cell, by its six ops.
        box: from the best to the worst value in the table.
        best: the hypervolume of the table's own front.
    """

    problem: Issue
    known: Mapping[tuple[int, ...], Values]
    box: Box
    best: float
    members: int


def landscape(objectives: tuple[Objective, ...]) -> Landscape:
    space = load_space(SPACES / "nasbench201.yaml")
    path = nasbench201_latencies()
    table = load_table(path, space)
    problem = Issue(space, objectives[0], 200, TableEvaluator(table), table, objectives)
    known = {}
    for ops, metrics in _cells(path):
        known[ops] = tuple(
            -metrics[one.name] if one.direction == "max" else metrics[one.name]
            for one in objectives
        )
    values = list(known.values())
    box = Box(
        tuple(map(min, zip(*values, strict=True))), tuple(map(max, zip(*values, strict=True)))
    )
    front = nondominated(values)
    return Landscape(problem, known, box, box.volume(front), len(front))


def _cells(path: Path) -> list[tuple[tuple[int, ...], dict[str, float]]]:
    """The rows of the table: ops by number, and metrics after 200 epochs."""
    import csv
    import gzip

    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [
            (
                tuple(OPS_201.index(row[f"cell.{edge}.op"]) for edge in range(6)),
                {
                    name.removesuffix("@200"): float(cell)
                    for name, cell in row.items()
                    if name.endswith("@200")
                },
            )
            for row in csv.DictReader(file)
        ]


def nondominated(values: Sequence[Values]) -> list[Values]:
    found: list[Values] = []
    for one in sorted(set(values)):
        if not any(dominates(other, one) for other in found):
            found.append(one)
    return found


def ours(land: Landscape, strategy: Mapping[str, Any], seed: int) -> list[float]:
    """The hypervolume at each mark, of a search by evonas: one worker, every trial told before the next is asked."""
    found = search(land.problem, strategy, seed, RunLimits(MARKS[-1], look_ahead=1))
    series = hypervolumes(found.trained, land.problem.objectives, land.box)
    return [series[mark - 1] / land.best for mark in MARKS]


def reference(land: Landscape, kind: str, seed: int) -> list[float]:
    """The same of DEAP's own examples, on lists of six numbers.

    NSGA-II is its `examples/ga/nsga2.py`: parents by `selTournamentDCD`, crossover with a probability of 0.9, then
    mutation; NSGA-III its `examples/ga/nsga3.py`: `varAnd` with both probabilities 1 on the whole population. Their
    bounded crossover and mutation of real numbers are those of whole numbers here: two-point crossover, and each gene
    drawn anew with a probability of 1/6. A known network costs nothing, as with evonas.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - DEAP draws from it
    fitness = type("Fitness", (base.Fitness,), {"weights": (-1.0,) * len(land.box.ideal)})
    individual = type("Individual", (list,), {})
    seen: dict[tuple[int, ...], Values] = {}

    def born(genes: Sequence[int]) -> Any:
        one: Any = individual(genes)
        one.fitness = fitness()
        return one

    def judge(one: Any) -> None:
        seen.setdefault(tuple(one), land.known[tuple(one)])
        one.fitness.values = seen[tuple(one)]

    directions = tools.uniform_reference_points(
        len(land.box.ideal), 5 if len(land.box.ideal) == 3 else POPULATION - 1
    )
    population = [born([random.randrange(5) for _ in range(6)]) for _ in range(POPULATION)]
    for one in population:
        judge(one)
    population = tools.selNSGA2(population, POPULATION)  # which gives the crowding distances
    while len(seen) < MARKS[-1]:
        parents = tools.selTournamentDCD(population, POPULATION) if kind == "nsga2" else population
        children = [born(parent) for parent in parents]
        for a, b in zip(children[::2], children[1::2], strict=True):
            if kind == "nsga3" or random.random() <= 0.9:
                tools.cxTwoPoint(a, b)
            for one in (a, b):
                tools.mutUniformInt(one, 0, 4, 1 / 6)
                judge(one)
        both = population + children
        if kind == "nsga2":
            population = tools.selNSGA2(both, POPULATION)
        else:
            population = tools.selNSGA3(both, POPULATION, directions)
    order = list(seen.values())
    return [land.box.volume(nondominated(order[:mark])) / land.best for mark in MARKS]


NSGA2, NSGA3 = {"nsga2": {"population": POPULATION}}, {"nsga3": {"population": POPULATION}}
ENTRANTS: Mapping[str, Callable[[Landscape, int], list[float]]] = {
    "random": lambda land, seed: ours(land, {"random": {}}, seed),
    "nsga2": lambda land, seed: ours(land, NSGA2, seed),
    "nsga3": lambda land, seed: ours(land, NSGA3, seed),
    "DEAP's NSGA-II": functools.partial(reference, kind="nsga2"),
    "DEAP's NSGA-III": functools.partial(reference, kind="nsga3"),
}
RIVALS = {"nsga2": "DEAP's NSGA-II", "nsga3": "DEAP's NSGA-III"}


def latency(seeds: int) -> str:
    """Accuracy against latencies on NAS-Bench-201."""
    texts = [
        paragraph(
            f"""
            CIFAR-10: the mean validation accuracy after 200 epochs against the latency of a cell on a Raspberry Pi 4
            and on a GTX 1080 Ti (batches of one; HELP, Lee et al., 2021). Population {POPULATION}, all else as it
            comes; one worker, every trial told before the next is asked; known cells cost nothing. Hypervolume: of the
            box between the best and the worst values in the table, as a share of what the table's own front has. Mean ±
            standard deviation over {seeds} seeds (0 and up). *p*: two-sided Mann-Whitney U test of the hypervolumes
            after {MARKS[-1]} evaluations. DEAP's are its own examples of NSGA-II and NSGA-III on lists of six numbers,
            with the same population, the same number of evaluations of different cells and the same table
            (`benchmarks/front.py` says how); its NSGA-III has 21 reference directions for three objectives, nsga3 has
            the 15 that fit a population of {POPULATION}.
            """
        )
    ]
    for name, objectives in PROBLEMS.items():
        land = landscape(objectives)
        print(f"{name}: {land.members} cells on the front, hypervolume {land.best:.4f}", flush=True)
        texts += ["", f"### {name}", ""]
        texts.append(
            f"The table's front has {land.members} cells and dominates {land.best:.4f} of the box."
        )
        texts += ["", *_rows(land, seeds)]
    return "\n".join(texts)


def _rows(land: Landscape, seeds: int) -> list[str]:
    marks = " | ".join(f"{mark} evaluations" for mark in MARKS)
    lines = [
        f"| strategy | {marks} | worst seed after {MARKS[-1]} | p, against random | p, against DEAP |",
        f"|---|{'---|' * len(MARKS)}---|---|---|",
    ]
    found: dict[str, list[list[float]]] = {}
    for name, entrant in ENTRANTS.items():
        start = time.process_time()
        found[name] = [entrant(land, seed=seed) for seed in range(seeds)]
        print(f"  {name}: {time.process_time() - start:.0f} s of CPU", flush=True)
    for name, runs in found.items():
        cells = [
            f"{statistics.fmean(at):.4f} ± {statistics.stdev(at):.4f}"
            for at in zip(*runs, strict=True)
        ]
        last = {other: [run[-1] for run in found[other]] for other in found}
        against = ["random" if name != "random" else None, RIVALS.get(name)]
        tests = [
            f"{stats.mannwhitneyu(last[name], last[other]).pvalue:.1g}" if other else ""
            for other in against
        ]
        lines.append(
            f"| {name} | {' | '.join(cells)} | {min(last[name]):.4f} | {' | '.join(tests)} |"
        )
        print(lines[-1], flush=True)
    return lines


def digits(seeds: int) -> str:
    """The front of the shipped config `digits-front`, as a table and as a picture in the guide."""
    with tempfile.TemporaryDirectory() as folder:
        directory, _ = api.create(load_config("digits-front"), Path(folder))
        run = api.work(directory)
        picture = CHECKOUT / "docs" / "front-digits.svg"
        picture.write_text(
            front_svg(run.trials, run.objectives, title="digits-front"), encoding="utf-8"
        )
        return digits_text(run)


def digits_text(run: api.Run) -> str:
    front, volumes = run.front(), run.hypervolume()
    trained = sum(trial.twin_of is None for trial in run.trials)
    rows = [
        f"| {trial.id} | {trial.metrics['val_accuracy']:.4f} | {trial.metrics['parameters']:,.0f}"
        f" | {trial.lineage.generation} | {trial.lineage.operator} |"
        for trial in front
    ]
    about = paragraph(
        f"""
        `configs/digits-front.yaml`, seed {run.config.seed}: {trained} networks, validation accuracy against parameters;
        {len(front)} of them are on the front. The hypervolume, of the box between the best and the worst values of the
        run, rose from {volumes[len(volumes) // 4]:.4f} after a quarter of the trials to {volumes[-1]:.4f}. One run of
        one seed, which shows what a front looks like and nothing more; the picture is `docs/front-digits.svg`.
        """
    )
    head = [
        "| trial | validation accuracy | parameters | generation | operator |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([about, "", *head, *rows])


PARTS: Mapping[str, tuple[str, Callable[[int], str]]] = {
    "latency": ("NAS-Bench-201, accuracy against latency", latency),
    "digits": ("Digits, accuracy against parameters", digits),
}
"""Title and measurement of each section, by its name on the command line."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Measure searches with several objectives.")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    chosen = parser.parse_args(arguments)
    path = RESULTS / "front.md"
    RESULTS.mkdir(exist_ok=True)
    titles = {name: title for name, (title, _) in PARTS.items()}
    for name in chosen.only:
        if name == "latency" and skipped_without_data():
            continue
        print(f"{titles[name]} ...", flush=True)
        text = PARTS[name][1](chosen.seeds)
        path.write_text(report(path, titles, {name: text}, "Several objectives"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
