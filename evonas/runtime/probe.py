"""Probe trainings: a few networks, trained in the pool as the run would train them, and timed."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from evonas.errors import UserError
from evonas.evaluate.contract.pool import Finished, Pool, Progress
from evonas.genome import Genome
from evonas.learning.interface import Interface
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.loop.jobs import checkpoint_path, training_job, weights_path
from evonas.runtime.loop.reserve import Reserve
from evonas.runtime.pools import PoolFactory, make_setup, open_pool
from evonas.trial import (
    CUT_SHORT,
    Fidelity,
    Lineage,
    Outcome,
    Proposal,
    Trial,
    TrialState,
)

LONGEST = 30.0
"""Seconds after which a probe training ends with its epoch."""
ALL = 60.0
"""Seconds after which no other probe training begins."""
FEWEST = 3
"""Trainings that begin in any case."""
PATIENCE = 10
"""So many times as long an epoch may take. Then the training is given up."""
LOOK = 0.2
"""Seconds that are waited for a report."""
MEMORY_LOOK = 1.0
"""Seconds between two looks at the memory: each takes some hundredths of one."""


@dataclass(frozen=True)
class Training:
    """A probe training.

    Attributes:
        state: how it ended.
        message: what is said of a failure.
        seconds: time that a run would spend on it; longer than what was measured if it was cut
            short.
        epochs: epochs of it.
        is_cut: whether it was cut short, and the rest is calculated.
        bytes: bytes of its weights.
    """

    state: TrialState
    message: str
    seconds: float
    epochs: int
    is_cut: bool
    bytes: int


@dataclass(frozen=True)
class Typical:
    """What a training takes.

    Attributes:
        seconds: mean seconds.
        bytes: mean bytes of the weights.
    """

    seconds: float
    bytes: float


@dataclass(frozen=True)
class Probe:
    """What the probe trainings have shown.

    Attributes:
        trainings: the trainings.
        workers: number of networks that were trained at once.
        start: seconds until all workers had begun.
        end: seconds that the export of the winner will take.
        memory: bytes that all processes together have taken at most.
        data: bytes of the data on the disk.
    """

    trainings: tuple[Training, ...]
    workers: int
    start: float
    end: float
    memory: int
    data: int

    @property
    def succeeded(self) -> list[Training]:
        return [one for one in self.trainings if one.state is TrialState.OK]

    def in_words(self) -> str:
        """How long the trainings took: `17 took 0.6 to 3.3 s, 1.6 s in the mean`.

        Raises:
            UserError: no training has succeeded.
        """
        mean = self.typical.seconds
        times = [one.seconds for one in self.succeeded]
        told = [
            f"{len(times)} took {min(times):.1f} to {max(times):.1f} s, {mean:.1f} s in the mean"
        ]
        cut = sum(one.is_cut for one in self.succeeded)
        if cut:
            told.append(f"{cut} of them calculated from the first epochs")
        for state, count in sorted(Counter(one.state for one in self.trainings).items()):
            if state is not TrialState.OK:
                told.append(f"{count} {state}")
        return "; ".join(told)

    @property
    def typical(self) -> Typical:
        """What a network takes: the mean of those that were trained.

        Raises:
            UserError: no training has succeeded.
        """
        done = self.succeeded
        if not done:
            first = self.trainings[0]
            raise UserError(f"no probe training succeeded: {first.state} {first.message}".rstrip())
        count = len(done)
        seconds = sum(one.seconds for one in done)
        return Typical(seconds / count, sum(one.bytes for one in done) / count)


@dataclass
class _Clocks:
    """When each running job has begun, and ended its first and its latest epoch."""

    begun: dict[int, float] = field(default_factory=dict)
    first: dict[int, float] = field(default_factory=dict)
    latest: dict[int, float] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)

    def later(self, trial: int) -> float:
        """Mean seconds of an epoch after the first; of the first if there is no other."""
        count = self.epochs.get(trial, 0)
        if count < 2:
            return self.first.get(trial, self.begun[trial]) - self.begun[trial]
        return (self.latest[trial] - self.first[trial]) / (count - 1)


class _Probing:
    """Trains a few networks in a pool."""

    def __init__(self, loaded: LoadedConfig, root: Path, pool: Pool) -> None:
        self._config = loaded.config
        self._root = root
        self._pool = pool
        self._clocks = _Clocks()
        self._next = 0
        self._over: set[int] = set()
        self._cut: set[int] = set()
        config = loaded.config
        self.reserve = Reserve(
            time.monotonic,
            0.0,
            pool.capacity,
            config.folds,
            config.members_of_ensemble,
            config.seconds_of_neighbours,
            config.budget.time,
            config.trainings_of_finalists,
        )
        self.memory = 0
        self._looked = 0.0

    def train(self, genomes: Sequence[Genome], epochs: int) -> dict[int, Outcome]:
        """Train networks, as many at once as there are workers; the outcome of each, by number.

        If they take long, the last ones are not trained.
        """
        waiting = list(genomes)
        end = time.monotonic() + ALL
        found: dict[int, Outcome] = {}
        while waiting or self._pool.running:
            has_begun = len(genomes) - len(waiting)
            if has_begun >= FEWEST and time.monotonic() > end:
                waiting.clear()
            while waiting and self._pool.running < self._pool.capacity:
                self._submit(waiting.pop(0), epochs)
            for report in self._pool.poll(LOOK):
                self._hear(report)
                if isinstance(report, Finished):
                    found[report.job.trial] = report.outcome
                    self._over.add(report.job.trial)
            self._look_at_memory()
            self._end_long_ones()
        return found

    def _submit(self, genome: Genome, epochs: int) -> None:
        proposal = Proposal(genome, Fidelity(epochs), Lineage(("sample",)))
        trial = Trial(self._next, proposal)
        self._next += 1
        self._clocks.begun[trial.id] = time.monotonic()
        self.reserve.begin(trial.id)
        self._pool.submit(training_job(trial, 0, 0, self._config.seed))

    def _hear(self, report: object) -> None:
        if not isinstance(report, Progress):
            return
        trial, now = report.job.trial, time.monotonic()
        self.reserve.hear(trial)
        self._clocks.first.setdefault(trial, now)
        self._clocks.latest[trial] = now
        self._clocks.epochs[trial] = report.epoch

    def _look_at_memory(self) -> None:
        now = time.monotonic()
        if now >= self._looked + MEMORY_LOOK:
            self._looked = now
            self.memory = max(self.memory, _memory())

    def _end_long_ones(self) -> None:
        now = time.monotonic()
        for trial in set(self._clocks.begun) - self._over:
            took = now - self._clocks.begun[trial]
            if took > PATIENCE * LONGEST:
                self._pool.cancel(trial)
            elif took > LONGEST and trial not in self._cut:
                self._cut.add(trial)
                self._pool.cut_short(trial)

    def told(self, trial: int, outcome: Outcome, epochs: int) -> Training:
        """A training, with the rest of one that was cut short.

        Args:
            epochs: number of epochs that it would have had.
        """
        is_cut = CUT_SHORT in outcome.metrics
        seconds = outcome.seconds
        if is_cut:
            epochs = max(epochs, outcome.epochs)
            seconds += self._clocks.later(trial) * (epochs - outcome.epochs)
        kept = 0
        with suppress(OSError):
            kept = (self._root / weights_path(trial)).stat().st_size
        return Training(
            outcome.state,
            outcome.message,
            seconds,
            epochs if is_cut else outcome.epochs,
            is_cut,
            kept,
        )


def probe(
    loaded: LoadedConfig,
    root: Path,
    interface: Interface,
    genomes: Sequence[Genome],
    smallest: Genome,
    before: float = 0.0,
    pool_factory: PoolFactory = open_pool,
) -> Probe:
    """Train some networks.

    Args:
        loaded: config of the run.
        root: folder with the data of the run, which gets the files of the trainings.
        interface: the two ends of the networks.
        genomes: the networks.
        smallest: a small network, by which the workers warm up: a worker's first training takes
            longer.
        before: seconds that the data have taken, which a run spends, too.

    Raises:
        NoWorker: no worker could be started.
    """
    config = loaded.config
    data = _bytes(root / "data")
    setup = make_setup(config, loaded.space, interface, root, loaded.file)
    for folder in (weights_path(0), checkpoint_path(0)):
        (root / folder).parent.mkdir(exist_ok=True)
    began = time.monotonic()
    with pool_factory(config, setup, root) as pool:
        probing = _Probing(loaded, root, pool)
        probing.train([smallest] * pool.capacity, 1)
        start = time.monotonic() - began
        outcomes = probing.train(genomes, config.training.epochs)
        end = probing.reserve.seconds(None)
        workers = pool.capacity
    usual = usual_epochs(list(outcomes.values()), config.training.epochs)
    trainings = []
    for trial, outcome in sorted(outcomes.items()):
        trainings.append(probing.told(trial, outcome, usual))
    return Probe(tuple(trainings), workers, before + start, end, probing.memory, data)


def usual_epochs(outcomes: Sequence[Outcome], most: int) -> int:
    """The mean epochs of trainings that ended by themselves, often by their patience.

    Args:
        outcomes: what came of all trainings.
        most: epochs of a full training, which count if all were cut short.
    """
    whole = []
    for outcome in outcomes:
        if outcome.state is TrialState.OK and CUT_SHORT not in outcome.metrics:
            whole.append(outcome.epochs)
    return round(sum(whole) / len(whole)) if whole else most


def _memory() -> int:
    """Bytes of this process and of all that it has started; shared pages are divided."""
    total = 0
    with suppress(psutil.Error):
        own = psutil.Process(os.getpid())
        for process in (own, *own.children(recursive=True)):
            with suppress(psutil.Error):
                known = process.memory_full_info()._asdict()
                # Only Linux divides what processes share.
                total += int(known.get("pss") or known["rss"])
    return total


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
