"""The words that every room speaks: Proposal, Trial, Outcome, Fidelity, Objective, Fitness.

Values only. A strategy makes a `Proposal`. The engine gives it a number and calls it a `Trial`. A
worker answers with an `Outcome`, and an `Objective` reads a `Fitness` from it.

A driver keeps tens of thousands of trials for days. So every class of which a trial keeps an
object has slots.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeVar

from evonas.genome import Genome
from evonas.markup import table
from evonas.words import RECORDED, clean_lines, cut, measured

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
        operators: words of the operators that made the genome, in order, such as `("sample",)`,
            `("seed lenet5",)`, `("crossover", "add")`. Only a seed may have a `+` in its name.
        parents: ids of the trials that the genome still has something of. The first is the main
            parent, which gave most of its structure. Each other one gave something that the first
            does not have.
        generation: number of the generation, from 0.

    Raises:
        TypeError: the operators are no tuple.
        ValueError: an operator has a `+` in it.
    """

    operators: tuple[str, ...]
    parents: tuple[int, ...] = ()
    generation: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.operators, tuple):
            raise TypeError(f"operators must be a tuple of words. Received: {self.operators!r}.")
        # Otherwise the record would give back other words than these.
        if self.operators != operators_of(self.operator):
            raise ValueError(f"an operator must be a word without +. Received: {self.operators!r}.")

    @property
    def operator(self) -> str:
        """The operators as one text, joined by `+`, as the record and `--json` have them."""
        return "+".join(self.operators)


SEED = "seed "
"""The operator of a founder that the user gave begins with this word; its name follows."""


def operators_of(text: str) -> tuple[str, ...]:
    """The operators of a text of the record; see `Lineage`."""
    # The name of a seed may be a path, and have a + of its own.
    if text.startswith(SEED):
        return (text,)
    return tuple(text.split("+")) if text else ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a surrogate expected of a genome, as values of the objective.

    Attributes:
        median: value that a result is as often above as below.
        low: lower bound of the middle two thirds of all results: one standard deviation.
        high: their upper bound.

    Raises:
        ValueError: they are not finite, or in another order.
    """

    median: float
    low: float
    high: float

    def __post_init__(self) -> None:
        is_finite = all(map(math.isfinite, (self.low, self.median, self.high)))
        if not is_finite or not self.low <= self.median <= self.high:
            raise ValueError(f"low <= median <= high must be finite numbers. Received: {self!r}.")

    def holds(self, value: float) -> bool:
        """Whether a value is among the middle two thirds."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Proposal:
    """A strategy's request to train a genome.

    Attributes:
        repeat: 0, or a higher number for the same genome trained again with another training seed.
        resume_from: id of a trial of the same genome, or None. This training continues from that
            trial's checkpoint, at a higher fidelity.
        expected: what was expected of the genome, or None. It says nothing of what is trained, so
            it does not count when proposals are compared.
    """

    genome: Genome
    fidelity: Fidelity
    lineage: Lineage
    repeat: int = 0
    resume_from: int | None = None
    expected: Expected | None = field(default=None, compare=False)


class Cause(StrEnum):
    """What has failed in place of a network, if the pool or the worker knows.

    With the fork server all jobs of that moment are lost. Any of them may have killed it. A format
    is one of a plugin, which fails in an export.
    """

    DISK = "disk"
    FORK_SERVER = "fork server"
    FORMAT = "format"


@dataclass(frozen=True, slots=True)
class Stopped:
    """A training that was stopped because its learning curve promised too little.

    Attributes:
        epoch: the last one, counted from 1.
        epochs: number of epochs of the full training.
        at_best: value of the objective that could be hoped for.
        incumbent: value that the training had to surpass.
    """

    epoch: int
    epochs: int
    at_best: float
    incumbent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What an outcome says besides its measurements. What is None or empty does not apply.

    Attributes:
        stopped: how the training was stopped early.
        test: metrics of the test data, which the search must not see.
        batch_size: number of samples in a batch that the device's memory could not hold.
        cause: what has failed in place of the network.
        clock: limit on time that was exceeded, `trial` or `stalled`.
        log: last lines that the worker printed.
        accumulation_steps: number of parts of each batch, if it was trained in parts.
        cut_short: number of epochs after which a deadline has ended the training.
        reused: id of the trial of another run that did this training.
        more: everything else, as plain JSON: answers of an export, words of another evonas.
    """

    stopped: Stopped | None = None
    test: Mapping[str, float] = field(default_factory=dict)
    batch_size: int | None = None
    cause: Cause | None = None
    clock: str | None = None
    log: str | None = None
    accumulation_steps: int | None = None
    cut_short: int | None = None
    reused: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The details as one flat object of plain JSON, as the record has them."""
        found: dict[str, Any] = {}
        for name in _DETAILS:
            value = getattr(self, name)
            if value is not None and value != {}:
                found[name] = value
        if self.stopped is not None:
            found["stopped"] = asdict(self.stopped)
        if self.cause is not None:
            found["cause"] = self.cause.value
        return {**found, **self.more}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Details:
        """The details of such an object.

        Raises:
            ValueError, TypeError: a known key has a value that does not fit it.
        """
        if not data:
            return NO_DETAILS
        known: dict[str, Any] = {}
        more = {}
        for name, value in data.items():
            kind = _DETAILS.get(name)
            if kind is None:
                more[name] = value
            elif type(value) is not kind:
                raise ValueError(f"details.{name} must be of type {kind.__name__}: {value!r}")
            else:
                known[name] = value
        if "stopped" in known:
            known["stopped"] = Stopped(**known["stopped"])
        if "cause" in known:
            known["cause"] = Cause(known["cause"])
        return cls(**known, more=more)


