"""Strategies on surrogates of published tables, with budgets in epochs: LCBench and NAS-Bench-301.

The raw scores of the searches are kept in lcbench.csv and nasbench301.csv, beside the report. The
report is made of them.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.climb import Climb, climb, reached
from benchmarks.entrants import ENTRANTS, EVOLUTION
from benchmarks.intervals import bracket, counted
from benchmarks.loop import Problem, judged_by
from benchmarks.published import (
    SPACES,
    lcbench,
    lcbench_best,
    lcbench_tasks,
    nasbench301,
    nasbench301_best,
)
from benchmarks.scores import Score, Scores
from benchmarks.sections import GUIDED, Plan, kind_of, paragraph
from benchmarks.standing import column, standing
from benchmarks.tuned import ELSEWHERE
from evonas.genome import Genome

TRAININGS = 200
"""Number of full trainings in the budget. Strategies with rungs get the same number of epochs."""
LC_EPOCHS, NB_EPOCHS = 52, 98
GOAL = 30
LC_REFERENCE, NB_REFERENCE = 5, 20
"""Seeds of the reference: the same for any number of repeats, for all others have its target."""
LC_FILE, NB_FILE = "lcbench.csv", "nasbench301.csv"
REFERENCE = "random"
"""The strategy whose best at the end is the target of all others.

The target is the lower median of its seeds. If it is measured anew and the target changes, the
others must be measured anew as well.
"""

LC_SHARE = {
    "hyperband": 100,
    "asha": 100,
    "successive_halving": 100,
    "screened": 200,
    GUIDED: 200,
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
"""Strategies that take long. The repeats are divided by these numbers.

