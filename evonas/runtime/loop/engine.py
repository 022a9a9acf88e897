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
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from evonas.evaluate.contract.pool import Finished, Imported, Pool
from evonas.evaluate.contract.pool import Progress as Epoch
from evonas.evaluate.contract.protocol import TrainJob
from evonas.failpoints import failpoint
from evonas.invocation import command
from evonas.runtime.loop import sentences
from evonas.runtime.loop.budget import Account
from evonas.runtime.loop.dialogue import Dialogue
from evonas.runtime.loop.disk_guard import DiskGuard
from evonas.runtime.loop.dispatch import Dispatch
from evonas.runtime.loop.epoch_notes import EpochNotes
from evonas.runtime.loop.failures import FAILURES_OF_ONE_CAUSE, FailuresInARow, Stop
from evonas.runtime.loop.given import Refusal, Rules, Surroundings
from evonas.runtime.loop.jobs import as_trained, epochs_before, parts_before, training_job
from evonas.runtime.loop.journal import Journal
from evonas.runtime.loop.observer import sheltered, teller
from evonas.runtime.loop.progress import Progress
from evonas.runtime.loop.retries import accumulation, is_tried_again, judged, set_aside, suspicion
from evonas.runtime.loop.stopping import Urgency
from evonas.runtime.loop.storage import Storage
from evonas.runtime.loop.to_come import likely_parents
from evonas.runtime.loop.turns import Turns
from evonas.runtime.record.past import Past
from evonas.runtime.record.rows import settled
from evonas.search.strategy import Strategy
from evonas.trial import Attempt, Outcome, Trial, TrialState, rank

_T = TypeVar("_T")


