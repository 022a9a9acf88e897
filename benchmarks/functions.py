"""`make bench-functions`: the strategies on two functions whose optimum is known, against random search.

    python -m benchmarks.functions [--seeds 20] [--trials 200] [--only PART ...] [--entrants STRATEGY ...]

Each part is a section of benchmarks/results/functions.md; a part that is not run again keeps its text, and so do the
rows of entrants that are not run again. Nothing is tuned on these functions: every strategy is as it comes.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from benchmarks.loop import Issue, search
from benchmarks.runs import RESULTS
from benchmarks.sections import Plan, Strategy, paragraph, read, report, rows
from evonas.evaluate.known.evaluator import FunctionEvaluator
from evonas.genome import Genome, parse_space
from evonas.runtime.loop.engine import RunLimits
from evonas.search.registry import STRATEGIES
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
ENTRANTS: Mapping[str, Strategy] = {name: {name: {}} for name in NAMES if name in STRATEGIES}
"""What is compared, by what it is called in the report; all as they come."""

PACKAGES = ("deap", "scipy", "scikit-learn", "optuna")

SPACE = """\
space: cube
about: Points of [-5, 5]^{dimension}.
input: none
settings: {{point: {{ops: {{point: {{{parameters}}}}}}}}}
"""


def sphere(genome: Genome, instance: int) -> dict[str, float]:
    """The sum of squares of the distances to the optimum, at which it is 0."""
    x = _point(genome)
    return {"value": float(np.sum((x - _optimum(instance, len(x))) ** 2))}


def rosenbrock(genome: Genome, instance: int) -> dict[str, float]:
    """Rosenbrock's curved valley (1960), moved so that its optimum, at which it is 0, is where the sphere's is."""
    x = _point(genome)
    z = x - _optimum(instance, len(x)) + 1
    return {"value": float(np.sum(100 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2))}


def _point(genome: Genome) -> NDArray[np.float64]:
    parameters = genome["point"][0].parameters
    return np.array([parameters[f"x{i}"] for i in range(len(parameters))], dtype=np.float64)


def _optimum(instance: int, dimension: int) -> NDArray[np.float64]:
    """Where the optimum is: anywhere in [-4, 4]^n, so that no strategy gains by beginning in the middle."""
    return np.random.default_rng(instance).uniform(-4, 4, dimension)


def problem(function: Callable[..., dict[str, float]], dimension: int, instance: int) -> Issue:
    """A function as the evaluator `python` calls it."""
    evaluate = FunctionEvaluator(function, {"instance": instance}, is_simulated=True)
    parameters = ", ".join(f"x{i}: {{float: [-5.0, 5.0]}}" for i in range(dimension))
    space = SPACE.format(dimension=dimension, parameters=parameters)
    return Issue(
        parse_space(space, "the benchmark's space"), Objective("value", "min"), 1, evaluate
    )


def best(
    function: Callable[..., dict[str, float]],
    dimension: int,
    strategy: Strategy,
    seed: int,
    trials: int,
) -> tuple[float, int]:
    """The least value that one search finds, and its proposals, twins included; the seed places the optimum, too."""
    found = search(
        problem(function, dimension, seed), strategy, seed, RunLimits(trials, look_ahead=1)
    )
    assert len(found.trained) == trials, "the search ended before its budget"
    return min(trial.fitness.value for trial in found.trained if trial.fitness is not None), len(
        found.trials
    )


def chance(values: Sequence[float], reference: Sequence[float]) -> float:
    """The p-value of the hypothesis that a strategy is no better than another: Wilcoxon's signed-rank test, paired by
    seed, one-sided, on the logarithms, for what matters is by which factor a value is less."""
    from scipy.stats import wilcoxon

    differences = [math.log(a) - math.log(b) for a, b in zip(values, reference, strict=True)]
    return float(wilcoxon(differences, alternative="less").pvalue)


def part(function: Callable[..., dict[str, float]], dimension: int, plan: Plan, trials: int) -> str:
    """The section of one function in one dimension."""
    seeds = range(plan.repeats)
    reference = [best(function, dimension, {"random": {}}, seed, trials)[0] for seed in seeds]

    def measure(name: str, strategy: Strategy) -> str:
        start = time.process_time()
        found = [best(function, dimension, strategy, seed, trials) for seed in seeds]
        cost = (time.process_time() - start) / (trials * len(seeds)) * 1e3
        values = [value for value, _ in found]
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        wins = sum(value < other for value, other in zip(values, reference, strict=True))
        proposals = statistics.fmean(count for _, count in found)
        verdict = (
            " | "
            if name == "random"
            else f"{wins} of {len(seeds)} | {chance(values, reference):.1g}"
        )
        spread = f"{middle:.3g} ({low:.3g} to {high:.3g})"
        return f"| {name} | {spread} | {verdict} | {proposals:.0f} | {cost:.2f} ms |"

    versions = ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name)))
    lines = [
        paragraph(
            f"""
            {trials} trials, {len(seeds)} seeds (0 to {len(seeds) - 1}), every strategy as it comes; one worker, every
            trial told before the next is asked. The box is [-5, 5]^{dimension}; the optimum, of the value 0, lies
            anywhere in [-4, 4]^{dimension}, at each seed elsewhere and for all strategies at the same place. *Best*:
            the least value found, its median and quartiles over seeds. *Beats random*: at so many seeds, and p of
            Wilcoxon's signed-rank test (one-sided, paired by seed, on the logarithms; it cannot be below
            {0.5 ** len(seeds):.1g}). *Proposals* include twins, which cost nothing. Also: {versions}.
            """
        ),
        "",
        "| strategy | best | beats random | p | proposals | CPU a trial |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *plan.rows(ENTRANTS, measure)])


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


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
        "--entrants", nargs="+", choices=list(ENTRANTS), default=[], help="others keep their rows"
    )
    chosen = parser.parse_args(arguments)
    path = RESULTS / "functions.md"
    RESULTS.mkdir(exist_ok=True)
    for name in chosen.only:
        title, function, dimension = PARTS[name]
        print(f"{title} ...", flush=True)
        old = rows(read(path).get(title, ""))
        text = part(
            function, dimension, Plan(chosen.seeds, frozenset(chosen.entrants), old), chosen.trials
        )
        titles = {name: title for name, (title, _, _) in PARTS.items()}
        path.write_text(
            report(path, titles, {name: text}, "Strategies on functions"), encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
