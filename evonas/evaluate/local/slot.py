"""One slot of the local pool: its worker, its job, and what it waits for."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from enum import Enum, auto

from evonas.evaluate.contract.answers import Alive, BadAnswer, Code, Epoch, Ready, read_answer
from evonas.evaluate.contract.orders import CUT_SHORT
from evonas.evaluate.contract.pool import Finished, Imported, Progress, Report
from evonas.evaluate.contract.protocol import Job, TrainJob, encode
from evonas.evaluate.local.channel import Channel, LineTooLong
from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.launcher import Handle, Launcher
from evonas.evaluate.local.python_process import describe_end
from evonas.evaluate.local.worker_log import WorkerLog
from evonas.memory import Memory
from evonas.trial import Cause, Details, Outcome, TrialState

HANG_UP_LIMIT = 1.0
"""Seconds between the end of a worker's connection and its own end; then it is killed."""
KILL_LIMIT = 30.0
"""Seconds that a killed worker may take to be gone; then it is given up and its job reported."""

KEEPS_WORKER = frozenset({TrialState.OK, TrialState.INFEASIBLE, TrialState.DIVERGED})
"""Outcomes after which the worker goes on. After any other the next job gets a fresh worker."""
WITHOUT_LOG = KEEPS_WORKER | {TrialState.CANCELLED}


class Phase(Enum):
    """Where a slot is; `docs/how-a-worker-lives.md` draws the steps between the phases."""

    EMPTY = auto()  # no worker
    STARTING = auto()  # the setup was sent, the worker is not ready yet
    IDLE = auto()  # the worker waits for a job
    WORKING = auto()
    HUNG_UP = auto()  # the connection has ended, the process has not yet
    KILLED = auto()  # the process is not gone yet

    @property
    def is_free(self) -> bool:
        """True if the slot can be given a job."""
        return self in (Phase.EMPTY, Phase.IDLE)


@dataclass(frozen=True)
class SlotLimits:
    """Limits of a worker. All times are those of the pool's clock.

    Attributes:
        job: seconds of a training; None for no limit. An export has none.
        stalled: seconds of a training without a sign of life; None for no limit.
        start: seconds of a worker's start.
        jobs: number of jobs after which a fresh worker takes over.
        growth: bytes by which a worker may have grown since it was ready; None for no limit.
    """

    job: float | None
    stalled: float | None
    start: float
    jobs: int
    growth: int | None


@dataclass
class Starts:
    """Failed starts in a row, of all slots of a pool together."""

    failed: int = 0
    why: str = ""


@dataclass
class _Worker:
    """A slot's worker.

    Attributes:
        oom_kills: what `Memory.oom_kills` said when its start or its latest job began.
        jobs: number of jobs that it has answered.
        size: its anonymous memory when it was ready, in bytes.
    """

    handle: Handle
    channel: Channel
    oom_kills: int
    is_ready: bool = False
    jobs: int = 0
    size: int = 0


