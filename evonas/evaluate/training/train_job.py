"""The job `train`: a genome in, the scores and the weights of its best epoch out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from evonas.errors import InvalidCheckpoint
from evonas.evaluate.contract.protocol import ACCUMULATION, Job, Setup
from evonas.evaluate.training.checkpoint import load_state, save_state, save_weights
from evonas.evaluate.training.latency import latency_ms
from evonas.evaluate.training.learning_curve import STOPPED, rule_of
from evonas.evaluate.training.tensors import TensorCache, TrainingData
from evonas.evaluate.training.trainer import Diverged, Trainer
from evonas.files import sha256_of
from evonas.genome import Genome, SearchSpace, parse_space
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.optimizers import batch_size, build_optimizer, epochs, has_schedule
from evonas.model.size import ModelSize, measure, measure_unbuilt
from evonas.trial import Direction, Objective, Outcome, TrialState

CHECKPOINT_SECONDS = 30.0
"""Between two checkpoints of a training that goes on."""

LATENCY, SECONDS = "latency_ms", "training_seconds"
"""Metrics by the clock, measured where the run needs them."""

Report = Callable[[int, Mapping[str, float]], None]
"""Called after each epoch with its number, counted from 1, and its metrics."""

Alive = Callable[[], None]
"""Called again and again within an epoch: a sign of life."""

_log = logging.getLogger(__name__)


def train(
    setup: Setup,
    job: Job,
    report: Report,
    cache: TensorCache,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    alive: Alive = lambda: None,
) -> Outcome:
    """Build, measure and train a network, and write the weights of its best epoch.

    A job with a `checkpoint` goes on from that file where it fits, else from `resume_from`, else it starts afresh: the
    result is the same. The file is written at the end of an epoch at most every `checkpoint_seconds`, and once more at
    the end of the training, whatever that took: so a longer training can always be resumed from a finished one. A
    training that diverges leaves the file as it was.

    Returns:
        an outcome `ok`, `infeasible` (nothing was trained) or `diverged`.

    Raises:
        whatever goes wrong; the worker's border sorts it, and clears Keras's session, where an infeasible network's
        weights are still waiting for their values.
    """
    root = Path(setup.directory)
    model, size = _build(setup, job)
    if message := _beyond(setup.limits, size):
        return Outcome(TrialState.INFEASIBLE, metrics=_size_metrics(size), message=message)
    with keras.StatelessScope():
        pass  # where it ends, Keras gives postponed weights their values; the network is known to be small enough
    trainer, fingerprint = _trainer(setup, job, model, cache.get(root))
    keeper = _Keeper(root, job, trainer, checkpoint_seconds, clock)
    keeper.restore(fingerprint)

    is_timed, started = SECONDS in setup.needed, clock()
    before = trainer.history[-1].get(SECONDS, 0.0) if trainer.history else 0.0

    def on_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
        if is_timed:
            trainer.history[-1][SECONDS] = (
                before + clock() - started
            )  # so that a checkpoint knows it
        report(epoch, metrics)
        keeper.save_when_due()

    try:
        trainer.train(
            epochs(space_of(setup), Genome.from_dict(job.genome), job.epochs), on_epoch, alive
        )
    except Diverged as error:
        return _outcome(
            TrialState.DIVERGED,
            trainer,
            metrics=_marked(job, _size_metrics(size)),
            message=str(error),
        )
    keeper.save()
    save_weights(root / job.weights, trainer.best_weights)
    best = trainer.best_epoch
    times = {SECONDS: trainer.history[-1][SECONDS]} if is_timed else {}
    if LATENCY in setup.needed:
        times[LATENCY] = latency_ms(model, tf.cast(cache.get(root).validation_x[:1], tf.float32))
    found = {**trainer.history[best], "best_epoch": best + 1.0, **_size_metrics(size), **times}
    metrics = _marked(job, found)
    files, stop = {job.weights: sha256_of(root / job.weights)}, trainer.stopped
    details = {} if stop is None else {STOPPED: stop.to_json()}
    return _outcome(TrialState.OK, trainer, metrics=metrics, files=files, details=details)


@lru_cache(maxsize=4)
def _parse(text: str) -> SearchSpace:
    return parse_space(text, "the run's search space")


def space_of(setup: Setup) -> SearchSpace:
    """The run's search space, parsed once a process."""
    return _parse(setup.space)


