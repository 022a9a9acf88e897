"""The words that every room speaks: Proposal, Trial, Outcome, Fidelity, Objective, Fitness.

Values only. A strategy makes a `Proposal`. The engine gives it a number and calls it a `Trial`. A
worker answers with an `Outcome`, and an `Objective` reads a `Fitness` from it.

A driver keeps tens of thousands of trials for days. So every class of which a trial keeps an
object has slots.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from evonas.genome import Genome
from evonas.words import RECORDED, clean_lines, cut

Direction = Literal["min", "max"]

CUT_SHORT = "cut_short"
"""Marks a trial that a deadline has ended: a metric, the number of epochs that it was given."""

BEYOND = 1e150
"""The least cost of a fitness that violates constraints."""


class TrialState(StrEnum):
    """What became of a trial.

    The words are stable, and the same in the record, in `--json` and in the guides.
    """

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
        epochs: largest number of passes over the training data, at least 1. Patience may end a
            training earlier.
    """

    epochs: int


@dataclass(frozen=True, slots=True)
class Fitness:
    """A value of the objective that can be compared.

    `a > b` means that `a` is better, whatever the direction.

    Constraints come first, by Deb's rule (2000). A fitness that satisfies them is better than one
    that does not. If both violate them, the smaller violation is better.

    Attributes:
        violation: sum over all constraints; 0 if they are satisfied, or if there are none.
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
        """The value as a number that is smaller for a better fitness."""
        if self.direction == "min":
            return self.value
        return -self.value

    @property
    def order(self) -> tuple[float, float]:
        """For sorting best first, with ties broken by trial id."""
        return (self.violation, self.key)

    @property
    def cost(self) -> float:
        """One finite number in this order, for methods that compare numbers."""
        if not self.violation:
            return self.key
        # Beyond any value of an objective. The cap keeps the product finite.
        violation = min(self.violation, 1e100)
        return BEYOND * (1.0 + violation)

    @property
    def is_feasible(self) -> bool:
        """Whether all constraints are satisfied."""
        return self.violation == 0


@dataclass(frozen=True)
class Constraint:
    """Bounds on a metric that is known after a training: wished for, not enforced.

    Attributes:
        least: the lower bound, which is allowed itself; -infinity if there is none.
        most: the upper bound, which is allowed itself; infinity if there is none.
    """

    metric: str
    least: float = -math.inf
    most: float = math.inf

    def violation(self, value: float) -> float:
        """How far a value is beyond a bound, relative to the bound; 0 if the value is allowed."""
        below = self.least - value
        above = value - self.most
        beyond, bound = max((below, self.least), (above, self.most))
        # Without any bound, both distances are -infinity.
        if not math.isfinite(bound):
            return 0.0
        # Relative, so that violations of metrics of any size can be added.
        scale = abs(bound) or 1.0
        return max(0.0, beyond) / scale


@dataclass(frozen=True)
class Objective:
    """What is optimised: a metric of the outcome or a weighted sum of metrics.

    Attributes:
        name: name of the metric, or the name that a weighted sum is given.
        direction: whether less or more of it is better.
        weights: metrics and their weights; empty if the objective is one metric.
        constraints: constraints, which count before the objective does.
    """

    name: str
    direction: Direction
    weights: tuple[tuple[str, float], ...] = ()
    constraints: tuple[Constraint, ...] = ()

    @property
    def measure(self) -> str:
        """The metric's name without its data: `loss` of `val_loss`."""
        name = self.name.removeprefix("val_")
        return name.removeprefix("test_")

    @property
    def metrics(self) -> tuple[str, ...]:
        """All that must be measured, each once: first for the objective, then for constraints."""
        names = [name for name, _ in self.weights]
        if not names:
            names.append(self.name)
        for constraint in self.constraints:
            names.append(constraint.metric)
        # A dict keeps the order, unlike a set.
        return tuple(dict.fromkeys(names))

    def value(self, metrics: Mapping[str, float]) -> float | None:
        """The objective itself, whatever the constraints say.

        None if a metric is missing or not finite.
        """
        if self.weights:
            # A missing metric is NaN, which makes the whole sum NaN.
            terms = []
            for name, weight in self.weights:
                metric = metrics.get(name, math.nan)
                terms.append(weight * metric)
            found = sum(terms)
        else:
            found = metrics.get(self.name, math.nan)
        return found if math.isfinite(found) else None

    def fitness(self, metrics: Mapping[str, float]) -> Fitness | None:
        """The fitness in these metrics; None if one that is needed is missing or not finite."""
        value = self.value(metrics)
        if value is None:
            return None
        if not self.constraints:
            return Fitness(value, self.direction, 0)
        amounts = [metrics.get(constraint.metric, math.nan) for constraint in self.constraints]
        if not all(map(math.isfinite, amounts)):
            return None
        violations = []
        for constraint, amount in zip(self.constraints, amounts, strict=True):
            violations.append(constraint.violation(amount))
        # `sum`, not `+=` in the loop: since Python 3.12 the two round differently.
        violation = sum(violations)
        return Fitness(value, self.direction, violation)


