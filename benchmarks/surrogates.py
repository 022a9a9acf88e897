"""Strategies on surrogates of published tables, with budgets in epochs: LCBench and NAS-Bench-301.

What the searches came to is kept in lcbench.csv and nasbench301.csv, beside the report that is made of it.
"""

from __future__ import annotations

import functools
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.entrants import ENTRANTS
from benchmarks.loop import Found, Issue, judged_by, search
from benchmarks.published import (
    SPACES,
    lcbench,
    lcbench_best,
    lcbench_tasks,
    nasbench301,
    nasbench301_best,
)
from benchmarks.scores import Score, Scores
from benchmarks.sections import Plan, Strategy, paragraph
from evonas.genome import Genome
from evonas.runtime.loop.budget import RunLimits
from evonas.trial import Trial

TRAININGS = 200
"""Full trainings in the budget; strategies with rungs are given as many epochs."""
LC_EPOCHS, NB_EPOCHS = 52, 98
GOAL = 30
LC_REFERENCE, NB_REFERENCE = 5, 20
"""Seeds of the reference; the same for any number of repeats, for its best is the target of all others."""
LC_FILE, NB_FILE = "lcbench.csv", "nasbench301.csv"
REFERENCE = "random"
"""Whose best at the end, the lower median of its seeds, is the target of all others: when it is measured anew and comes
to something else, so must they be."""

LC_SHARE = {
    "hyperband": 100,
    "asha": 100,
    "successive_halving": 100,
    "screened": 200,
    "gaussian_process": 200,
    "forest": 200,
    "dngo": 200,
    "optuna": 200,
}
NB_SHARE = {
    "hyperband": 40,
    "asha": 40,
    "successive_halving": 40,
    "screened": 40,
    "gaussian_process": 70,
    "forest": 100,
    "dngo": 100,
    "optuna": 70,
}
"""One in how many of the repeats is done with strategies that take long; of others, one in 40 (LCBench, where each is
done on every task) and one in 10 (NAS-Bench-301)."""


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


def climb(problem: Issue, strategy: Strategy, seed: int) -> Climb:
    """One search, one worker, every trial told before the next is asked."""
    cpu = time.process_time()
    found = search(
        problem, strategy, seed, RunLimits(None, look_ahead=1, epochs=TRAININGS * problem.epochs)
    )
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
    return trial.proposal.fidelity.epochs - (
        0 if start is None else found.trials[start].proposal.fidelity.epochs
    )


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


def score(climbed: Climb, target: float) -> Score:
    """What is kept of it."""
    full, any_length = reached(climbed.full, target), reached(climbed.steps, target)
    return Score(climbed.best, full, any_length, climbed.trials, round(climbed.cpu * 1e3))


def _measure(
    plan: Plan,
    problems: Mapping[str, Callable[[], Issue]],
    scores: Scores,
    reference_seeds: int,
    seeds: Callable[[str], int],
) -> None:
    """Search, and put what came of it into the file, task by task; before all others the reference, where it lacks.

    Args:
        reference_seeds: how many of them, 0 and up, the reference is given on each task.
        seeds: likewise, a strategy of that kind.
    """
    chosen = plan.chosen(ENTRANTS)
    for name, strategy in {REFERENCE: ENTRANTS[REFERENCE], **chosen}.items() if chosen else ():
        is_anew = (
            name in chosen and plan.amount == "anew"
        )  # what the others are measured by is kept, where it is there
        count = reference_seeds if name == REFERENCE else seeds(next(iter(strategy)))
        old = {} if is_anew else scores.of(name)
        for task, problem in problems.items():
            known = old.get(task, ())
            if len(known) >= count:
                continue
            first = (
                0 if name == REFERENCE else len(known)
            )  # the reference's target depends on all its seeds
            climbs = [climb(problem(), strategy, seed) for seed in range(first, count)]
            reference = climbs if name == REFERENCE else scores.of(REFERENCE)[task]
            target = statistics.median_low(one.best for one in reference)
            scores.put(name, task, [*known[:first], *(score(one, target) for one in climbs)])
            print(
                f"{name}, {task}: {', '.join(f'{one.best:.3f}' for one in scores.of(name)[task])}",
                flush=True,
            )


