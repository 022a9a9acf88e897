"""`make bench-functions`: the strategies on two functions whose optimum is known.

    python -m benchmarks.functions [--seeds 20] [--trials 100] [--only PART ...]
                                   [--entrants STRATEGY ...]

Each is compared with random search. Each part is a section of benchmarks/results/functions.md. A
part that is not run again keeps its text. Entrants that are not run again keep their rows. Every
strategy has its defaults. One of them was chosen on a sphere: the first simplex of nelder_mead.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.intervals import counted
from benchmarks.loop import Problem, search
from benchmarks.runs import RESULTS
from benchmarks.sections import Plan, Strategy, paragraph, read, report, rows
from benchmarks.standing import column, standing
from benchmarks.tuned import CUBE, REST
from benchmarks.tuned import EVOLUTION as ON_DIGITS
from evonas.evaluate.evaluators.function import FunctionCall
from evonas.genome import Genome, parse_space
from evonas.runtime.loop.budget import RunLimits
from evonas.search.surrogate import SURROGATES
from evonas.trial import Objective

SEEDS = 20
TRIALS = 100
NAMES = (
    "random",
    "cma_es",
    "particle_swarm",
    "nelder_mead",
    "differential_evolution",
    "gaussian_process",
    "optuna",
    "evolution",
)
ENTRANTS: Mapping[str, Strategy] = {
    name: {"model_based": {"surrogate": name}} if name in SURROGATES else {name: {}}
    for name in NAMES
} | {"evolution": {"evolution": {"guide": "none"}}}
"""The strategies that are compared, by their names in the report; all have their defaults."""

EVOLUTION = "evolution"

TUNED = f"""
Some defaults were chosen on functions of this kind, which flatters them. {CUBE} {ON_DIGITS} {REST}
"""


SPACE = """\
space: cube
about: Points of [-5, 5]^{dimension}.
input: none
settings: {{point: {{ops: {{point: {{{parameters}}}}}}}}}
"""


def sphere(genome: Genome, instance: int) -> dict[str, float]:
    """The sum of squares of the distances to the optimum, at which it is 0."""
    x = _point(genome)
    distances = x - _optimum(instance, len(x))
    return {"value": float(np.sum(distances**2))}


def rosenbrock(genome: Genome, instance: int) -> dict[str, float]:
    """Rosenbrock's curved valley (1960), moved so that its optimum is where the sphere's is.

    At the optimum it is 0.
    """
    x = _point(genome)
    z = x - _optimum(instance, len(x)) + 1
    valley = 100 * (z[1:] - z[:-1] ** 2) ** 2
    slope = (1 - z[:-1]) ** 2
    return {"value": float(np.sum(valley + slope))}


def _point(genome: Genome) -> NDArray[np.float64]:
    parameters = genome["point"][0].parameters
    coordinates = [parameters[f"x{i}"] for i in range(len(parameters))]
    return np.array(coordinates, dtype=np.float64)


def _optimum(instance: int, dimension: int) -> NDArray[np.float64]:
    """The place of the optimum: anywhere in [-4, 4]^n.

    No strategy gains by beginning in the middle.
    """
    rng = np.random.default_rng(instance)
    return rng.uniform(-4, 4, dimension)


def problem(function: Callable[..., dict[str, float]], dimension: int, instance: int) -> Problem:
    """A function as the evaluator `python` calls it."""
    evaluate = FunctionCall(function, {"instance": instance}, is_simulated=True)
    parameters = ", ".join(f"x{i}: {{float: [-5.0, 5.0]}}" for i in range(dimension))
    text = SPACE.format(dimension=dimension, parameters=parameters)
    space = parse_space(text, "the benchmark's space")
    return Problem(space, Objective("value", "min"), 1, evaluate)


def best(
    function: Callable[..., dict[str, float]],
    dimension: int,
    strategy: Strategy,
    seed: int,
    trials: int,
) -> tuple[float, int]:
    """The least value that one search finds, and the number of its proposals, with duplicates.

    The seed also places the optimum.
    """
    searched = problem(function, dimension, seed)
    found = search(searched, strategy, seed, RunLimits(trials, look_ahead=1))
    assert len(found.trained) == trials, "the search ended before its budget"
    values = [trial.fitness.value for trial in found.trained if trial.fitness is not None]
    return min(values), len(found.trials)


def chance(values: Sequence[float], reference: Sequence[float]) -> float:
    """The p-value of the hypothesis that a strategy is no better than another.

    The test is Wilcoxon's signed-rank test, one-sided and paired by seed.
    """
    from scipy.stats import wilcoxon

    # on the logarithms, for what matters is by which factor a value is less
    differences = [math.log(a) - math.log(b) for a, b in zip(values, reference, strict=True)]
    return float(wilcoxon(differences, alternative="less").pvalue)


def part(function: Callable[..., dict[str, float]], dimension: int, plan: Plan, trials: int) -> str:
    """The section of one function in one dimension."""
    seeds = range(plan.repeats)
    reference = [best(function, dimension, {"random": {}}, seed, trials)[0] for seed in seeds]

    def measure(name: str, strategy: Strategy) -> str:
        start = time.process_time()
        found = [best(function, dimension, strategy, seed, trials) for seed in seeds]
        seconds = time.process_time() - start
        cost = seconds / (trials * len(seeds)) * 1e3
        values = [value for value, _ in found]
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        wins = sum(value < other for value, other in zip(values, reference, strict=True))
        proposals = statistics.fmean(count for _, count in found)
        spread = f"{middle:.3g} ({low:.3g} to {high:.3g})"
        # two empty cells: random search is not compared with itself
        verdict = " | "
        if name != "random":
            verdict = f"{counted(wins, len(seeds))} | {chance(values, reference):.1g}"
        return f"| {name} | {spread} | {verdict} | {proposals:.0f} | {cost:.2f} ms |"

    lines = [
        paragraph(_about(dimension, trials, len(seeds))),
        "",
        paragraph(TUNED),
        "",
        "| strategy | best | beats random | p | proposals | CPU a trial |",
        "|---|---|---|---|---|---|",
    ]
    table = list(plan.rows(ENTRANTS, measure))
    closing = []
    medians = column(table, 1)
    if EVOLUTION in medians:
        closing = ["", paragraph(standing(EVOLUTION, medians, "the median"))]
    return "\n".join([*lines, *table, *closing])


def _about(dimension: int, trials: int, seeds: int) -> str:
    return f"""
        {trials} trials, {seeds} seeds (0 to {seeds - 1}), every strategy as it comes; one worker,
        every trial told before the next is asked. The box is [-5, 5]^{dimension}; the optimum, of
        the value 0, lies anywhere in [-4, 4]^{dimension}, at each seed elsewhere and for all
        strategies at the same place. *Best*: the least value found, its median and quartiles over
        seeds. *Beats random*: at so many seeds, with the exact 95 % interval of their share
        (Clopper and Pearson, 1934), and p of Wilcoxon's signed-rank test (one-sided,
        paired by seed, on the logarithms; it cannot be below {0.5**seeds:.1g}). *Proposals* include
        twins, which cost nothing.
    """


PARTS: Mapping[str, tuple[str, Callable[..., dict[str, float]], int]] = {
    "sphere5": ("Sphere, 5 dimensions", sphere, 5),
    "sphere20": ("Sphere, 20 dimensions", sphere, 20),
    "rosenbrock5": ("Rosenbrock, 5 dimensions", rosenbrock, 5),
    "rosenbrock20": ("Rosenbrock, 20 dimensions", rosenbrock, 20),
}
"""Title, function and dimension of each section, by its name on the command line."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description="Measure the strategies on functions whose optimum is known."
    )
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument(
        "--entrants",
        nargs="+",
        choices=list(ENTRANTS),
        default=[],
        help="others keep their rows",
    )
    chosen = parser.parse_args(arguments)
    path = RESULTS / "functions.md"
    RESULTS.mkdir(exist_ok=True)
    titles = {name: title for name, (title, _, _) in PARTS.items()}
    for name in chosen.only:
        title, function, dimension = PARTS[name]
        print(f"{title} ...", flush=True)
        old = rows(read(path).get(title, ""))
        plan = Plan(chosen.seeds, frozenset(chosen.entrants), old)
        texts = {name: part(function, dimension, plan, chosen.trials)}
        text = report(path, titles, texts, "Strategies on functions")
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
