"""Several objectives: accuracy against latencies on NAS-Bench-201, and a front on digits.

    make bench-front                              # both parts
    python -m benchmarks.front --only latency --seeds 30

The latencies are those of two devices. EVONAS_DATA names the folder of the published data. Without
it the first part is skipped. No default was chosen on NAS-Bench-201.
"""

from __future__ import annotations

import argparse
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

from benchmarks.loop import Problem, search
from benchmarks.published import (
    CHECKOUT,
    OPS_201,
    SPACES,
    nasbench201_latencies,
    skipped_without_data,
)
from benchmarks.runs import RESULTS
from benchmarks.sections import paragraph, report
from benchmarks.tuned import EVOLUTION
from evonas import lifecycle, view
from evonas.evaluate.evaluators.table import TableLookup
from evonas.evaluate.known.table import load_table
from evonas.genome import load_space
from evonas.insight.front import Box, dominates, hypervolumes
from evonas.insight.front_picture import front_svg
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.budget import RunLimits
from evonas.trial import Objective

TUNED = f"""
No default was chosen on this table. nsga2 and nsga3 have the rates of evolution. {EVOLUTION}
"""

SEEDS = 30
POPULATION = 20
MARKS = (100, 200, 500)
"""Numbers of evaluations after which the hypervolume is reported."""

ACCURACY = Objective("val_accuracy", "max")
SMALL, LARGE = Objective("raspi4_ms", "min"), Objective("gtx1080ti_ms", "min")
PROBLEMS: Mapping[str, tuple[Objective, ...]] = {
    "accuracy, Raspberry Pi 4, GTX 1080 Ti": (ACCURACY, SMALL, LARGE),
    "accuracy, Raspberry Pi 4": (ACCURACY, SMALL),
    "accuracy, GTX 1080 Ti": (ACCURACY, LARGE),
}
Values = tuple[float, ...]
"""The values of one network, in the order of the objectives, turned so that less is better."""


@dataclass(frozen=True)
class Landscape:
    """NAS-Bench-201 under some objectives.

    Attributes:
        problem: search space, objectives and evaluator.
        known: values of each cell, by its six ops.
        box: box from the best to the worst value in the table.
        best: hypervolume of the table's own front.
        members: number of cells on that front.
    """

    problem: Problem
    known: Mapping[tuple[int, ...], Values]
    box: Box
    best: float
    members: int


def landscape(objectives: tuple[Objective, ...]) -> Landscape:
    space = load_space(SPACES / "nasbench201.yaml")
    path = nasbench201_latencies()
    table = load_table(path, space)
    problem = Problem(space, objectives[0], 200, TableLookup(table), table, objectives)
    known = {}
    for ops, metrics in _cells(path):
        known[ops] = tuple(_turned(metrics, one) for one in objectives)
    values = list(known.values())
    columns = list(zip(*values, strict=True))
    box = Box(tuple(map(min, columns)), tuple(map(max, columns)))
    front = nondominated(values)
    return Landscape(problem, known, box, box.volume(front), len(front))


def _turned(metrics: Mapping[str, float], objective: Objective) -> float:
    """The value of an objective, negative where more is better."""
    value = metrics[objective.name]
    return -value if objective.direction == "max" else value


def _cells(path: Path) -> list[tuple[tuple[int, ...], dict[str, float]]]:
    """The rows of the table: ops by number, and metrics after 200 epochs."""
    import csv
    import gzip

    found = []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ops = tuple(OPS_201.index(row[f"cell.{edge}.op"]) for edge in range(6))
            metrics = {}
            for column, cell in row.items():
                if column.endswith("@200"):
                    metrics[column.removesuffix("@200")] = float(cell)
            found.append((ops, metrics))
    return found


def nondominated(values: Sequence[Values]) -> list[Values]:
    found: list[Values] = []
    # in sorted order no later one dominates an earlier one, so those that are found stay
    for one in sorted(set(values)):
        if not any(dominates(other, one) for other in found):
            found.append(one)
    return found


def ours(land: Landscape, strategy: Mapping[str, Any], seed: int) -> list[float]:
    """The hypervolume at each mark of a search by evonas.

    It has one worker, and every trial is told before the next is asked.
    """
    found = search(land.problem, strategy, seed, RunLimits(MARKS[-1], look_ahead=1))
    series = hypervolumes(found.trained, land.problem.objectives, land.box)
    return [series[mark - 1] / land.best for mark in MARKS]


