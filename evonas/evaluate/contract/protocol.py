"""What the driver and a worker say to each other: one JSON object a line, over a socket.

    driver -> worker    {"setup": Setup}      once, at the start
                        {"job": Job}          then one job at a time
                        {"cut_short": {...}}  ends it with its current epoch: trial, attempt
    worker -> driver    {"imported": {...}}   code of the user's that it has imported, and that is
                                              not as the setup says: name -> [sha256, path]; before
                                              `ready`, or before an outcome. For the sha256 of a
                                              module that it has not found stands `missing` (the job
                                              has failed) or `optional`
                        {"ready": {...}}      after the setup
                        {"progress": {...}}   while it works: trial, attempt, epoch, metrics
                        {"alive": {...}}      within an epoch, at most once a second: trial, attempt
                        {"outcome": {...}}    trial, attempt, and the Outcome

A worker is told paths and numbers, never an object; weights travel by file. Only the jobs `score`
and `export` name the test data.
"""

from __future__ import annotations

import json
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from evonas.genome import Genome
from evonas.trial import Details, Outcome, TrialState

PROTOCOL = 1

ACCUMULATION = "accumulation_steps"
"""Marks a training whose batches were cut: a metric of its outcome, a detail of each attempt."""


@dataclass(frozen=True)
class Setup:
    """What all jobs of a run share.

    Attributes:
        directory: the run's directory; every path in a job is relative to it.
        seed: the run's seed.
        space: the text of the search space's file.
        interface: `evonas.learning.interface.Interface.to_json()`.
        objective: name and direction; the best epoch is the one that is best by it.
        patience: number of epochs without improvement after which a training ends; None trains all
            epochs.
        stop: the rule that ends hopeless trainings, `{"learning_curve": {"after": ..., "margin":
            ...}}`, or None.
        recipe: what else the config says of trainings, `evonas.learning.recipe.Recipe.to_json()`.
        epochs: length of a full training. A learning-rate schedule is laid over it, also for a job
            that asks for fewer epochs. None: each job's own number.
        limits: upper limits on `parameters` and `flops` (per sample); a genome beyond is
            `infeasible`.
        plugins: modules that may be imported for ops named `package.module:function`.
        plugin_folder: folder in which these modules may lie, besides where Python finds them; empty
            without plugins.
        code: what identifies the code of the plugins, as name -> sha256.
        threads: number of TensorFlow threads of each worker, inside and between ops.
        folds: number of folds of the training data; None if a part of the data is for validation.
        most_data: bytes of data that a worker may hold whole; more is read batch by batch. None for
            no limit.
        evaluator: what judges genomes, `{"package.module:Name": {...}}`: a class and its settings.
        needed: metrics that a success must have, besides the objective.
        metrics: metrics that are measured, too, if they can be. Those that not every training has
            are measured only if they are named here or in `needed`.
        time_limit: seconds of one job; None for no limit.
        stalled_limit: seconds of a job without a sign of life; None for no limit.
    """

    directory: str
    seed: int
    space: str
    interface: Mapping[str, Any]
    objective: Mapping[str, str]
    patience: int | None = None
    stop: Mapping[str, Mapping[str, float]] | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    plugin_folder: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    folds: int | None = None
    most_data: int | None = None
    evaluator: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    time_limit: float | None = None
    stalled_limit: float | None = None
    needed: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Setup:
        fields = dict(data)
        # JSON has lists only; with tuples a setup is equal to the one that was sent.
        for name in ("plugins", "needed", "metrics"):
            fields[name] = tuple(data[name])
        return cls(**fields)


@dataclass(frozen=True, kw_only=True)
class Job(ABC):
    """One thing for a worker to do with a genome. Paths are relative to the run's directory.

    Attributes:
        trial: the trial's id.
        attempt: number of the attempt, counted from 0; with `session`, it tells a late answer from
            the awaited one.
        session: how many times a driver has opened the run.
        genome: the genome, decoded once: a worker reads it from `Genome.to_dict()`.
        seed: seed of the training.
        epochs: the most epochs to train.
        weights: file of the best epoch's weights, with folds those of each network in turn. A
            training writes it. A refit writes those of its one network. All others read the weights
            of one network.
        cut_after: number of epochs after which the training is cut short: to repeat one that was.
            None for a training that only the driver may cut short. For all others: where the
            training was cut short that wrote the weights.

    Class attributes:
        kind: word that names the class in a message.
    """

    kind: ClassVar[str]

    trial: int
    attempt: int
    session: int
    genome: Genome
    seed: int
    epochs: int
    weights: str
    cut_after: int | None = None

    @property
    @abstractmethod
    def writes(self) -> tuple[str, ...]:
        """The files that it may write."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The files of trials that it reads."""
        return (self.weights,)

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": self.kind}
        for item in fields(self):
            found[item.name] = vars(self)[item.name]
        found["genome"] = self.genome.to_dict()
        return found


