"""All strategies in one table, with intervals.

It has the mean rank over the tasks of LCBench, and the mean on NAS-Bench-Macro. No search is run
for it. It is made of the raw scores and of the section on NAS-Bench-Macro.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.entrants import EVOLUTION
from benchmarks.scores import Score, Scores
from benchmarks.sections import Plan, paragraph, read, rows
from benchmarks.standing import standing
from benchmarks.tuned import OTHERS

TUNED = f"No default was chosen on LCBench. {OTHERS}"

RESAMPLES = 10_000
_CELL = re.compile(r"^(\S+) ± (\S+), ")


def places(scores: Mapping[str, Mapping[str, float]]) -> dict[str, list[float]]:
    """The rank of each strategy on each task, 1 for the greatest score.

    Equal scores share the mean of their places.

    Args:
        scores: scores of each strategy, by task; all strategies have the same tasks.
    """
    from scipy.stats import rankdata

    if not scores:
        return {}
    names = list(scores)
    tasks = list(scores[names[0]])
    rows = []
    for name in names:
        # rankdata gives 1 to the least value
        rows.append([-scores[name][task] for task in tasks])
    ranks = rankdata(np.array(rows), axis=0).tolist()
    return dict(zip(names, ranks, strict=True))


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean, by the percentile bootstrap (Efron, 1979)."""
    rng = np.random.default_rng(0)
    samples = rng.choice(np.asarray(values), (RESAMPLES, len(values)))
    means = samples.mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return low, high


def macro_means(body: str, mark: str) -> dict[str, tuple[float, float, int]]:
    """What the section on NAS-Bench-Macro has of each strategy.

    It is the mean, the half width of the mean's 95 % interval, and the number of repeats.

    Args:
        body: text of the section.
        mark: heading of the column, such as `100 trials`.
    """
    table = {}
    for name, row in rows(body).items():
        cells = row.strip("|").split("|")
        table[name] = [cell.strip() for cell in cells]
    if "strategy" not in table:
        return {}
    column = table["strategy"].index(mark)
    from scipy.stats import t as student

    found = {}
    for name, cells in table.items():
        if cell := _CELL.match(cells[column]):
            mean = float(cell[1])
            deviation = float(cell[2])
            repeats = int(cells[1])
            quantile = float(student.ppf(0.975, repeats - 1))
            half = quantile * deviation / math.sqrt(repeats)
            found[name] = (mean, half, repeats)
    return found


def ranks_part(plan: Plan, lcbench_file: str, macro_title: str, names: Sequence[str]) -> str:
    """The table.

    Args:
        plan: plan, whose folder has the scores and the report.
        lcbench_file: name of the file with the raw scores on LCBench.
        macro_title: title of the section on NAS-Bench-Macro in the report.
        names: strategies by their names in the report; one without any score has no row.
    """
    scores = Scores(plan.folder / lcbench_file)
    searched = {}
    for name in names:
        if found := scores.of(name):
            searched[name] = found
    tasks = max(map(len, searched.values()), default=0)
    # ranks can be compared only between strategies that were measured on all tasks
    complete = {name: found for name, found in searched.items() if len(found) == tasks}
    ranks = places({name: _means(found) for name, found in complete.items()})
    macro = macro_means(read(plan.folder / "search.md").get(macro_title, ""), "100 trials")
    lines = [
        _about(tasks, len(ranks)),
        "",
        paragraph(TUNED),
        "",
        f"| strategy | LCBench, mean rank of {len(ranks)} | seeds a task"
        " | NAS-Bench-Macro at 100 trials | repeats |",
        "|---|---|---|---|---|",
    ]
    shown = [name for name in names if name in ranks or name in macro]
    shown.sort(key=lambda name: _order(ranks, name))
    for name in shown:
        cells = ["-"] * 4
        if name in ranks:
            low, high = bootstrap(ranks[name])
            seeds = min(map(len, complete[name].values()))
            cells[0] = f"{statistics.fmean(ranks[name]):.2f} ({low:.2f} to {high:.2f})"
            cells[1] = f"{seeds}"
        if name in macro:
            mean, half, repeats = macro[name]
            cells[2] = f"{mean:.3f} ({mean - half:.3f} to {mean + half:.3f})"
            cells[3] = f"{repeats}"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    missing = []
    for name, found in searched.items():
        if name not in complete:
            missing.append(f"{name} ({len(found)} of {tasks} tasks)")
    if EVOLUTION in ranks:
        means = {name: statistics.fmean(places) for name, places in ranks.items()}
        lines += ["", paragraph(standing(EVOLUTION, means, "the mean rank on LCBench"))]
    if missing:
        lines += ["", f"Not ranked, for they are not through with LCBench: {', '.join(missing)}."]
    return "\n".join(lines)


def _means(found: Mapping[str, Sequence[Score]]) -> dict[str, float]:
    """The mean over the seeds, by task."""
    means = {}
    for task, runs in found.items():
        means[task] = statistics.fmean(run.best for run in runs)
    return means


def _about(tasks: int, ranked: int) -> str:
    return paragraph(
        f"""
        LCBench: on each of the {tasks} tasks the strategies are ranked by their best full training
        within the budget, the mean over their seeds (1 is the best of {ranked}; equal ones share
        the mean of their places). The mean rank over the tasks, and its 95 % interval by
        {RESAMPLES:,} bootstrap samples of the tasks. Fewer seeds make a strategy's rank noisier.
        NAS-Bench-Macro: the mean after 100 trials and its 95 % interval (Student's). It has no
        width where all repeats have found the best of the table; of few repeats that says little.
        Strategies with rungs have none, for that table knows one length of training.
        """
    )


def _order(ranks: Mapping[str, Sequence[float]], name: str) -> float:
    """The mean rank; strategies without one come last."""
    return statistics.fmean(ranks[name]) if name in ranks else math.inf