class Engine:
    """One session of one run. It owns none of what it is given.

    Args:
        strategy: a new one, before its first ask.
        journal: keeps what the engine does.
        pool: runs the jobs.
        storage: sweeps the files of trials.
        rules: what decides the content of the run.
        surroundings: what this session has around it.
    """

    def __init__(
        self,
        strategy: Strategy,
        journal: Journal,
        pool: Pool,
        storage: Storage,
        rules: Rules,
        surroundings: Surroundings | None = None,
    ) -> None:
        around = surroundings or Surroundings()
        self._journal = journal
        self._pool = pool
        self._storage = storage
        self._rules = rules
        self._around = around
        self._observers = sheltered(around.observers)
        self._say = teller(self._observers)
        self._guard = around.guard or DiskGuard(storage)
        self._account = Account(rules.limits, around.clock, around.spent, pool.capacity)
        self._turns = Turns(rules.objective, rules.in_order)
        self._trials: Sequence[Trial] = self._turns.trials
        self._dialogue = Dialogue(strategy, self._turns, self._account, rules.limits)
        self._notes = EpochNotes(journal.note_epochs, around.clock)
        self._incumbent: Trial | None = None
        # Why the session ends: the user's code has changed while it went on.
        self._refusal: Refusal | None = None
        # Whether a worker was given a job in this session.
        self._has_submitted = False
        # Whether the budget in seconds is spent. From then on nothing is told or asked.
        self._is_time_over = False
        # Trials whose pool was told to cut them short.
        self._cut_short: set[int] = set()
        past = journal.resume(rules.objective, rules.limits.seconds, self._account.is_late)
        self._session = past.session
        self._failures = FailuresInARow(rules.limits.failures_in_a_row, past.stops)
        self._dispatch = Dispatch(journal.attempts, past.begun)
        self._stopped_by = self._restore(past)
        self._keep_reserve()
        self._account.begin()

    def _restore(self, past: Past) -> str:
        """Bring memory and strategy to where the last session was after its last step.

        Returns:
            Why the last session stopped just here, if it stopped for failures in a row.
        """
        if past.is_time_over:
            self._account.end_time()
        for trial in past.trials:
            self._admit(trial)
        self._turns.restore(past.told)
        told = {id: self._trials[id] for id in past.told}
        stopped_by = self._failures.restore(list(told.values()))
        self._dialogue.restore(past, told)
        failpoint("engine.restored")
        return stopped_by

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
        self._storage.open(self._trials, list(self._turns.ahead), self._dialogue.retained)
        try:
            for observer in self._observers:
                observer.on_start(self.progress())
            self._set_aside()
            self._check_failures()
            self._search()
        finally:
            for observer in self._observers:
                observer.on_end(self.progress())
        if self._refusal is not None:
            raise self._refusal()
        # A signal that came when all was done stops nothing.
        stop = self._around.stop
        if stop.urgency > Urgency.NONE and not self.is_over:
            limit = self._rules.limits.trials
            raise stop.error(sentences.stopped(self._account.done, limit, len(self._running)))

    def _search(self) -> None:
        """Step, submit and poll, until nothing runs any more."""
        stop = self._around.stop
        announced = False
        while stop.urgency < Urgency.ABANDON:
            # Before anything is handed out: a worker would make a missing folder anew.
            self._around.check_place()
            if self._account.is_late:
                self._wind_up()
            elif self._may_begin:
                self._step()
            if self._may_begin:
                self._submit()
            elif stop.urgency > Urgency.NONE and not announced:
                announced = True
                reason = f"{stop.by.name}: {sentences.finishing(len(self._running))}"
                for observer in self._observers:
                    observer.on_stop(reason)
            if self._running:
                self._listen()
            elif self._is_held_back:
                self._guard.wait()
            elif not self._is_ending:
                break
        if self._is_time_over and not self._dispatch.waiting and not self._running:
            # What is left are duplicates. They take no outcome of a training that was cut short.
            self._cancel(id for id in self._turns.ahead if not self._trials[id].state.is_final)

    @property
    def _running(self) -> dict[int, TrainJob]:
        """Trial -> the job that a worker has."""
        return self._dispatch.running

    def _write(self, write: Callable[[], _T]) -> _T:
        """What `write` gives. On a full disk, caches are deleted and it is called again."""
        return self._guard.written(write, self._running.values())

    def _step(self) -> None:
        """Tell one, ask while the window is open, commit; again until nothing changes."""
        failpoint("engine.step")
        if self._dialogue.may_go_back():
            self._go_back()
        if self._dialogue.begin():
            self._advance([])
        # Duplicates cost nothing, so a strategy can give thousands in one step: a signal ends it.
        stop = self._around.stop
        while stop.urgency == Urgency.NONE and self._advance(self._tell_next()):
            failpoint("engine.step")

    def _go_back(self) -> None:
        """Something was given back to the budget that had kept the strategy from asking."""
        place = self._dialogue.way_back()
        if place is None:
            return
        told, state = place
        self._write(lambda: self._journal.go_back(told, state))
        self._dialogue.go_back(place)
        self._failures.restore(self._trials[:told])

    def _tell_next(self) -> list[Trial]:
        """Tell the trial whose turn it is, if its outcome is known."""
        trial = self._dialogue.tell_next()
        if trial is None:
            return []
        self._failures.count(trial)
        return [trial]

    def _advance(self, told: list[Trial]) -> bool:
        """Ask, and commit it with what was told; whether anything was told or asked."""
        before = self._turns.told
        asked = self._dialogue.ask(self._admit)
        if not told and not asked:
            return False
        stop = self._too_many_failures()
        self._commit(told, asked, before, stop)
        if told:
            self._account.parents = self._likely_parents()
        # Only now: files may go when the step that makes them superfluous is in the record.
        self._sweep()
        for observer in self._observers:
            observer.on_progress(self.progress())
        if stop is not None:
            raise stop.error
        return True

    def _likely_parents(self) -> list[int]:
        """Ids of trials that those to come will resemble; empty if the strategy keeps none.

        Without files it would be a waste of time to ask: such trials are cheap and all alike.
        """
        if not self._storage.keeps_files:
            return []
        ranked = sorted((self._trials[id] for id in self._dialogue.retained), key=rank)
        return [trial.trained_id for trial in likely_parents(ranked)]

    def _commit(
        self, told: list[Trial], asked: list[Trial], before: int, stop: Stop | None
    ) -> None:
        """Commit a step, and why it is the last one if it is."""
        state = self._dialogue.state_dict()
        is_last = bool(asked) and self._dialogue.note_ask(before, state)
        why = None if stop is None else stop.detail
        self._write(lambda: self._journal.commit_step(told, asked, state, before, is_last, why))

    def _too_many_failures(self) -> Stop | None:
        return self._failures.stop(self._turns.told, self._storage.root, self._journal.attempts)

    def _check_failures(self) -> None:
        """Stop at once if fewer failures in a row are allowed than in the last session."""
        if (stop := self._too_many_failures()) is not None:
            self._commit([], [], self._turns.told, stop)
            raise stop.error

    def _sweep(self) -> None:
        # Without files it would be a waste of time to ask the strategy what it retains.
        if self._storage.keeps_files:
            ahead = list(self._turns.ahead)
            self._storage.sweep(self._trials, ahead, self._dialogue.retained)

    def _admit(self, trial: Trial) -> None:
        """Take a trial into memory; the same for a new one and for one from the record."""
        self._turns.admit(trial)
        if trial.twin_of is not None:
            return
        self._account.charge(trial, self._trials)
        if trial.state.is_final:
            self._enter(trial)
        else:
            self._dispatch.waiting.append(trial.id)

    def _wind_up(self) -> None:
        """The seconds are spent: end what runs with its epoch, and cancel what was never begun.

        The strategy is told nothing of it. So a session with a greater budget goes on as if this
        one had been killed here, and nothing that was decided depends on the clock.
        """
        waiting = self._dispatch.waiting
        is_new = not self._is_time_over
        self._is_time_over = True
        self._cancel((id for id in waiting if not self._may_still_count(id)), even_if_none=is_new)
        if is_new and self._running:
            reserve = self._around.reserve
            left = None if reserve is None else reserve.until_epochs_end(self._running)
            self._say(sentences.end_of_time(len(self._running), left))
        for id in self._running:
            if id not in self._cut_short:
                self._cut_short.add(id)
                self._pool.cut_short(id)

    def _may_still_count(self, id: int) -> bool:
        """Whether a trial that waits has results that only a worker can give, after the time."""
        if not self._dispatch.has_begun(id):
            return False
        # Without files an evaluator has begun it: in a simulation it would have been over by now.
        return not self._storage.keeps_files or self._storage.has_checkpoint(self._trials[id])

    def _cancel(self, ids: Iterable[int], even_if_none: bool = False) -> None:
        """The time was over before these trials began."""
        found = []
        for id in ids:
            trial = settled(self._trials[id], TrialState.CANCELLED, {}, self._rules.objective)
            found.append(trial)
        if not found and not even_if_none:
            return
        limit = self._rules.limits.seconds
        self._write(lambda: self._journal.cancel(found, limit))
        for trial in found:
            self._turns.arrive(trial)
        self._dispatch.drop(trial.id for trial in found)

    def _submit(self) -> None:
        """Hand out what waits, in order, while slots are free; it is in the record already."""
        while self._dispatch.waiting and self._pool.running < self._pool.capacity:
            # The handler of a signal may have run since the last turn of this loop.
            if self._around.stop.urgency > Urgency.NONE or self._is_ending:
                return
            if not self._guard.may_start(self._running.values()):
                return
            taken = self._dispatch.take()
            if taken is None:
                return
            id, earlier = taken
            self._start(self._trials[id], earlier)

    def _start(self, trial: Trial, earlier: Sequence[Attempt]) -> None:
        """Begin the next attempt at a trial: in the record first, then in the pool."""
        # A driver that is killed in between leaves an attempt that the next session calls
        # `abandoned`. The other way round, a training could run that the record knows nothing of.
        number = self._write(lambda: self._journal.start_attempt(trial.id))
        failpoint("engine.attempt")
        job = self._job(trial, number, earlier)
        self._running[trial.id] = job
        if what := self._pool.opening:
            for observer in self._observers:
                observer.on_wait(what)
        self._pool.submit(job)
        if self._around.reserve is not None:
            self._around.reserve.begin(trial.id)
        if not self._has_submitted:
            self._has_submitted = True
            self._account.begin()
        failpoint("engine.submitted")
        for observer in self._observers:
            observer.on_submit(trial, number)

    def _job(self, trial: Trial, attempt: int, earlier: Sequence[Attempt]) -> TrainJob:
        return training_job(
            trial,
            attempt,
            self._session,
            self._rules.seed,
            resume_from=self._storage.source(self._trials, trial),
            parts=accumulation(earlier, parts_before(trial, self._trials)),
            trained=epochs_before(trial, self._trials),
            incumbent=self._rules.incumbent_of(trial.id),
            # After the time a worker only reads what the checkpoint of an earlier attempt has.
            cut_after=1 if self._is_time_over else None,
        )

    def _listen(self) -> None:
        """Take in what the pool reports; waits up to a second for the first report."""
        has_finished = False
        for report in self._pool.poll(timeout=1.0):
            # A late answer, of an attempt that was given up or of another session, counts for
            # nothing: its job is not the one that runs.
            job = self._running.get(report.job.trial)
            if job is None or job != report.job:
                continue
            if isinstance(report, Finished):
                has_finished = True
                self._finish(job, report.outcome)
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
        refusal = self._around.refusal_of(report.sources)
        if refusal is None:
            return
        # Nothing of this job is recorded: its attempt is abandoned, and a resume trains it.
        trial = report.job.trial
        del self._running[trial]
        self._notes.drop(report.job)
        self._pool.cancel(trial)
        self._dispatch.put_first(trial)
        if self._refusal is None:
            self._refusal = refusal
            if self._running:
                self._say(sentences.other_code(len(self._running)))

    def _hear(self, report: Epoch) -> None:
        """A running job has finished an epoch."""
        trial = self._trials[report.job.trial]
        for observer in self._observers:
            observer.on_epoch(trial, report.epoch, report.metrics)
        self._notes.hear(report.job, report.epoch)
        if self._around.reserve is not None:
            self._around.reserve.hear(trial.id)
            self._keep_reserve()

    def _finish(self, job: TrainJob, outcome: Outcome) -> None:
        """Record what came of a job; try again if the machine failed rather than the network."""
        failpoint("engine.outcome")
        del self._running[job.trial]
        self._notes.drop(job)
        outcome = as_trained(job, outcome)
        final = True
        # Nothing else is ever tried again, so a success costs no look into the record.
        if outcome.state in FAILURES_OF_ONE_CAUSE:
            attempts = self._journal.attempts(job.trial)
            outcome = judged(attempts, outcome)
            final = not is_tried_again(attempts, outcome, job.accumulation)
        self._settle(job.trial, job.attempt, outcome, final)
        if not final:
            self._dispatch.put_first(job.trial)
        self._guard.heard(job, outcome, self._running.values())

    def _settle(self, id: int, attempt: int, outcome: Outcome, final: bool) -> None:
        """Record what came of an attempt, and of its trial if it is final.

        No outcome of a job enters the run by another way.
        """
        trial = self._trials[id]
        if final:
            trial = settled(trial, outcome.state, outcome.metrics, self._rules.objective)
        self._write(lambda: self._journal.finish_attempt(trial, attempt, outcome, final))
        if final:
            self._turns.arrive(trial)
            self._enter(trial, outcome.seconds)
            self._storage.settle(trial)
            self._sweep()
        for observer in self._observers:
            observer.on_outcome(trial, outcome, attempt, final)
            observer.on_progress(self.progress())

    def _enter(self, trial: Trial, seconds: float = math.nan) -> None:
        """Count an outcome, and see whether it is the best; `seconds` as in `Account.enter`."""
        self._account.enter(trial, self._trials, seconds)
        if trial.fitness is None:
            return
        # A rank has the id in it: of equal trials the oldest wins, in any order of arrival.
        if self._incumbent is None or rank(trial) < rank(self._incumbent):
            self._incumbent = trial
            self._keep_reserve()

    def _keep_reserve(self) -> None:
        """Keep as much of the time as the end will take, as far as is known now."""
        if self._around.reserve is not None:
            self._account.reserve = self._around.reserve.seconds(self._incumbent)

    def _set_aside(self) -> None:
        """Give up, as `lost`, trials that ran each time that driver or machine went down."""
        # Once is enough: attempts are called abandoned when a session begins, never within one.
        for id in list(self._dispatch.waiting):
            attempts = self._journal.attempts(id)
            replay = command("replay", self._storage.root, id)
            if outcome := set_aside(id, attempts):
                self._dispatch.drop([id])
                self._settle(id, attempts[-1].number, outcome, final=True)
                self._say(f"`{replay}` trains trial {id}, which was set aside, in the foreground")
            elif words := suspicion(id, attempts):
                self._say(f"{words}. `{replay}` shows what it does")

    @property
    def _is_held_back(self) -> bool:
        """Whether trials wait for nothing but space on the disk."""
        if not self._dispatch.waiting or not self._guard.is_paused:
            return False
        return self._may_begin

    @property
    def _may_begin(self) -> bool:
        """Whether trials may be asked and handed out: nobody wants the session to end."""
        return self._refusal is None and self._around.stop.urgency == Urgency.NONE

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
        return not self._dialogue.wants_more

    @property
    def gives_no_more(self) -> bool:
        """Whether the run ends because no more infeasible trials are given back."""
        return self._account.gives_no_more

    @property
    def is_exhausted(self) -> bool:
        """Whether the run ends because nothing new is found."""
        return self._dialogue.is_exhausted

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
        latest = self._trials[-1] if self._trials else None
        return self._account.progress(
            generation=latest.lineage.generation if latest else 0,
            trials=len(self._trials),
            running=len(self._running),
            incumbent=self._incumbent,
            objective=self._rules.objective.name,
        )
