"""The engine: asks the strategy, hands out jobs, records outcomes, tells the strategy; in an order that no crash can
spoil.

Outcomes are committed when they arrive. The strategy is told in the order of proposals, whatever the order of
arrival, and what it is told and then asked is one transaction with its state. Jobs are submitted after that commit.
So the record always ends where a step ends, its content is the same for one worker or many, and a driver killed at
any instant leaves a record from which the next one goes on as if nothing had happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from evonas.evaluate.contract.pool import Finished, Pool
from evonas.evaluate.contract.pool import Progress as Epoch
from evonas.evaluate.contract.protocol import ACCUMULATION, Job
from evonas.failpoints import failpoint
from evonas.runtime.loop.budget import Account, RunLimits
from evonas.runtime.loop.disk_guard import DiskGuard
from evonas.runtime.loop.epoch_notes import EpochNotes
from evonas.runtime.loop.failures import FAILURES_OF_ONE_CAUSE, FailuresInARow
from evonas.runtime.loop.jobs import epochs_before, parts_before, training_job
from evonas.runtime.loop.observer import Observer, teller
from evonas.runtime.loop.progress import Progress
from evonas.runtime.loop.retries import (
    accumulation,
    is_tried_again,
    runs_alone,
    set_aside,
    suspicion,
)
from evonas.runtime.loop.stopping import StopRequest, Urgency
from evonas.runtime.loop.storage import Storage
from evonas.runtime.loop.turns import Turns
from evonas.runtime.record.record import Record
from evonas.runtime.record.rows import Attempt, settled
from evonas.search.strategy import Strategy
from evonas.trial import Objective, Outcome, Trial, TrialState, rank


class Engine:
    """One session of one run.

    The record, the pool, the clock and the strategy are given; the engine owns none of them.

    Args:
        storage: sweeps the files of trials; made for the record's folder, if none is given.
        guard: says whether there is space for another trial; without one there always is.
        spent: seconds that earlier sessions have spent.
        in_order: tell trials in the order of proposals; False tells them as they arrive.
        incumbent_of: what a trial's job carries as the incumbent to be reached.
    """

    def __init__(
        self,
        strategy: Strategy,
        record: Record,
        pool: Pool,
        limits: RunLimits,
        objective: Objective,
        seed: int,
        *,
        observers: Sequence[Observer] = (),
        stop: StopRequest | None = None,
        clock: Callable[[], float] = time.monotonic,
        storage: Storage | None = None,
        guard: DiskGuard | None = None,
        spent: float = 0.0,
        in_order: bool = True,
        incumbent_of: Callable[[int], float | None] = lambda trial: None,
    ) -> None:
        self._strategy, self._record, self._pool = strategy, record, pool
        self._limits, self._objective, self._seed, self._incumbent_of = (
            limits,
            objective,
            seed,
            incumbent_of,
        )
        self._observers, self._say, self._stop = observers, teller(observers), stop or StopRequest()
        self._storage = storage or Storage(
            record.path.parent, continues_trials=strategy.continues_trials
        )
        self._guard = guard or DiskGuard(self._storage)
        self._account = Account(limits, clock, spent)
        self._turns = Turns(objective, in_order)
        self._trials: Sequence[Trial] = self._turns.trials
        self._failures = FailuresInARow(limits.failures_in_a_row)
        self._waiting: list[int] = []  # to be submitted, in order
        self._begun = set(
            record.begun()
        )  # of those that wait: by an earlier session, or before a retry
        self._running: dict[int, Job] = {}
        self._is_alone = False  # the one trial that runs: nothing is submitted beside it
        self._notes = EpochNotes(record, clock)
        self._incumbent: Trial | None = None
        self._has_asked = False  # in this session
        self._stopped_by = self._restore()
        self._account.begin()

    def _restore(self) -> str:
        """Memory as the last session's was after its last step; the strategy from its state.

        Returns:
            Why the last session stopped just here, if it stopped for failures in a row.
        """
        for trial in self._record.trials(self._objective):
            self._admit(trial)
        order = self._record.told_order()
        self._turns.restore(order)
        known = {id: self._trials[id] for id in order}
        stopped_by = self._failures.restore(list(known.values()), self._record.events())
        if self._record.has_meta("strategy"):
            known |= {id: self._trials[id].unsettled for id in self._turns.ahead}
            self._strategy.load_state_dict(self._record.meta("strategy"), known)
        failpoint("engine.restored")
        return stopped_by

    def run(self) -> None:
        """Search until the budget is spent, the strategy is done, or nothing new is found.

        Raises:
            Stopped: by a signal; the record is complete up to here, and another session can go on.
            RepeatedFailures: `failures_in_a_row` trials in a row failed for one cause.
            DiskFailure: the disk is full; likewise.
        """
        if self._stopped_by:
            self._say(
                f"the last session stopped here, and the count of failures begins anew: {self._stopped_by}"
            )
        self._storage.open(self._trials, list(self._turns.ahead), self._strategy.retained)
        try:
            for observer in self._observers:
                observer.on_start(self.progress())
            self._set_aside()
            self._failures.check(self._record, self._turns.told)
            self._search()
        finally:
            for observer in self._observers:
                observer.on_end(self.progress())
        if self._stop.urgency > Urgency.NONE and not self.is_over:
            of = "" if self._limits.trials is None else f" of {self._limits.trials}"
            raise self._stop.error(
                f"stopped after {self._account.done}{of} trials; nothing is lost"
            )

    def _search(self) -> None:
        announced = False
        while self._stop.urgency < Urgency.ABANDON:
            if self._stop.urgency == Urgency.NONE:
                self._cancel_what_is_late()
                self._step()
                self._submit()
            elif not announced:
                announced = True
                for observer in self._observers:
                    observer.on_stop(
                        f"{self._stop.by.name}: finishing {len(self._running)} running trials"
                    )
            if not self._running:
                if not self._is_held_back:
                    break
                self._guard.wait()
                continue
            for report in self._pool.poll(timeout=1.0):
                if self._running.get(report.job.trial) != report.job:
                    continue  # a late answer: of an attempt that was given up, or of another session
                if isinstance(report, Finished):
                    self._finish(report.job, report.outcome)
                else:
                    self._hear(report)

    def _step(self) -> None:
        """Tell one, ask while the window is open, commit both with the strategy's state; again until nothing changes.

        A session begins with asking: where the budget was raised since, more is asked before the next is told.
        """
        failpoint("engine.step")
        if not self._has_asked:
            self._has_asked = True
            self._advance([])
        while self._advance(self._tell_next()):
            failpoint("engine.step")

    def _advance(self, told: list[Trial]) -> bool:
        """Ask, and commit it with what was told; whether anything was told or asked."""
        before, asked = self._turns.told, self._ask()
        if not told and not asked:
            return False
        state = self._strategy.state_dict()
        self._guard.written(
            lambda: self._record.commit_step(told, asked, state, before), self._running.values()
        )
        self._sweep()
        for observer in self._observers:
            observer.on_progress(self.progress())
        self._failures.check(self._record, self._turns.told)
        return True

    def _sweep(self) -> None:
        if self._storage.keeps_files:  # else it would be a waste to ask who lives
            self._storage.sweep(self._trials, list(self._turns.ahead), self._strategy.retained)

    def _tell_next(self) -> list[Trial]:
        """Tell the trial whose turn it is, if its outcome is known."""
        trial = self._turns.take()
        if trial is None:
            return []
        self._strategy.tell(trial)
        self._failures.count(trial)
        return [trial]

    def _ask(self) -> list[Trial]:
        """New trials while the window is open and the budget lasts; one by one, for the window depends on twins,
        too."""
        asked: list[Trial] = []
        while len(self._turns.ahead) < self._limits.look_ahead and self._wants_more:
            proposals = self._strategy.ask(1)
            if not proposals:
                break
            asked.append(self._turns.number(proposals[0]))
            self._admit(asked[-1])
        return asked

    def _admit(self, trial: Trial) -> None:
        """Into memory; the same for a new trial and for one from the record."""
        self._turns.admit(trial)
        if trial.twin_of is not None:
            return
        self._account.charge(trial, self._trials)
        if trial.state.is_final:
            self._enter(trial)
        else:
            self._waiting.append(trial.id)

    def _cancel_what_is_late(self) -> None:
        """When the seconds are spent, what no worker has ever begun is not begun; the next step tells it."""
        if not (self._waiting and self._account.is_late):
            return
        for id in self._waiting:
            if id not in self._begun:
                self._arrive(settled(self._trials[id], TrialState.CANCELLED, {}, self._objective))
        self._waiting = [id for id in self._waiting if id in self._begun]

    def _submit(self) -> None:
        """Hand out what waits, in order, while slots are free.

        What is handed out is in the record already. A trial that is to run alone waits for those that run, and those
        after it wait for it.
        """
        while (
            self._waiting
            and self._pool.running < self._pool.capacity
            and self._stop.urgency == Urgency.NONE
        ):
            if not self._guard.may_start(self._running.values()):
                return
            trial = self._trials[self._waiting[0]]
            earlier = self._record.attempts(trial.id) if trial.id in self._begun else []
            alone = runs_alone(earlier)
            if self._running and (alone or self._is_alone):
                return
            self._waiting.pop(0)
            self._is_alone = alone
            start = partial(self._record.start_attempt, trial.id)
            number = self._guard.written(start, self._running.values())
            self._begun.add(trial.id)
            failpoint("engine.attempt")
            job = self._job(trial, number, earlier)
            self._running[trial.id] = job
            self._pool.submit(job)
            failpoint("engine.submitted")
            for observer in self._observers:
                observer.on_submit(trial, number)

    def _job(self, trial: Trial, attempt: int, earlier: Sequence[Attempt]) -> Job:
        parts = accumulation(earlier, parts_before(trial, self._trials))
        source, trained = (
            self._storage.source(self._trials, trial),
            epochs_before(trial, self._trials),
        )
        incumbent = self._incumbent_of(trial.id)
        return training_job(
            trial, attempt, self._record.session, self._seed, source, parts, trained, incumbent
        )

    def _finish(self, job: Job, outcome: Outcome) -> None:
        """Record what came of a job; try again where the machine failed rather than the network."""
        failpoint("engine.outcome")
        del self._running[job.trial]
        self._notes.drop(job)
        if job.accumulation > 1:
            outcome = replace(outcome, details={**outcome.details, ACCUMULATION: job.accumulation})
        final = outcome.state not in FAILURES_OF_ONE_CAUSE or not is_tried_again(
            self._record.attempts(job.trial), outcome, job.accumulation
        )
        self._settle(job.trial, job.attempt, outcome, final)
        if not final:
            self._waiting.insert(0, job.trial)
        self._guard.heard(job, outcome, self._running.values())

    def _settle(self, id: int, attempt: int, outcome: Outcome, final: bool) -> None:
        """Record what came of an attempt, and of its trial if it is final; the one way of an outcome into the run."""
        trial = self._trials[id]
        if final:
            trial = settled(trial, outcome.state, outcome.metrics, self._objective)
        self._guard.written(
            lambda: self._record.finish_attempt(trial, attempt, outcome, final),
            self._running.values(),
        )
        if final:
            self._arrive(trial)
            self._storage.settle(trial)
            self._sweep()
        for observer in self._observers:
            observer.on_outcome(trial, outcome, attempt, final)
            observer.on_progress(self.progress())

    def _arrive(self, trial: Trial) -> None:
        """A trial's outcome is known."""
        self._turns.arrive(trial)
        self._enter(trial)

    def _enter(self, trial: Trial) -> None:
        """Count an outcome, and see whether it is the best; of equal ones the oldest is, in any order of arrival."""
        self._account.enter(trial, self._trials)
        if trial.fitness is not None and (
            self._incumbent is None or rank(trial) < rank(self._incumbent)
        ):
            self._incumbent = trial

    def _hear(self, report: Epoch) -> None:
        """A running job has finished an epoch."""
        for observer in self._observers:
            observer.on_epoch(self._trials[report.job.trial], report.epoch, report.metrics)
        self._notes.hear(report.job, report.epoch)

    def _set_aside(self) -> None:
        """Give up, as `lost`, what was running each time that the driver or the machine went down.

        What was abandoned is known when a session begins, and does not change in it.
        """
        for id in list(self._waiting):
            attempts = self._record.attempts(id)
            if outcome := set_aside(id, attempts):
                self._waiting.remove(id)
                self._settle(id, attempts[-1].number, outcome, final=True)
            elif words := suspicion(id, attempts):
                self._say(words)

    @property
    def _is_held_back(self) -> bool:
        """Whether trials wait for nothing but space on the disk."""
        return bool(self._waiting) and self._guard.is_paused and self._stop.urgency == Urgency.NONE

    @property
    def is_over(self) -> bool:
        """Whether no trial will follow: everything asked is told, and nothing more is asked."""
        return not self._turns.ahead and not self._wants_more

    @property
    def is_exhausted(self) -> bool:
        """Whether the run ends because nothing new is found."""
        return self._turns.twins_in_a_row >= self._limits.twins_in_a_row

    @property
    def _wants_more(self) -> bool:
        return not self._account.is_spent and not self.is_exhausted and not self._strategy.is_done

    @property
    def trials(self) -> Sequence[Trial]:
        return self._trials

    @property
    def incumbent(self) -> Trial | None:
        """The best trial so far; of equal ones the oldest."""
        return self._incumbent

    @property
    def seconds(self) -> float:
        """That all sessions have spent, on the engine's clock."""
        return self._account.seconds

    def progress(self) -> Progress:
        account = self._account
        return Progress(
            generation=self._trials[-1].lineage.generation if self._trials else 0,
            done=account.done,
            total=self._limits.trials,
            running=len(self._running),
            failures=account.failures,
            twins=len(self._trials) - account.charged,
            incumbent=self._incumbent,
            elapsed=account.elapsed,
            remaining=account.remaining,
            spent=account.spent(),
        )