LINEAGES = 2
"""Version of the rule that says which trials are parents.

A record keeps it, because rule 1 also named parents of which nothing was left in the child.
"""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a genome comes from.

    Attributes:
        operator: words of the operators that made the genome, joined by `+`, such as `sample`,
            `seed lenet5`, `crossover+add`.
        parents: ids of the trials that the genome still has something of. The first is the main
            parent, which gave most of its structure. Each other one gave something that the first
            does not have.
        generation: number of the generation, from 0.
    """

    operator: str
    parents: tuple[int, ...] = ()
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A strategy's request to train a genome.

    Attributes:
        repeat: 0, or a higher number for the same genome trained again with another training seed.
        resume_from: id of a trial of the same genome, or None. This training continues from that
            trial's checkpoint, at a higher fidelity.
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
        metrics: finite numbers by name, of the best epoch: `val_loss`, `val_accuracy`, `loss`,
            `parameters`, `flops`, ...
        epochs: number of epochs trained.
        seconds: wall time spent in the worker.
        history: values of each metric, one for each epoch; None if a value was not finite.
        message: one sentence for a failure; empty for `ok`. It may be a text of the user's code. So
            control characters are replaced, and it is cut at a few thousand characters.
        files: relative path in the run directory -> sha256, of what the worker has written.
        details: other results that the job was asked for, as plain JSON.
    """

    state: TrialState
    metrics: Mapping[str, float] = field(default_factory=dict)
    epochs: int = 0
    seconds: float = 0.0
    history: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    message: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.message:
            # Each outcome comes by here, whoever has made it: a worker, a pool, or the engine.
            message = cut(clean_lines(self.message[: RECORDED + 1]), RECORDED)
            object.__setattr__(self, "message", message)


@dataclass(frozen=True, slots=True)
class Trial:
    """A proposal with a number, and what became of it.

    Attributes:
        id: number in the order of proposals, from 0.
        twin_of: id of an earlier trial with the same genome digest, fidelity and repeat, or None.
            This trial is a duplicate of that one, and has its outcome.
        fitness: None until an outcome `ok` is known; stays None if the trial failed.
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
    def is_cut_short(self) -> bool:
        """Whether a deadline has ended the training before its end.

        It counts with its best epoch so far. A greater budget continues it.
        """
        return CUT_SHORT in self.metrics

    @property
    def is_interrupted(self) -> bool:
        """Whether a deadline kept it from its end, or from its beginning."""
        return self.is_cut_short or self.state is TrialState.CANCELLED

    @property
    def unsettled(self) -> Trial:
        """The trial as it was before anything became of it."""
        return Trial(
            self.id,
            self.proposal,
            twin_of=self.twin_of,
        )

    @property
    def twin_key(self) -> tuple[str, int, int]:
        """Trials with equal keys are the very same training."""
        proposal = self.proposal
        return (
            proposal.genome.digest,
            proposal.fidelity.epochs,
            proposal.repeat,
        )


Rank = tuple[tuple[float, float], int]


def rank(trial: Trial) -> Rank:
    """For sorting best first: by fitness, equal ones by age; trials without a fitness come last."""
    if trial.fitness is None:
        order = (math.inf, math.inf)
    else:
        order = trial.fitness.order
    return (order, trial.id)
