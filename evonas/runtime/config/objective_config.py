"""The keys `objective`, `objectives` and `constraints` of a config: what a run optimises."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evonas.genome.strict_yaml import short
from evonas.learning.metrics import direction_of, is_own
from evonas.runtime.config.metric_names import (
    ON_TEST_DATA,
    full_name,
    of_epochs,
    reported_issues,
    unmeasured,
)
from evonas.runtime.config.settings import Builder, KeyIssue
from evonas.settings import Settings
from evonas.trial import Constraint, Direction, Objective


@dataclass(frozen=True)
class ObjectiveConfig(Settings):
    """A metric or a weighted sum of metrics, and its better direction.

    A file may write the bare name of a metric instead.

    Attributes:
        name: name of the metric, or a name for the sum.
        direction: `min` or `max`; a sum is always minimised.
        weighted: metric -> weight; empty for a single metric. The objective is the sum of weight x
            metric. A metric that should be large has a negative weight.
    """

    name: str
    direction: Direction
    weighted: Mapping[str, float] = field(default_factory=dict)

    def to_objective(self, constraints: tuple[Constraint, ...] = ()) -> Objective:
        """The objective that trials are compared by, under these constraints."""
        weights = tuple(self.weighted.items())
        return Objective(self.name, self.direction, weights, constraints)

    def problems(self) -> dict[str, str]:
        if self.weighted and self.direction != "min":
            return {"direction": f"a weighted sum is minimised. Received: {self.direction}."}
        return {}

    def metric_problems(self, measures: bool, task: str | None = None) -> dict[str, str]:
        """What is wrong with the metrics, by key.

        Args:
            measures: whether evonas measures the metrics; see `Evaluator.measures`.
            task: task of the data, if it is known.
        """
        if self.weighted:
            return self._weight_problems(measures, task)
        if not measures:
            return objective_problems(self.name, self.direction)
        wrong = unmeasured(self.name, task)
        if wrong:
            return {"name": wrong}
        direction = direction_of(self.name)
        if direction not in (None, self.direction):
            message = f"the direction of {self.name} is {direction}. Received: {self.direction}."
            return {"direction": message}
        return {}

    def _weight_problems(self, measures: bool, task: str | None = None) -> dict[str, str]:
        """What is wrong with the terms of a weighted sum, by key; at most one for each metric."""
        found = {}
        for name, weight in self.weighted.items():
            wrong = unmeasured(name, task) if measures else ""
            if not wrong:
                wrong = _weight_problem(name, weight)
            if wrong:
                found[f"weighted.{name}"] = wrong
        return found


@dataclass(frozen=True)
class ConstraintConfig(Settings):
    """The bounds of a metric.

    Attributes:
        min: smallest value that the metric should have; null for no bound.
        max: largest value that the metric should have; null for no bound.
    """

    min: float | None = None
    max: float | None = None

    def to_constraint(self, metric: str) -> Constraint:
        """The constraint on this metric, infinite on the side without a bound."""
        least = self.min
        if least is None:
            least = -math.inf
        most = self.max
        if most is None:
            most = math.inf
        return Constraint(metric, least, most)

    def problems(self) -> dict[str, str]:
        if self.min is None and self.max is None:
            return {"max": "is missing: a constraint has a min, a max, or both."}
        if self.min is None or self.max is None:
            return {}
        if self.min > self.max:
            return {"min": f"must be at most max ({self.max:g}). Received: {self.min:g}."}
        return {}


def to_objectives(
    listed: Sequence[ObjectiveConfig], constraints: Mapping[str, ConstraintConfig]
) -> tuple[Objective, ...]:
    """All objectives; the first one carries the constraints."""
    bounds = []
    for metric, one in constraints.items():
        bounds.append(one.to_constraint(metric))
    first, *others = listed
    found = [first.to_objective(tuple(bounds))]
    for other in others:
        found.append(other.to_objective())
    return tuple(found)


def _weight_problem(name: str, weight: float) -> str:
    """What is wrong with the weight of a metric; empty if nothing is."""
    if name.startswith("test_"):
        return ON_TEST_DATA
    if weight == 0 or not math.isfinite(weight):
        return f"must be a number other than 0. Received: {weight}."
    known = direction_of(name)
    if known == "max" and weight > 0:
        better, sign = "larger", "negative"
    elif known == "min" and weight < 0:
        better, sign = "smaller", "positive"
    else:
        return ""
    why = f"{name} is better when it is {better}, and the sum is minimised"
    return f"must be {sign}: {why}. Received: {weight:g}."


def expanded(data: Mapping[str, Any], measures: bool) -> dict[str, Any]:
    """A config's plain data with its objectives written out, and metrics by their full names.

    The first one of `objectives` is also written under `objective`.
    """
    found = dict(data)
    if "objective" in data:
        found["objective"] = _expanded(data["objective"], measures)
    listed = data.get("objectives")
    if isinstance(listed, list):
        found["objectives"] = [_expanded(item, measures) for item in listed]
        # If the first one is wrong, its issues are told where it stands, and not twice.
        if listed and "objective" not in data and _is_right(found["objectives"][0]):
            found["objective"] = found["objectives"][0]
    constraints = data.get("constraints")
    if isinstance(constraints, dict):
        found["constraints"] = _full_keys(constraints, measures)
    reported = data.get("metrics")
    if isinstance(reported, list):
        found["metrics"] = [full_name(name, measures) for name in reported]
    return found


def _full_keys(by_metric: Mapping[Any, Any], measures: bool) -> dict[Any, Any]:
    return {full_name(name, measures): value for name, value in by_metric.items()}


def _is_right(objective: Any) -> bool:
    """Whether plain data, already expanded, have the form of an objective."""
    return isinstance(Builder({}).build(ObjectiveConfig, objective), ObjectiveConfig)


def _expanded(objective: Any, measures: bool) -> Any:
    """The objective with its name and its direction, as far as they follow from what is written.

    `val_loss` is short for `{name: val_loss}`. A known metric needs no direction, nor does a
    weighted sum. Data of another form are returned as they are, because the builder refuses them.
    """
    named = {"name": objective} if isinstance(objective, str) else objective
    if not isinstance(named, dict):
        return named
    weighted = named.get("weighted")
    if isinstance(weighted, dict) and weighted:
        weighted = _full_keys(weighted, measures)
        named = {**named, "weighted": weighted}
        return {"name": _sum_in_words(weighted), "direction": "min", **named}
    if "name" not in named:
        return named
    name = full_name(named["name"], measures)
    named = {**named, "name": name}
    if "direction" in named:
        return named
    if not isinstance(name, str):
        # The name is wrong, and only that is to be told.
        return {**named, "direction": "min"}
    known = direction_of(name)
    if known is None and measures and not is_own(name):
        # An unknown metric gets a direction too: then only its name is reported.
        known = "min"
    return named if known is None else {**named, "direction": known}


def _sum_in_words(weighted: Mapping[str, Any]) -> str:
    """A name for a weighted sum: `val_loss + 1e-06 parameters`."""
    terms = []
    # The weights are not checked yet, and need not be numbers.
    for name, weight in weighted.items():
        term = f"{weight} {name}"
        terms.append(term.removeprefix("1.0 ").removeprefix("1 "))
    words = " + ".join(terms)
    words = words.replace("-1.0 ", "-").replace("-1 ", "-")
    return words.replace("+ -", "- ")


def issues(data: Mapping[str, Any], measures: bool) -> list[KeyIssue]:
    """What is wrong with the metrics of the objectives and constraints.

    Entries of a wrong form are skipped, because the builder reports them.

    Args:
        data: a config's plain data, already expanded.
        measures: whether evonas measures the metrics; see `Evaluator.measures`.
    """
    found: list[KeyIssue] = []
    listed = data.get("objectives")
    task = _task_of(data)
    if isinstance(listed, list) and listed:
        found += _of_several(listed, data.get("objective", listed[0]), measures, task)
    elif "objective" in data:
        found += _of_objective(data["objective"], measures, ("objective",), task)
    constraints = data.get("constraints")
    if isinstance(constraints, dict):
        found += _of_constraints(constraints, measures, task)
    found += reported_issues(data.get("metrics"), measures, task)
    return found


def _task_of(data: Mapping[str, Any]) -> str | None:
    """The task that a config's plain data name; None if they name none, or a wrong one."""
    from evonas.learning.tasks import TASKS

    section = data.get("data")
    written = section.get("task") if isinstance(section, dict) else None
    is_known = isinstance(written, str) and written in TASKS
    return written if is_known else None


