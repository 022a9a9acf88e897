"""Judges steps of a search by the rules of PROTOCOL.md: kept, or rejected.

    python -m benchmarks.develop --entrants BASE STEP [STEP ...] [--family lcbench macro]
                                 [--seeds 3] [--rows FILE] [--anew NAME ...]

The first entrant is the base, and each other one is a step. An entrant is a strategy's name, a name
of `entrants.py`, or `NAME={strategy: {setting: value}}`. Name a step whose code has changed anew:
what has a raw row is not run again. Without --entrants, all that have raw rows are ranked, in
benchmarks/results/development.md.

A measurement that was cut goes on with the same command. Needs EVONAS_DATA, but for `functions`.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.climb import climb
from benchmarks.entrants import ENTRANTS
from benchmarks.families import FAMILIES, developed
from benchmarks.intervals import counted
from benchmarks.machine import describe
from benchmarks.paired import Areas, Paired, is_kept, mean_ranks, paired, regrets, verdicts
from benchmarks.raw_rows import RawRows, Row
from benchmarks.regret import LAST, after, area, frozen, regret
from benchmarks.runs import RESULTS
from benchmarks.sections import Strategy, paragraph
from evonas.errors import UserError
from evonas.genome.strict_yaml import load
from evonas.runtime.config.run_config import FAMILIES as SETTINGS
from evonas.runtime.config.settings import Builder
from evonas.search.strategy import StrategySettings

ROWS = RESULTS / "development.csv"
MARKS = (50, 100, 200)
FOUND_BY = (50, 100, 150, 200)
"""Trials within which the best known is looked for."""
REACHED = 1e-6
"""A regret that is at most this is none: the best known score was found."""


def entrant(text: str) -> tuple[str, Strategy]:
    """The name and the strategy that a word of the command line stands for.

    Raises:
        UserError: it is no strategy, or one of its settings is wrong.
    """
    if text in ENTRANTS:
        return text, ENTRANTS[text]
    name, equals, written = text.partition("=")
    data = load(written if equals else text, "--entrants").data
    if isinstance(data, str):
        data = {data: {}}
    builder = Builder(SETTINGS)
    builder.build(StrategySettings, data)
    if builder.issues:
        raise UserError(f"--entrants: {text!r} is no strategy: {builder.issues[0]}")
    return name if equals else text, data


def measure(
    entrants: Mapping[str, Strategy], families: Iterable[str], seeds: int | None, rows: RawRows
) -> None:
    """Run the searches that have no row yet.

    Raises:
        UserError: the rows of an entrant are of another strategy.
    """
    for row in rows.all():
        if row.entrant in entrants and row.strategy != entrants[row.entrant]:
            raise UserError(
                f"{rows.path} has {row.entrant!r} as {row.strategy}. Give the new one another"
                f" name, or name it with --anew. Received: {entrants[row.entrant]}"
            )
    for name in families:
        family = FAMILIES[name]
        count = family.seeds if seeds is None else seeds
        # Pairs side by side: a measurement that is cut has pairs, too.
        for seed in range(count):
            for task in family.tasks():
                for label, strategy in entrants.items():
                    if (label, name, task, seed) in rows:
                        continue
                    problem = family.problem(task, seed)
                    found = climb(problem, strategy, seed, LAST, knows_trials=True)
                    steps = []
                    for spent, score in found.retrained:
                        steps.append((spent / problem.epochs, score))
                    cpu = round(found.cpu * 1e3)
                    row = Row(label, strategy, name, task, seed, found.trials, cpu, steps)
                    rows.add(row)
                    print(f"{name} {task} seed {seed}, {label}: {_areas([row])}", file=sys.stderr)


def _areas(rows: Sequence[Row]) -> str:
    found = areas(rows)
    return ", ".join(f"area {one:.3f}" for one in found.values())


def areas(rows: Iterable[Row]) -> dict[tuple[str, int], float]:
    """The area of each search of one entrant on one family, by task and seed."""
    found = {}
    for row in rows:
        reference = frozen()[row.family, row.task]
        found[row.task, row.seed] = area(row.steps, reference)
    return found


def chosen(rows: RawRows, name: str, family: str, seeds: int | None) -> list[Row]:
    """The rows of an entrant on a family, of the first seeds."""
    found = []
    for row in rows.all():
        is_counted = seeds is None or row.seed < seeds
        if row.entrant == name and row.family == family and is_counted:
            found.append(row)
    return found


def described(names: Iterable[str], family: str, rows: RawRows, seeds: int | None) -> list[str]:
    """The table of all entrants on one family."""
    marks = " | ".join(f"after {mark}" for mark in MARKS)
    lines = [
        f"| {family} | searches | area | {marks} | CPU a trial |",
        f"|---|---|---|{'---|' * len(MARKS)}---|",
    ]
    for name in names:
        found = chosen(rows, name, family, seeds)
        if not found:
            continue
        cells = [_shown(areas(found).values())]
        for mark in MARKS:
            cells.append(_shown(_regret(row, mark) for row in found))
        cost = sum(row.milliseconds for row in found) / sum(row.trials for row in found)
        lines.append(f"| {name} | {len(found)} | {' | '.join(cells)} | {cost:.1f} ms |")
    return lines


def reached(names: Iterable[str], family: str, rows: RawRows, seeds: int | None) -> list[str]:
    """How often each entrant has found the best known, with exact intervals; empty for none."""
    marks = " | ".join(f"within {mark}" for mark in FOUND_BY)
    lines = [
        f"| {family}, the best known was found | {marks} |",
        f"|---|{'---|' * len(FOUND_BY)}",
    ]
    for name in names:
        found = chosen(rows, name, family, seeds)
        counts = [sum(_regret(row, mark) <= REACHED for row in found) for mark in FOUND_BY]
        if any(counts):
            cells = " | ".join(counted(count, len(found)) for count in counts)
            lines.append(f"| {name} | {cells} |")
    return lines if len(lines) > 2 else []


def _shown(values: Iterable[float]) -> str:
    """The mean; a rounded 0 has no sign."""
    return f"{round(statistics.fmean(values), 3) + 0.0:.3f}"


def _regret(row: Row, mark: int) -> float:
    return regret(after(row.steps, mark), frozen()[row.family, row.task])


def judged(
    base: str, step: str, families: Sequence[str], rows: RawRows, seeds: int | None
) -> list[str]:
    """The table of one step beside its base, and the verdict."""
    compared: dict[str, Paired] = {}
    for family in families:
        of_base = areas(chosen(rows, base, family, seeds))
        of_step = areas(chosen(rows, step, family, seeds))
        compared[family] = paired(of_base, of_step)
    found = list(compared.values())
    lines = [
        f"| {step} | {base} | the step | difference (95 %) | won | drawn | lost | p (Holm) | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (family, one), (p, word) in zip(compared.items(), verdicts(found), strict=True):
        low, high = one.difference - one.half, one.difference + one.half
        total = one.wins + one.draws + one.losses
        lines.append(
            f"| {family} | {one.base:.3f} | {one.step:.3f}"
            f" | {one.difference:+.3f} ({low:+.3f} to {high:+.3f})"
            f" | {counted(one.wins, total)} | {one.draws} | {one.losses} | {p:.2g} | {word} |"
        )
    old, new = regrets(found)
    verdict = "kept" if is_kept(found) else "rejected"
    worse = [family for family, one in compared.items() if one.is_worse]
    reason = f"; worse beyond its interval: {', '.join(worse)}" if worse else ""
    lines += ["", f"{step}: {verdict}. Regret over the families {old:.3f} -> {new:.3f}{reason}."]
    few = [family for family in families if seeds is not None and seeds < FAMILIES[family].seeds]
    if few:
        lines.append(f"A quick look: fewer seeds than PROTOCOL.md asks for on {', '.join(few)}.")
    return lines


def ranked(names: Sequence[str], family: str, rows: RawRows, seeds: int | None) -> list[str]:
    """The mean ranks of all entrants that have rows on a family."""
    found: dict[str, Areas] = {}
    for name in names:
        if known := areas(chosen(rows, name, family, seeds)):
            found[name] = known
    if len(found) < 2:
        return []
    lines = [f"| {family} | mean rank of {len(found)} (95 % over the tasks) |", "|---|---|"]
    ranks = mean_ranks(found)
    for name in sorted(ranks, key=lambda name: ranks[name]):
        mean, low, high = ranks[name]
        lines.append(f"| {name} | {mean:.2f} ({low:.2f} to {high:.2f}) |")
    return lines


def report(
    names: Sequence[str], families: Sequence[str], rows: RawRows, seeds: int | None, is_judged: bool
) -> str:
    """All tables.

    Args:
        is_judged: whether the first name is a base, and each other one a step.
    """
    lines = []
    for family in families:
        lines += [*described(names, family, rows, seeds), ""]
        lines += [*reached(names, family, rows, seeds), ""]
        if not is_judged:
            lines += [*ranked(names, family, rows, seeds), ""]
    if is_judged:
        base, *steps = names
        for step in steps:
            lines += [*judged(base, step, families, rows, seeds), ""]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Judge steps of a search by PROTOCOL.md.")
    parser.add_argument("--entrants", nargs="+", default=[], help="the base, then the steps")
    parser.add_argument("--family", nargs="+", choices=list(FAMILIES), default=developed())
    parser.add_argument("--seeds", type=int, help="seeds a task; by default those of PROTOCOL.md")
    parser.add_argument("--rows", type=Path, default=ROWS, help="file of the raw rows")
    parser.add_argument("--anew", nargs="+", default=[], help="entrants whose old rows are deleted")
    given = parser.parse_args(arguments)
    rows = RawRows(given.rows)
    try:
        entrants = dict(entrant(text) for text in given.entrants)
        for name in given.anew:
            rows.forget(name, given.family)
        measure(entrants, given.family, given.seeds, rows)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    if entrants:
        print(report(list(entrants), given.family, rows, given.seeds, is_judged=True))
    else:
        write(rows)
    return 0


def write(rows: RawRows) -> None:
    """Write the tables of all that has rows into a page beside them, and print them."""
    measured = rows.all()
    names = list(dict.fromkeys(row.entrant for row in measured))
    with_rows = {row.family for row in measured}
    families = [name for name in FAMILIES if name in with_rows]
    about = paragraph(
        "What `python -m benchmarks.develop` makes of the raw rows in development.csv, by the rules"
        " of PROTOCOL.md: searches of 200 trials, which are told so. Area: the mean normalised"
        " regret after 20 to 200 trials; 0 is the best known, 1 is random search's mean after 20"
        " trials. CPU was measured beside other work. A step of evolution is a row of its own; not"
        " every entrant has been measured on every family, and some on a few seeds only. `guided"
        " 1` has Gaussian processes and ten founders, the default but for the founders, which are"
        " 16 for 200 trials; `guided 2` has `relevance` and six, and was rejected. lcbench,"
        " macro, functions and replay are for development, lcbench-other and nasbench301 for"
        " validation, nasbench201 for the test."
    )
    tables = report(names, families, rows, None, is_judged=False)
    page = ["# Searches by the protocol", describe() + ".", about, tables.rstrip()]
    text = re.sub("\n{3,}", "\n\n", "\n\n".join(page))
    rows.path.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(tables)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
