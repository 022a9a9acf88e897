"""The job `train`: a genome in, the scores and the weights of its best epoch out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from evonas.data.fitting import open_interface
from evonas.evaluate.contract.imports import code_now
from evonas.evaluate.contract.protocol import (
    ACCUMULATION,
    Job,
    OnEpoch,
    RefitJob,
    Setup,
    TrainJob,
)
from evonas.evaluate.training.augmentation import build_augmentation
from evonas.evaluate.training.checkpoint import save_weights
from evonas.evaluate.training.checkpoint_keeper import CheckpointKeeper
from evonas.evaluate.training.compiled_loop import CompiledLoop
from evonas.evaluate.training.fit_training import FitTraining
from evonas.evaluate.training.folded_loop import FoldedLoop
from evonas.evaluate.training.latency import latency_ms
from evonas.evaluate.training.learning_curve import rule_of
from evonas.evaluate.training.loop import Loop
from evonas.evaluate.training.policy import TrainingPolicy
from evonas.evaluate.training.scoring import asked_metrics
from evonas.evaluate.training.tensors import TensorCache, TrainingData
from evonas.evaluate.training.trainer import Diverged, Trainer
from evonas.files import sha256_of
from evonas.genome import SearchSpace, parse_space
from evonas.learning.interface import Interface
from evonas.learning.losses import power_of
from evonas.learning.recipe import Recipe, weights_by_class
from evonas.model.assembly import build_model
from evonas.model.losses import Goal, build_loss
from evonas.model.optimizers import (
    batch_size,
    build_optimizer,
    epochs,
    has_schedule,
    label_smoothing,
    newer_settings,
    schedule_steps,
)
from evonas.model.size import (
    ModelSize,
    can_be_postponed,
    measure,
    measure_unbuilt,
    postponed,
)
from evonas.randomness import fold_seed
from evonas.trial import CUT_SHORT, Details, Direction, Objective, Outcome, TrialState

CHECKPOINT_SECONDS = 30.0
"""The least time between two checkpoints of a training that still runs."""

LATENCY, SECONDS = "latency_ms", "training_seconds"
"""Metrics by the clock, measured if the run needs them."""

Report = OnEpoch

Alive = Callable[[], None]
"""Called again and again within an epoch: a sign of life."""


def train(
    setup: Setup,
    job: TrainJob,
    report: Report,
    cache: TensorCache,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    alive: Alive = lambda: None,
) -> Outcome:
    """Build, measure and train a network, and write the weights of its best epoch.

    A job with a `checkpoint` continues from that file if it fits, otherwise from `resume_from`,
    otherwise it starts afresh: the result is the same. The file is written after an epoch, at most
    every `checkpoint_seconds`, and after the training.

    Returns:
        an outcome `ok`, `infeasible` (nothing was trained) or `diverged`.

    Raises:
        whatever goes wrong; the worker's border sorts it, and clears Keras's session.
    """
    root = Path(setup.directory)
    # With folds, the first network is that of the first fold.
    seed = job.seed if setup.folds is None else fold_seed(job.seed, 0)
    model, size = build(setup, job, seed)
    if message := _beyond(setup.limits, size):
        # The weights still wait for their values in Keras's session, which the worker clears.
        return Outcome(TrialState.INFEASIBLE, metrics=size_metrics(size), message=message)
    # Only now is the network known to be small enough for its weights.
    initialize_weights()
    data = cache.get(root, setup.most_data, setup.folds is not None)
    recipe = Recipe.from_json(setup.recipe)
    if recipe.is_by_fit:
        # Callbacks may keep a state of their own, which no checkpoint holds.
        job = replace(job, checkpoint=None, resume_from=None)
    loop, trainer, fingerprint = _trainer(setup, job, model, data)
    keeper = CheckpointKeeper(root, job, trainer, checkpoint_seconds, clock)
    keeper.restore(fingerprint)
    training: Trainer | FitTraining = trainer
    if recipe.is_by_fit:
        assert isinstance(loop, CompiledLoop), "a config refuses them beside folds"
        training = FitTraining(trainer, loop, recipe, setup.plugins, job.seed)

    is_timed = SECONDS in (*setup.needed, *setup.metrics)
    started = clock()
    # A resumed training counts the seconds of its earlier parts too.
    before = trainer.history[-1].get(SECONDS, 0.0) if trainer.history else 0.0

    def on_epoch(epoch: int, metrics: Mapping[str, float]) -> bool | None:
        if is_timed:
            # The seconds go into the history, so that a checkpoint holds them.
            trainer.history[-1][SECONDS] = before + clock() - started
        ends = report(epoch, metrics)
        keeper.save_when_due()
        return ends

    most = epochs(space_of(setup), job.genome, job.epochs)
    # A checkpoint may be further than that already: then nothing is trained.
    until = most if job.cut_after is None else min(most, job.cut_after)
    try:
        training.train(until, on_epoch, alive)
    except Diverged as error:
        # The checkpoint stays as it was: it holds no epoch that diverged.
        metrics = marked(job, size_metrics(size))
        return _outcome(TrialState.DIVERGED, trainer, metrics=metrics, message=str(error))
    # Written even just after another one: a longer training can then resume any finished one.
    keeper.save()
    save_weights(root / job.weights, trainer.best_weights)
    outcome = _success(setup, job, trainer, model, size, data)
    if training.is_over(most):
        return outcome
    metrics = {**outcome.metrics, CUT_SHORT: float(len(trainer.history))}
    return replace(outcome, metrics=metrics)


@lru_cache(maxsize=4)
def _parse(text: str) -> SearchSpace:
    return parse_space(text, "the run's search space")


def space_of(setup: Setup) -> SearchSpace:
    """The run's search space, parsed once a process."""
    return _parse(setup.space)


