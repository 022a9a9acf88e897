"""The words that every room speaks: Proposal, Trial, Outcome, Fidelity, Objective, Constraint, Fitness.

Values only. A strategy makes a `Proposal`, the engine gives it a number and calls it a `Trial`, a worker answers
with an
`Outcome`, and an `Objective` reads a `Fitness` from it. What there is one of for each trial has slots: a driver keeps
tens of thousands of trials for days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from evonas.genome import Genome

Direction = Literal["min", "max"]

KNOWN_DIRECTIONS: Mapping[str, Direction] = {
    "loss": "min",
    "accuracy": "max",
    "mean_squared_error": "min",
    "mean_absolute_error": "min",
    "parameters": "min",
    "flops": "min",
    "latency_ms": "min",
    "training_seconds": "min",
}
"""Directions of the metrics that evonas measures, without the prefix `val_` or `test_`."""

TIMES = frozenset({"latency_ms", "training_seconds"})
"""Metrics that a clock measures, where they are asked for: no two measurements are equal, not even of one training."""

NON_NEGATIVE = frozenset(KNOWN_DIRECTIONS)
"""Those of them that are never negative: all, so far. A metric that is not known to be is not among them."""


BEYOND = 1e150
"""The least cost of a fitness that violates constraints."""


class TrialState(StrEnum):
    """What became of a trial: stable words, the same in the record, in `--json` and in the guides."""

    WAITING = "waiting"
    OK = "ok"
    INFEASIBLE = "infeasible"
    DIVERGED = "diverged"
    OOM_DEVICE = "oom_device"
    OOM_HOST = "oom_host"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    ERROR = "error"
    LOST = "lost"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self is not TrialState.WAITING


@dataclass(frozen=True, order=True, slots=True)
class Fidelity:
    """How much is spent on a trial.

    Attributes:
        epochs: passes over the training data, at most (patience may end a training earlier); at least 1.
    """

    epochs: int


@dataclass(frozen=True, slots=True)
class Fitness:
    """A value of the objective that can be compared: `a > b` means that `a` is better, whatever the direction.

    Constraints come first, by Deb's rule (2000): what satisfies them is better than what does not, and of two that do
    not, the one that violates them less is better.

    Attributes:
        violation: of all constraints together; 0 where they are satisfied, or there are none.
    """

    value: float
    direction: Direction
    violation: float = 0.0

    def __gt__(self, other: Fitness) -> bool:
        return self.order < other.order

    def __lt__(self, other: Fitness) -> bool:
        return other > self

    @property
    def key(self) -> float:
        """The value as a number that is smaller the better it is."""
        return self.value if self.direction == "min" else -self.value

    @property
    def order(self) -> tuple[float, float]:
        """For sorting best first, with ties broken by trial id."""
        return (self.violation, self.key)

    @property
    def cost(self) -> float:
        """One finite number in this order, for methods that compare numbers: a violation is beyond any other value."""
        return BEYOND * (1.0 + min(self.violation, 1e100)) if self.violation else self.key

    @property
    def is_feasible(self) -> bool:
        """Whether all constraints are satisfied."""
        return self.violation == 0


@dataclass(frozen=True)
class Constraint:
    """Bounds on a metric that is known after a training: wished for, not enforced.

    Attributes:
        least, most: the bounds, which are allowed themselves; infinite where there is none.
    """

    metric: str
    least: float = -math.inf
    most: float = math.inf

    def violation(self, value: float) -> float:
        """How far a value is beyond, relative to the bound where that is not 0: so metrics of any size can be added."""
        beyond, bound = max((self.least - value, self.least), (value - self.most, self.most))
        return max(0.0, beyond) / (abs(bound) or 1.0) if math.isfinite(bound) else 0.0


@dataclass(frozen=True)
class Objective:
    """What is optimised: a metric of the outcome or a weighted sum of some, and whether less or more of it is better.

    Attributes:
        name: of the metric; of a weighted sum, what to call it.
        weights: metrics and their weights, of a weighted sum.
        constraints: that count before the objective does.
    """

    name: str
    direction: Direction
    weights: tuple[tuple[str, float], ...] = ()
    constraints: tuple[Constraint, ...] = ()

    @property
    def measure(self) -> str:
        """The metric's name without the data that it is measured on: `loss` of `val_loss`."""
        return self.name.removeprefix("val_").removeprefix("test_")

    @property
    def metrics(self) -> tuple[str, ...]:
        """All that must be measured, each once: of the objective first, then of the constraints."""
        terms = [name for name, _ in self.weights] or [self.name]
        return tuple(
            dict.fromkeys([*terms, *(constraint.metric for constraint in self.constraints)])
        )

    def value(self, metrics: Mapping[str, float]) -> float | None:
        """The objective itself, whatever the constraints say; None where a metric is missing or not finite."""
        found = metrics.get(self.name, math.nan)
        if self.weights:
            found = sum(weight * metrics.get(name, math.nan) for name, weight in self.weights)
        return found if math.isfinite(found) else None

    def fitness(self, metrics: Mapping[str, float]) -> Fitness | None:
        """The fitness in these metrics; None where one that is needed is missing or not finite."""
        value = self.value(metrics)
        amounts = [metrics.get(constraint.metric, math.nan) for constraint in self.constraints]
        if value is None or not all(map(math.isfinite, amounts)):
            return None
        bounds = zip(self.constraints, amounts, strict=True)
        violation = sum(constraint.violation(amount) for constraint, amount in bounds)
        return Fitness(value, self.direction, violation)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a genome comes from.

    Attributes:
        operator: the words of the operators that made it, joined by `+`, such as `sample`, `seed lenet5`,
            `crossover+add`.
        parents: trial ids; the first is the main parent, the one that the child inherited most of its structure from.
        generation: counted from 0.
    """

    operator: str
    parents: tuple[int, ...] = ()
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A strategy's request to train a genome.

    Attributes:
        repeat: 0, or a higher number for the same genome trained again with another training seed.
        resume_from: the id of a trial of the same genome whose checkpoint this training continues, at a higher
            fidelity.
    """

    genome: Genome
    fidelity: Fidelity
    lineage: Lineage
    repeat: int = 0
    resume_from: int | None = None


