"""Trainings by Keras: a genome becomes a network, which is trained and scored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.prepared import FILES, FOLDS, Prepared, prepare
from evonas.errors import InvalidConfig, Issue
from evonas.evaluate.contract.evaluator import WORKER, Evaluator, Question, silent
from evonas.evaluate.contract.import_watch import import_plugins
from evonas.evaluate.contract.pool import Worker
from evonas.evaluate.contract.protocol import Alive, Job, OnEpoch, RunJob, Setup
from evonas.learning.formulas import Array
from evonas.learning.interface import Interface
from evonas.learning.metrics import VALIDATION
from evonas.trial import Outcome
from evonas.words import counted


@dataclass(frozen=True)
class KerasTraining(Evaluator):
    """Builds the network of a genome, trains it on the config's data, and keeps its weights.

    What imports Keras is imported when it is opened: the driver has this class, too.
    """

    has_networks = True
    needs_data = True
    measures = True
    tells_epochs = True
    libraries = frozenset({"tensorflow", "keras"})

    def open(self, setup: Setup, alive: Alive = silent, is_simulated: bool = False) -> RunJob:
        from evonas.evaluate.training.keras_jobs import configure, run_job

        configure(setup.threads)
        import_plugins(setup.plugins, setup.plugin_folder)

        def run(setup: Setup, job: Job, on_epoch: OnEpoch) -> Outcome:
            return run_job(setup, job, on_epoch, alive)

        return run

    @property
    def in_words(self) -> str:
        return "trainings by Keras"

    @property
    def worker(self) -> Worker:
        # The fork server imports them once for all workers: each of them then starts at once.
        return Worker(WORKER, ("tensorflow", "keras"), "importing TensorFlow")

    def facts(self) -> Mapping[str, Any]:
        from evonas.evaluate.training.keras_jobs import about

        return about()

    def prepare(self, question: Question, root: Path) -> Prepared:
        assert question.data is not None, "a config for Keras has data"
        prepared = prepare(question.data, root)
        assert prepared.interface is not None, "data have an interface"
        for targets in _validated(root, question.data.folds):
            self._check_metrics(question, prepared.interface, targets)
        return prepared

    def _check_metrics(self, question: Question, interface: Interface, targets: Array) -> None:
        """Raises InvalidConfig if a metric that the search needs has no value on these targets."""
        if undefined := _undefined(question.metrics, interface, targets):
            received = f"{counted(len(targets), 'target')} of"
            received = f"{received} {counted(len(np.unique(targets)), 'distinct value')}"
            raise InvalidConfig(
                Issue(
                    f"{name} has no value on the validation data. Allowed: another metric, or other"
                    f" validation data. Received: {received}.",
                    question.metrics[name],
                    question.file,
                )
                for name in undefined
            )

    def pool_problem(self, is_simulated: bool) -> str:
        if not is_simulated:
            return ""
        return (
            "simulated replays an evaluator (table or python); trainings by Keras need a real pool."
        )

    def length(self, epochs: str, is_set: bool) -> str:
        return f"trainings of up to {epochs}"


def _validated(root: Path, folds: int | None) -> Iterator[Array]:
    """The targets of the validation data; with folds, those of each fold in turn."""
    if folds is None:
        yield np.load(root / FILES["validation"][1], allow_pickle=False)
        return
    targets = np.load(root / FILES["train"][1], allow_pickle=False)
    fold_of = np.load(root / FOLDS, allow_pickle=False)
    for fold in range(folds):
        yield targets[fold_of == fold]


def _undefined(names: Iterable[str], interface: Interface, targets: Array) -> list[str]:
    """The metrics of the task that have no finite value on these targets, whatever is predicted."""
    known = {f"{VALIDATION}{one.name}": one for one in interface.learning_task.metrics}
    outputs = interface.outputs
    # The same for each sample and output, so that nothing but the targets can be the cause.
    predictions = np.broadcast_to(np.float32(1 / outputs), (len(targets), outputs))
    found = []
    for name in names:
        if name in known:
            (value,) = interface.scores([known[name]], targets, predictions).values()
            if not math.isfinite(value):
                found.append(name)
    return found