_DETAILS: Mapping[str, type] = {
    "stopped": dict,
    "test": dict,
    "batch_size": int,
    "cause": str,
    "clock": str,
    "log": str,
    "accumulation_steps": int,
    "cut_short": int,
    "reused": int,
}
"""Keys of the details that have a meaning, and their JSON types."""

NO_DETAILS = Details()
"""Shared by most outcomes, which have none."""


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
        details: what else there is to say.
    """

    state: TrialState
    metrics: Mapping[str, float] = field(default_factory=dict)
    epochs: int = 0
    seconds: float = 0.0
    history: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    message: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    details: Details = NO_DETAILS

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
    def trained_id(self) -> int:
        """The id of the trial whose training this is: its own, or of the one it duplicates."""
        return self.id if self.twin_of is None else self.twin_of

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

    def _repr_html_(self) -> str:
        """What a notebook shows: what became of it, and its genome."""
        lineage = self.lineage
        parents = ", ".join(map(str, lineage.parents))
        rows: list[tuple[str, object]] = [
            ("state", str(self.state)),
            ("generation", lineage.generation),
            ("made by", lineage.operator + (f" of trial {parents}" if parents else "")),
            ("epochs", f"at most {self.proposal.fidelity.epochs:,}"),
        ]
        if self.twin_of is not None:
            rows.append(("duplicate", f"of trial {self.twin_of}"))
        rows += [(name, measured(name, value)) for name, value in self.metrics.items()]
        return f"{table(f'trial {self.id}', rows)}\n{self.genome._repr_html_()}"

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


ABANDONED = "abandoned"
"""The state of an attempt whose driver ended before any outcome."""


@dataclass(frozen=True, slots=True)
class Brief:
    """One try at a trial, without what takes long to read: its history and its details.

    The attributes are those of an `Attempt`.
    """

    trial: int
    state: str
    epochs: int
    seconds: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a trial, as recorded.

    Attributes:
        trial: id of the trial.
        number: place among the attempts at this trial, from 0.
        session: number of the session that started it.
        state: `running`, `abandoned`, or the state of its outcome.
        started: time in seconds since 1970, or on a virtual clock.
        ended: time of the end; None if there is no outcome.
        epochs: number of finished epochs.
        seconds: wall time that the worker spent; None if there is no outcome.
        history: metric -> one value for each epoch, None if it was not finite.
        message: for a failure, one sentence; empty otherwise.
        details: what the outcome said besides.
    """

    trial: int
    number: int
    session: int
    state: str
    started: float
    ended: float | None
    epochs: int
    seconds: float | None
    history: Mapping[str, list[float | None]]
    message: str
    details: Details

    @property
    def brief(self) -> Brief:
        """The same without what takes long to read."""
        return Brief(self.trial, self.state, self.epochs, self.seconds, self.message)


Try = TypeVar("Try", Attempt, Brief)


def deciding(state: TrialState, attempts: Sequence[Try]) -> Try | None:
    """The attempt that a trial's outcome is of; None if there is no outcome, or no attempt.

    Args:
        state: state of the trial.
        attempts: all attempts at the trial, in order.
    """
    # Retries come before it. A training that was repeated for an export comes after it.
    for attempt in attempts:
        if attempt.state == state:
            return attempt
    return None


Rank = tuple[tuple[float, float], int]


def rank(trial: Trial) -> Rank:
    """For sorting best first: by fitness, equal ones by age; trials without a fitness come last."""
    if trial.fitness is None:
        order = (math.inf, math.inf)
    else:
        order = trial.fitness.order
    return (order, trial.id)