def reference(land: Landscape, kind: str, seed: int) -> list[float]:
    """The hypervolume at each mark of DEAP's own examples, on lists of six numbers.

    NSGA-II is its `examples/ga/nsga2.py`: parents by `selTournamentDCD`, crossover with a
    probability of 0.9, then mutation. NSGA-III is its `examples/ga/nsga3.py`: `varAnd` with both
    probabilities 1 on the whole population. Their bounded operators for real numbers have a
    counterpart for whole numbers here: two-point crossover, and each gene drawn anew with a
    probability of 1/6. A known network costs nothing, as with evonas.
    """
    # DEAP draws from both global generators
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    objectives = len(land.box.ideal)
    fitness = type("Fitness", (base.Fitness,), {"weights": (-1.0,) * objectives})
    individual = type("Individual", (list,), {})
    seen: dict[tuple[int, ...], Values] = {}

    def new(genes: Sequence[int]) -> Any:
        one: Any = individual(genes)
        one.fitness = fitness()
        return one

    def judge(one: Any) -> None:
        cell = tuple(one)
        seen.setdefault(cell, land.known[cell])
        one.fitness.values = seen[cell]

    divisions = 5 if objectives == 3 else POPULATION - 1
    directions = tools.uniform_reference_points(objectives, divisions)
    population = []
    for _ in range(POPULATION):
        genes = [random.randrange(5) for _ in range(6)]
        population.append(new(genes))
    for one in population:
        judge(one)
    # this selects all of them, and gives each its crowding distance
    population = tools.selNSGA2(population, POPULATION)
    while len(seen) < MARKS[-1]:
        parents = tools.selTournamentDCD(population, POPULATION) if kind == "nsga2" else population
        children = [new(parent) for parent in parents]
        _vary(children, 1.0 if kind == "nsga3" else 0.9)
        for one in children:
            judge(one)
        both = population + children
        if kind == "nsga2":
            population = tools.selNSGA2(both, POPULATION)
        else:
            population = tools.selNSGA3(both, POPULATION, directions)
    # a dictionary keeps the order of its keys: that of the evaluations
    return _shares(land, list(seen.values()))


def _shares(land: Landscape, order: Sequence[Values]) -> list[float]:
    """The share of the table's hypervolume at each mark, from values in the order of evaluation."""
    found = []
    for mark in MARKS:
        front = nondominated(order[:mark])
        found.append(land.box.volume(front) / land.best)
    return found


def _vary(children: Sequence[Any], probability: float) -> None:
    """Crossover of each pair with this probability, then mutation."""
    for a, b in zip(children[::2], children[1::2], strict=True):
        # no number is drawn where crossover is certain
        if probability == 1.0 or random.random() <= probability:
            tools.cxTwoPoint(a, b)
        for one in (a, b):
            tools.mutUniformInt(one, 0, 4, 1 / 6)


NSGA2 = {"nsga2": {"population": POPULATION}}
NSGA3 = {"nsga3": {"population": POPULATION}}
ENTRANTS: Mapping[str, Callable[[Landscape, int], list[float]]] = {
    "random": lambda land, seed: ours(land, {"random": {}}, seed),
    "nsga2": lambda land, seed: ours(land, NSGA2, seed),
    "nsga3": lambda land, seed: ours(land, NSGA3, seed),
    "DEAP's NSGA-II": lambda land, seed: reference(land, "nsga2", seed),
    "DEAP's NSGA-III": lambda land, seed: reference(land, "nsga3", seed),
}
RIVALS = {"nsga2": "DEAP's NSGA-II", "nsga3": "DEAP's NSGA-III"}


def latency(seeds: int) -> str:
    """Accuracy against latencies on NAS-Bench-201."""
    texts = [_about_latency(seeds), "", paragraph(TUNED)]
    for name, objectives in PROBLEMS.items():
        land = landscape(objectives)
        print(f"{name}: {land.members} cells on the front, hypervolume {land.best:.4f}", flush=True)
        texts += [
            "",
            f"### {name}",
            "",
            f"The table's front has {land.members} cells and dominates {land.best:.4f} of the box.",
            "",
            *_rows(land, seeds),
        ]
    return "\n".join(texts)