def build(setup: Setup, job: Job, seed: int) -> tuple[keras.Model | None, ModelSize]:
    """The network, still without memory for weights, and its size.

    A genome of any size may be asked for, so the size must be known before the weights exist. With
    ops of plugins, a network that is too large is not built at all (None).

    Args:
        seed: seed of the initial weights and of the network's random generators.
    """
    space = space_of(setup)
    interface = open_interface(setup.interface, Path(setup.directory))
    genome = job.genome
    scope: AbstractContextManager[Any] = postponed()
    if not can_be_postponed(genome):
        # The network is first measured as a mere graph, and then built as usual: both ways give the
        # same weights.
        size = measure_unbuilt(space, genome, interface, setup.plugins)
        if _beyond(setup.limits, size):
            return None, size
        scope = nullcontext()
    # Immediately before the building: initial weights and dropout masks follow from this seed.
    keras.utils.set_random_seed(seed)
    with scope:
        model = build_model(space, genome, interface, setup.plugins)
    return model, measure(model)


def initialize_weights() -> None:
    """Give the postponed weights their values."""
    # Keras does that at the end of any `StatelessScope`.
    with keras.StatelessScope():
        pass


def _trainer(
    setup: Setup, job: TrainJob, model: keras.Model, data: TrainingData
) -> tuple[Loop, Trainer, dict[str, Any]]:
    """The training that a job asks for, its loop, and the fingerprint of its checkpoints."""
    space = space_of(setup)
    genome = job.genome
    interface = open_interface(setup.interface, Path(setup.directory))
    loop, steps = make_loop(setup, job, model, data)
    fingerprint: dict[str, Any] = {
        "genome": genome.digest,
        "seed": job.seed,
        "batch_size": loop.batch_size,
        "interface": interface.in_checkpoint(),
    }
    if setup.plugins:
        # The model is built: what its ops import late is imported, too. Otherwise a training would
        # go on from epochs of code that was refused meanwhile.
        fingerprint["code"] = code_now()
    if job.accumulation > 1:
        fingerprint["accumulation"] = job.accumulation
    if has_schedule(space, genome):
        fingerprint["steps"] = steps
    fingerprint |= newer_settings(space, genome)
    if setup.recipe:
        fingerprint["recipe"] = dict(setup.recipe)
    if setup.folds is not None:
        fingerprint["folds"] = setup.folds
    full = epochs(space, genome, setup.epochs or job.epochs)
    direction: Direction = "max" if setup.objective["direction"] == "max" else "min"
    policy = TrainingPolicy(
        Objective(setup.objective["name"], direction),
        patience=setup.patience,
        curve=rule_of(setup, job.incumbent, full),
    )
    trainer = Trainer(
        loop,
        interface,
        policy,
        seed=job.seed,
        metrics=asked_metrics(setup),
        needed=setup.needed,
        fingerprint=fingerprint,
    )
    return loop, trainer, fingerprint


