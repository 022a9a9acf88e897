"""The engine: asks the strategy, hands out jobs, records outcomes, tells the strategy.

Outcomes are committed when they arrive. The strategy is told in the order of proposals, whatever
the order of arrival. What it is told, what it is then asked, and its state are one transaction.
Jobs are submitted after that commit.

So the record always ends where a step ends, and its content is the same for one worker or many. A
driver may be killed at any instant. The next one continues as if nothing had happened.
`docs/how-a-run-works.md` shows this loop in its surroundings.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from evonas.errors import InvalidConfig
from evonas.evaluate.contract.imports import Source
from evonas.evaluate.contract.pool import Finished, Imported, Pool
from evonas.evaluate.contract.pool import Progress as Epoch
from evonas.evaluate.contract.protocol import ACCUMULATION, Job
from evonas.failpoints import failpoint
from evonas.invocation import command
from evonas.runtime.loop.budget import Account, RunLimits
from evonas.runtime.loop.disk_guard import DiskGuard
from evonas.runtime.loop.epoch_notes import EpochNotes
from evonas.runtime.loop.failures import FAILURES_OF_ONE_CAUSE, FailuresInARow
from evonas.runtime.loop.jobs import epochs_before, parts_before, training_job
from evonas.runtime.loop.observer import Observer, sheltered, teller
from evonas.runtime.loop.progress import Progress
from evonas.runtime.loop.reserve import Reserve
from evonas.runtime.loop.retries import (
    accumulation,
    is_tried_again,
    judged,
    runs_alone,
    set_aside,
    suspicion,
)
from evonas.runtime.loop.stopping import StopRequest, Urgency
from evonas.runtime.loop.storage import Storage
from evonas.runtime.loop.turns import Turns
from evonas.runtime.record.reader import TIME_OVER
from evonas.runtime.record.record import Record
from evonas.runtime.record.rows import Attempt, settled
from evonas.search.strategy import Strategy
from evonas.trial import CUT_SHORT, Objective, Outcome, Trial, TrialState, rank
from evonas.words import counted

Refusal = Callable[[], InvalidConfig]
"""Makes the error of a session that ends because the user's code has changed."""