def lcbench_part(plan: Plan) -> str:
    """LCBench: tasks on which the published best is beaten, and epochs for random search's final score."""
    tasks, scores, budget = lcbench_tasks(), Scores(plan.folder / LC_FILE), TRAININGS * LC_EPOCHS
    problems = {task: functools.partial(_lcbench, task) for task in tasks}
    _measure(
        plan,
        problems,
        scores,
        LC_REFERENCE,
        lambda kind: max(1, plan.repeats // LC_SHARE.get(kind, 40)),
    )
    published = {task: lcbench_best(task) for task in tasks}

    def row(name: str) -> str:
        found = scores.of(name)
        count = min(map(len, found.values()))
        beaten = [
            sum(runs[seed].best > published[task] for task, runs in found.items())
            for seed in range(count)
        ]
        full = [_middle(one.full for one in runs) / budget for runs in found.values()]
        early = [_middle(one.any for one in runs) / budget for runs in found.values()]
        deviation = f" ± {statistics.stdev(beaten):.1f}" if count > 1 else ""
        return (
            f"| {name} | {count} | {statistics.fmean(beaten):.1f}{deviation} of {len(found)} | {spread(full)}"
            f" | {sum(map(math.isinf, full))} | {spread(early)} | {_cpu(found)} |"
        )

    lines = [
        paragraph(
            f"""
            Fitness = validation accuracy of the surrogate, {len(tasks)} tasks, full trainings of {LC_EPOCHS} epochs,
            a budget of {TRAININGS} of them: {budget:,} epochs. One worker, every trial told before the next is asked; a
            trial that continues another is charged the epochs that it adds. *Won*: the tasks on which the best full
            training beats the published best of 500,000 random ones, mean ± standard deviation over seeds (0 and up;
            the goal is {GOAL}). *Epochs*: the share of the {budget:,} epochs after which a full training is as good as
            random search's best at the end (the lower median of its seeds); of each task the median over seeds,
            of these the median and the quartiles over tasks (the goal is a third for hyperband and asha). *Never*: the
            tasks on which that is not within the budget. *Epochs, any*: the same where shorter trainings count as well.
            CPU is without the sweeping of files, of which there are none. Every search is in {LC_FILE}.
            """
        ),
        "",
        "| strategy | seeds a task | won | epochs | never | epochs, any | CPU a trial |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(row(name) for name in ENTRANTS if scores.of(name))])


def nasbench301_part(plan: Plan) -> str:
    """NAS-Bench-301: the best within the budget, and epochs for random search's final score."""
    scores, budget, published = (
        Scores(plan.folder / NB_FILE),
        TRAININGS * NB_EPOCHS,
        nasbench301_best(),
    )
    _measure(
        plan,
        {"CIFAR10": _nasbench301},
        scores,
        NB_REFERENCE,
        lambda kind: max(2, plan.repeats // NB_SHARE.get(kind, 10)),
    )

    def row(name: str) -> str:
        (found,) = scores.of(name).values()
        best = [one.best for one in found]
        full, early = [one.full / budget for one in found], [one.any / budget for one in found]
        return (
            f"| {name} | {len(found)} | {statistics.fmean(best):.3f} ± {statistics.stdev(best):.3f}"
            f" | {sum(score > published for score in best)} | {spread(full)} | {sum(map(math.isinf, full))}"
            f" | {spread(early)} | {_cpu(scores.of(name))} |"
        )

    lines = [
        paragraph(
            f"""
            Fitness = validation accuracy of the surrogate in percent, full trainings of {NB_EPOCHS} epochs, a budget of
            {TRAININGS} of them: {budget:,} epochs. One worker, every trial told before the next is asked; a trial that
            continues another is charged the epochs that it adds. *Best* full training: mean ± standard deviation over
            seeds (0 and up). *Won*: the seeds that beat the published best of random ones, {published:.3f}. *Epochs*:
            the share of the {budget:,} epochs after which a full training is as good as random search's best at the end
            (the lower median of its seeds): the median and the quartiles over seeds. *Never*: the seeds in which that
            is not within the budget. *Epochs, any*: the same where shorter trainings count as well. CPU is without the
            sweeping of files, of which there are none. Every search is in {NB_FILE}.
            """
        ),
        "",
        "| strategy | seeds | best | won | epochs | never | epochs, any | CPU a trial |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(row(name) for name in ENTRANTS if scores.of(name))])


def _middle(values: Iterable[float]) -> float:
    return _quantile(list(values), 0.5)


def _cpu(found: Mapping[str, Sequence[Score]]) -> str:
    """A trial, over all searches."""
    every = [score for scores in found.values() for score in scores]
    return f"{sum(score.milliseconds for score in every) / sum(score.trials for score in every):.2f} ms"


def _lcbench(task: str) -> Issue:
    return judged_by(SPACES / "lcbench.yaml", lcbench_score, "val_accuracy", LC_EPOCHS, task=task)


def lcbench_score(genome: Genome, epochs: int, task: str) -> dict[str, float]:
    """Accuracy only: seconds would cost a second look-up wherever a trial continues another."""
    return {"val_accuracy": lcbench(genome, epochs, task)["val_accuracy"]}


def _nasbench301() -> Issue:
    return judged_by(SPACES / "nasbench301.yaml", nasbench301_score, "val_accuracy", NB_EPOCHS)


def nasbench301_score(genome: Genome, epochs: int) -> dict[str, float]:
    """Likewise, in percent."""
    return {"val_accuracy": 100 * nasbench301(genome, epochs)["val_accuracy"]}
