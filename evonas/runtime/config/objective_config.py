"""The keys `objective`, `objectives` and `constraints` of a config: what is optimised, and what is wished for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas.errors import did_you_mean
from evonas.learning.interface import TaskKind
from evonas.runtime.config.evaluator_config import direction_of, objective_problems
from evonas.runtime.config.settings import Builder, KeyIssue, shown
from evonas.trial import Constraint, Direction, Objective

EPOCH_METRICS: Mapping[str, tuple[Direction, TaskKind | None]] = {
    "val_loss": ("min", None),
    "val_accuracy": ("max", "classification"),
    "val_mean_absolute_error": ("min", "regression"),
}
"""What evonas measures on validation data after each epoch: the better direction, and the task that it needs; None for
any."""

METRICS: Mapping[str, tuple[Direction, TaskKind | None]] = {
    **EPOCH_METRICS,
    "parameters": ("min", None),
    "flops": ("min", None),
    "latency_ms": ("min", None),
    "training_seconds": ("min", None),
}
"""Those, and what it measures once a network; the last two only where they are asked for."""


@dataclass(frozen=True)
class ObjectiveConfig:
    """A metric, or a weighted sum of some, and whether less or more of it is better. A file may write the bare name.

    Attributes:
        name: of the metric; of a sum, what it is called.
        weighted: metric -> weight. The sum of weight x metric is minimised, so that what shall be large has a negative
            weight.
    """

    name: str
    direction: Direction
    weighted: Mapping[str, float] = field(default_factory=dict)

    def to_objective(self, constraints: tuple[Constraint, ...] = ()) -> Objective:
        return Objective(self.name, self.direction, tuple(self.weighted.items()), constraints)

    def problems(self) -> dict[str, str]:
        if self.weighted and self.direction != "min":
            return {"direction": f"a weighted sum is minimised. Received: {self.direction}."}
        return {}

    def metric_problems(self, by_keras: bool) -> dict[str, str]:
        """What is wrong with its metrics, by key.

        Args:
            by_keras: whether Keras trains the networks and evonas measures them.
        """
        if not self.weighted:
            if not by_keras:
                return objective_problems(self.name, self.direction)
            if wrong := _unmeasured(self.name):
                return {"name": wrong}
            direction, _ = METRICS[self.name]
            if self.direction != direction:
                return {
                    "direction": f"the direction of {self.name} is {direction}. Received: {self.direction}."
                }
            return {}
        found = {
            f"weighted.{name}": _weight_problem(name, weight)
            for name, weight in self.weighted.items()
        }
        if by_keras:
            found |= {
                f"weighted.{name}": wrong for name in self.weighted if (wrong := _unmeasured(name))
            }
        return {key: wrong for key, wrong in found.items() if wrong}


@dataclass(frozen=True)
class ConstraintConfig:
    """Attributes:
    min: the least that the metric should be; null for no bound.
    max: the most that it should be; null for no bound.
    """

    min: float | None = None
    max: float | None = None

    def to_constraint(self, metric: str) -> Constraint:
        least, most = (
            (-math.inf if self.min is None else self.min),
            (math.inf if self.max is None else self.max),
        )
        return Constraint(metric, least, most)

    def problems(self) -> dict[str, str]:
        if self.min is None and self.max is None:
            return {"max": "is missing: a constraint has a min, a max, or both."}
        if self.min is not None and self.max is not None and self.min > self.max:
            return {"min": f"must be at most max ({self.max:g}). Received: {self.min:g}."}
        return {}


def _unmeasured(name: str) -> str:
    if name in METRICS:
        return ""
    hint = did_you_mean(name, list(METRICS))
    return (
        f"is not measured by evonas. Allowed: {', '.join(METRICS)}. Received: {shown(name)}.{hint}"
    )


def _weight_problem(name: str, weight: float) -> str:
    known = direction_of(name)
    if name.startswith("test_"):
        return "is of the test data, which no search sees."
    if weight == 0 or not math.isfinite(weight):
        return f"must be a number other than 0. Received: {weight}."
    if known is not None and (known == "max") != (weight < 0):
        better, sign = ("larger", "negative") if known == "max" else ("smaller", "positive")
        why = f"{name} is better when it is {better}, and the sum is minimised"
        return f"must be {sign}: {why}. Received: {weight:g}."
    return ""


def task_problem(names: tuple[str, ...], task: TaskKind | None) -> str:
    """Why one of these metrics is not measured under this task, None where it is not known yet; empty where all are."""
    for name in names:
        _, needed = METRICS.get(name, (None, None))
        if task is not None and needed not in (None, task):
            return f"{name} is measured for {needed} only; the task is {task}."
    return ""


def expanded(data: Mapping[str, Any], by_keras: bool) -> dict[str, Any]:
    """A config's data with its objectives written out, the first of several under `objective`, too."""
    found = dict(data)
    if "objective" in data:
        found["objective"] = _expanded(data["objective"], by_keras)
    if isinstance(listed := data.get("objectives"), list):
        found["objectives"] = [_expanded(item, by_keras) for item in listed]
        if listed and "objective" not in data:
            found["objective"] = found["objectives"][0]
    return found