def _about_latency(seeds: int) -> str:
    return paragraph(
        f"""
        CIFAR-10: the mean validation accuracy after 200 epochs against the latency of a cell on a
        Raspberry Pi 4 and on a GTX 1080 Ti (batches of one; HELP, Lee et al., 2021). Population
        {POPULATION}, all else as it comes; one worker, every trial told before the next is asked;
        known cells cost nothing. Hypervolume: of the box between the best and the worst values in
        the table, as a share of what the table's own front has. Mean ± standard deviation over
        {seeds} seeds (0 and up). *p*: two-sided Mann-Whitney U test of the hypervolumes after
        {MARKS[-1]} evaluations. DEAP's are its own examples of NSGA-II and NSGA-III on lists of six
        numbers, with the same population, the same number of evaluations of different cells and
        the same table (`benchmarks/front.py` says how); its NSGA-III has 21 reference directions
        for three objectives, nsga3 has the 15 that fit a population of {POPULATION}.
        """
    )


def _rows(land: Landscape, seeds: int) -> list[str]:
    marks = " | ".join(f"{mark} evaluations" for mark in MARKS)
    lines = [
        f"| strategy | {marks} | worst seed after {MARKS[-1]} | p, against random"
        " | p, against DEAP |",
        f"|---|{'---|' * len(MARKS)}---|---|---|",
    ]
    found: dict[str, list[list[float]]] = {}
    for name, entrant in ENTRANTS.items():
        start = time.process_time()
        found[name] = [entrant(land, seed) for seed in range(seeds)]
        seconds = time.process_time() - start
        print(f"  {name}: {seconds:.0f} s of CPU", flush=True)
    last = {}
    for name, runs in found.items():
        last[name] = [run[-1] for run in runs]
    for name, runs in found.items():
        cells = []
        # one column a mark
        for values in zip(*runs, strict=True):
            mean = statistics.fmean(values)
            deviation = statistics.stdev(values)
            cells.append(f"{mean:.4f} ± {deviation:.4f}")
        cells.append(f"{min(last[name]):.4f}")
        against = ["random" if name != "random" else None, RIVALS.get(name)]
        for other in against:
            if other is None:
                cells.append("")
            else:
                test = stats.mannwhitneyu(last[name], last[other])
                cells.append(f"{test.pvalue:.1g}")
        row = f"| {name} | {' | '.join(cells)} |"
        lines.append(row)
        print(row, flush=True)
    return lines


def digits(seeds: int) -> str:
    """The front of the shipped config `digits-front`, as a table and as a picture in the guide."""
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_config("digits-front")
        directory, _ = lifecycle.create(loaded, Path(folder))
        run = lifecycle.work(directory)
        picture = CHECKOUT / "docs" / "front-digits.svg"
        drawing = front_svg(run.trials, run.objectives, title="digits-front")
        picture.write_text(drawing, encoding="utf-8")
        return digits_text(run)


def digits_text(run: view.Run) -> str:
    front = run.front()
    volumes = run.hypervolume()
    early = volumes[len(volumes) // 4]
    trained = sum(trial.twin_of is None for trial in run.trials)
    about = paragraph(
        f"""
        `configs/digits-front.yaml`, seed {run.config.seed}: {trained} networks, validation
        accuracy against parameters; {len(front)} of them are on the front. The hypervolume, of the
        box between the best and the worst values of the run, rose from {early:.4f} after a quarter
        of the trials to {volumes[-1]:.4f}. The rates of evolution, which nsga2 has too, were chosen
        on digits (decision 16). One run of one seed, which shows what a front looks
        like and nothing more; the picture is `docs/front-digits.svg`.
        """
    )
    lines = [
        about,
        "",
        "| trial | validation accuracy | parameters | generation | operator |",
        "|---|---|---|---|---|",
    ]
    for trial in front:
        accuracy = trial.metrics["val_accuracy"]
        size = trial.metrics["parameters"]
        lineage = f"{trial.lineage.generation} | {trial.lineage.operator}"
        lines.append(f"| {trial.id} | {accuracy:.4f} | {size:,.0f} | {lineage} |")
    return "\n".join(lines)


PARTS: Mapping[str, tuple[str, Callable[[int], str]]] = {
    "latency": ("NAS-Bench-201, accuracy against latency", latency),
    "digits": ("Digits, accuracy against parameters", digits),
}
"""Title and measurement of each section, by its name on the command line."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description="Measure searches with several objectives.",
    )
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(PARTS),
        default=list(PARTS),
    )
    chosen = parser.parse_args(arguments)
    path = RESULTS / "front.md"
    RESULTS.mkdir(exist_ok=True)
    titles = {name: title for name, (title, _) in PARTS.items()}
    for name in chosen.only:
        if name == "latency" and skipped_without_data():
            continue
        print(f"{titles[name]} ...", flush=True)
        _, part = PARTS[name]
        texts = {name: part(chosen.seeds)}
        text = report(path, titles, texts, "Several objectives")
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
