"""A replay: one trial of a run, trained once more in this process and held against the record.

Nothing is written into the run and no lock is taken, so a run that goes on can be looked at too. The training is the
worker's own: the same genome, seed, epochs, cut of the batches, and limits on size. Only limits on time are missing.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from evonas.data.prepared import FILES
from evonas.errors import InvalidData, Issue, UserError
from evonas.evaluate.contract.pool import Finished
from evonas.evaluate.contract.protocol import Job, OnEpoch, RunJob, Setup
from evonas.evaluate.local.devices import device_shares, inventory
from evonas.evaluate.pools.inline import InlinePool
from evonas.files import sha256_of
from evonas.genome import parse_space
from evonas.learning.interface import Interface
from evonas.runtime.config.run_config import LocalConfig, PoolConfig, RunConfig
from evonas.runtime.evaluators import ends_of
from evonas.runtime.incumbents import incumbent_for
from evonas.runtime.loop.jobs import checkpoint_path, parts_before, training_job
from evonas.runtime.loop.retries import accumulation
from evonas.runtime.record.layout import Layout
from evonas.runtime.record.reader import RecordReader, decoding
from evonas.runtime.record.rows import Attempt
from evonas.runtime.session import make_setup, versions
from evonas.trial import TIMES, Outcome, Trial, TrialState


@dataclass(frozen=True)
class Plan:
    """What is to be replayed, read from a record.

    Attributes:
        root: of the run.
        trial: that was asked for.
        attempt: the last one at its training, where there was any; of its twin, where it is one.
        job: the training, as that attempt did it; its `trial` is the twin's number.
        weights: the sha256 of the recorded weights; empty where there are none.
        versions: what the record was made with and is not what runs now: name -> (then, now).
    """

    root: Path
    trial: Trial
    attempt: Attempt | None
    job: Job
    setup: Setup
    pool: PoolConfig
    weights: str
    versions: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Replay:
    """What came of a replay.

    Attributes:
        differences: from the record, in words; none where the trial has no recorded outcome.
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
        UserError: there is no run, or no such trial.
        InvalidRecord: the record is damaged.
        InvalidData: the run's arrays are missing or damaged.
    """
    with RecordReader(Layout(root).record) as record:
        with decoding(record.path):
            config = RunConfig.from_json(record.meta("config"))
            space = parse_space(record.meta("space"), "the recorded space")
            ends = record.meta("interface")
            interface = ends_of(None if ends is None else Interface.from_json(ends), config)
            made_with: Mapping[str, str] = record.meta("versions")
            files: Mapping[str, str] = record.meta("data_files")
        trials = record.trials(config.to_objective())
        if not 0 <= trial < len(trials):
            raise UserError(
                f"there is no trial {trial} in {root}; they are numbered 0 to {len(trials) - 1}"
            )
        twin = trials[trial].twin_of
        trained = trials[trial if twin is None else twin]
        attempts = record.attempts(trained.id)
        weights, incumbent = record.files(trained.id), incumbent_for(record, config, trained.id)
    _check_data(root, files)
    parts = accumulation(attempts[:-1], parts_before(trained, trials))
    last = attempts[-1] if attempts else None
    source = trained.proposal.resume_from
    resume_from = None if source is None else checkpoint_path(source)
    number, session = (last.number, last.session) if last else (0, 0)
    job = training_job(
        trained, number, session, config.seed, resume_from, parts, incumbent=incumbent
    )
    now = versions()
    other = {
        name: (then, now[name]) for name, then in made_with.items() if now.get(name, then) != then
    }
    setup = make_setup(config, space, interface, root)
    return Plan(
        root, trials[trial], last, job, setup, config.pool, weights.get(job.weights, ""), other
    )


def run_replay(plan: Plan, on_epoch: OnEpoch, run_job: RunJob | None = None) -> Replay:
    """Train, and compare. What the network prints, and a traceback, go where this process's output goes.

    Args:
        on_epoch: called after each epoch, at once.
        run_task: does the work; by default what a worker does, which imports Keras into this process.

    Raises:
        NoWorker: the run's config names a GPU that is not there.
    """
    run_job = run_job or _worker(plan)

    def aloud(setup: Setup, job: Job, report: OnEpoch) -> Outcome:
        def both(epoch: int, metrics: Mapping[str, float]) -> None:
            on_epoch(epoch, metrics)
            report(epoch, metrics)

        return run_job(setup, job, both)

    with tempfile.TemporaryDirectory(prefix="evonas-replay-") as scratch:
        job = _furnish(Path(scratch), plan)
        with InlinePool(replace(plan.setup, directory=scratch), aloud) as pool:
            pool.submit(job)
            (outcome,) = (
                report.outcome for report in pool.poll(0.0) if isinstance(report, Finished)
            )
    return Replay(
        plan, outcome, tuple(_differences(plan, outcome)) if plan.trial.state.is_final else ()
    )


def _check_data(root: Path, files: Mapping[str, str]) -> None:
    for part in ("train", "validation"):
        for name in FILES[part]:
            if not (root / name).is_file() or (
                name in files and sha256_of(root / name) != files[name]
            ):
                message = "is missing or damaged: a replay would show nothing. `evonas resume` makes it again"
                raise InvalidData(Issue(message, file=str(root / name)))


def _worker(plan: Plan) -> RunJob:
    """A worker's work in this process, with the device and the threads of the run's first worker."""
    if isinstance(plan.pool, LocalConfig) and "tensorflow" not in sys.modules:
        first, *_ = device_shares(
            plan.pool.workers, plan.pool.devices, inventory(), threads=plan.pool.threads
        )
        os.environ.update(first.environment())
    from evonas.evaluate.local.worker import configure, run_job

    configure(plan.setup.threads)
    return run_job


def _furnish(scratch: Path, plan: Plan) -> Job:
    """Make a directory look like the run's to the job, and write nothing into the run's."""
    root = plan.root.resolve()
    (scratch / "data").symlink_to(root / "data")
    if plan.job.resume_from is not None:
        source = root / plan.job.resume_from
        (scratch / plan.job.resume_from).parent.mkdir(parents=True)
        if source.is_file():  # else the training starts afresh, and gives the same
            (scratch / plan.job.resume_from).symlink_to(source)
    return replace(plan.job, checkpoint=None)


def _differences(plan: Plan, outcome: Outcome) -> list[str]:
    """What the replay did not give as recorded, bit for bit; times and the words of messages are left out."""
    then, attempt = plan.trial, plan.attempt
    if then.state is not outcome.state:
        said = attempt.message if attempt is not None else ""
        return [
            f"it is `{then.state}` in the record ({said or 'without a word'}) and `{outcome.state}` in the replay"
        ]
    found = [
        f"its {name} is {then.metrics.get(name)} in the record and {outcome.metrics.get(name)} in the replay"
        for name in sorted({*then.metrics, *outcome.metrics} - TIMES)
        if then.metrics.get(name) != outcome.metrics.get(name)
    ]
    if attempt is not None and (words := _first_other_epoch(attempt.history, outcome.history)):
        found.append(words)
    if (
        attempt is not None
        and then.state is TrialState.ERROR
        and _kind(attempt.message) != _kind(outcome.message)
    ):
        found.append(
            f"its error is {attempt.message!r} in the record and {outcome.message!r} in the replay"
        )
    if (
        outcome.state is TrialState.OK
        and plan.weights
        and outcome.files.get(plan.job.weights) != plan.weights
    ):
        found.append("its weights are other ones")
    return found


def _first_other_epoch(then: Mapping[str, object], now: Mapping[str, object]) -> str:
    """The first epoch whose metrics differ, in words; empty for none."""
    for name in sorted({*then, *now} - TIMES):
        pair = (list(then.get(name, ())), list(now.get(name, ())))  # type: ignore[call-overload]
        if pair[0] != pair[1]:
            same = next(
                (at for at, (a, b) in enumerate(zip(*pair, strict=False)) if a != b),
                min(map(len, pair)),
            )
            lengths = f"{len(pair[0])} epochs in the record and {len(pair[1])} in the replay"
            return f"its {name} differs from epoch {same + 1} on ({lengths})"
    return ""


def _kind(message: str) -> str:
    """The kind of an error, `ValueError` of `ValueError: ...`; the rest may name addresses."""
    return message.partition(":")[0]
