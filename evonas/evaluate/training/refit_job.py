"""The job `refit`: a genome trained on all samples but those of the test, for an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from evonas.data.fitting import open_interface
from evonas.evaluate.contract.protocol import Alive, OnEpoch, RefitJob, Setup
from evonas.evaluate.training.checkpoint import save_weights
from evonas.evaluate.training.policy import TrainingPolicy
from evonas.evaluate.training.tensors import TensorCache
from evonas.evaluate.training.train_job import (
    build,
    initialize_weights,
    make_loop,
    marked,
    size_metrics,
)
from evonas.evaluate.training.trainer import Diverged, Trainer
from evonas.files import sha256_of
from evonas.trial import Outcome, TrialState


def refit(
    setup: Setup, job: RefitJob, report: OnEpoch, cache: TensorCache, alive: Alive
) -> Outcome:
    """Train a network for a number of epochs, and write its weights. No epoch is judged.

    Returns:
        an outcome `ok` or `diverged`.

    Raises:
        whatever goes wrong; the worker's border sorts it, and clears Keras's session.
    """
    root = Path(setup.directory)
    model, size = build(setup, job, job.seed)
    initialize_weights()
    # All folds together are one set of samples.
    data = replace(cache.get(root, setup.most_data, has_folds=True), fold_of=None)
    loop, _ = make_loop(setup, job, model, data)
    interface = open_interface(setup.interface, root)
    policy = TrainingPolicy(objective=None)
    trainer = Trainer(loop, interface, policy, seed=job.seed, metrics=())

    def on_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
        report(epoch, metrics)

    try:
        trainer.train(job.epochs, on_epoch, alive)
    except Diverged as error:
        metrics = marked(job, size_metrics(size))
        return Outcome(TrialState.DIVERGED, metrics, len(trainer.history), message=str(error))
    save_weights(root / job.weights, trainer.best_weights)
    losses = [row["loss"] for row in trainer.history]
    return Outcome(
        TrialState.OK,
        metrics=marked(job, {"loss": losses[-1], **size_metrics(size)}),
        epochs=len(losses),
        history={"loss": losses},
        files={job.weights: sha256_of(root / job.weights)},
    )
