"""What the driver and a worker say to each other: one JSON object a line, over a socket.

    driver -> worker    {"setup": Setup}      once, at the start
                        {"job": Job}        then one job at a time
    worker -> driver    {"ready": {...}}      after the setup
                        {"progress": {...}}   while it works: trial, attempt, epoch, metrics
                        {"alive": {...}}      within an epoch, at most once a second: trial, attempt
                        {"outcome": {...}}    trial, attempt, and the Outcome

A worker is told paths and numbers, never an object; weights travel by file. Test data are named by an `export`
job only.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from evonas.trial import Outcome, TrialState

PROTOCOL = 1

ACCUMULATION = "accumulation_steps"
"""Marks a training whose batches were cut: a metric of its outcome, and a detail of each attempt."""


@dataclass(frozen=True)
class Setup:
    """What all jobs of a run share.

    Attributes:
        directory: of the run; every path in a job is relative to it.
        seed: of the run.
        space: the text of the search space's file.
        interface: `evonas.learning.interface.Interface.to_json()`.
        objective: name and direction; the best epoch is the one that is best by it.
        patience: epochs without improvement after which a training ends; None trains all epochs.
        stop: which hopeless trainings are stopped, `{"learning_curve": {"after": ..., "margin": ...}}`; None for none.
        epochs: of a full training, which a learning-rate schedule is laid over, also where a job asks for fewer; None
            for those of each job.
        limits: upper limits on `parameters` and `flops` (per sample); a genome beyond is `infeasible`.
        plugins: modules that may be imported for ops named `package.module:function`.
        threads: of TensorFlow, inside and between ops.
        evaluator: what judges genomes instead of Keras, `{"table": {"path": ...}}` or `{"python": {"function": ...,
            "arguments": ...}}`; None where Keras does.
        needed: metrics that a success must have, besides the objective; those that a clock measures are measured for it
            only.
    """

    directory: str
    seed: int
    space: str
    interface: Mapping[str, Any]
    objective: Mapping[str, str]
    patience: int | None = None
    stop: Mapping[str, Mapping[str, float]] | None = None
    epochs: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    threads: int = 1
    evaluator: Mapping[str, Mapping[str, Any]] | None = None
    needed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Setup:
        return cls(**{**data, "plugins": tuple(data["plugins"]), "needed": tuple(data["needed"])})


@dataclass(frozen=True)
class Job:
    """One thing for a worker to do.

    Attributes:
        kind: `train` a genome, or `export` a trained one: evaluate it on the test data and write the model's file.
        trial: the trial's id.
        attempt: counted from 0; with `session`, it tells a late answer from the awaited one.
        session: how many times a driver has opened the run.
        genome: `Genome.to_dict()`.
        seed: of the training.
        epochs: to be trained at most.
        weights: where the best epoch's weights are (train: written; export: read).
        checkpoint: where the exact state of an unfinished training is kept; None for none.
        resume_from: the checkpoint of an earlier, shorter training of the same genome to go on from.
        trained: the epochs of that training; 0 without one.
        model: for `export`: where the `.keras` file goes.
        arrays: for `export`: the test data's files, `x` and `y`.
        accumulation: parts in which a batch is trained, their gradients summed before the step: 2 for a genome that ran
            out of device memory, which half the batch may fit.
        incumbent: the value of the objective that was the best when the trial was asked; None where there was none, or
            nothing asks for it.
    """

    kind: Literal["train", "export"]
    trial: int
    attempt: int
    session: int
    genome: Mapping[str, Any]
    seed: int
    epochs: int
    weights: str
    checkpoint: str | None = None
    resume_from: str | None = None
    model: str | None = None
    arrays: Mapping[str, str] = field(default_factory=dict)
    accumulation: int = 1
    trained: int = 0
    incumbent: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        return cls(**data)


OnEpoch = Callable[[int, Mapping[str, float]], None]
"""Called after each epoch of a job, with its number counted from 1 and its metrics."""

RunJob = Callable[[Setup, Job, OnEpoch], Outcome]
"""Does a job: what a worker is there for, and what evaluators and stubs do in its place."""


def encode(message: Mapping[str, Any]) -> bytes:
    """One line of strict JSON. Non-finite numbers are refused: they do not survive a pipe.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Non-finite metrics are left out, non-finite entries of the history become None."""
    data = asdict(outcome)
    data["metrics"] = {
        name: value for name, value in outcome.metrics.items() if math.isfinite(value)
    }
    data["history"] = {
        name: [_finite(value) for value in values] for name, values in outcome.history.items()
    }
    return data


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def outcome_from_json(data: Mapping[str, Any]) -> Outcome:
    metrics = {
        sys.intern(name): value for name, value in data.get("metrics", {}).items()
    }  # one word for all trials
    return Outcome(**{**data, "metrics": metrics, "state": TrialState(data["state"])})
