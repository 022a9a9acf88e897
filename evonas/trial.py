"""The words that every room speaks: Proposal, Trial, Outcome, Fidelity, Objective, Fitness.

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
}
"""Directions of the metrics that evonas measures, without the prefix `val_` or `test_`."""

NON_NEGATIVE = frozenset(KNOWN_DIRECTIONS)
"""Those of them that are never negative: all, so far. A metric that is not known to be is not among them."""


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
    """A value of the objective that can be compared: `a > b` means that `a` is better, whatever the direction."""

    value: float
    direction: Direction

    def __gt__(self, other: Fitness) -> bool:
        return self.value < other.value if self.direction == "min" else self.value > other.value

    def __lt__(self, other: Fitness) -> bool:
        return other > self

    @property
    def key(self) -> float:
        """A number that is smaller the better the fitness is: for sorting best first, with ties broken by trial
        id."""
        return self.value if self.direction == "min" else -self.value


@dataclass(frozen=True)
class Objective:
    """What is optimised: a metric of the outcome, and whether less or more of it is better."""

    name: str
    direction: Direction

    @property
    def measure(self) -> str:
        """The metric's name without the data that it is measured on: `loss` of `val_loss`."""
        return self.name.removeprefix("val_").removeprefix("test_")

    def fitness(self, metrics: Mapping[str, float]) -> Fitness | None:
        """The fitness in these metrics; None where the metric is missing or not finite."""
        value = metrics.get(self.name)
        return None if value is None or not math.isfinite(value) else Fitness(value, self.direction)


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
    def twin_key(self) -> tuple[str, int, int]:
        """Trials with equal keys are the very same training."""
        return (self.genome.digest, self.proposal.fidelity.epochs, self.proposal.repeat)


def rank(trial: Trial) -> tuple[float, int]:
    """For sorting best first: by fitness, equal ones by age; trials without a fitness come last."""
    return (math.inf if trial.fitness is None else trial.fitness.key, trial.id)
