"""The names of metrics in a config: which of them evonas measures, under which task."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from evonas.errors import did_you_mean
from evonas.genome.strict_yaml import short
from evonas.learning.metrics import OF_NETWORKS, VALIDATION, Metric, is_own
from evonas.runtime.config.settings import KeyIssue
from evonas.words import LETTERS, listed, shown

ON_TEST_DATA = "is of the test data, which no search sees."

_OWN = re.compile(rf"{VALIDATION}[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def of_epochs(task: str | None = None) -> dict[str, Metric]:
    """What is measured on validation data after each epoch, by name.

    Args:
        task: name of the task; None for the metrics of all tasks.
    """
    # Who reads a run needs no NumPy, which the tasks import.
    from evonas.learning.tasks import TASKS

    found: dict[str, Metric] = {}
    for name, one in TASKS.items():
        if task in (None, name):
            for metric in one.metrics:
                found.setdefault(f"{VALIDATION}{metric.name}", metric)
    return found


def measured(task: str | None = None) -> dict[str, Metric]:
    """All that evonas measures: after each epoch, then once for each network."""
    of_networks = {metric.name: metric for metric in OF_NETWORKS}
    return {**of_epochs(task), **of_networks}


def full_name(name: Any, measures: bool) -> Any:
    """The name of a metric with the part of the data.

    `my_metrics:profit` is short for `val_my_metrics:profit`. Whatever is no such name stays.
    """
    if not measures or not isinstance(name, str):
        return name
    if is_own(name) and not name.startswith(VALIDATION):
        return f"{VALIDATION}{name}"
    return name


def unmeasured(name: str, task: str | None) -> str:
    """Why evonas does not measure this metric under any task; empty if it does.

    Args:
        task: only its metrics are offered.
    """
    if is_own(name):
        if _OWN.fullmatch(name):
            return ""
        return (
            "must be package.module:function, such as `my_metrics:profit`, in names of"
            f" {LETTERS}, digits and _. Received: {shown(name)}."
        )
    if name in measured():
        return ""
    known = list(measured(task))
    hint = did_you_mean(name, known)
    if task is None:
        limited = (one for one in known if repr(one) in hint and not _is_of_all(one))
        hint += "".join(f" It is measured for {_tasks_of(one)} only." for one in limited)
    return f"is not measured by evonas. Allowed: {_allowed(task)}. Received: {shown(name)}.{hint}"


def _allowed(task: str | None) -> str:
    """What is measured, in words; under an unknown task by the tasks that have it."""
    known = list(measured(task))
    if task is not None:
        return ", ".join(known)
    by_tasks: dict[str, list[str]] = {}
    for name in known:
        tasks = "" if _is_of_all(name) else f"; for {_tasks_of(name)} "
        by_tasks.setdefault(tasks, []).append(name)
    return "".join(f"{tasks}{', '.join(names)}" for tasks, names in by_tasks.items())


def _is_of_all(name: str) -> bool:
    """Whether a metric is measured under every task."""
    from evonas.learning.tasks import TASKS

    return all(name in measured(task) for task in TASKS)


def task_problem(names: Iterable[str], task: str | None) -> str:
    """Why one of these metrics is not measured under this task; empty if all are.

    Args:
        task: None if the task is not known yet; then every metric may be measured.
    """
    allowed = measured(task)
    for name in names:
        if name in measured() and name not in allowed:
            return (
                f"{name} is measured for {_tasks_of(name)} only; the task is {task}."
                f" Allowed: {', '.join(allowed)}."
            )
    return ""


def _tasks_of(name: str) -> str:
    """The tasks that have a metric, in words."""
    from evonas.learning.tasks import TASKS

    return listed([task for task in TASKS if name in of_epochs(task)])


def reported_issues(names: Any, measures: bool, task: str | None) -> list[KeyIssue]:
    """What is wrong with the key `metrics`. A list of a wrong form is for the builder.

    Args:
        measures: whether evonas measures the metrics; see `Evaluator.measures`.
        task: task of the data, if it is known.
    """
    if not isinstance(names, list) or not names:
        return []
    if not measures:
        message = "says what is measured beside the objective; an evaluator returns what it has."
        return [KeyIssue(("metrics",), f"{message} Leave it out.")]
    found = []
    for place, name in enumerate(names):
        if not isinstance(name, str):
            continue
        wrong = ON_TEST_DATA if name.startswith("test_") else unmeasured(name, task)
        if name in names[:place]:
            wrong = f"is there twice. Received: {short(name)}."
        if wrong:
            found.append(KeyIssue(("metrics", place), wrong))
    return found


def own_metrics(names: Iterable[str]) -> dict[str, str]:
    """The user's own among these metrics: name in the record -> `package.module:function`."""
    found = {}
    for name in names:
        # Names of another form are told elsewhere.
        if _OWN.fullmatch(name):
            found[name] = name.removeprefix(VALIDATION)
    return found
