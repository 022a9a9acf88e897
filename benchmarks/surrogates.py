"""Strategies on surrogates of published tables, with budgets in epochs: LCBench and NAS-Bench-301."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.loop import Found, Problem, judged_by, search
from benchmarks.published import SPACES, lcbench, lcbench_best, lcbench_tasks, nasbench301, nasbench301_best
from benchmarks.sections import Plan, Strategy, paragraph
from evonas.genome import Genome
from evonas.runtime.budget import Limits
from evonas.trial import Trial

TRAININGS = 200
"""Full trainings in the budget; strategies with rungs are given as many epochs."""
LC_EPOCHS, NB_EPOCHS = 52, 98
GOAL = 30
LC_REFERENCE, NB_REFERENCE = 5, 20
"""Seeds of the random searches whose final score is the target of the others."""

ENTRANTS: Mapping[str, Strategy] = {
    "random": {"random": {}},
    "aging, population 20, sample 5": {"aging": {"population": 20, "sample": 5}},
    "evolution, as it comes": {"evolution": {}},
    "local_search, as it comes": {"local_search": {}},
    "hyperband, as it comes": {"hyperband": {}},
    "asha, as it comes": {"asha": {}},
    "screened, as it comes": {"screened": {}},
}
LC_SHARE = {"screened": 200}
NB_SHARE = {"screened": 40}
"""One in how many of the repeats is done with strategies that fit a model for each proposal."""


@dataclass(frozen=True)
class Climb:
    """How the best score of one search rose.

    Attributes:
        steps: epochs spent, and the score, each time that there was a better one.
        full: likewise, for trials of full length only.
        trials: trained.
        cpu: seconds.
    """

    steps: tuple[tuple[int, float], ...]
    full: tuple[tuple[int, float], ...]
    trials: int
    cpu: float

    @property
    def best(self) -> float:
        return self.full[-1][1] if self.full else -math.inf


def climb(problem: Problem, strategy: Strategy, seed: int) -> Climb:
    """One search, one worker, every trial told before the next is asked."""
    cpu = time.process_time()
    found = search(problem, strategy, seed, Limits(None, look_ahead=1, epochs=TRAININGS * problem.epochs))
    cpu = time.process_time() - cpu
    spent, scores, full = 0, list[tuple[int, float]](), list[tuple[int, float]]()
    for trial in found.trained:
        spent += _cost(found, trial)
        if trial.fitness is not None:
            scores.append((spent, trial.fitness.value))
            if trial.proposal.fidelity.epochs == problem.epochs:
                full.append(scores[-1])
    return Climb(rises(scores), rises(full), len(found.trained), cpu)


def _cost(found: Found, trial: Trial) -> int:
    """The epochs of a trial, less those of the one that it continues."""
    start = trial.proposal.resume_from
    return trial.proposal.fidelity.epochs - (0 if start is None else found.trials[start].proposal.fidelity.epochs)


def rises(scores: Sequence[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    """Those that are better than all before."""
    found: list[tuple[int, float]] = []
    for spent, score in scores:
        if not found or score > found[-1][1]:
            found.append((spent, score))
    return tuple(found)


def reached(steps: Sequence[tuple[int, float]], target: float) -> float:
    """The epochs spent when the score was at least the target; infinite if it never was."""
    return next((spent for spent, score in steps if score >= target), math.inf)


def spread(shares: Sequence[float]) -> str:
    """The median and the quartiles."""
    low, middle, high = (_quantile(shares, q) for q in (0.25, 0.5, 0.75))
    return f"{_percent(middle)} ({_percent(low)} to {_percent(high)})"


def _quantile(values: Sequence[float], q: float) -> float:
    """The value at this place of the sorted ones; the mean of two where the place is between them."""
    ordered, place = sorted(values), q * (len(values) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low if low == high else (low + high) / 2


def _percent(share: float) -> str:
    return "never" if math.isinf(share) else f"{share:.0%}"


def lcbench_part(plan: Plan) -> str:
    """LCBench: tasks on which the published best is beaten, and epochs for random search's final score."""
    problems = {task: _lcbench(task) for task in lcbench_tasks()}
    published = {task: lcbench_best(task) for task in problems}
    seeds, budget = LC_REFERENCE, TRAININGS * LC_EPOCHS
    random = {
        task: [climb(problem, {"random": {}}, seed) for seed in range(seeds)] for task, problem in problems.items()
    }
    targets = {task: statistics.median_low(run.best for run in runs) for task, runs in random.items()}

    def measure(name: str, strategy: Strategy) -> str:
        count = seeds if name == "random" else max(1, plan.repeats // LC_SHARE.get(next(iter(strategy)), 40))
        runs = {
            task: random[task] if name == "random" else [climb(problem, strategy, seed) for seed in range(count)]
            for task, problem in problems.items()
        }
        beaten = [sum(runs[task][seed].best > published[task] for task in problems) for seed in range(count)]
        shares, early = (
            [_share(runs[task], targets[task], budget, full) for task in problems] for full in (True, False)
        )
        deviation = f" ± {statistics.stdev(beaten):.1f}" if count > 1 else ""
        return (
            f"| {name} | {count} | {statistics.fmean(beaten):.1f}{deviation} of {len(problems)} | {spread(shares)}"
            f" | {sum(map(math.isinf, shares))} | {spread(early)} | {_cpu(runs.values())} |"
        )

    lines = [
        paragraph(
            f"""
            Fitness = validation accuracy of the surrogate, {len(problems)} tasks, full trainings of {LC_EPOCHS} epochs,
            a budget of {TRAININGS} of them: {budget:,} epochs. One worker, every trial told before the next is asked; a
            trial that continues another is charged the epochs that it adds. *Won*: the tasks on which the best full
            training beats the published best of 500,000 random ones, mean ± standard deviation over seeds (0 and up;
            the goal is {GOAL}). *Epochs*: the share of the {budget:,} epochs after which a full training is as good as
            random search's best at the end (the median of seeds 0 to {seeds - 1}); of each task the median over seeds,
            of these the median and the quartiles over tasks (the goal is a third for hyperband and asha). *Never*: the
            tasks on which that is not within the budget. *Epochs, any*: the same where shorter trainings count as well.
            CPU is without the sweeping of files, of which there are none.
            """
        ),
        "",
        "| strategy | seeds a task | won | epochs | never | epochs, any | CPU a trial |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *plan.rows(ENTRANTS, measure)])


def _share(runs: Sequence[Climb], target: float, budget: int, full: bool) -> float:
    """The median over seeds of the share of the budget after which the target is reached."""
    return _quantile([reached(run.full if full else run.steps, target) / budget for run in runs], 0.5)


def _cpu(runs: Iterable[Sequence[Climb]]) -> str:
    every = [run for some in runs for run in some]
    return f"{sum(run.cpu for run in every) / sum(run.trials for run in every) * 1e3:.2f} ms"


def nasbench301_part(plan: Plan) -> str:
    """NAS-Bench-301: the best within the budget, and epochs for random search's final score."""
    problem = judged_by(SPACES / "nasbench301.yaml", nasbench301_score, "val_accuracy", NB_EPOCHS)
    seeds, budget = NB_REFERENCE, TRAININGS * NB_EPOCHS
    random = [climb(problem, {"random": {}}, seed) for seed in range(seeds)]
    target, published = statistics.median_low(run.best for run in random), nasbench301_best()

    def measure(name: str, strategy: Strategy) -> str:
        count = seeds if name == "random" else max(2, plan.repeats // NB_SHARE.get(next(iter(strategy)), 10))
        runs = random if name == "random" else [climb(problem, strategy, seed) for seed in range(count)]
        best = [run.best for run in runs]
        shares = [reached(run.full, target) / budget for run in runs]
        early = [reached(run.steps, target) / budget for run in runs]
        return (
            f"| {name} | {count} | {statistics.fmean(best):.3f} ± {statistics.stdev(best):.3f}"
            f" | {sum(score > published for score in best)} | {spread(shares)} | {sum(map(math.isinf, shares))}"
            f" | {spread(early)} | {_cpu([runs])} |"
        )

    lines = [
        paragraph(
            f"""
            Fitness = validation accuracy of the surrogate in percent, full trainings of {NB_EPOCHS} epochs, a budget of
            {TRAININGS} of them: {budget:,} epochs. One worker, every trial told before the next is asked; a trial that
            continues another is charged the epochs that it adds. *Best* full training: mean ± standard deviation over
            seeds (0 and up). *Won*: the seeds that beat the published best of random ones, {published:.3f}. *Epochs*:
            the share of the {budget:,} epochs after which a full training is as good as random search's best at the end
            ({target:.3f}, the lower median of seeds 0 to {seeds - 1}): the median and the quartiles over seeds.
            *Never*: the seeds in which that is not within the budget. *Epochs, any*: the same where shorter trainings
            count as well. CPU is without the sweeping of files, of which there are none.
            """
        ),
        "",
        "| strategy | seeds | best | won | epochs | never | epochs, any | CPU a trial |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *plan.rows(ENTRANTS, measure)])


def _lcbench(task: str) -> Problem:
    return judged_by(SPACES / "lcbench.yaml", lcbench_score, "val_accuracy", LC_EPOCHS, task=task)


def lcbench_score(genome: Genome, epochs: int, task: str) -> dict[str, float]:
    """Accuracy only: seconds would cost a second look-up wherever a trial continues another."""
    return {"val_accuracy": lcbench(genome, epochs, task)["val_accuracy"]}


def nasbench301_score(genome: Genome, epochs: int) -> dict[str, float]:
    """Likewise, in percent."""
    return {"val_accuracy": 100 * nasbench301(genome, epochs)["val_accuracy"]}
