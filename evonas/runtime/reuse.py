"""A pool that answers from memory: what another run has trained already is not trained again."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from evonas.evaluate.contract.pool import Finished, Pool, Report
from evonas.evaluate.contract.protocol import Job, TrainJob
from evonas.files import sha256_of, write_whole
from evonas.randomness import training_seed
from evonas.runtime.code_record import Sources, changed_late, code_changes, recorded_code
from evonas.runtime.config.recorded_run import read_run
from evonas.runtime.incumbents import incumbent_for
from evonas.runtime.record.layout import Layout
from evonas.runtime.record.reader import RecordReader
from evonas.trial import Attempt, Outcome, Trial, TrialState

Key = tuple[str, int, int, float | None]
"""Genome digest, training seed, epochs, and the incumbent to be reached (or None).

Jobs of one experiment with the same key are the same training.
"""

REPEATABLE = frozenset({TrialState.OK, TrialState.INFEASIBLE, TrialState.DIVERGED})
"""Outcomes that depend on the genome alone."""


@dataclass(frozen=True)
class Known:
    """A training that was done.

    Attributes:
        outcome: recorded outcome, with its seconds: it is charged in full.
        root: directory of the run that did it; its files may still be there.
    """

    outcome: Outcome
    root: Path


def known_trainings(root: Path, code: Sources | None = None) -> dict[Key, Known]:
    """What the run in this directory has trained so far; empty if there is no run.

    Args:
        code: what identifies the code of the plugins. With other code the trainings are others,
            and none is known.
    """
    if not Layout(root).record.is_file():
        return {}
    with RecordReader(Layout(root).record) as record:
        if code is not None:
            is_other = recorded_code(record) != code or bool(changed_late(record))
            if is_other or code_changes(record):
                return {}
        run = read_run(record)
        config = run.inputs.config
        # Attempts come in order, so the last one of each trial stays.
        last = {attempt.trial: attempt for attempt in record.attempts()}
        incumbents = [incumbent_for(record, config, trial.id) for trial in run.trials]
    found: dict[Key, Known] = {}
    for trial in run.trials:
        attempt = last.get(trial.id)
        if attempt is None or trial.state not in REPEATABLE or trial.is_cut_short:
            continue
        # The last attempt is not that of the outcome: the trial was trained again, without success.
        if attempt.state != trial.state:
            continue
        digest = trial.genome.digest
        proposal = trial.proposal
        seed = training_seed(config.seed, digest, proposal.repeat)
        key = (digest, seed, proposal.fidelity.epochs, incumbents[trial.id])
        found[key] = Known(_outcome(trial, attempt, run.files), root)
    return found


def _outcome(trial: Trial, attempt: Attempt, files: Mapping[str, str]) -> Outcome:
    """The outcome of a trial, from what is recorded."""
    prefix = f"weights/{trial.id:05d}."
    weights = {name: sha for name, sha in files.items() if name.startswith(prefix)}
    return Outcome(
        state=trial.state,
        metrics=trial.metrics,
        epochs=attempt.epochs,
        seconds=attempt.seconds or 0.0,
        history=attempt.history,
        message=attempt.message,
        files=weights,
        details=dataclasses.replace(attempt.details, reused=trial.id),
    )


class ReusingPool(Pool):
    """Wraps a pool; a job whose training is known is `Finished` at the next poll.

    It has the recorded outcome, and its weights are copied. If they were deleted or are damaged,
    the training is done again: a success without its weights would be worth nothing to an export.

    Args:
        inner: does what is not known; closed with this pool.
        known: what was done before this run began.
        root: directory of the run that the jobs are of.
    """

    def __init__(self, inner: Pool, known: Mapping[Key, Known], root: Path) -> None:
        self._inner = inner
        self._known = known
        self._root = root
        self._ready: list[Report] = []
        self._is_closed = False

    @property
    def capacity(self) -> int:
        return self._inner.capacity

    @property
    def running(self) -> int:
        return self._inner.running + len(self._ready)

    @property
    def opening(self) -> str:
        return self._inner.opening

    @property
    def is_simulated(self) -> bool:
        return self._inner.is_simulated

    @property
    def clock(self) -> Callable[[], float]:
        return self._inner.clock

    def restore(self, now: float, begun: Mapping[int, float]) -> None:
        self._inner.restore(now, begun)

    def submit(self, job: Job) -> None:
        if self._is_closed:
            raise RuntimeError("The pool is closed.")
        if self.running >= self.capacity:
            raise RuntimeError(f"All {self.capacity} slots are taken.")
        outcome = self._recall(job)
        if outcome is None:
            self._inner.submit(job)
        else:
            self._ready.append(Finished(job, outcome))

    def _recall(self, job: Job) -> Outcome | None:
        """The known outcome of a job, with its files in this run; None if there is none."""
        # Only trainings are remembered.
        if not self._known or not isinstance(job, TrainJob):
            return None
        known = self._known.get(_key(job))
        if known is None:
            return None
        return self._with_files(job, known)

    def _with_files(self, job: Job, known: Known) -> Outcome | None:
        """The known outcome with its weights in this run; None if they are not what they were."""
        if known.outcome.state is not TrialState.OK:
            return known.outcome
        for name, sha in known.outcome.files.items():
            source = known.root / name
            if source.is_file() and sha256_of(source) == sha:
                with source.open("rb") as file:
                    write_whole(self._root / job.weights, partial(shutil.copyfileobj, file))
                # The trial may have another number here, and its file another name.
                return dataclasses.replace(known.outcome, files={job.weights: sha})
        return None

    def poll(self, timeout: float) -> Sequence[Report]:
        ready = self._ready
        self._ready = []
        # What is ready does not wait for what is trained.
        if ready:
            timeout = 0.0
        return [*ready, *self._inner.poll(timeout)]

    def cancel(self, trial: int) -> None:
        self._inner.cancel(trial)

    def cut_short(self, trial: int) -> None:
        self._inner.cut_short(trial)

    def close(self) -> None:
        self._ready = []
        self._is_closed = True
        self._inner.close()


def _key(job: TrainJob) -> Key:
    return (job.genome.digest, job.seed, job.epochs, job.incumbent)