class Engine:
    """One session of one run.

    The record, the pool, the clock and the strategy are given; the engine owns none of them.

    Args:
        storage: sweeps the files of trials; by default one for the record's folder.
        guard: says whether there is space for another trial; by default there always is.
        spent: seconds of earlier sessions, and of this one so far.
        reserve: measures how long the end of the run will take; None keeps nothing for it.
        in_order: whether trials are told in the order of proposals; False for that of arrival.
        incumbent_of: gives the incumbent that a trial's job carries as the value to be reached.
        refusal_of: says whether code that was imported may judge trials of this run: None, or what
            makes the error with which the session ends.
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
        reserve: Reserve | None = None,
        in_order: bool = True,
        incumbent_of: Callable[[int], float | None] = lambda trial: None,
        refusal_of: Callable[[Mapping[str, Source]], Refusal | None] = lambda sources: None,
    ) -> None:
        self._strategy = strategy
        self._record = record
        self._pool = pool
        self._limits = limits
        self._objective = objective
        self._seed = seed
        self._incumbent_of = incumbent_of
        self._refusal_of = refusal_of
        # Why the session ends: the user's code has changed while it went on.
        self._refusal: Refusal | None = None
        self._observers = sheltered(observers)
        self._say = teller(self._observers)
        self._stop = stop or StopRequest()
        self._storage = storage or Storage(
            record.path.parent, continues_trials=strategy.continues_trials
        )
        self._guard = guard or DiskGuard(self._storage)
        self._account = Account(limits, clock, spent, pool.capacity)
        self._reserve = reserve
        self._turns = Turns(objective, in_order)
        # Whether the budget has kept the strategy from asking since its last ask.
        self._is_held = False
        self._trials: Sequence[Trial] = self._turns.trials
        self._failures = FailuresInARow(limits.failures_in_a_row)
        # Trials to be submitted, in order, and those of them that a worker once had: in an earlier
        # session, or before a retry.
        self._waiting: list[int] = []
        self._begun = set(record.begun())
        self._running: dict[int, Job] = {}
        # Whether one trial runs that nothing may be submitted beside.
        self._is_alone = False
        self._notes = EpochNotes(record, clock)
        self._incumbent: Trial | None = None
        # Whether the strategy was asked in this session.
        self._has_asked = False
        # Whether a worker was given a job in this session.
        self._has_submitted = False
        # Whether the budget in seconds is spent. From then on nothing is told or asked.
        self._is_time_over = False
        # Trials whose pool was told to cut them short.
        self._cut_short: set[int] = set()
        self._stopped_by = self._restore()
        self._keep_reserve()
        self._account.begin()

    def _restore(self) -> str:
        """Bring memory and strategy to where the last session was after its last step.

        Returns:
            Why the last session stopped just here, if it stopped for failures in a row.
        """
        order = self._record.told_order()
        for trial in self._reopened(order):
            self._admit(trial)
        self._turns.restore(order)
        known = {id: self._trials[id] for id in order}
        told = list(known.values())
        stopped_by = self._failures.restore(told, self._record.events())
        if self._record.has_meta("strategy"):
            self._load(self._record.meta("strategy"), known)
        if self._limits.gives_back:
            self._is_held = self._record.last_ask() is not None
        failpoint("engine.restored")
        return stopped_by

    def _reopened(self, told: Sequence[int]) -> Sequence[Trial]:
        """The recorded trials. If there is time again, those that a deadline interrupted wait."""
        trials = self._record.trials(self._objective)
        # An estimate may have changed since. What was over stays so until the budget is another.
        is_over = self._record.has_meta(TIME_OVER)
        if is_over and self._record.meta(TIME_OVER) == self._limits.seconds:
            self._account.end_time()
        if self._account.is_late:
            return trials
        # An older evonas told cancelled trials: what the strategy has seen stays.
        interrupted = {trial.id for trial in trials if trial.is_interrupted}
        open_again = [trials[id].unsettled for id in sorted(interrupted.difference(told))]
        if open_again:
            self._record.reopen(open_again)
        for trial in open_again:
            trials[trial.id] = trial
        return trials

    def _load(self, state: Mapping[str, Any], told: Mapping[int, Trial]) -> None:
        """Put the strategy, a new one, into this state, in which these trials were told."""
        known = dict(told)
        # Outcomes may be recorded that the strategy was not told. It must not see them early.
        for id in self._turns.ahead:
            known[id] = self._trials[id].unsettled
        self._strategy.load_state_dict(state, known)

    def run(self) -> None:
        """Search until the budget is spent, the strategy is done, or nothing new is found.

        Raises:
            Stopped: a signal came; the record is complete up to here, and another session can go
                on.
            RepeatedFailures: `failures_in_a_row` trials in a row failed for one cause.
            DiskFailure: the disk is full; likewise.
            UserError: the run's folder is no longer where it was.
            InvalidConfig: the user's code has changed. What ran with the old code is recorded.
        """
        if self._stopped_by:
            self._say(
                "the last session stopped here, and the count of failures begins anew:"
                f" {self._stopped_by}"
            )
        self._storage.open(self._trials, list(self._turns.ahead), self._strategy.retained)
        self._record.count_seconds(lambda: self.seconds)
        try:
            for observer in self._observers:
                observer.on_start(self.progress())
            self._set_aside()
            # The last session may have been killed between its last step and its own check.
            self._failures.check(self._record, self._turns.told)
            self._search()
        finally:
            self._record.count_seconds(None)
            for observer in self._observers:
                observer.on_end(self.progress())
        if self._refusal is not None:
            raise self._refusal()
        # A signal that came when all was done stops nothing.
        if self._stop.urgency > Urgency.NONE and not self.is_over:
            of = "" if self._limits.trials is None else f" of {self._limits.trials:,}"
            done = counted(self._account.done, "trial")
            raise self._stop.error(f"stopped after {done}{of}; {self._left()}")

    def _search(self) -> None:
        """Step, submit and poll, until nothing runs any more."""
        announced = False
        while self._stop.urgency < Urgency.ABANDON:
            # Before anything is handed out: a worker would make a missing folder anew.
            self._record.check_place()
            if self._account.is_late:
                self._wind_up()
            elif self._may_begin:
                self._step()
            if self._may_begin:
                self._submit()
            elif self._stop.urgency > Urgency.NONE and not announced:
                announced = True
                self._announce_stop()
            if self._running:
                self._listen()
            elif self._is_held_back:
                self._guard.wait()
            elif not self._is_ending:
                break
        if self._is_time_over and not self._waiting and not self._running:
            # What is left are duplicates. They take no outcome of a training that was cut short.
            self._cancel(id for id in self._turns.ahead if not self._trials[id].state.is_final)

    def _left(self) -> str:
        """What becomes of the trials that ran when the user stopped the session."""
        if not self._running:
            return "nothing is lost"
        ran = counted(len(self._running), "running trial was", "running trials were")
        them = "it" if len(self._running) == 1 else "them"
        return f"{ran} ended, and a resume trains {them}"

    def _announce_stop(self) -> None:
        running = counted(len(self._running), "running trial")
        reason = f"{self._stop.by.name}: finishing {running}"
        if not self._running:
            reason = f"{self._stop.by.name}: no trial is running"
        for observer in self._observers:
            observer.on_stop(reason)

    def _listen(self) -> None:
        """Take in what the pool reports; waits up to a second for the first report."""
        has_finished = False
        for report in self._pool.poll(timeout=1.0):
            # A late answer, of an attempt that was given up or of another session, counts for
            # nothing: its job is not the one that runs.
            if self._running.get(report.job.trial) != report.job:
                continue
            if isinstance(report, Finished):
                has_finished = True
                self._finish(report.job, report.outcome)
            elif isinstance(report, Imported):
                self._admit_code(report)
            else:
                self._hear(report)
        if not has_finished:
            self._notes.wait()
            for observer in self._observers:
                observer.on_tick(self.progress())

    def _admit_code(self, report: Imported) -> None:
        """Code was imported. If it may not judge this run's trials, the session ends.

        Trials that run with the run's own code are finished, as after a Ctrl-C.
        """
        refusal = self._refusal_of(report.sources)
        if refusal is None:
            return
        # Nothing of this job is recorded: its attempt is abandoned, and a resume trains it.
        trial = report.job.trial
        del self._running[trial]
        self._notes.drop(report.job)
        self._pool.cancel(trial)
        self._waiting.insert(0, trial)
        if self._refusal is None:
            self._refusal = refusal
            if self._running:
                running = counted(len(self._running), "running trial")
                self._say(f"the code has changed: {running} of the old code will be finished")

    def _step(self) -> None:
        """Tell one, ask while the window is open, commit; again until nothing changes."""
        failpoint("engine.step")
        if self._is_held and not self._account.is_spent:
            self._go_back()
        # A session begins with asking. If the budget was raised since the last one, more has to be
        # asked before the next is told: so would a run that began with the greater budget.
        if not self._has_asked:
            self._has_asked = True
            self._advance([])
        while self._advance(self._tell_next()):
            failpoint("engine.step")

    def _go_back(self) -> None:
        """Something was given back to the budget that had kept the strategy from asking.

        A greater budget would have asked it right after its last ask, and so it is asked now:
        nothing depends on when an outcome arrived. What it was told since is told again.
        """
        self._is_held = False
        self._has_asked = False
        last_ask = self._record.last_ask()
        # Without the order of proposals, no other order could be repeated.
        if last_ask is None or not self._turns.in_order:
            return
        told, state = last_ask
        if told == self._turns.told:
            return
        self._guard.written(lambda: self._record.go_back(told, state), self._running.values())
        self._turns.go_back(told)
        before = self._trials[:told]
        # A new one, made as the first one was.
        self._strategy = self._strategy.settings.make(self._strategy.problem)
        self._load(state, {trial.id: trial for trial in before})
        self._failures.restore(before, self._record.events())

    def _advance(self, told: list[Trial]) -> bool:
        """Ask, and commit it with what was told; whether anything was told or asked."""
        before = self._turns.told
        asked = self._ask()
        if not told and not asked:
            return False
        state = self._strategy.state_dict()
        if asked:
            self._is_held = self._limits.gives_back and self._account.is_used_up
        is_last = bool(asked) and self._is_held
        self._guard.written(
            lambda: self._record.commit_step(told, asked, state, before, is_last),
            self._running.values(),
        )
        # Only now: files may go when the step that makes them superfluous is in the record.
        self._sweep()
        for observer in self._observers:
            observer.on_progress(self.progress())
        self._failures.check(self._record, self._turns.told)
        return True

    def _sweep(self) -> None:
        # Without files it would be a waste of time to ask the strategy what it retains.
        if self._storage.keeps_files:
            ahead = list(self._turns.ahead)
            self._storage.sweep(self._trials, ahead, self._strategy.retained)

    def _tell_next(self) -> list[Trial]:
        """Tell the trial whose turn it is, if its outcome is known."""
        trial = self._turns.take()
        if trial is None:
            return []
        self._strategy.tell(trial)
        self._failures.count(trial)
        return [trial]

    def _ask(self) -> list[Trial]:
        """New trials, while the window is open and the budget lasts."""
        asked: list[Trial] = []
        # One by one: only an admitted trial shows whether it is a duplicate, and so what it costs.
        while len(self._turns.ahead) < self._limits.look_ahead and self._wants_more:
            proposals = self._strategy.ask(1)
            if not proposals:
                break
            trial = self._turns.number(proposals[0])
            asked.append(trial)
            self._admit(trial)
        return asked

    def _admit(self, trial: Trial) -> None:
        """Take a trial into memory; the same for a new one and for one from the record."""
        self._turns.admit(trial)
        if trial.twin_of is not None:
            return
        self._account.charge(trial, self._trials)
        if trial.state.is_final:
            self._enter(trial)
        else:
            self._waiting.append(trial.id)

    def _wind_up(self) -> None:
        """The seconds are spent: end what runs with its epoch, and cancel what was never begun.

        The strategy is told nothing of it. So a session with a greater budget goes on as if this
        one had been killed here, and nothing that was decided depends on the clock.
        """
        if not self._is_time_over:
            self._is_time_over = True
            self._note_end_of_time()
        for id in self._running:
            if id not in self._cut_short:
                self._cut_short.add(id)
                self._pool.cut_short(id)
        self._cancel(id for id in self._waiting if not self._may_still_count(self._trials[id]))

    def _note_end_of_time(self) -> None:
        limit = self._limits.seconds
        self._guard.written(lambda: self._record.put_meta(TIME_OVER, limit), self._running.values())
        if self._running:
            running = counted(len(self._running), "running trial ends", "running trials end")
            words = f"the time is over: {running} with the current epoch"
            # An epoch may take minutes, and nobody should have to guess whether it hangs.
            left = None
            if self._reserve is not None:
                left = self._reserve.until_epochs_end(self._running)
            if left is not None:
                words += f", in about {counted(math.ceil(left), 'second')}"
            them = "it" if len(self._running) == 1 else "them"
            self._say(f"{words}; Ctrl-C twice ends {them} now")

    def _may_still_count(self, trial: Trial) -> bool:
        """Whether a trial that waits has results that only a worker can give, after the time."""
        if trial.id not in self._begun:
            return False
        # Without files an evaluator has begun it: in a simulation it would have been over by now.
        return not self._storage.keeps_files or self._storage.has_checkpoint(trial)

    def _cancel(self, ids: Iterable[int]) -> None:
        """The time was over before these trials began."""
        found = []
        for id in ids:
            found.append(settled(self._trials[id], TrialState.CANCELLED, {}, self._objective))
        if not found:
            return
        self._guard.written(lambda: self._record.cancel(found), self._running.values())
        for trial in found:
            self._turns.arrive(trial)
        gone = {trial.id for trial in found}
        self._waiting = [id for id in self._waiting if id not in gone]

    def _submit(self) -> None:
        """Hand out what waits, in order, while slots are free.

        What is handed out is in the record already. A trial that is to run alone waits for those
        that run, and those after it wait for it.
        """
        while self._waiting and self._pool.running < self._pool.capacity:
            # The handler of a signal may have run since the last turn of this loop.
            if self._stop.urgency > Urgency.NONE or self._is_ending:
                return
            if not self._guard.may_start(self._running.values()):
                return
            trial = self._trials[self._waiting[0]]
            # Most trials are new; they cost no look into the record.
            earlier = self._record.attempts(trial.id) if trial.id in self._begun else []
            alone = runs_alone(earlier)
            if self._running and (alone or self._is_alone):
                return
            self._waiting.pop(0)
            self._is_alone = alone
            self._start(trial, earlier)

    def _start(self, trial: Trial, earlier: Sequence[Attempt]) -> None:
        """Begin the next attempt at a trial: in the record first, then in the pool."""
        # A driver that is killed in between leaves an attempt that the next session calls
        # `abandoned`. The other way round, a training could run that the record knows nothing of.
        start = partial(self._record.start_attempt, trial.id)
        number = self._guard.written(start, self._running.values())
        self._begun.add(trial.id)
        failpoint("engine.attempt")
        job = self._job(trial, number, earlier)
        self._running[trial.id] = job
        if what := self._pool.opening:
            for observer in self._observers:
                observer.on_wait(what)
        self._pool.submit(job)
        if self._reserve is not None:
            self._reserve.begin(trial.id)
        if not self._has_submitted:
            self._has_submitted = True
            self._account.begin()
        failpoint("engine.submitted")
        for observer in self._observers:
            observer.on_submit(trial, number)

    def _job(self, trial: Trial, attempt: int, earlier: Sequence[Attempt]) -> Job:
        return training_job(
            trial,
            attempt,
            self._record.session,
            self._seed,
            resume_from=self._storage.source(self._trials, trial),
            parts=accumulation(earlier, parts_before(trial, self._trials)),
            trained=epochs_before(trial, self._trials),
            incumbent=self._incumbent_of(trial.id),
            # After the time a worker only reads what the checkpoint of an earlier attempt has.
            cut_after=1 if self._is_time_over else None,
        )

    def _finish(self, job: Job, outcome: Outcome) -> None:
        """Record what came of a job; try again if the machine failed rather than the network."""
        failpoint("engine.outcome")
        del self._running[job.trial]
        self._notes.drop(job)
        if job.accumulation > 1:
            details = {**outcome.details, ACCUMULATION: job.accumulation}
            outcome = replace(outcome, details=details)
        if CUT_SHORT in outcome.metrics:
            details = {**outcome.details, CUT_SHORT: outcome.epochs}
            outcome = replace(outcome, details=details)
        final = True
        # Nothing else is ever tried again, so a success costs no look into the record.
        if outcome.state in FAILURES_OF_ONE_CAUSE:
            attempts = self._record.attempts(job.trial)
            outcome = judged(attempts, outcome)
            final = not is_tried_again(attempts, outcome, job.accumulation)
        self._settle(job.trial, job.attempt, outcome, final)
        if not final:
            # First in line: in the order of proposals, no later trial can be told before it.
            self._waiting.insert(0, job.trial)
        self._guard.heard(job, outcome, self._running.values())

    def _settle(self, id: int, attempt: int, outcome: Outcome, final: bool) -> None:
        """Record what came of an attempt, and of its trial if it is final.

        No outcome of a job enters the run by another way.
        """
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
        """Count an outcome, and see whether it is the best."""
        self._account.enter(trial, self._trials)
        if trial.fitness is None:
            return
        # A rank has the id in it: of equal trials the oldest wins, in any order of arrival.
        if self._incumbent is None or rank(trial) < rank(self._incumbent):
            self._incumbent = trial
            self._keep_reserve()

    def _keep_reserve(self) -> None:
        """Keep as much of the time as the end will take, as far as is known now."""
        if self._reserve is not None:
            self._account.reserve = self._reserve.seconds(self._incumbent)

    def _hear(self, report: Epoch) -> None:
        """A running job has finished an epoch."""
        trial = self._trials[report.job.trial]
        for observer in self._observers:
            observer.on_epoch(trial, report.epoch, report.metrics)
        self._notes.hear(report.job, report.epoch)
        if self._reserve is not None:
            self._reserve.hear(trial.id)
            self._keep_reserve()

    def _set_aside(self) -> None:
        """Give up, as `lost`, trials that ran each time that driver or machine went down."""
        # Once is enough: attempts are called abandoned when a session begins, never within one.
        for id in list(self._waiting):
            attempts = self._record.attempts(id)
            replay = command("replay", self._record.path.parent, id)
            if outcome := set_aside(id, attempts):
                self._waiting.remove(id)
                self._settle(id, attempts[-1].number, outcome, final=True)
                self._say(f"`{replay}` trains trial {id}, which was set aside, in the foreground")
            elif words := suspicion(id, attempts):
                self._say(f"{words}. `{replay}` shows what it does")

    @property
    def _is_held_back(self) -> bool:
        """Whether trials wait for nothing but space on the disk."""
        if not self._waiting or not self._guard.is_paused:
            return False
        return self._may_begin

    @property
    def _may_begin(self) -> bool:
        """Whether trials may be asked and handed out: nobody wants the session to end."""
        return self._refusal is None and self._stop.urgency == Urgency.NONE

    @property
    def _is_ending(self) -> bool:
        """Whether the time is over, and nothing was done about it yet."""
        return self._account.is_late and not self._is_time_over

    @property
    def is_over(self) -> bool:
        """Whether no trial will follow: everything asked is told, and nothing more is asked.

        After the time, everything asked has ended.
        """
        if self._is_time_over:
            return all(self._trials[id].state.is_final for id in self._turns.ahead)
        if self._turns.ahead:
            return False
        return not self._wants_more

    @property
    def gives_no_more(self) -> bool:
        """Whether the run ends because no more infeasible trials are given back."""
        return self._account.gives_no_more

    @property
    def is_exhausted(self) -> bool:
        """Whether the run ends because nothing new is found."""
        return self._turns.twins_in_a_row >= self._limits.twins_in_a_row

    @property
    def _wants_more(self) -> bool:
        """Whether the strategy may be asked, if the window is open."""
        if self._account.is_spent or self.is_exhausted:
            return False
        return not self._strategy.is_done

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials, by id."""
        return self._trials

    @property
    def incumbent(self) -> Trial | None:
        """The best trial so far; of equal ones the oldest."""
        return self._incumbent

    @property
    def seconds(self) -> float:
        """Seconds of all sessions, on the engine's clock."""
        return self._account.seconds

    @property
    def reserve(self) -> float:
        """Seconds of the budget that are kept for what comes after the search."""
        return self._account.reserve

    def progress(self) -> Progress:
        """A picture of the run at this moment."""
        account = self._account
        latest = self._trials[-1] if self._trials else None
        return Progress(
            generation=latest.lineage.generation if latest else 0,
            done=account.done,
            total=self._limits.trials,
            running=len(self._running),
            failures=account.failures,
            twins=len(self._trials) - account.charged,
            incumbent=self._incumbent,
            elapsed=account.elapsed,
            remaining=account.remaining,
            spent=account.spent(),
            objective=self._objective.name,
            given_back=account.given_back,
            infeasible=account.all_infeasible,
        )