def make_loop(
    setup: Setup, job: TrainJob | RefitJob, model: keras.Model, data: TrainingData
) -> tuple[Loop, int]:
    """The loop of a training, over the folds if the data have any; and the steps of its schedule.

    Args:
        model: the network; with folds, that of the first one.
    """
    space = space_of(setup)
    genome = job.genome
    interface = open_interface(setup.interface, Path(setup.directory))
    # The full training, not what this job asks for: 3 epochs and 6 more must see the learning rates
    # of 9 at once.
    full = epochs(space, genome, setup.epochs or job.epochs)
    steps = schedule_steps(space, genome, data.samples, full)
    optimizer = build_optimizer(space, genome, steps, job.accumulation)
    augmentation = build_augmentation(space, genome, interface, job.seed)
    goal = _goal(setup, job, interface, data, takes_rows=augmentation.mixes_targets)
    batch = batch_size(space, genome)
    loop = CompiledLoop(model, optimizer, data, interface, batch, goal, augmentation)
    if data.fold_of is None:
        return loop, steps
    starts = [loop.model_state()]
    for fold in range(1, int(data.fold_of.max()) + 1):
        # A network that trains this fold alone would begin with these very weights.
        seed = fold_seed(job.seed, fold)
        keras.utils.set_random_seed(seed)
        other = build_model(space, genome, interface, setup.plugins)
        changes = build_augmentation(space, genome, interface, seed)
        variables = [*other.variables, *changes.variables]
        starts.append([variable.value.numpy() for variable in variables])
    return FoldedLoop(loop, data.fold_of, starts), steps


def _goal(
    setup: Setup,
    job: TrainJob | RefitJob,
    interface: Interface,
    data: TrainingData,
    takes_rows: bool,
) -> Goal:
    """What a training minimizes: by the config, and by the genes.

    Args:
        takes_rows: whether labels come as rows of probabilities.
    """
    recipe = Recipe.from_json(setup.recipe)
    smoothing = label_smoothing(space_of(setup), job.genome)
    loss = build_loss(interface, recipe.loss, smoothing, takes_rows, setup.plugins)
    by_class = None
    if recipe.class_weight is not None:
        y = data.train.y.numpy()
        by_class = weights_by_class(recipe.class_weight, interface.classes, y)
    return Goal(loss, power_of(recipe.loss, interface.head), by_class)


def _beyond(limits: Mapping[str, int], size: ModelSize) -> str:
    """Which limits a network is beyond, in words; empty for a network within all of them."""
    sizes = {"parameters": size.parameters, "flops": size.flops}
    over = []
    for name, limit in limits.items():
        if sizes[name] > limit:
            over.append(f"{sizes[name]:,} {name}, and the limit is {limit:,}")
    return f"The network has {'; '.join(over)}." if over else ""


def batch_of(setup: Setup, job: Job) -> int:
    """Samples of one step of the job's optimizer, in all parts of the batch."""
    space = space_of(setup)
    return batch_size(space, job.genome)


def _success(
    setup: Setup,
    job: TrainJob,
    trainer: Trainer,
    model: keras.Model,
    size: ModelSize,
    data: TrainingData,
) -> Outcome:
    """The outcome `ok` of a training whose weights are written."""
    root = Path(setup.directory)
    best = trainer.best_epoch
    metrics = dict(trainer.history[best])
    metrics["best_epoch"] = best + 1.0
    metrics |= size_metrics(size)
    asked = {*setup.needed, *setup.metrics}
    if SECONDS in asked:
        # The time of the whole training, not the time up to its best epoch.
        metrics[SECONDS] = trainer.history[-1][SECONDS]
    if LATENCY in asked:
        sample, _, _ = data.validation.batch(tf.constant([0]))
        metrics[LATENCY] = latency_ms(model, tf.cast(sample, tf.float32))
    return _outcome(
        TrialState.OK,
        trainer,
        metrics=marked(job, metrics),
        files={job.weights: sha256_of(root / job.weights)},
        details=Details(stopped=trainer.stopped),
    )


def marked(job: TrainJob | RefitJob, metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics, with a mark if batches were cut."""
    marked = dict(metrics)
    if job.accumulation > 1:
        # Such a training cannot be compared bit for bit with one of whole batches.
        marked[ACCUMULATION] = float(job.accumulation)
    return marked


def size_metrics(size: ModelSize) -> dict[str, float]:
    return {
        "parameters": size.parameters,
        "flops": size.flops,
    }


def _outcome(state: TrialState, trainer: Trainer, **rest: Any) -> Outcome:
    """An outcome with the history of the training, one list for each metric."""
    rows = trainer.history
    history = {}
    # A metric that is only reported may be missing in an epoch.
    for name in dict.fromkeys(name for row in rows for name in row):
        history[name] = [row.get(name) for row in rows]
    return Outcome(state, epochs=len(rows), history=history, **rest)
