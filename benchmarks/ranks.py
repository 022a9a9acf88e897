"""All strategies in one table: mean rank over the tasks of LCBench, mean on NAS-Bench-Macro, with intervals.

Nothing is run for it: it is made of the raw scores and of the section on NAS-Bench-Macro.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.scores import Scores
from benchmarks.sections import Plan, paragraph, read, rows

RESAMPLES = 10_000
_CELL = re.compile(r"^(\S+) ± (\S+), ")


def places(scores: Mapping[str, Mapping[str, float]]) -> dict[str, list[float]]:
    """The rank of each strategy on each task, 1 for the greatest score; equal ones share the mean of their places.

    Args:
        scores: of each strategy, by task; of every strategy on the same tasks.
    """
    from scipy.stats import rankdata

    names = list(scores)
    tasks = list(scores[names[0]]) if names else []
    table = np.array([[-scores[name][task] for task in tasks] for name in names])
    return {name: rankdata(table, axis=0)[i].tolist() for i, name in enumerate(names)}


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean, by drawing the values anew with replacement (percentiles; Efron, 1979)."""
    rng = np.random.default_rng(0)
    means = rng.choice(np.asarray(values), (RESAMPLES, len(values))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return low, high


def macro_means(body: str, mark: str) -> dict[str, tuple[float, float, int]]:
    """Mean, half width of its 95 % interval, and repeats, by strategy, as the section on NAS-Bench-Macro has them.

    Args:
        mark: the heading of the column, such as `100 trials`.
    """
    table = {
        name: [cell.strip() for cell in row.strip("|").split("|")]
        for name, row in rows(body).items()
    }
    column = table["strategy"].index(mark) if "strategy" in table else -1
    found = {}
    for name, cells in table.items():
        if column >= 0 and (cell := _CELL.match(cells[column])):
            mean, deviation, repeats = float(cell[1]), float(cell[2]), int(cells[1])
            found[name] = mean, 1.96 * deviation / math.sqrt(repeats), repeats
    return found


def ranks_part(plan: Plan, lcbench_file: str, macro_title: str, names: Sequence[str]) -> str:
    """The table.

    Args:
        lcbench_file: the raw scores on LCBench, in the plan's folder.
        macro_title: of the section on NAS-Bench-Macro in the report.
        names: of the strategies, as the report calls them; those without a score in either have no row.
    """
    scores = Scores(plan.folder / lcbench_file)
    searched = {name: found for name in names if (found := scores.of(name))}
    tasks = max(map(len, searched.values()), default=0)
    complete = {name: found for name, found in searched.items() if len(found) == tasks}
    means = {
        name: {task: statistics.fmean(run.best for run in runs) for task, runs in found.items()}
        for name, found in complete.items()
    }
    ranks = places(means)
    macro = macro_means(read(plan.folder / "search.md").get(macro_title, ""), "100 trials")
    lines = [
        paragraph(
            f"""
            LCBench: on each of the {tasks} tasks the strategies are ranked by their best full training within the
            budget, the mean over their seeds (1 is the best of {len(ranks)}; equal ones share the mean of their
            places). The mean rank over the tasks, and its 95 % interval by {RESAMPLES:,} bootstrap samples of the
            tasks. Fewer seeds make a strategy's rank noisier. NAS-Bench-Macro: the mean after 100 trials and its 95 %
            interval; strategies with rungs have none, for that table knows one length of training.
            """
        ),
        "",
        f"| strategy | LCBench, mean rank of {len(ranks)} | seeds a task | NAS-Bench-Macro at 100 trials | repeats |",
        "|---|---|---|---|---|",
    ]
    shown = sorted(
        (name for name in names if name in ranks or name in macro),
        key=lambda name: _order(ranks, name),
    )
    for name in shown:
        cells = ["-"] * 4
        if name in ranks:
            low, high = bootstrap(ranks[name])
            seeds = min(map(len, complete[name].values()))
            cells[:2] = f"{statistics.fmean(ranks[name]):.2f} ({low:.2f} to {high:.2f})", f"{seeds}"
        if name in macro:
            mean, half, repeats = macro[name]
            cells[2:] = f"{mean:.3f} ({mean - half:.3f} to {mean + half:.3f})", f"{repeats}"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    missing = [
        f"{name} ({len(searched[name])} of {tasks} tasks)"
        for name in searched
        if name not in complete
    ]
    if missing:
        lines += ["", f"Not ranked, for they are not through with LCBench: {', '.join(missing)}."]
    return "\n".join(lines)


def _order(ranks: Mapping[str, Sequence[float]], name: str) -> float:
    return statistics.fmean(ranks[name]) if name in ranks else math.inf
