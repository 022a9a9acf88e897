"""One slot of the local pool: its worker, its job, and what it is waiting for."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from enum import Enum, auto

from evonas.evaluate.contract.answers import Alive, BadAnswer, Epoch, Ready, read_answer
from evonas.evaluate.contract.pool import Finished, Progress, Report
from evonas.evaluate.contract.protocol import Job, encode
from evonas.evaluate.local.channel import Channel, LineTooLong
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launcher import Handle, Launcher
from evonas.evaluate.local.memory import Memory
from evonas.evaluate.local.worker_log import WorkerLog
from evonas.trial import Outcome, TrialState

HANG_UP_LIMIT = 1.0
"""Seconds from the end of a worker's connection to its own end; after them it is killed."""
KILL_LIMIT = 30.0
"""Seconds that a killed worker may take to be gone; after them it is given up, its job reported all the same."""

KEEPS_WORKER = frozenset({TrialState.OK, TrialState.INFEASIBLE, TrialState.DIVERGED})
"""Outcomes that say nothing against the worker; after any other the next job gets a fresh one."""
WITHOUT_LOG = KEEPS_WORKER | {TrialState.CANCELLED}


class Phase(Enum):
    EMPTY = auto()  # no worker
    STARTING = auto()  # sent the setup, not yet ready
    IDLE = auto()
    WORKING = auto()
    HUNG_UP = auto()  # the connection has ended, the process not yet
    KILLED = auto()  # and not yet gone


@dataclass(frozen=True)
class SlotLimits:
    """Of a worker. All clocks are monotonic; those of a job run for trainings only, for an export is the run's work.

    Attributes:
        job: seconds for a training.
        stalled: seconds of a training without a sign of life.
        start: seconds for a worker's start.
        jobs: after which a fresh worker takes over.
        growth: bytes by which a worker may have grown since it was ready; after more a fresh one takes over.
    """

    job: float | None
    stalled: float | None
    start: float
    jobs: int
    growth: int | None


@dataclass
class Starts:
    """Failed starts in a row, of all slots of a pool."""

    failed: int = 0
    why: str = ""


@dataclass
class _Worker:
    handle: Handle
    channel: Channel
    oom_kills: int
    """On the host, when it began its start or its job."""
    is_ready: bool = False
    jobs: int = 0
    size: int = 0
    """Bytes, when it was ready."""