For all others they are divided by 40 on LCBench, where each repeat is done on every task, and by 10
on NAS-Bench-301.
"""


def spread(shares: Sequence[float]) -> str:
    """The median and the quartiles."""
    low = _quantile(shares, 0.25)
    middle = _quantile(shares, 0.5)
    high = _quantile(shares, 0.75)
    return f"{_percent(middle)} ({_percent(low)} to {_percent(high)})"


def _quantile(values: Sequence[float], q: float) -> float:
    """The value at this place in their order, or the mean of the two values beside the place."""
    ordered = sorted(values)
    place = q * (len(values) - 1)
    low = ordered[math.floor(place)]
    high = ordered[math.ceil(place)]
    return low if low == high else (low + high) / 2


def _percent(share: float) -> str:
    return "never" if math.isinf(share) else f"{share:.0%}"


def score(climbed: Climb, target: float) -> Score:
    """What is kept of a search, with the target of its task."""
    full = reached(climbed.full, target)
    any_length = reached(climbed.steps, target)
    return Score(climbed.best, full, any_length, climbed.trials, round(climbed.cpu * 1e3))


def _measure(
    plan: Plan,
    problems: Mapping[str, Callable[[], Problem]],
    scores: Scores,
    reference_seeds: int,
    seeds: Callable[[str], int],
) -> None:
    """Search, and put the scores into the file, task by task.

    The reference comes first, if its scores are missing.

    Args:
        plan: what is measured.
        problems: function that makes the problem of each task.
        scores: file of the raw scores.
        reference_seeds: number of seeds of the reference on each task.
        seeds: number of seeds of a strategy, by its name.
    """
    chosen = plan.chosen(ENTRANTS)
    if not chosen:
        return
    for name, strategy in {REFERENCE: ENTRANTS[REFERENCE], **chosen}.items():
        count = reference_seeds if name == REFERENCE else seeds(kind_of(strategy))
        # a reference that is there and was not asked for stays: the others are measured by it
        is_anew = name in chosen and plan.amount == "anew"
        old = {} if is_anew else scores.of(name)
        for task, problem in problems.items():
            known = old.get(task, ())
            if len(known) >= count:
                continue
            # the reference begins at seed 0 again, for its target depends on all its seeds
            first = 0 if name == REFERENCE else len(known)
            climbs = [climb(problem(), strategy, seed, TRAININGS) for seed in range(first, count)]
            reference = climbs if name == REFERENCE else scores.of(REFERENCE)[task]
            target = statistics.median_low(one.best for one in reference)
            new = [score(one, target) for one in climbs]
            scores.put(name, task, [*known[:first], *new])
            best = [f"{one.best:.3f}" for one in scores.of(name)[task]]
            print(f"{name}, {task}: {', '.join(best)}", flush=True)


def lcbench_part(plan: Plan) -> str:
    """LCBench: tasks on which the published best is beaten, and epochs to the reference's score."""
    tasks = lcbench_tasks()
    scores = Scores(plan.folder / LC_FILE)
    budget = TRAININGS * LC_EPOCHS
    problems = {task: functools.partial(lcbench_problem, task) for task in tasks}

    def seeds(kind: str) -> int:
        return max(1, plan.repeats // LC_SHARE.get(kind, 40))

    _measure(plan, problems, scores, LC_REFERENCE, seeds)
    published = {task: lcbench_best(task) for task in tasks}
    return lcbench_text(scores, published, budget)


def lcbench_text(scores: Scores, published: Mapping[str, float], budget: int) -> str:
    """The section on LCBench, from the raw scores.

    Args:
        scores: raw scores on all tasks.
        published: published best of each task.
        budget: epochs that a search may spend.
    """

    def row(name: str) -> str:
        found = scores.of(name)
        count = min(map(len, found.values()))
        beaten = []
        for seed in range(count):
            beaten.append(sum(runs[seed].best > published[task] for task, runs in found.items()))
        # the tasks that are won at most of the seeds
        mostly = 0
        for task, runs in found.items():
            wins = sum(run.best > published[task] for run in runs[:count])
            mostly += 2 * wins > count
        full = []
        early = []
        for runs in found.values():
            full.append(_middle(one.full for one in runs) / budget)
            early.append(_middle(one.any for one in runs) / budget)
        deviation = f" ± {statistics.stdev(beaten):.1f}" if count > 1 else ""
        won = f"{statistics.fmean(beaten):.1f}{deviation} of {len(found)}"
        won += f" {bracket(mostly, len(found))}"
        never = counted(sum(map(math.isinf, full)), len(full))
        return (
            f"| {name} | {count} | {won} | {spread(full)} | {never} | {spread(early)}"
            f" | {_cpu(found)} |"
        )

    lines = [
        _about_lcbench(len(published), budget),
        "",
        paragraph(
            f"{ELSEWHERE} Steady state was tried on this table, and is no default (decision 48)."
        ),
        "",
        "| strategy | seeds a task | won | epochs | never | epochs, any | CPU a trial |",
        "|---|---|---|---|---|---|---|",
    ]
    table = [row(name) for name in ENTRANTS if scores.of(name)]
    return "\n".join([*lines, *table, *_place(table, "the tasks that are won")])


def _place(table: Sequence[str], by: str) -> list[str]:
    """Where plain evolution stands, by the third column; empty if it has no row."""
    values = column(table, 2)
    if EVOLUTION not in values:
        return []
    worse_is_greater = {name: -value for name, value in values.items()}
    return ["", paragraph(standing(EVOLUTION, worse_is_greater, by))]


def _about_lcbench(tasks: int, budget: int) -> str:
    return paragraph(
        f"""
        Fitness = validation accuracy of the surrogate, {tasks} tasks, full trainings of {LC_EPOCHS}
        epochs, a budget of {TRAININGS} of them: {budget:,} epochs. One worker, every trial told
        before the next is asked; a trial that continues another is charged the epochs that it
        adds. *Won*: the tasks on which the best full training beats the published best of 500,000
        random ones, mean ± standard deviation over seeds (0 and up; the goal is {GOAL}). In
        brackets: the exact 95 % interval (Clopper and Pearson, 1934) of the share of tasks, with
        those that are won at most seeds. *Epochs*:
        the share of the {budget:,} epochs after which a full training is as good as random
        search's best at the end (the lower median of its seeds); of each task the median over
        seeds, of these the median and the quartiles over tasks (the goal is a third for hyperband
        and asha). *Never*: the tasks on which that is not within the budget, and the exact interval
        of their share. *Epochs, any*: the same where shorter trainings count as well. CPU is
        without the sweeping of files, of which there are none. Every search is in {LC_FILE}.
        """
    )


def nasbench301_part(plan: Plan) -> str:
    """NAS-Bench-301: the best within the budget, and epochs to the reference's score."""
    scores = Scores(plan.folder / NB_FILE)
    budget = TRAININGS * NB_EPOCHS

    def seeds(kind: str) -> int:
        return max(2, plan.repeats // NB_SHARE.get(kind, 10))

    _measure(plan, {"CIFAR10": nasbench301_problem}, scores, NB_REFERENCE, seeds)
    return nasbench301_text(scores, nasbench301_best(), budget)


def nasbench301_text(scores: Scores, published: float, budget: int) -> str:
    """The section on NAS-Bench-301, from the raw scores.

    Args:
        scores: raw scores.
        published: published best.
        budget: epochs that a search may spend.
    """

    def row(name: str) -> str:
        (found,) = scores.of(name).values()
        best = [one.best for one in found]
        full = [one.full / budget for one in found]
        early = [one.any / budget for one in found]
        won = counted(sum(score > published for score in best), len(best))
        never = counted(sum(map(math.isinf, full)), len(full))
        return (
            f"| {name} | {len(found)} | {statistics.fmean(best):.3f} ± {statistics.stdev(best):.3f}"
            f" | {won} | {spread(full)} | {never} | {spread(early)} | {_cpu(scores.of(name))} |"
        )

    lines = [
        _about_nasbench301(published, budget),
        "",
        paragraph(ELSEWHERE),
        "",
        "| strategy | seeds | best | won | epochs | never | epochs, any | CPU a trial |",
        "|---|---|---|---|---|---|---|---|",
    ]
    table = [row(name) for name in ENTRANTS if scores.of(name)]
    return "\n".join([*lines, *table, *_place(table, "the mean of the best")])


def _about_nasbench301(published: float, budget: int) -> str:
    return paragraph(
        f"""
        Fitness = validation accuracy of the surrogate in percent, full trainings of {NB_EPOCHS}
        epochs, a budget of {TRAININGS} of them: {budget:,} epochs. One worker, every trial told
        before the next is asked; a trial that continues another is charged the epochs that it
        adds. *Best* full training: mean ± standard deviation over seeds (0 and up). *Won*: the
        seeds that beat the published best of random ones, {published:.3f}. *Epochs*: the share of
        the {budget:,} epochs after which a full training is as good as random search's best at the
        end (the lower median of its seeds): the median and the quartiles over seeds. *Never*: the
        seeds in which that is not within the budget. Both counts have the exact 95 % interval of
        their share (Clopper and Pearson, 1934). *Epochs, any*: the same where shorter trainings
        count as well. CPU is without the sweeping of files, of which there are none.
        Every search is in {NB_FILE}.
        """
    )


def _middle(values: Iterable[float]) -> float:
    return _quantile(list(values), 0.5)


def _cpu(found: Mapping[str, Sequence[Score]]) -> str:
    """The CPU time of a trial, over all searches."""
    milliseconds = 0
    trials = 0
    for scores in found.values():
        milliseconds += sum(one.milliseconds for one in scores)
        trials += sum(one.trials for one in scores)
    return f"{milliseconds / trials:.2f} ms"


def lcbench_problem(task: str) -> Problem:
    """A task of LCBench."""
    return judged_by(SPACES / "lcbench.yaml", lcbench_score, "val_accuracy", LC_EPOCHS, task=task)


def lcbench_score(genome: Genome, epochs: int, task: str) -> dict[str, float]:
    """The accuracy alone.

    With seconds, each trial that continues another would cost a second look-up.
    """
    return {"val_accuracy": lcbench(genome, epochs, task)["val_accuracy"]}


def nasbench301_problem() -> Problem:
    """The surrogate of NAS-Bench-301."""
    return judged_by(SPACES / "nasbench301.yaml", nasbench301_score, "val_accuracy", NB_EPOCHS)


def nasbench301_score(genome: Genome, epochs: int) -> dict[str, float]:
    """The accuracy alone, in percent."""
    return {"val_accuracy": 100 * nasbench301(genome, epochs)["val_accuracy"]}