def _build(setup: Setup, job: Job) -> tuple[keras.Model | None, ModelSize]:
    """The network, and its size, known before there is memory for weights: a genome of any size may be asked for.

    In a `StatelessScope` Keras postpones the weights. Plugins may create variables that it cannot postpone: with them,
    the network is first measured as a mere graph, and not built at all (None) where it is too large. Both ways give the
    same weights.
    """
    space, interface, genome = (
        space_of(setup),
        Interface.from_json(setup.interface),
        Genome.from_dict(job.genome),
    )
    scope: AbstractContextManager[Any] = keras.StatelessScope(initialize_variables=False)
    if setup.plugins:
        size = measure_unbuilt(space, genome, interface, setup.plugins)
        if _beyond(setup.limits, size):
            return None, size
        scope = nullcontext()
    keras.utils.set_random_seed(job.seed)
    with scope:
        model = build_model(space, genome, interface, setup.plugins)
    return model, measure(model)


def _trainer(
    setup: Setup, job: Job, model: keras.Model, data: TrainingData
) -> tuple[Trainer, dict[str, Any]]:
    """The training that a job asks for, and the fingerprint of its checkpoints."""
    space, genome = space_of(setup), Genome.from_dict(job.genome)
    batch = batch_size(space, genome)
    fingerprint = {
        "genome": genome.digest,
        "seed": job.seed,
        "batch_size": batch,
        "interface": setup.interface,
    }
    if job.accumulation > 1:
        fingerprint["accumulation"] = job.accumulation
    steps, full = 1, epochs(space, genome, setup.epochs or job.epochs)
    if has_schedule(space, genome):
        steps = full * -(-data.samples // batch)
        fingerprint["steps"] = steps
    direction: Direction = "max" if setup.objective["direction"] == "max" else "min"
    trainer = Trainer(
        model,
        build_optimizer(space, genome, steps, job.accumulation),
        data,
        Interface.from_json(setup.interface),
        batch_size=batch,
        seed=job.seed,
        objective=Objective(setup.objective["name"], direction),
        patience=setup.patience,
        curve=rule_of(setup, job.incumbent, full),
        fingerprint=fingerprint,
    )
    return trainer, fingerprint


class _Keeper:
    """Keeps a training's checkpoint."""

    def __init__(
        self, root: Path, job: Job, trainer: Trainer, seconds: float, clock: Callable[[], float]
    ) -> None:
        self._path = root / job.checkpoint if job.checkpoint else None
        sources = (job.checkpoint, job.resume_from)
        self._sources = [root / name for name in sources if name and (root / name).exists()]
        self._trainer, self._seconds, self._clock = trainer, seconds, clock
        self._last = clock()

    def restore(self, fingerprint: Mapping[str, Any]) -> None:
        """From the first file that fits; what does not fit goes to the log, and is no failure."""
        for source in self._sources:
            try:
                self._trainer.restore(load_state(source, fingerprint))
            except InvalidCheckpoint as error:
                _log.warning("A checkpoint is not used: %s", error)
            else:
                return

    def save_when_due(self) -> None:
        if self._clock() - self._last >= self._seconds:
            self.save()

    def save(self) -> None:
        if self._path is not None:
            save_state(self._path, self._trainer.state())
            self._last = self._clock()


def _beyond(limits: Mapping[str, int], size: ModelSize) -> str:
    """Which limits a network is beyond, in words; empty where it is within all."""
    sizes = {"parameters": size.parameters, "flops": size.flops}
    over = [
        f"{sizes[name]} {name}, and the limit is {limit}"
        for name, limit in limits.items()
        if sizes[name] > limit
    ]
    return f"The network has {'; '.join(over)}." if over else ""


def batch_of(setup: Setup, job: Job) -> int:
    """Samples of one step of the task's optimizer, in all parts of the batch."""
    return batch_size(space_of(setup), Genome.from_dict(job.genome))


def _marked(job: Job, metrics: Mapping[str, float]) -> dict[str, float]:
    """With a mark, where batches were cut: such a training cannot be compared bit for bit with one of whole batches."""
    return (
        {**metrics, ACCUMULATION: float(job.accumulation)}
        if job.accumulation > 1
        else dict(metrics)
    )


def _size_metrics(size: ModelSize) -> dict[str, float]:
    return {"parameters": size.parameters, "flops": size.flops}


def _outcome(state: TrialState, trainer: Trainer, **rest: Any) -> Outcome:
    history = {
        name: [row[name] for row in trainer.history] for name in (trainer.history or [{}])[0]
    }
    return Outcome(state, epochs=len(trainer.history), history=history, **rest)