class Slot:
    """Owns at most one worker process, which has at most one job.

    A job is reported when its worker is ready for the next one or is gone for certain: on a GPU, a successor would
    else meet the memory of the dead.
    """

    def __init__(
        self,
        share: DeviceShare,
        log: WorkerLog,
        setup: bytes,
        limits: SlotLimits,
        starts: Starts,
        memory: Memory,
    ) -> None:
        self.share = share
        self.job: Job | None = None
        self.phase = Phase.EMPTY
        self._log, self._setup, self._limits, self._starts, self._memory = (
            log,
            setup,
            limits,
            starts,
            memory,
        )
        self._worker: _Worker | None = None
        self._launcher: Launcher | None = None
        self._deadline: float | None = None
        self._begun = 0.0
        self._seen_alive = 0.0
        self._outcome: Outcome | None = None

    @property
    def channel(self) -> Channel | None:
        return None if self._worker is None else self._worker.channel

    @property
    def is_free(self) -> bool:
        return self.phase in (Phase.EMPTY, Phase.IDLE)

    @property
    def is_ending(self) -> bool:
        """The worker will soon be gone; nothing on the connection tells when."""
        return self.phase in (Phase.HUNG_UP, Phase.KILLED)

    @property
    def is_busy(self) -> bool:
        """A job waits for its outcome."""
        return self.job is not None and self._outcome is None

    @property
    def group(self) -> int | None:
        """The number of the worker's process group; None where there is none, or it is about to end."""
        return None if self._worker is None or self.is_ending else self._worker.handle.pid

    def assign(self, job: Job, launcher: Launcher, now: float) -> None:
        """Give the free slot a job, and a worker if it has none.

        Raises:
            NoWorker: no process can be started; the slot stays free.
            DiskFailure: the log cannot be written; the slot stays free.
        """
        self._log.begin()
        if self._worker is None:
            handle = self._spawn(launcher)
            worker = _Worker(handle, Channel(handle.socket), self._memory.oom_kills())
            self._launcher, self._worker = launcher, worker
            self._worker.channel.send(self._setup)
            self.phase, self._deadline = Phase.STARTING, now + self._limits.start
            self.job = job
        else:
            self._worker.oom_kills = self._memory.oom_kills()
            self._begin(job, now)

    def _spawn(self, launcher: Launcher) -> Handle:
        output = self._log.open()
        try:
            return launcher.spawn(self.share.environment(), output)
        finally:
            os.close(output)

    def _begin(self, job: Job, now: float) -> None:
        assert self._worker is not None
        self.job = job
        self.phase = Phase.WORKING
        limit = self._limits.job if job.kind == "train" else None
        self._deadline = None if limit is None else now + limit
        self._begun = self._seen_alive = now
        self._worker.channel.send(encode({"job": job.to_json()}))

    def cancel(self, now: float) -> None:
        """End the job; nothing where its outcome is known already."""
        if self.is_busy:
            self._end(Outcome(TrialState.CANCELLED, message="It was cancelled."), now)

    def end_for_memory(self, why: str, now: float) -> None:
        """End the worker; its job, if it waits for its outcome, is `oom_host`."""
        self._end(Outcome(TrialState.OOM_HOST, message=why) if self.is_busy else self._outcome, now)

    def kill(self, now: float) -> None:
        """End the worker, if there is one."""
        if self._worker is not None and self.phase is not Phase.KILLED:
            self._end(self._outcome, now)

    def let_go(self) -> None:
        """Give up the worker, if there is one that cannot be ended."""
        self._log.close()
        if self._worker is not None:
            self._worker.channel.close()

    def advance(self, now: float) -> list[Report]:
        """Take in what has happened. Never waits.

        The worker's end is looked up before its words are read: then no word can come after them. Deadlines come last,
        so that a driver that was stopped for an hour finds the answer rather than the time.
        """
        if self._worker is None or self._launcher is None:
            return []
        self._log.drain()
        code = self._launcher.exit_code(self._worker.handle)
        self._worker.channel.flush()
        reports = self._listen(now, everything=code is not None)
        if code is not None:
            reports += self._free(code)
        elif self._worker.channel.has_ended and not self.is_ending:
            self.phase, self._deadline = Phase.HUNG_UP, now + HANG_UP_LIMIT
        elif self._deadline is not None and now >= self._deadline:
            reports += self._expire(now)
        elif self._has_stalled(now):
            self._stall(now)
        return reports

    def _listen(self, now: float, everything: bool) -> list[Report]:
        assert self._worker is not None
        reports: list[Report] = []
        if self.phase is Phase.KILLED:
            return reports
        try:
            for line in self._worker.channel.receive(everything):
                if self._outcome is None:
                    reports += self._hear(line, now)
        except (BadAnswer, LineTooLong) as error:
            self._fail(f"The worker sent {error}, and was killed.", now)
        return reports

    def _hear(self, line: bytes, now: float) -> list[Report]:
        assert self._worker is not None
        working = self.job if self.phase is Phase.WORKING else None
        answer = read_answer(line, working)
        if isinstance(answer, Ready):
            if self.phase is not Phase.STARTING or self.job is None:
                raise BadAnswer("'ready' a second time")
            self._welcome(answer, self.job, now)
            return []
        assert working is not None
        self._seen_alive = now
        if isinstance(answer, Alive):
            return []
        if isinstance(answer, Epoch):
            return [Progress(working, answer.number, answer.metrics)]
        self._worker.jobs += 1
        if (
            answer.state not in KEEPS_WORKER
            or self._worker.jobs >= self._limits.jobs
            or self._has_grown()
        ):
            self._end(answer, now)
            return []
        self.phase, self.job, self._deadline = Phase.IDLE, None, None
        return [Finished(working, answer)]

    def _welcome(self, answer: Ready, job: Job, now: float) -> None:
        """The worker is ready for its first job; unless it would silently train on the CPU in a GPU's slot."""
        assert self._worker is not None
        if (
            self.share.device is not None
            and answer.devices is not None
            and not any("GPU" in d for d in answer.devices)
        ):
            sees = ", ".join(answer.devices) or "nothing"
            self._fail(
                f"The worker was given GPU {self.share.device}, but TensorFlow has opened {sees} only.",
                now,
            )
            return
        self._starts.failed = 0
        self._worker.is_ready = True
        self._worker.size = self._memory.anonymous(self._worker.handle.pid)
        self._begin(job, now)

    def _has_grown(self) -> bool:
        """Keras leaks: by more than a worker may."""
        assert self._worker is not None
        growth = self._memory.anonymous(self._worker.handle.pid) - self._worker.size
        return self._limits.growth is not None and growth > self._limits.growth

    def _end(self, outcome: Outcome | None, now: float) -> None:
        """Kill the worker; its job is reported with this outcome when the worker is gone."""
        assert self._worker is not None
        assert self._launcher is not None
        self._outcome = outcome
        self._launcher.kill(self._worker.handle)
        self.phase, self._deadline = Phase.KILLED, now + KILL_LIMIT

    def _fail(self, why: str, now: float) -> None:
        """Kill the worker for what it has done; a worker that never was ready says nothing about its job."""
        assert self._worker is not None
        if not self._worker.is_ready:
            self._note_failed_start(why)
        self._end(
            Outcome(TrialState.CRASHED if self._worker.is_ready else TrialState.LOST, message=why),
            now,
        )

    def _expire(self, now: float) -> list[Report]:
        match self.phase:
            case Phase.STARTING:
                self._fail(
                    f"The worker was not ready within {self._limits.start:g} s of its start.", now
                )
            case Phase.WORKING:
                why = f"The time limit of {self._limits.job:g} s for one trial (limits.seconds) was reached."
                self._time_out("trial", why, now)
            case Phase.HUNG_UP:
                self._fail(
                    "The worker closed its connection without an answer, and was killed.", now
                )
            case _:
                return self._free(None)
        return []

    def _has_stalled(self, now: float) -> bool:
        limit = self._limits.stalled
        if (
            limit is None
            or self.phase is not Phase.WORKING
            or self.job is None
            or self.job.kind != "train"
        ):
            return False
        return now >= self._seen_alive + limit

    def _stall(self, now: float) -> None:
        words = f"The worker gave no sign of life for {self._limits.stalled:g} s (limits.stalled_seconds)"
        self._time_out("stalled", f"{words}: it finished neither an epoch nor a part of one.", now)

    def _time_out(self, clock: str, why: str, now: float) -> None:
        """Kill the worker; the task's outcome tells which clock struck."""
        outcome = Outcome(
            TrialState.TIMEOUT, seconds=now - self._begun, message=why, details={"clock": clock}
        )
        self._end(outcome, now)

    def _free(self, code: int | None) -> list[Report]:
        """The worker is gone (or given up): its slot is free, and its job is reported."""
        assert self._worker is not None
        job, outcome = self.job, self._outcome
        if job is not None and outcome is None:
            outcome = self._what_death_means(code)
        report = None if job is None or outcome is None else Finished(job, self._with_log(outcome))
        self.let_go()
        self._worker, self.job, self._outcome, self._deadline = None, None, None, None
        self.phase = Phase.EMPTY
        return [] if report is None else [report]

    def _what_death_means(self, code: int | None) -> Outcome:
        """The outcome of a job whose worker has ended by itself."""
        assert self._worker is not None
        assert self._launcher is not None
        if self._launcher.is_lost(self._worker.handle):
            return Outcome(
                TrialState.LOST,
                message="The worker ended with the fork server, the process that had forked it.",
            )
        if code == -signal.SIGKILL and self._memory.oom_kills() > self._worker.oom_kills:
            why = "The kernel killed the worker: the host, or the cgroup that evonas runs in, had no memory left."
            return Outcome(
                TrialState.OOM_HOST,
                message=f"{why} A higher pool.local.free_memory_mb acts before it.",
            )
        if not self._worker.is_ready:
            why = f"The worker {describe_end(code)} before it was ready."
            self._note_failed_start(why)
            return Outcome(TrialState.LOST, message=why)
        return Outcome(
            TrialState.CRASHED, message=f"The worker {describe_end(code)} without an answer."
        )

    def _note_failed_start(self, why: str) -> None:
        self._starts.failed += 1
        self._starts.why = f"{why} Its log, {self._log.path}, ends with:\n{self._log.tail()}"

    def _with_log(self, outcome: Outcome) -> Outcome:
        if outcome.state in WITHOUT_LOG or "log" in outcome.details:
            return outcome
        return replace(outcome, details={**outcome.details, "log": self._log.tail()})


def describe_end(code: int | None) -> str:
    """How a process ended, in words that follow `The worker`."""
    if code is None:
        return "could not be ended"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", perhaps by the system for want of memory," if -code == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"
