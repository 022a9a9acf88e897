"""The families of tasks of PROTOCOL.md: for development, for validation, and for the test."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import functions, replay, surrogates
from benchmarks.loop import Problem, tabled
from benchmarks.published import (
    NASBENCH201,
    SPACES,
    lcbench_tasks,
    nasbench201,
    nasbench_macro,
)

DEVELOPMENT, VALIDATION, TEST = "development", "validation", "test"


@dataclass(frozen=True)
class Family:
    """Tasks of one kind.

    Attributes:
        use: what it is for: `DEVELOPMENT`, `VALIDATION` or `TEST`.
        seeds: number of seeds of each task, at least.
        tasks: gives the names of the tasks.
        problem: makes the problem of a task for a seed.
    """

    use: str
    seeds: int
    tasks: Callable[[], Sequence[str]]
    problem: Callable[[str, int], Problem]


def lcbench_halves() -> tuple[list[str], list[str]]:
    """The tasks of LCBench for development, and those for validation.

    In the order of their names, every second one is for development, beginning with the first.
    """
    tasks = sorted(lcbench_tasks())
    return tasks[::2], tasks[1::2]


def _developed() -> list[str]:
    tasks, _ = lcbench_halves()
    return tasks


def _validated() -> list[str]:
    _, tasks = lcbench_halves()
    return tasks


def _lcbench(task: str, seed: int) -> Problem:
    return surrogates.lcbench_problem(task)


# A table is read once in a process.
@functools.cache
def _macro_table() -> Problem:
    return tabled(SPACES / "nasbench_macro.yaml", nasbench_macro(), "accuracy", 50)


def _macro(task: str, seed: int) -> Problem:
    return _macro_table()


def _function(task: str, seed: int) -> Problem:
    _, function, dimension = functions.PARTS[task]
    return functions.problem(function, dimension, seed)


def _replay(task: str, seed: int) -> Problem:
    return replay.problem(task)


def _nasbench301(task: str, seed: int) -> Problem:
    return surrogates.nasbench301_problem()


@functools.cache
def _nasbench201_table(data_set: str) -> Problem:
    return tabled(SPACES / "nasbench201.yaml", nasbench201(data_set), "val_accuracy", 200)


def _nasbench201(task: str, seed: int) -> Problem:
    return _nasbench201_table(task)


FAMILIES: Mapping[str, Family] = {
    "lcbench": Family(DEVELOPMENT, 3, _developed, _lcbench),
    "macro": Family(DEVELOPMENT, 40, lambda: ["cifar10"], _macro),
    "functions": Family(DEVELOPMENT, 20, lambda: list(functions.PARTS), _function),
    "replay": Family(DEVELOPMENT, 10, replay.names, _replay),
    "lcbench-other": Family(VALIDATION, 3, _validated, _lcbench),
    "nasbench301": Family(VALIDATION, 20, lambda: ["cifar10"], _nasbench301),
    "nasbench201": Family(TEST, 40, lambda: list(NASBENCH201), _nasbench201),
}
"""The families by their names on the command line."""


def developed() -> list[str]:
    """The families for development; the replay tables as soon as one is recorded."""
    found = [name for name, family in FAMILIES.items() if family.use == DEVELOPMENT]
    return found if replay.names() else [name for name in found if name != "replay"]