def _of_several(
    listed: list[Any], objective: Any, measures: bool, task: str | None
) -> list[KeyIssue]:
    """What is wrong with several objectives.

    Args:
        listed: items of `objectives`, at least one.
        objective: what is written under `objective`, or the first item.
    """
    found: list[KeyIssue] = []
    for place, item in enumerate(listed):
        found += _of_objective(item, measures, ("objectives", place), task)
    names: list[str] = []
    for item in listed:
        name = item.get("name") if isinstance(item, dict) else None
        # The builder refuses all other names, and not all of them can be compared.
        if isinstance(name, str):
            names.append(name)
    if len(listed) == 1:
        name = names[0] if names else "METRIC"
        message = f"must be at least two; one is written `objective: {short(name)}`."
        found.append(KeyIssue(("objectives",), message))
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            found.append(KeyIssue(("objectives",), f"has {short(name)} twice."))
            break
    # After `expanded`, both are equal unless the user has written `objective` as well.
    if objective != listed[0]:
        message = "cannot stand beside objectives, whose first one is followed by `best`."
        found.append(KeyIssue(("objective",), message))
    return found


def _of_constraints(
    constraints: Mapping[str, Any], measures: bool, task: str | None
) -> list[KeyIssue]:
    """What is wrong with the names of the metrics under `constraints`."""
    found = []
    for name in constraints:
        wrong = unmeasured(name, task) if measures else ""
        if name.startswith("test_"):
            wrong = ON_TEST_DATA
        if wrong:
            found.append(KeyIssue(("constraints", name), wrong))
    return found


