"""A table of known results: each job is a look-up, and takes the seconds that the table has."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evonas.data.prepared import Prepared
from evonas.errors import InvalidConfig, Issue, did_you_mean
from evonas.evaluate.contract.evaluator import Evaluator, Question, silent
from evonas.evaluate.contract.protocol import Alive, Job, OnEpoch, RunJob, Setup, TrainJob
from evonas.evaluate.evaluators.judging import TEST, judged, training
from evonas.evaluate.known.table import Table, load_table
from evonas.files import sha256_of
from evonas.genome import Genome, SearchSpace, parse_space
from evonas.genome.strict_yaml import short
from evonas.settings import Check, path_problem
from evonas.trial import Outcome, TrialState
from evonas.words import counted


@dataclass(frozen=True)
class TableEvaluator(Evaluator):
    """Results that are known already, replayed by the simulated pool.

    Attributes:
        path: path of a `.csv` or `.csv.gz` with a row for each genome (docs/evaluators.md).
            In a config's file it is relative to that file.
    """

    path: Annotated[str, Check(path_problem)]

    is_replayed = True
    file = "path"

    def open(self, setup: Setup, alive: Alive = silent, is_simulated: bool = False) -> RunJob:
        space = parse_space(setup.space, "the recorded space")
        return TableLookup(load_table(self.path, space))

    @property
    def in_words(self) -> str:
        return f"the table {self.path}"

    def prepare(self, question: Question, root: Path) -> Prepared:
        table = load_table(self.path, question.space)
        if wrong := _misfits(question, table):
            raise InvalidConfig(
                Issue(message, key, question.file) for key, message in wrong.items()
            )
        return Prepared(
            None,
            files={},
            counts={"genomes": len(table)},
            fingerprint=sha256_of(Path(self.path)),
            guess="",
        )

    def pool_problem(self, is_simulated: bool) -> str:
        if is_simulated:
            return ""
        return "a table is replayed by the simulated pool: write `simulated: {workers: 8}`."

    def known(self, genome: Genome, space: SearchSpace) -> Mapping[str, Mapping[str, float]]:
        table = load_table(self.path, space)
        row = table.row(genome)
        if row is None:
            return {}
        return {str(epochs): table.values(row, epochs) for epochs in table.fidelities}


@dataclass(frozen=True)
class TableLookup:
    """Looks a genome up in a table.

    Seconds are those of the table. In a table without seconds, an epoch counts as one second.
    """

    table: Table

    def __call__(self, setup: Setup, job: Job, on_epoch: OnEpoch) -> Outcome:
        table = self.table
        epochs = job.epochs
        if epochs not in table.metrics:
            known = ", ".join(map(str, table.fidelities))
            message = f"the table has results at epochs {known} only. Received: {epochs}."
            return Outcome(TrialState.ERROR, message=message)
        row = table.row(job.genome)
        if row is None:
            return Outcome(TrialState.INFEASIBLE, message="the table has no such genome")
        found = table.values(row, epochs)
        cost = self._cost(row, training(job))
        # A metric that was not measured counts like a genome that the table does not have.
        return judged(found, setup, cost, epochs, missing=TrialState.INFEASIBLE)

    def _cost(self, row: int, job: TrainJob) -> float:
        """Seconds of the job. A trial that continues another one pays only the difference."""
        seconds = self.table.seconds(row, job.epochs)
        if seconds is None:
            return float(job.epochs - job.trained)
        # 0 epochs are no fidelity, so that a trial from the start pays everything.
        spent = 0.0
        if job.trained in self.table.metrics:
            spent = self.table.seconds(row, job.trained) or 0.0
        return max(0.0, seconds - spent)


def _misfits(question: Question, table: Table) -> dict[str, str]:
    """What a run asks of a table that it does not have, by key."""
    fidelities = ", ".join(map(str, table.fidelities))
    full = question.epochs
    if full not in table.metrics:
        message = f"must be a fidelity of the table: {fidelities}. Received: {full}."
        return {"training.epochs": message}
    found = {}
    for epochs in sorted(question.fidelities - set(table.fidelities)):
        found[question.strategy] = (
            f"trains for {counted(epochs, 'epoch')} among others; the table knows {fidelities}."
        )
    known = sorted(question.fidelities & set(table.fidelities))
    for name, epochs in itertools.product(question.metrics, known):
        if name not in table.metrics[epochs]:
            found[question.metrics[name]] = _no_such_metric(table, name, epochs)
    for key in question.times if not table.is_timed else ():
        found[key] = "the table has no seconds (columns seconds@EPOCHS) to spend."
    return found


def _no_such_metric(table: Table, name: str, epochs: int) -> str:
    """A sentence that names the metrics that the table has."""
    metrics = table.metrics[epochs]
    # Metrics of the test data cannot be an objective, so they are not offered.
    listed = ", ".join(metric for metric in metrics if not metric.startswith(TEST))
    hint = did_you_mean(name, metrics)
    return (
        f"the table has no such metric after {counted(epochs, 'epoch')}. Allowed: {listed}."
        f" Received: {short(name)}.{hint}"
    )