def _expanded(objective: Any, by_keras: bool) -> Any:
    """`val_loss` is short for `{name: val_loss}`, and a known metric needs no direction, nor does a weighted sum."""
    named = {"name": objective} if isinstance(objective, str) else objective
    if isinstance(named, dict) and isinstance(weighted := named.get("weighted"), dict) and weighted:
        return {"name": _sum_in_words(weighted), "direction": "min", **named}
    if (
        not isinstance(named, dict)
        or "direction" in named
        or not isinstance(name := named.get("name"), str)
    ):
        return named
    if by_keras:
        return {**named, "direction": METRICS[name][0] if name in METRICS else "min"}
    known = direction_of(name)
    return named if known is None else {**named, "direction": known}


def _sum_in_words(weighted: Mapping[str, Any]) -> str:
    """`val_loss + 1e-06 parameters`; the weights need not be numbers yet."""
    terms = [
        f"{weight} {name}".removeprefix("1.0 ").removeprefix("1 ")
        for name, weight in weighted.items()
    ]
    return " + ".join(terms).replace("-1.0 ", "-").replace("-1 ", "-").replace("+ -", "- ")


def issues(data: Mapping[str, Any], by_keras: bool) -> list[KeyIssue]:
    """What is wrong with expanded objectives and constraints of the right form, whatever else is wrong."""
    found: list[KeyIssue] = []
    listed = data.get("objectives") if isinstance(data.get("objectives"), list) else []
    if listed:
        for place, item in enumerate(listed):
            found += _of_objective(item, by_keras, ("objectives", place))
        names = [item.get("name") if isinstance(item, dict) else None for item in listed]
        if len(listed) == 1:
            found.append(
                KeyIssue(
                    ("objectives",),
                    f"must be at least two; one is written `objective: {names[0]}`.",
                )
            )
        if twice := [
            name for name in dict.fromkeys(names) if name is not None and names.count(name) > 1
        ]:
            found.append(KeyIssue(("objectives",), f"has {twice[0]} twice."))
        if data["objective"] != listed[0]:
            found.append(
                KeyIssue(
                    ("objective",),
                    "cannot stand beside objectives, whose first one is followed by `best`.",
                )
            )
    elif "objective" in data:
        found += _of_objective(data["objective"], by_keras, ("objective",))
    for name in data["constraints"] if isinstance(data.get("constraints"), dict) else ():
        wrong = _unmeasured(name) if by_keras else ""
        wrong = "is of the test data, which no search sees." if name.startswith("test_") else wrong
        found += [KeyIssue(("constraints", name), wrong)] if wrong else []
    return found


def _of_objective(data: Any, by_keras: bool, path: tuple[Any, ...]) -> list[KeyIssue]:
    built = Builder({}).build(ObjectiveConfig, data)
    if not isinstance(built, ObjectiveConfig):
        return []
    found = built.metric_problems(by_keras)
    return [KeyIssue((*path, *key.split(".")), message) for key, message in found.items()]
