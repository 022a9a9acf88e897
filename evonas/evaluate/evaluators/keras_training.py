"""Trainings by Keras: a genome becomes a network, which is trained and scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.data.prepared import Prepared, prepare
from evonas.evaluate.contract.evaluator import WORKER, Evaluator, Question, silent
from evonas.evaluate.contract.import_watch import import_plugins
from evonas.evaluate.contract.pool import Worker
from evonas.evaluate.contract.protocol import Alive, Job, OnEpoch, RunJob, Setup
from evonas.trial import Outcome


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
        return prepare(question.data, root)

    def pool_problem(self, is_simulated: bool) -> str:
        if not is_simulated:
            return ""
        return (
            "simulated replays an evaluator (table or python); trainings by Keras need a real pool."
        )

    def length(self, epochs: str, is_set: bool) -> str:
        return f"trainings of up to {epochs}"
