"""A worker without TensorFlow: a real process with the real protocol, and numbers that it makes up.

Its answers depend on the job alone, so a run with stubs repeats itself. The environment says how it
misbehaves: `EVONAS_STUB={"sleep": 0.01, "crash": 0.05}` sets the fields of `Stub`.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evonas.errors import DiskFailure
from evonas.evaluate.contract.evaluator import Evaluator, silent
from evonas.evaluate.contract.protocol import (
    ACCUMULATION,
    Alive,
    ExportJob,
    Job,
    OnEpoch,
    RefitJob,
    RunJob,
    ScoreJob,
    Setup,
    TrainJob,
)
from evonas.evaluate.local.worker import Driver, work_for
from evonas.evaluate.training.learning_curve import first_stop, rule_of
from evonas.files import sha256_of_tree, write_text_whole
from evonas.learning.metrics import TIMES, VALIDATION, direction_of
from evonas.model.formats import FORMATS
from evonas.testing.lies import LIES, lie
from evonas.trial import (
    CUT_SHORT,
    Cause,
    Details,
    Direction,
    Objective,
    Outcome,
    Stopped,
    TrialState,
)

VARIABLE = "EVONAS_STUB"


@dataclass(frozen=True)
class Stub:
    """How a stub behaves. Rates are in [0, 1].

    A *rate* strikes at random, and only the first attempt of a job. The next attempt succeeds, so
    the content of the run is the same as if nothing had happened. A *share* of the genomes always
    means the same genomes.

    Attributes:
        sleep: mean seconds of a job, exponentially distributed; never the same twice.
        epoch: seconds of each epoch of a job.
        crash: rate of workers that kill themselves.
        hang: rate of workers that never answer.
        oom_host: rate of jobs that run out of the host's memory.
        lie: rate of answers that are nonsense, of the kinds in `evonas.testing.lies.LIES`.
        late: rate of answers that come late, and a second time during the worker's next job.
        late_by: seconds by which a late answer is late.
        leak: MB by which the worker's memory grows with each job.
        diverge: share of the genomes that are `diverged`.
        fail: share of the genomes that are an `error`.
        oom: share of the genomes that are `oom_device` unless their batches are cut.
        oom_always: share of these that are `oom_device` with cut batches too.
        environment: names of variables whose values are put into the outcome's details.
    """

    sleep: float = 0.0
    epoch: float = 0.0
    crash: float = 0.0
    hang: float = 0.0
    oom_host: float = 0.0
    lie: float = 0.0
    late: float = 0.0
    late_by: float = 0.2
    leak: float = 0.0
    diverge: float = 0.09
    fail: float = 0.0
    oom: float = 0.0
    oom_always: float = 0.0
    environment: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls) -> Stub:
        fields = json.loads(os.environ.get(VARIABLE, "{}"))
        return cls(**{**fields, "environment": tuple(fields.get("environment", ()))})


PLAIN = Stub()


def stub_outcome(job: Job, setup: Setup, stub: Stub = PLAIN) -> Outcome:
    """A stub's answer to a job: a pure function of the genome, the seed and the number of epochs.

    A training that is continued to 9 epochs has the history of one that was trained to 9 at once.
    Hopeless trainings are stopped, as the real worker does.
    """
    genome = json.dumps(job.genome.to_dict(), sort_keys=True)
    size = {
        "parameters": 1000.0 + int(99_000 * _fraction(genome, "size")),
        "flops": 1e6 * (1 + _fraction(genome, "flops")),
    }
    failure = _failure(genome, size, job, setup, stub)
    if failure is not None:
        return failure
    measures = _measures_of(setup)
    history = _history(genome, job, measures)
    stop = _stop(history, job, setup)
    if stop is not None:
        history = {name: values[: stop.epoch] for name, values in history.items()}
    is_cut_short = job.cut_after is not None and job.cut_after < len(history["val_loss"])
    if is_cut_short:
        stop = None
        history = {name: values[: job.cut_after] for name, values in history.items()}
    best = _best_epoch(history, setup.objective)
    metrics = {name: values[best] for name, values in history.items()}
    if isinstance(job, RefitJob):
        return Outcome(TrialState.OK, {"loss": history["loss"][-1], **size}, epochs=job.epochs)
    if isinstance(job, ScoreJob | ExportJob):
        # With folds, the network was trained on all validation data.
        scores = {} if setup.folds else dict(metrics)
        if job.arrays:
            scores["test_loss"] = metrics["val_loss"] * 1.01
            for name in measures:
                scores[f"test_{name}"] = metrics[f"val_{name}"] * 0.99
        return Outcome(TrialState.OK, {**scores, **size})
    metrics |= size
    if setup.folds:
        # So long the winner is trained on all data.
        metrics["best_epoch"] = best + 1.0
    for name in (*setup.needed, *setup.metrics):
        if name in TIMES:
            metrics[name] = 0.1 + _fraction(genome, name)
    assert isinstance(job, TrainJob)
    if job.accumulation > 1:
        metrics[ACCUMULATION] = float(job.accumulation)
    if is_cut_short:
        metrics[CUT_SHORT] = float(len(history["val_loss"]))
    return Outcome(
        TrialState.OK,
        metrics,
        epochs=len(history["val_loss"]),
        history=history,
        details=Details(stopped=stop),
    )


def _failure(
    genome: str, size: Mapping[str, float], job: Job, setup: Setup, stub: Stub
) -> Outcome | None:
    """How this genome fails, or None."""
    for name, limit in setup.limits.items():
        if size.get(name, 0.0) > limit:
            message = f"{name}: {size[name]:,.0f}, more than the limit of {limit:,}"
            return Outcome(TrialState.INFEASIBLE, metrics=size, message=message)
    if _fraction(genome, "diverge") < stub.diverge:
        message = "the loss was inf in epoch 1"
        history: dict[str, list[float | None]] = {"loss": [None]}
        return Outcome(TrialState.DIVERGED, size, epochs=1, history=history, message=message)
    if _fraction(genome, "fail") < stub.fail:
        return Outcome(TrialState.ERROR, message="ValueError: made up by the stub")
    if not isinstance(job, TrainJob) or _fraction(genome, "oom") >= stub.oom:
        return None
    if job.accumulation == 1 or _fraction(genome, "oom always") < stub.oom_always:
        return Outcome(TrialState.OOM_DEVICE, message="out of memory: made up by the stub")
    return None


def _measures_of(setup: Setup) -> list[str]:
    """The metrics of predictions beside the loss."""
    has_labels = setup.interface.get("task", "classification") in ("classification", "multilabel")
    measures = ["accuracy" if has_labels else "mean_absolute_error"]
    for name in (*setup.needed, *setup.metrics):
        measure = name.removeprefix(VALIDATION)
        if measure not in (name, "loss", *measures):
            measures.append(measure)
    return measures


def _history(genome: str, job: Job, measures: Sequence[str]) -> dict[str, list[float]]:
    """A learning curve that the genome decides, with noise that the seed decides."""
    quality = _fraction(genome, "quality")
    losses = []
    for epoch in range(1, job.epochs + 1):
        losses.append(_loss(quality, epoch, _fraction(genome, job.seed, epoch)))
    history = {"loss": [0.9 * loss for loss in losses], "val_loss": losses}
    for name in measures:
        is_better_high = direction_of(name) == "max"
        scores = [1 - loss / 4 if is_better_high else loss / 2 for loss in losses]
        history[f"val_{name}"] = scores
    return history


def run_stub(setup: Setup, job: Job, on_epoch: OnEpoch, stub: Stub = PLAIN) -> Outcome:
    """`stub_outcome`, and a worker's files: weights and checkpoint, or the exported model."""
    root = Path(setup.directory)
    needed = next(iter(job.reads), None)
    if isinstance(job, TrainJob):
        needed = job.resume_from
    if needed is not None and not (root / needed).is_file():
        return Outcome(TrialState.ERROR, message=f"FileNotFoundError: {needed}")
    outcome = stub_outcome(job, setup, stub)
    if outcome.state is not TrialState.OK:
        return _with_environment(outcome, stub)
    for epoch in range(len(outcome.history.get("val_loss", ()))):
        row = {name: values[epoch] for name, values in outcome.history.items()}
        if on_epoch(epoch + 1, {name: value for name, value in row.items() if value is not None}):
            job = replace(job, cut_after=epoch + 1)
            outcome = stub_outcome(job, setup, stub)
            break
    try:
        return replace(_with_environment(outcome, stub), files=_write(job, root))
    except DiskFailure as error:
        # the real worker answers the same at its border
        return Outcome(TrialState.LOST, message=str(error), details=Details(cause=Cause.DISK))


