"""A pool that answers from memory: trainings that another run has done already are not done again."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from evonas.evaluate.contract.pool import Finished, Pool, Report
from evonas.evaluate.contract.protocol import Job
from evonas.files import sha256_of, write_whole
from evonas.genome import Genome
from evonas.randomness import training_seed
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.incumbents import incumbent_for
from evonas.runtime.record.layout import Layout
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.rows import Attempt
from evonas.trial import Outcome, Trial, TrialState

Key = tuple[str, int, int, float | None]
"""Genome digest, training seed, epochs, and the incumbent to be reached, if there is one: jobs of one experiment that
share them are the very same training."""

REPEATABLE = frozenset({TrialState.OK, TrialState.INFEASIBLE, TrialState.DIVERGED})
"""Outcomes that follow from the genome alone."""


@dataclass(frozen=True)
class Known:
    """A training that was done.

    Attributes:
        outcome: as recorded, with its seconds: it is charged in full.
        root: the directory of the run that did it, where its files may still be.
    """

    outcome: Outcome
    root: Path


def known_trainings(root: Path) -> dict[Key, Known]:
    """What the run in this directory has trained so far; nothing where there is no run."""
    if not Layout(root).record.is_file():
        return {}
    with RecordReader(Layout(root).record) as record:
        config = RunConfig.from_json(record.meta("config"))
        trials = record.trials(config.to_objective())
        last = {attempt.trial: attempt for attempt in record.attempts()}
        files = record.files()
        incumbents = [incumbent_for(record, config, trial.id) for trial in trials]
    found: dict[Key, Known] = {}
    for trial in trials:
        if trial.id in last and trial.state in REPEATABLE and last[trial.id].state == trial.state:
            proposal = trial.proposal
            seed = training_seed(config.seed, trial.genome.digest, proposal.repeat)
            found[trial.genome.digest, seed, proposal.fidelity.epochs, incumbents[trial.id]] = (
                Known(_outcome(trial, last[trial.id], files), root)
            )
    return found


def _outcome(trial: Trial, attempt: Attempt, files: Mapping[str, str]) -> Outcome:
    weights = {
        name: sha for name, sha in files.items() if name.startswith(f"weights/{trial.id:05d}.")
    }
    details = {**attempt.details, "reused": trial.id}
    return Outcome(
        trial.state,
        trial.metrics,
        attempt.epochs,
        attempt.seconds or 0.0,
        attempt.history,
        attempt.message,
        weights,
        details,
    )


class ReusingPool(Pool):
    """Wraps a pool; a job whose training is known is `Finished` at the next poll, with the recorded outcome.

    Its weights are copied. Where they were pruned or are damaged, the training is done again: a success without its
    weights would be worth nothing to an export.

    Args:
        inner: does what is not known; closed with this pool.
        known: what was done before this run began.
        root: of the run that the jobs are of.
    """

    def __init__(self, inner: Pool, known: Mapping[Key, Known], root: Path) -> None:
        self._inner, self._known, self._root = inner, known, root
        self._ready: list[Report] = []
        self._is_closed = False

    @property
    def capacity(self) -> int:
        return self._inner.capacity

    @property
    def running(self) -> int:
        return self._inner.running + len(self._ready)

    def submit(self, job: Job) -> None:
        if self._is_closed:
            raise RuntimeError("The pool is closed.")
        if self.running >= self.capacity:
            raise RuntimeError(f"All {self.capacity} slots are taken.")
        known = self._known.get(_key(job)) if self._known and job.kind == "train" else None
        outcome = None if known is None else self._with_files(job, known)
        if outcome is None:
            self._inner.submit(job)
        else:
            self._ready.append(Finished(job, outcome))

    def _with_files(self, job: Job, known: Known) -> Outcome | None:
        """The known outcome with its weights in this run; None where they are not what they were."""
        if known.outcome.state is not TrialState.OK:
            return known.outcome
        for name, sha in known.outcome.files.items():
            source = known.root / name
            if source.is_file() and sha256_of(source) == sha:
                with source.open("rb") as file:
                    write_whole(self._root / job.weights, partial(shutil.copyfileobj, file))
                return dataclasses.replace(known.outcome, files={job.weights: sha})
        return None

    def poll(self, timeout: float) -> Sequence[Report]:
        ready, self._ready = self._ready, []
        return [*ready, *self._inner.poll(0.0 if ready else timeout)]

    def cancel(self, trial: int) -> None:
        self._inner.cancel(trial)

    def close(self) -> None:
        self._ready, self._is_closed = [], True
        self._inner.close()


def _key(job: Job) -> Key:
    return (Genome.from_dict(job.genome).digest, job.seed, job.epochs, job.incumbent)