@dataclass(frozen=True)
class Outcome:
    """A worker's answer: measurements, or the kind of failure.

    Attributes:
        state: any state but `waiting`.
        metrics: finite numbers by name, of the best epoch: `val_loss`, `val_accuracy`, `loss`, `parameters`,
            `flops`, ...
        epochs: epochs trained.
        seconds: spent in the worker, of wall time.
        history: per metric its values, one an epoch; None where it was not finite.
        message: for a failure, one sentence; empty for `ok`.
        files: relative path in the run directory -> sha256, of what the worker has written.
        details: whatever else the task was asked for, plain JSON.
    """

    state: TrialState
    metrics: Mapping[str, float] = field(default_factory=dict)
    epochs: int = 0
    seconds: float = 0.0
    history: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    message: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """A proposal with a number, and what became of it.

    Attributes:
        id: counted from 0 in the order of proposals.
        twin_of: the id of an earlier trial with the same genome digest, fidelity and repeat; its outcome is this
            one's too.
        fitness: None until an outcome `ok` is known, and for ever where the trial failed.
    """

    id: int
    proposal: Proposal
    twin_of: int | None = None
    state: TrialState = TrialState.WAITING
    metrics: Mapping[str, float] = field(default_factory=dict)
    fitness: Fitness | None = None

    @property
    def genome(self) -> Genome:
        return self.proposal.genome

    @property
    def lineage(self) -> Lineage:
        return self.proposal.lineage

    @property
    def unsettled(self) -> Trial:
        """The trial as it was before anything became of it."""
        return Trial(self.id, self.proposal, self.twin_of)

    @property
    def twin_key(self) -> tuple[str, int, int]:
        """Trials with equal keys are the very same training."""
        return (self.genome.digest, self.proposal.fidelity.epochs, self.proposal.repeat)


Rank = tuple[tuple[float, float], int]


def rank(trial: Trial) -> Rank:
    """For sorting best first: by fitness, equal ones by age; trials without a fitness come last."""
    return ((math.inf, math.inf) if trial.fitness is None else trial.fitness.order, trial.id)