def _of_objective(
    data: Any, measures: bool, path: tuple[Any, ...], task: str | None
) -> list[KeyIssue]:
    """What is wrong with the metrics of one objective; nothing if its form is wrong."""
    # This builder's own issues are dropped: the builder of the whole config notes them again.
    built = Builder({}).build(ObjectiveConfig, data)
    if not isinstance(built, ObjectiveConfig):
        return []
    found = []
    for key, message in built.metric_problems(measures, task).items():
        relative = key.split(".")
        issue = KeyIssue((*path, *relative), message)
        found.append(issue)
    return found


def objective_problems(name: str, direction: Direction) -> dict[str, str]:
    """Why a metric of an evaluator cannot be optimised, by key of the section `objective`."""
    if name.startswith("test_"):
        message = "is of the test data, which no search sees; name another metric."
        return {"name": f"{message} Received: {short(name)}."}
    known = direction_of(name)
    if known not in (None, direction):
        return {"direction": f"the direction of {name} is {known}. Received: {direction}."}
    return {}


def compared_by(
    metrics: Sequence[str],
    objectives: Sequence[ObjectiveConfig],
    constraints: Mapping[str, ConstraintConfig],
) -> Objective:
    """What epochs of a training are compared by: the first metric that each of them has.

    Args:
        metrics: metrics that the run needs, in their order.
    """
    of_each = of_epochs()
    for name in metrics:
        direction = None
        if name in of_each:
            direction = direction_of(name)
        elif is_own(name):
            direction = _direction_in(name, objectives, constraints)
        # Not every metric is measured at every epoch; parameters, for example, are not.
        if direction is not None:
            return Objective(name, direction)
    return Objective("val_loss", "min")


def _direction_in(
    name: str, objectives: Sequence[ObjectiveConfig], constraints: Mapping[str, ConstraintConfig]
) -> Direction | None:
    """The better direction of a user's metric, as far as the config tells it."""
    for one in objectives:
        if name in one.weighted:
            return "max" if one.weighted[name] < 0 else "min"
        if name == one.name:
            return one.direction
    bounds = constraints.get(name)
    if bounds is None or (bounds.min is None) == (bounds.max is None):
        return None
    return "max" if bounds.max is None else "min"