def _with_environment(outcome: Outcome, stub: Stub) -> Outcome:
    """The outcome with the variables that the stub is to tell."""
    if not stub.environment:
        return outcome
    variables = {name: os.environ.get(name) for name in stub.environment}
    details = replace(outcome.details, more={"environment": variables})
    return replace(outcome, details=details)


def _write(job: Job, root: Path) -> dict[str, str]:
    """The files that a job asks for: relative path -> sha256."""
    files = {}
    genome = json.dumps(job.genome.to_dict(), sort_keys=True)
    fraction = _fraction(genome, job.seed, job.cut_after or job.epochs)
    for name in job.writes:
        path = root / name
        # A format that writes a folder: one file stands for what is in it.
        is_folder = False
        if isinstance(job, ExportJob) and job.format in FORMATS:
            is_folder = FORMATS[job.format].is_folder
        write_text_whole(path / "model" if is_folder else path, f"stub {name} {fraction}\n")
        files[name] = sha256_of_tree(path)
    return files


def serve(fd: int) -> None:
    """A worker's whole life, with the habits that the environment says."""
    connection = socket.socket(fileno=fd)
    habits = Habits(Stub.from_environment(), connection.sendall)
    work_for(Driver(connection, habits.send), lambda setup: StubEvaluator(habits))


