"""A replay: one trial of a run, trained once more in this process and compared with the record.

Nothing is written into the run and no lock is taken. So a run that goes on can be looked at too.
The training is the worker's own: the same genome, seed, epochs, parts of a batch, and limits on
size. Only limits on time are missing.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evonas.data.prepared import FILES, FOLDS, WEIGHTS
from evonas.errors import InvalidData, Issue, UserError
from evonas.evaluate.contract.evaluator import evaluator_in
from evonas.evaluate.contract.pool import Finished, PoolSettings
from evonas.evaluate.contract.protocol import Job, OnEpoch, RunJob, Setup, TrainJob
from evonas.evaluate.pools.inline import InlinePool
from evonas.files import is_whole
from evonas.invocation import command
from evonas.learning.metrics import TIMES
from evonas.runtime.code_record import changed_code
from evonas.runtime.config.recorded_run import read_run
from evonas.runtime.evaluators import ends_of
from evonas.runtime.incumbents import incumbent_for
from evonas.runtime.loop.jobs import checkpoint_path, parts_before, training_job
from evonas.runtime.loop.retries import accumulation
from evonas.runtime.plugins import check_plugins
from evonas.runtime.pools import make_setup
from evonas.runtime.record.layout import Layout
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.versions import Changes, other_versions
from evonas.trial import Attempt, Outcome, Trial, TrialState
from evonas.words import counted, excerpt


@dataclass(frozen=True)
class Plan:
    """What is to be replayed, read from a record.

    Attributes:
        root: directory of the run.
        trial: trial that was asked for.
        attempt: last attempt at its training, or None. A duplicate has that of the trial that it is
            a duplicate of.
        job: training as that attempt did it. A duplicate's job has the number of the other trial.
        weights: sha256 of the recorded weights; empty if there are none.
        versions: versions that the run uses and that are not those of the record, the CPU among
            them, as name -> (then, now).
        code: that the code of the plugins is another one now, in words; else empty.
    """

    root: Path
    trial: Trial
    attempt: Attempt | None
    job: TrainJob
    setup: Setup
    pool: PoolSettings
    weights: str
    versions: Changes
    code: str = ""


@dataclass(frozen=True)
class Replay:
    """What came of a replay.

    Attributes:
        differences: differences from the record, in words; none if the trial has no recorded
            outcome.
    """

    plan: Plan
    outcome: Outcome
    differences: tuple[str, ...]

    @property
    def is_compared(self) -> bool:
        """Whether there was an outcome to compare with."""
        return self.plan.trial.state.is_final


def plan_replay(root: Path, trial: int) -> Plan:
    """Read what a trial's training was.

    Raises:
        UserError: there is no run, it has no networks, or there is no such trial.
        InvalidRecord: the record is damaged.
        InvalidData: the run's arrays are missing or damaged.
        InvalidConfig: a plugin cannot be used.
    """
    with RecordReader(Layout(root).record) as record:
        run = read_run(record, decoded=True)
        inputs = run.inputs
        config, space, config_file = inputs.config, inputs.space, inputs.config_file
        interface = ends_of(inputs.interface, config)
        trials = run.trials
        if not 0 <= trial < len(trials):
            raise UserError(f"there is no trial {trial} in {root}; {_numbered(len(trials))}")
        first = trials[trials[trial].trained_id]
        attempts = record.attempts(first.id)
        files = record.files(first.id)
        incumbent = incumbent_for(record, config, first.id)
        code = changed_code(record, check_plugins(config, space, config_file))
    _check_data(root, inputs.data_files, config.folds is not None)
    job = _job(config.seed, first, trials, attempts, incumbent)
    return Plan(
        root=root,
        trial=trials[trial],
        attempt=attempts[-1] if attempts else None,
        job=job,
        setup=make_setup(config, space, interface, root, config_file),
        pool=config.pool,
        weights=files.get(job.weights, ""),
        versions=other_versions(inputs.versions, config),
        code=code,
    )


def _job(
    seed: int,
    trial: Trial,
    trials: Sequence[Trial],
    attempts: Sequence[Attempt],
    incumbent: float | None,
) -> TrainJob:
    """The job of the last attempt at a trial, or of a first one if there was none."""
    # The last attempt is the one to be repeated, so only those before it say how batches were cut.
    parts = accumulation(attempts[:-1], parts_before(trial, trials))
    source = trial.proposal.resume_from
    resume_from = None if source is None else checkpoint_path(source)
    number = 0
    session = 0
    if attempts:
        number = attempts[-1].number
        session = attempts[-1].session
    return training_job(trial, number, session, seed, resume_from, parts, incumbent=incumbent)


def run_replay(plan: Plan, on_epoch: OnEpoch, run_job: RunJob | None = None) -> Replay:
    """Train, and compare.

    What the network prints, and a traceback, go where this process's output goes.

    Args:
        on_epoch: called after each epoch, at once.
        run_job: does the work; by default what a worker does, which imports Keras into this
            process.

    Raises:
        NoWorker: the run's config names a GPU that is not there.
    """
    run_job = run_job or worker_of(plan)

    def aloud(setup: Setup, job: Job, report: OnEpoch) -> Outcome:
        # The pool reports epochs when all is over; the user is to see them while it trains.
        def both(epoch: int, metrics: Mapping[str, float]) -> None:
            on_epoch(epoch, metrics)
            report(epoch, metrics)

        return run_job(setup, job, both)

    with tempfile.TemporaryDirectory(prefix="evonas-replay-") as scratch:
        job = _furnish(Path(scratch), plan)
        setup = replace(plan.setup, directory=scratch)
        with InlinePool(setup, aloud) as pool:
            pool.submit(job)
            reports = pool.poll(0.0)
    (outcome,) = (report.outcome for report in reports if isinstance(report, Finished))
    differences = []
    # A trial that still waits has no outcome to be compared with.
    if plan.trial.state.is_final:
        differences = _differences(plan, outcome)
    return Replay(plan, outcome, tuple(differences))


def _numbered(count: int) -> str:
    """Which trials there are."""
    if not count:
        return "there are no trials yet"
    return f"they are numbered 0 to {count - 1}"


def _check_data(root: Path, files: Mapping[str, str], has_folds: bool) -> None:
    """Check the arrays that a training reads.

    Raises:
        InvalidData: one of them is missing or damaged.
    """
    read = (*FILES["train"], FOLDS) if has_folds else (*FILES["train"], *FILES["validation"])
    weights = [WEIGHTS["train"], WEIGHTS["validation"]]
    for name in (*read, *(one for one in weights if one in files)):
        path = root / name
        if not path.is_file() or (name in files and not is_whole(path, files[name])):
            message = (
                "is missing or damaged: a replay would show nothing."
                f" To make it again:  {command('resume', root)}"
            )
            raise InvalidData(Issue(message, file=str(path)))


def worker_of(plan: Plan) -> RunJob:
    """A worker's work in this process, with device and threads of the run's first worker.

    Imports TensorFlow and opens its devices.

    Raises:
        NoWorker: the run's config names a GPU that is not there.
    """
    # TensorFlow reads these variables when it is imported; later they would change nothing.
    if "tensorflow" not in sys.modules:
        os.environ.update(plan.pool.environment())
    evaluator = evaluator_in(plan.setup)
    run_job = evaluator.open(plan.setup)
    # Opens the devices.
    evaluator.facts()
    return run_job


def _furnish(scratch: Path, plan: Plan) -> TrainJob:
    """Make a directory look like the run's to the job, and write nothing into the run's."""
    root = plan.root.resolve()
    (scratch / "data").symlink_to(root / "data")
    if plan.job.resume_from is not None:
        source = root / plan.job.resume_from
        target = scratch / plan.job.resume_from
        target.parent.mkdir(parents=True)
        # Without it the training starts afresh, and gives the same.
        if source.is_file():
            target.symlink_to(source)
    return replace(plan.job, checkpoint=None)


def _differences(plan: Plan, outcome: Outcome) -> list[str]:
    """What the replay did not give as recorded, bit for bit.

    Times, and the words of messages, are left out.
    """
    then = plan.trial
    attempt = plan.attempt
    said = "" if attempt is None else excerpt(attempt.message)
    if then.state is not outcome.state:
        return [
            f"it is `{then.state}` in the record ({said or 'without a word'})"
            f" and `{outcome.state}` in the replay"
        ]
    found = _other_metrics(then.metrics, outcome.metrics)
    if attempt is not None:
        if words := _first_other_epoch(attempt.history, outcome.history):
            found.append(words)
        now = excerpt(outcome.message)
        if then.state is TrialState.ERROR and _kind(said) != _kind(now):
            found.append(f"its error is {said!r} in the record and {now!r} in the replay")
    weights = outcome.files.get(plan.job.weights)
    if outcome.state is TrialState.OK and plan.weights and weights != plan.weights:
        found.append("its weights are other ones")
    return found


def _other_metrics(then: Mapping[str, float], now: Mapping[str, float]) -> list[str]:
    """A phrase for each metric that differs."""
    found = []
    for name in sorted({*then, *now} - TIMES):
        if then.get(name) != now.get(name):
            found.append(
                f"its {name} is {then.get(name)} in the record and {now.get(name)} in the replay"
            )
    return found


def _first_other_epoch(then: Mapping[str, Sequence[Any]], now: Mapping[str, Sequence[Any]]) -> str:
    """The first epoch whose metrics differ, in words; empty if none does."""
    for name in sorted({*then, *now} - TIMES):
        recorded = list(then.get(name, ()))
        replayed = list(now.get(name, ()))
        if recorded == replayed:
            continue
        # If all epochs that both have are equal, one of them has more.
        same = min(len(recorded), len(replayed))
        for at, (one, other) in enumerate(zip(recorded, replayed, strict=False)):
            if one != other:
                same = at
                break
        lengths = f"{counted(len(recorded), 'epoch')} in the record"
        lengths += f" and {len(replayed):,} in the replay"
        return f"its {name} differs from epoch {same + 1} on ({lengths})"
    return ""


def _kind(message: str) -> str:
    """The kind of an error, `ValueError` of `ValueError: ...`; the rest may name addresses."""
    return message.partition(":")[0]