class Slot:
    """Owns at most one worker process, which has at most one job.

    Args:
        share: the device share of the slot's workers.
        log: takes what the workers print.
        setup: encoded message that each worker gets first.
        limits: for each worker and its jobs.
        starts: failed starts, shared by all slots of the pool.
        memory: reads how much a worker has grown, and how often the kernel has killed.

    Attributes:
        job: the job that is not reported `Finished` yet, or None.
        phase: where the slot is.
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
        self._log = log
        self._setup = setup
        self._limits = limits
        self._starts = starts
        self._memory = memory
        self._worker: _Worker | None = None
        self._launcher: Launcher | None = None
        self._deadline: float | None = None  # of the phase
        self._begun = 0.0
        self._seen_alive = 0.0
        # The job's outcome, if it is known before the worker is gone.
        self._outcome: Outcome | None = None

    @property
    def channel(self) -> Channel | None:
        return None if self._worker is None else self._worker.channel

    @property
    def is_ending(self) -> bool:
        """True if the worker will soon be gone. Nothing on the connection tells when."""
        return self.phase in (Phase.HUNG_UP, Phase.KILLED)

    @property
    def is_busy(self) -> bool:
        """True if a job waits for its outcome."""
        return self.job is not None and self._outcome is None

    @property
    def group(self) -> int | None:
        """Number of the worker's process group; None if there is no worker, or it is ending."""
        if self._worker is None or self.is_ending:
            return None
        return self._worker.handle.pid

    def assign(self, job: Job, launcher: Launcher, now: float) -> None:
        """Give the free slot a job, and a worker if it has none.

        Raises:
            NoWorker: no process can be started; the slot stays free.
            DiskFailure: the log cannot be written; the slot stays free.
        """
        self._log.begin()
        if self._worker is None:
            self._start_worker(launcher, now)
            # `_begin` waits until the worker is ready.
            self.job = job
        else:
            self._worker.oom_kills = self._memory.oom_kills()
            self._begin(job, now)

    def _start_worker(self, launcher: Launcher, now: float) -> None:
        handle = self._spawn(launcher)
        channel = Channel(handle.socket)
        self._worker = _Worker(handle, channel, self._memory.oom_kills())
        self._launcher = launcher
        channel.send(self._setup)
        self.phase = Phase.STARTING
        self._deadline = now + self._limits.start

    def _spawn(self, launcher: Launcher) -> Handle:
        output = self._log.open()
        try:
            return launcher.spawn(self.share.environment(), output)
        finally:
            os.close(output)

    def _begin(self, job: Job, now: float) -> None:
        """Send the job to the worker, and start its clocks."""
        assert self._worker is not None
        self.job = job
        self.phase = Phase.WORKING
        self._deadline = None
        # An export is the run's own work, so no limit of a trial ends it.
        if isinstance(job, TrainJob) and self._limits.job is not None:
            self._deadline = now + self._limits.job
        self._begun = now
        self._seen_alive = now
        message = encode({"job": job.to_json()})
        self._worker.channel.send(message)

    def cancel(self, now: float) -> None:
        """End the job; nothing happens if its outcome is known already."""
        if self.is_busy:
            outcome = Outcome(TrialState.CANCELLED, message="It was cancelled.")
            self._end(outcome, now)

    def cut_short(self, now: float) -> None:
        """Let the job end with its current epoch; cancel one that no worker has begun."""
        if self.phase is Phase.STARTING:
            self.cancel(now)
        elif self.phase is Phase.WORKING and self._worker is not None and self.job is not None:
            name = {"trial": self.job.trial, "attempt": self.job.attempt}
            self._worker.channel.send(encode({CUT_SHORT: name}))

    def end_for_memory(self, why: str, now: float) -> None:
        """End the worker. If its job waits for its outcome, the outcome is `oom_host`."""
        outcome = self._outcome
        if self.is_busy:
            outcome = Outcome(TrialState.OOM_HOST, message=why)
        self._end(outcome, now)

    def kill(self, now: float) -> None:
        """End the worker, if there is one."""
        if self._worker is not None and self.phase is not Phase.KILLED:
            self._end(self._outcome, now)

    def let_go(self) -> None:
        """Close the log and the connection; also of a worker that cannot be ended."""
        self._log.close()
        if self._worker is not None:
            self._worker.channel.close()

    def advance(self, now: float) -> list[Report]:
        """Take in what has happened. Never waits."""
        if self._worker is None or self._launcher is None:
            return []
        self._log.drain()
        # The worker's end is looked up before its words are read. In the other order it could
        # answer and end between the two steps, and its answer would be lost.
        code = self._launcher.exit_code(self._worker.handle)
        self._worker.channel.flush()
        reports = self._listen(now, everything=code is not None)
        if code is not None:
            reports += self._free(code)
        elif self._worker.channel.has_ended and not self.is_ending:
            self.phase = Phase.HUNG_UP
            self._deadline = now + HANG_UP_LIMIT
        # Deadlines come last: a driver that was stopped for an hour finds the answer, if there is
        # one, rather than the deadline.
        elif self._deadline is not None and now >= self._deadline:
            reports += self._expire(now)
        elif self._has_stalled(now):
            self._stall(now)
        return reports

    def _listen(self, now: float, everything: bool) -> list[Report]:
        """Read what the worker has sent."""
        assert self._worker is not None
        reports: list[Report] = []
        # What a worker sends after it was killed can change nothing.
        if self.phase is Phase.KILLED:
            return reports
        try:
            for line in self._worker.channel.receive(everything):
                # One line may decide the outcome, and end the worker. Later ones do not count.
                if self._outcome is None:
                    reports += self._hear(line, now)
        except (BadAnswer, LineTooLong) as error:
            self._fail(f"The worker sent {error}, and was killed.", now)
        return reports

    def _hear(self, line: bytes, now: float) -> list[Report]:
        """Take in one message.

        Raises:
            BadAnswer: the message is not of the protocol, or is not awaited now.
        """
        job = self.job if self.phase is Phase.WORKING else None
        answer = read_answer(line, job)
        if isinstance(answer, Ready):
            self._welcome(answer, now)
            return []
        if isinstance(answer, Code):
            # Also before the worker is ready: then its job waits for it.
            if self.job is None:
                raise BadAnswer("code that it has imported without a job")
            return [Imported(self.job, answer.sources)]
        # `read_answer` takes other messages only for the job that it was given.
        assert job is not None
        self._seen_alive = now
        if isinstance(answer, Alive):
            return []
        if isinstance(answer, Epoch):
            return [Progress(job, answer.number, answer.metrics)]
        return self._finish(job, answer, now)

    def _finish(self, job: Job, outcome: Outcome, now: float) -> list[Report]:
        """Report the job if the worker stays; otherwise end the worker, and report it later."""
        assert self._worker is not None
        self._worker.jobs += 1
        is_used_up = self._worker.jobs >= self._limits.jobs
        if outcome.state not in KEEPS_WORKER or is_used_up or self._has_grown():
            # Reported when the worker is gone. On a GPU the next worker would otherwise find the
            # memory of this one still taken.
            self._end(outcome, now)
            return []
        self.phase = Phase.IDLE
        self.job = None
        self._deadline = None
        return [Finished(job, outcome)]

    def _welcome(self, answer: Ready, now: float) -> None:
        """The worker is ready: give it its first job."""
        assert self._worker is not None
        if self.phase is not Phase.STARTING or self.job is None:
            raise BadAnswer("'ready' a second time")
        if self._lacks_its_gpu(answer):
            assert answer.devices is not None
            sees = ", ".join(answer.devices) or "nothing"
            given = f"The worker was given GPU {self.share.device}"
            self._fail(f"{given}, but TensorFlow has opened {sees} only.", now)
            return
        self._starts.failed = 0
        self._worker.is_ready = True
        self._worker.size = self._anonymous()
        self._begin(self.job, now)

    def _lacks_its_gpu(self, answer: Ready) -> bool:
        """True if the worker would silently train on the CPU in the slot of a GPU."""
        if self.share.device is None or answer.devices is None:
            return False
        return not any("GPU" in name for name in answer.devices)

    def _has_grown(self) -> bool:
        """True if the worker has grown by more than it may."""
        assert self._worker is not None
        growth = self._anonymous() - self._worker.size
        limit = self._limits.growth
        return limit is not None and growth > limit

    def _anonymous(self) -> int:
        """Bytes of the worker that a leak adds to."""
        assert self._worker is not None
        return self._memory.anonymous(self._worker.handle.pid)

    def _end(self, outcome: Outcome | None, now: float) -> None:
        """Kill the worker. Its job is reported with this outcome when the worker is gone."""
        assert self._worker is not None
        assert self._launcher is not None
        self._outcome = outcome
        self._launcher.kill(self._worker.handle)
        self.phase = Phase.KILLED
        self._deadline = now + KILL_LIMIT

    def _fail(self, why: str, now: float) -> None:
        """Kill the worker for its own fault."""
        assert self._worker is not None
        if self._worker.is_ready:
            state = TrialState.CRASHED
        # A worker that never was ready says nothing about its job.
        else:
            state = TrialState.LOST
            self._note_failed_start(why)
        self._end(Outcome(state, message=why), now)

    def _expire(self, now: float) -> list[Report]:
        """The deadline of the phase is over."""
        limits = self._limits
        match self.phase:
            case Phase.STARTING:
                why = f"The worker was not ready within {limits.start:g} s of its start."
                self._fail(why, now)
            case Phase.WORKING:
                limit = f"The time limit of {limits.job:g} s for one trial (limits.seconds)"
                self._time_out("trial", f"{limit} was reached.", now)
            case Phase.HUNG_UP:
                why = "The worker closed its connection without an answer, and was killed."
                self._fail(why, now)
            # Killed, and still not gone: the slot is freed without it.
            case _:
                return self._free(None)
        return []

    def _has_stalled(self, now: float) -> bool:
        """True if a training has given no sign of life for too long."""
        limit = self._limits.stalled
        if limit is None or self.phase is not Phase.WORKING:
            return False
        if not isinstance(self.job, TrainJob):
            return False
        return now >= self._seen_alive + limit

    def _stall(self, now: float) -> None:
        limit = f"{self._limits.stalled:g} s (limits.stalled_seconds)"
        what = "it finished neither an epoch nor a part of one"
        self._time_out("stalled", f"The worker gave no sign of life for {limit}: {what}.", now)

    def _time_out(self, clock: str, why: str, now: float) -> None:
        """Kill the worker. The job's outcome names the clock whose limit was reached."""
        outcome = Outcome(
            TrialState.TIMEOUT,
            seconds=now - self._begun,
            message=why,
            details=Details(clock=clock),
        )
        self._end(outcome, now)

    def _free(self, code: int | None) -> list[Report]:
        """The worker is gone: report its job, and free the slot.

        Args:
            code: the worker's exit code, or minus the signal; None if the worker is given up.
        """
        job = self.job
        outcome = self._outcome
        reports: list[Report] = []
        if job is not None:
            if outcome is None:
                outcome = self._outcome_of_end(code)
            reports.append(Finished(job, self._with_log(outcome)))
        self.let_go()
        self._worker = None
        self.job = None
        self._outcome = None
        self._deadline = None
        self.phase = Phase.EMPTY
        return reports

    def _outcome_of_end(self, code: int | None) -> Outcome:
        """The outcome of a job whose worker has ended by itself."""
        assert self._worker is not None
        assert self._launcher is not None
        if self._launcher.is_lost(self._worker.handle):
            why = "The worker ended with the fork server, the process that had forked it."
            details = Details(cause=Cause.FORK_SERVER)
            return Outcome(TrialState.LOST, message=why, details=details)
        # The count is the whole cgroup's, so it says something only about a worker that a SIGKILL
        # has ended.
        if code == -signal.SIGKILL and self._memory.oom_kills() > self._worker.oom_kills:
            why = (
                "The kernel killed the worker: "
                "the host, or the cgroup that evonas runs in, had no memory left. "
                "A higher pool.local.free_memory_mb acts before it."
            )
            return Outcome(TrialState.OOM_HOST, message=why)
        end = describe_end(code)
        if not self._worker.is_ready:
            why = f"The worker {end} before it was ready."
            self._note_failed_start(why)
            return Outcome(TrialState.LOST, message=why)
        return Outcome(TrialState.CRASHED, message=f"The worker {end} without an answer.")

    def _note_failed_start(self, why: str) -> None:
        self._starts.failed += 1
        tail = self._log.tail()
        self._starts.why = f"{why} Its log, {self._log.path}, ends with:\n{tail}"

    def _with_log(self, outcome: Outcome) -> Outcome:
        """The outcome with the end of the log, if that can help to explain it."""
        if outcome.state in WITHOUT_LOG or outcome.details.log is not None:
            return outcome
        details = replace(outcome.details, log=self._log.tail())
        return replace(outcome, details=details)