class Habits:
    """What a worker does wrong, and what it keeps from job to job.

    Args:
        send: sends a message to the driver.
    """

    def __init__(self, stub: Stub, send: Callable[[bytes], None]) -> None:
        self.stub = stub
        self._chance = random.SystemRandom()
        self._send = send
        self._job: Job | None = None
        self._said_late: bytes | None = None
        self._leaked: list[bytes] = []

    def begin(self, job: Job) -> None:
        """What happens before an answer, or instead of one."""
        self._job = job
        if self.stub.sleep:
            time.sleep(self._chance.expovariate(1 / self.stub.sleep))
        if self.stub.leak:
            # random bytes: the kernel would share pages of zeros, and nothing would leak
            self._leaked.append(os.urandom(int(self.stub.leak * 1e6)))
        if self.happens(self.stub.crash):
            os.kill(os.getpid(), signal.SIGKILL)
        while self.happens(self.stub.hang):
            signal.pause()
        if self._said_late is not None and job.attempt == 0:
            self._send(self._said_late)

    def happens(self, rate: float) -> bool:
        """Whether something strikes the job at work."""
        return self._job is not None and self._job.attempt == 0 and self._chance.random() < rate

    def send(self, line: bytes) -> None:
        """Send a message, and perhaps a lie in its place."""
        if line.startswith(b'{"outcome"'):
            if self.happens(self.stub.lie):
                line = lie(self._chance.choice(list(LIES)), line)
            if self.happens(self.stub.late):
                time.sleep(self.stub.late_by)
                self._said_late = line
        self._send(line)


@dataclass(frozen=True)
class StubEvaluator(Evaluator):
    """Answers as `stub_outcome` says, in a worker with these habits."""

    habits: Habits

    def open(self, setup: Setup, alive: Alive = silent, is_simulated: bool = False) -> RunJob:
        return self._run

    @property
    def in_words(self) -> str:
        return "stubs"

    def _run(self, setup: Setup, job: Job, on_epoch: OnEpoch) -> Outcome:
        started = time.monotonic()
        stub = self.habits.stub

        def slowly(epoch: int, metrics: Mapping[str, float]) -> bool | None:
            time.sleep(stub.epoch)
            return on_epoch(epoch, metrics)

        self.habits.begin(job)
        if self.habits.happens(stub.oom_host):
            message = "Python is out of memory. Made up by the stub."
            outcome = Outcome(TrialState.OOM_HOST, message=message)
        else:
            outcome = run_stub(setup, job, slowly, stub)
        return replace(outcome, seconds=time.monotonic() - started)


@dataclass(frozen=True)
class PlainStubs(Evaluator):
    """Answers as `stub_outcome` says, for pools that open the evaluator of their setup."""

    def open(self, setup: Setup, alive: Alive = silent, is_simulated: bool = False) -> RunJob:
        return run_stub

    @property
    def in_words(self) -> str:
        return "stubs"


def _stop(history: Mapping[str, list[float]], job: Job, setup: Setup) -> Stopped | None:
    """Where the learning curve stops this training, or None."""
    if not isinstance(job, TrainJob):
        return None
    rule = rule_of(setup, job.incumbent, setup.epochs or job.epochs)
    if rule is None:
        return None
    name = setup.objective["name"]
    direction: Direction = "max" if setup.objective["direction"] == "max" else "min"
    return first_stop(history[name], Objective(name, direction), rule)


def _loss(quality: float, epoch: int, noise: float) -> float:
    """A loss that falls with the epochs to a value that the genome decides; always below 4."""
    return 0.1 + quality + 1.5 * math.exp(-epoch / 4) + 0.05 * noise


def _best_epoch(history: Mapping[str, list[float]], objective: Mapping[str, str]) -> int:
    values = history.get(objective.get("name", "val_loss"), history["val_loss"])
    best = max if objective.get("direction") == "max" else min
    return values.index(best(values))


def _fraction(*key: object) -> float:
    """A number in [0, 1) that looks random, and is the same for the same key on every machine."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