@dataclass(frozen=True, kw_only=True)
class TrainJob(Job):
    """Train a genome, and write the weights of its best epoch.

    Attributes:
        checkpoint: file of an unfinished training's exact state, or None.
        resume_from: checkpoint of an earlier, shorter training of the same genome, which this one
            continues.
        trained: number of epochs of that training; 0 without one.
        accumulation: number of parts in which a batch is trained, their gradients summed before the
            step. 2 for a genome that ran out of device memory, which half the batch may fit.
        incumbent: value of the objective that was the best when the trial was asked. None if there
            was none, or nothing asks for it.
    """

    kind = "train"

    checkpoint: str | None = None
    resume_from: str | None = None
    trained: int = 0
    accumulation: int = 1
    incumbent: float | None = None

    @property
    def writes(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.weights, self.checkpoint)))

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.checkpoint, self.resume_from)))


@dataclass(frozen=True, kw_only=True)
class RefitJob(Job):
    """Train a genome on the data of all folds, for exactly so many epochs; nothing is validated.

    Attributes:
        accumulation: as in `TrainJob`.
    """

    kind = "refit"

    accumulation: int = 1

    @property
    def writes(self) -> tuple[str, ...]:
        return (self.weights,)

    @property
    def reads(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, kw_only=True)
class ScoreJob(Job):
    """Score a trained genome on validation and test data; nothing is written.

    With folds there are no validation data: the network was trained on all of them.

    Attributes:
        arrays: the test data's files, `x` and `y`.
    """

    kind = "score"

    arrays: Mapping[str, str]

    @property
    def writes(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, kw_only=True)
class ExportJob(Job):
    """Score a trained genome, and write its model.

    Attributes:
        model: where the model goes, a file or a folder.
        format: name of its export format.
        arrays: the test data's files, `x` and `y`; empty to leave them closed.
        is_measured: whether a process of its own loads the model whatever its format is, also
            predicts for batches of other sizes, and tells how long a sample takes.
        ensemble: where an ensemble goes, a `.keras` file; None for no ensemble.
        members: trials whose networks may be in it, the best first: `trial`, `genome`, and the
            `weights` that its training has written.
        most_parameters: number of weights that its networks may have together; None for no limit.
        neighbours: seconds that scikit-learn's models may take, which are scored beside the winner;
            None leaves them out. With them, there must be test data.
    """

    kind = "export"

    model: str
    format: str = "keras"
    arrays: Mapping[str, str] = field(default_factory=dict)
    is_measured: bool = False
    ensemble: str | None = None
    members: Sequence[Mapping[str, Any]] = ()
    most_parameters: int | None = None
    neighbours: float | None = None

    @property
    def writes(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.model, self.ensemble)))

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.weights, *(member["weights"] for member in self.members))


JOBS: Mapping[str, type[Job]] = {
    kind.kind: kind for kind in (TrainJob, RefitJob, ScoreJob, ExportJob)
}
"""The kinds of jobs, by the word in a message."""


def job_from_json(data: Mapping[str, Any]) -> Job:
    """The job that `Job.to_json` wrote; this decodes its genome.

    Raises:
        InvalidGenome: the genome is none.
    """
    given = dict(data)
    kind = JOBS[given.pop("kind")]
    return kind(**{**given, "genome": Genome.from_dict(data["genome"])})


OnEpoch = Callable[[int, Mapping[str, float]], bool | None]
"""Called after each epoch of a job, with its number counted from 1 and its metrics.

The answer True cuts the training short: it ends with this epoch.
"""

Alive = Callable[[], None]
"""Called again and again within an epoch: a sign of life."""

RunJob = Callable[[Setup, Job, OnEpoch], Outcome]
"""Does a job; what an evaluator opens."""


def encode(message: Mapping[str, Any]) -> bytes:
    """One line of strict JSON. Non-finite numbers are refused: they do not survive a pipe.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    text = json.dumps(
        message,
        allow_nan=False,
        separators=(",", ":"),
    )
    return text.encode() + b"\n"


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Non-finite metrics are left out, non-finite entries of the history become None."""
    data = asdict(outcome)
    metrics = {}
    for name, value in outcome.metrics.items():
        if math.isfinite(value):
            metrics[name] = value
    data["metrics"] = metrics
    history = {}
    for name, values in outcome.history.items():
        # An entry of the history keeps its place: the place is the number of its epoch.
        history[name] = [_finite(value) for value in values]
    data["history"] = history
    data["details"] = outcome.details.to_json()
    return data


def _finite(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return value


def outcome_from_json(data: Mapping[str, Any]) -> Outcome:
    fields = dict(data)
    metrics = {}
    for name, value in data.get("metrics", {}).items():
        # A driver keeps tens of thousands of outcomes: all of them share one string for each name.
        metrics[sys.intern(name)] = value
    fields["metrics"] = metrics
    fields["state"] = TrialState(data["state"])
    fields["details"] = Details.from_json(data.get("details", {}))
    return Outcome(**fields)
