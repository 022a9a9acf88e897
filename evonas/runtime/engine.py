"""The engine: asks the strategy, hands out tasks, records outcomes, tells the strategy; in an order that no crash can
spoil.

Outcomes are committed when they arrive. The strategy is told in the order of proposals, whatever the order of
arrival, and what it is told and then asked is one transaction with its state. Tasks are submitted after that commit.
So the record always ends where a step ends, its content is the same for one worker or many, and a driver killed at
any instant leaves a record from which the next one goes on as if nothing had happened.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from evonas.errors import DiskFailure, RepeatedFailures
from evonas.evaluate.pool import Finished, Pool
from evonas.evaluate.pool import Progress as Epoch
from evonas.evaluate.protocol import ACCUMULATION, Task
from evonas.runtime.disk_guard import DiskGuard
from evonas.runtime.observer import Observer
from evonas.runtime.progress import Progress, Spent, estimate_remaining
from evonas.runtime.record import Attempt, Record, settled
from evonas.runtime.retries import (
    accumulation,
    is_tried_again,
    runs_alone,
    set_aside,
    suspicion,
)
from evonas.runtime.stopping import StopRequest, Urgency
from evonas.runtime.storage import Storage
from evonas.runtime.tasks import epochs_before, parts_before, training_task
from evonas.search.strategy import Strategy
from evonas.testing.failpoints import failpoint
from evonas.trial import Objective, Outcome, Proposal, Trial, TrialState, rank

FAILURES_OF_ONE_CAUSE = frozenset(
    {
        TrialState.ERROR,
        TrialState.CRASHED,
        TrialState.LOST,
        TrialState.TIMEOUT,
        TrialState.OOM_HOST,
        TrialState.OOM_DEVICE,
    }
)
"""Failures that, many in a row, are no property of the networks."""


STOPPED = "stopped by failures"
"""The event of a run that was stopped by failures in a row."""

NOTE_SECONDS = 1.0
"""Between two notes in the record of how far the running trials are."""


_T = TypeVar("_T")


@dataclass(frozen=True)
class Limits:
    """What bounds the loop.

    Attributes:
        trials: the budget; twins are not counted. None where it is in epochs or seconds only.
        look_ahead: proposals that may be asked and not yet told; part of what makes a run repeatable.
        twins_in_a_row: so many end the run: the strategy finds nothing new.
        failures_in_a_row: so many of one cause stop the run.
        epochs: the budget in epochs, charged when a trial is asked, less those of the training that it continues.
        seconds: the budget on the engine's clock. When they are over, nothing is begun, and what waits is cancelled.
    """

    trials: int | None
    look_ahead: int = 16
    twins_in_a_row: int = 100
    failures_in_a_row: int = 20
    epochs: int | None = None
    seconds: float | None = None


class Engine:
    """One session of one run.

    The record, the pool, the clock and the strategy are given; the engine owns none of them.

    Args:
        storage: sweeps the files of trials; made for the record's folder, if none is given.
        guard: says whether there is space for another trial; without one there always is.
        spent: seconds that earlier sessions have spent.
        in_order: tell trials in the order of proposals; False tells them as they arrive.
    """

    def __init__(
        self,
        strategy: Strategy,
        record: Record,
        pool: Pool,
        limits: Limits,
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
    ) -> None:
        self._strategy, self._record, self._pool = strategy, record, pool
        self._limits, self._objective, self._seed = limits, objective, seed
        self._observers, self._stop, self._clock = observers, stop or StopRequest(), clock
        self._spent_before, self._in_order = spent, in_order
        self._storage = storage or Storage(record.path.parent, continues_trials=strategy.continues_trials)
        self._guard = guard or DiskGuard(self._storage)
        self._trials: list[Trial] = []
        self._first: dict[tuple[str, int, int], int] = {}  # twin key -> the trial that is trained
        self._waiting: list[int] = []  # to be submitted, in order
        self._running: dict[int, Task] = {}
        self._is_alone = False  # the one trial that runs: nothing is submitted beside it
        self._reached: dict[int, int] = {}  # running trial -> epochs, not yet in the record
        self._noted = clock()
        self._ready: deque[int] = deque()  # to be told next, where trials are told on arrival
        self._twins: dict[int, list[int]] = {}  # of a trial that runs, those that will take its outcome
        self._ahead: set[int] = set()  # asked and not told
        self._begun = set(record.begun())  # of those that wait: by an earlier session, or before a retry
        self._charged = 0
        self._charged_epochs = 0
        self._done = 0
        self._done_epochs = 0
        self._failures = 0
        self._twins_in_a_row = 0
        self._failures_in_a_row: list[int] = []
        self._incumbent: Trial | None = None
        self._told = 0
        self._has_asked = False  # in this session
        self._started = clock()
        self._restore()
        self._share_before = max((budget.share for budget in self._spent()), default=0.0)

    def _restore(self) -> None:
        """Memory as the last session's was after its last step; the strategy from its state."""
        for trial in self._record.trials(self._objective):
            self._admit(trial)
            if trial.state.is_final and trial.twin_of is None:
                self._account(trial)
        order = self._record.told_order()
        self._told = len(order)
        self._ahead -= set(order)
        self._ready.clear()
        self._make_ready([id for id in self._arrived() if id in self._ahead])
        stops = [detail for _, kind, detail in self._record.events() if kind == STOPPED]
        counted_from = max((stop["told"] for stop in stops), default=0)
        self._stopped_by = stops[-1].get("why", "") if stops and counted_from == self._told else ""
        for id in order[counted_from:]:
            self._count_failure(self._trials[id])
        if self._record.has_meta("strategy"):
            told = {id: self._trials[id] for id in order}
            self._strategy.load_state_dict(self._record.meta("strategy"), told)
        failpoint("engine.restored")

    def run(self) -> None:
        """Search until the budget is spent, the strategy is done, or nothing new is found.

        Raises:
            Stopped: by a signal; the record is complete up to here, and another session can go on.
            RepeatedFailures: `failures_in_a_row` trials in a row failed for one cause.
            DiskFailure: the disk is full; likewise.
        """
        if self._stopped_by:
            self._note(f"the last session stopped here, and the count of failures begins anew: {self._stopped_by}")
        self._storage.open(self._trials, self._told_all, self._strategy.living)
        try:
            for observer in self._observers:
                observer.on_start(self.progress())
            self._set_aside()
            self._check_failures()
            self._search()
        finally:
            for observer in self._observers:
                observer.on_end(self.progress())
        if self._stop.urgency > Urgency.NONE and not self.is_over:
            of = "" if self._limits.trials is None else f" of {self._limits.trials}"
            raise self._stop.error(f"stopped after {self._done}{of} trials; nothing is lost")

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
                    observer.on_stop(f"{self._stop.by.name}: finishing {len(self._running)} running trials")
            if not self._running:
                if not self._is_held_back:
                    break
                self._guard.wait()
                continue
            for report in self._pool.poll(timeout=1.0):
                if self._running.get(report.task.trial) != report.task:
                    continue  # a late answer: of an attempt that was given up, or of another session
                if isinstance(report, Finished):
                    self._finish(report.task, report.outcome)
                else:
                    self._hear(report)

    @property
    def _is_held_back(self) -> bool:
        """Whether trials wait for nothing but space on the disk."""
        return bool(self._waiting) and self._guard.is_paused and self._stop.urgency == Urgency.NONE

    @property
    def is_over(self) -> bool:
        """Whether no trial will follow: everything asked is told, and nothing more is asked."""
        return self._told == len(self._trials) and not self._wants_more

    @property
    def is_exhausted(self) -> bool:
        """Whether the run ends because nothing new is found."""
        return self._twins_in_a_row >= self._limits.twins_in_a_row

    @property
    def _wants_more(self) -> bool:
        return not self._is_spent and not self.is_exhausted and not self._strategy.is_done

    @property
    def _is_spent(self) -> bool:
        """Whether one of the budgets is."""
        limits = self._limits
        of_trials = limits.trials is not None and self._charged >= limits.trials
        return of_trials or (limits.epochs is not None and self._charged_epochs >= limits.epochs) or self._is_late

    @property
    def _is_late(self) -> bool:
        """Whether the budget in seconds is spent."""
        return self._limits.seconds is not None and self.seconds >= self._limits.seconds

    @property
    def seconds(self) -> float:
        """That all sessions have spent, on the engine's clock."""
        return self._spent_before + self._clock() - self._started

    @property
    def _told_all(self) -> int:
        """How many trials have been told, counted up to the first that has not."""
        return self._told if self._in_order else min(self._ahead, default=len(self._trials))

    @property
    def trials(self) -> Sequence[Trial]:
        return self._trials

    @property
    def incumbent(self) -> Trial | None:
        """The best trial so far; of equal ones the oldest."""
        return self._incumbent

    def progress(self) -> Progress:
        elapsed, spent = self._clock() - self._started, self._spent()
        share = max((budget.share for budget in spent), default=0.0)
        return Progress(
            generation=self._trials[-1].lineage.generation if self._trials else 0,
            done=self._done,
            total=self._limits.trials,
            running=len(self._running),
            failures=self._failures,
            twins=len(self._trials) - self._charged,
            incumbent=self._incumbent,
            elapsed=elapsed,
            remaining=estimate_remaining(elapsed, share - self._share_before, 1.0 - share),
            spent=spent,
        )

    def _spent(self) -> tuple[Spent, ...]:
        """What the outcomes so far have used up of each budget."""
        limits = self._limits
        return tuple(
            Spent(unit, amount, limit)
            for unit, amount, limit in (
                ("trials", self._done, limits.trials),
                ("epochs", self._done_epochs, limits.epochs),
                ("seconds", self.seconds, limits.seconds),
            )
            if limit is not None
        )

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
        before, asked = self._told, self._ask()
        if not told and not asked:
            return False
        state = self._strategy.state_dict()
        self._recorded(lambda: self._record.commit_step(told, asked, state, before))
        self._storage.sweep(self._trials, self._told_all, self._strategy.living)
        for observer in self._observers:
            observer.on_progress(self.progress())
        self._check_failures()
        return True

    def _tell_next(self) -> list[Trial]:
        """Tell the next trial in order, if its outcome is known; a twin has its outcome from the trial it is a twin
        of."""
        trial = self._next()
        if trial is None:
            return []
        if trial.twin_of is not None:
            first = self._trials[trial.twin_of]
            trial = settled(trial, first.state, first.metrics, self._objective)
        if not trial.state.is_final:
            return []
        if not self._in_order:
            self._ready.popleft()
        self._trials[trial.id] = trial
        self._strategy.tell(trial)
        self._told += 1
        self._ahead.discard(trial.id)
        self._count_failure(trial)
        return [trial]

    def _next(self) -> Trial | None:
        """The trial whose turn it is to be told, whether its outcome is known or not."""
        if self._in_order:
            return self._trials[self._told] if self._told < len(self._trials) else None
        return self._trials[self._ready[0]] if self._ready else None

    def _arrived(self) -> list[int]:
        """Trials whose outcome is known, and twins of such, by id: a trial before its twins."""
        return [
            trial.id
            for trial in self._trials
            if (trial if trial.twin_of is None else self._trials[trial.twin_of]).state.is_final
        ]

    def _arrive(self, trial: Trial) -> None:
        """A trial's outcome is known, and so its twins' is."""
        self._trials[trial.id] = trial
        self._account(trial)
        self._make_ready([trial.id, *self._twins.pop(trial.id, [])])

    def _make_ready(self, trials: Sequence[int]) -> None:
        if not self._in_order:
            self._ready += trials

    def _cancel_what_is_late(self) -> None:
        """When the seconds are spent, what no worker has ever begun is not begun; the next step tells it."""
        if not (self._waiting and self._is_late):
            return
        for id in self._waiting:
            if id not in self._begun:
                self._arrive(settled(self._trials[id], TrialState.CANCELLED, {}, self._objective))
        self._waiting = [id for id in self._waiting if id in self._begun]

    def _count_failure(self, trial: Trial) -> None:
        """Of the trials told last, those in a row that failed for one cause; twins do not count."""
        if trial.twin_of is not None:
            return
        last = self._failures_in_a_row and self._trials[self._failures_in_a_row[-1]].state
        before = self._failures_in_a_row if last == trial.state else []
        self._failures_in_a_row = [*before, trial.id] if trial.state in FAILURES_OF_ONE_CAUSE else []

    def _ask(self) -> list[Trial]:
        """New trials while the window is open and the budget lasts; one by one, for the window depends on twins,
        too."""
        asked: list[Trial] = []
        while len(self._trials) - self._told < self._limits.look_ahead and self._wants_more:
            proposals = self._strategy.ask(1)
            if not proposals:
                break
            asked.append(self._admit(self._number(proposals[0])))
        return asked

    def _number(self, proposal: Proposal) -> Trial:
        trial = Trial(len(self._trials), proposal)
        return Trial(trial.id, proposal, twin_of=self._first.get(trial.twin_key))

    def _admit(self, trial: Trial) -> Trial:
        """Into memory; the same for a new trial and for one from the record."""
        self._trials.append(trial)
        self._ahead.add(trial.id)
        if trial.twin_of is not None:
            self._twins_in_a_row += 1
            if self._trials[trial.twin_of].state.is_final:
                self._make_ready([trial.id])
            else:
                self._twins.setdefault(trial.twin_of, []).append(trial.id)
            return trial
        self._first[trial.twin_key] = trial.id
        self._charged += 1
        self._charged_epochs += self._cost(trial)
        self._twins_in_a_row = 0
        if not trial.state.is_final:
            self._waiting.append(trial.id)
        return trial

    def _cost(self, trial: Trial) -> int:
        """Epochs that this trial is charged."""
        return max(0, trial.proposal.fidelity.epochs - epochs_before(trial, self._trials))

    def _submit(self) -> None:
        """Hand out what waits, in order, while slots are free.

        What is handed out is in the record already. A trial that is to run alone waits for those that run, and those
        after it wait for it.
        """
        while self._waiting and self._pool.running < self._pool.capacity and self._stop.urgency == Urgency.NONE:
            if not self._guard.may_start(self._running.values()):
                return
            trial = self._trials[self._waiting[0]]
            earlier = self._record.attempts(trial.id)
            alone = runs_alone(earlier)
            if self._running and (alone or self._is_alone):
                return
            self._waiting.pop(0)
            self._is_alone = alone
            number = self._recorded(lambda: self._record.start_attempt(trial.id))  # noqa: B023 - called at once
            failpoint("engine.attempt")
            task = self._task(trial, number, earlier)
            self._running[trial.id] = task
            self._begun.add(trial.id)
            self._pool.submit(task)
            failpoint("engine.submitted")
            for observer in self._observers:
                observer.on_submit(trial, number)

    def _task(self, trial: Trial, attempt: int, earlier: Sequence[Attempt]) -> Task:
        parts = accumulation(earlier, parts_before(trial, self._trials))
        source = self._storage.source(self._trials, trial)
        before = epochs_before(trial, self._trials)
        return training_task(trial, attempt, self._record.session, self._seed, source, parts, before)

    def _recorded(self, write: Callable[[], _T]) -> _T:
        """A record that cannot be written is given the room that the caches take, and one more chance."""
        try:
            return write()
        except DiskFailure:
            if not self._storage.free(self._running.values()):
                raise
            return write()

    def _finish(self, task: Task, outcome: Outcome) -> None:
        """Record what came of a task; try again where the machine failed rather than the network."""
        failpoint("engine.outcome")
        del self._running[task.trial]
        self._reached.pop(task.trial, None)
        if task.accumulation > 1:
            outcome = replace(outcome, details={**outcome.details, ACCUMULATION: task.accumulation})
        final = not is_tried_again(self._record.attempts(task.trial), outcome, task.accumulation)
        self._settle(task.trial, task.attempt, outcome, final)
        if not final:
            self._waiting.insert(0, task.trial)
        self._guard.heard(task, outcome, self._running.values())

    def _settle(self, id: int, attempt: int, outcome: Outcome, final: bool) -> None:
        """Record what came of an attempt, and of its trial if it is final; the one way of an outcome into the run."""
        trial = self._trials[id]
        if final:
            trial = settled(trial, outcome.state, outcome.metrics, self._objective)
        self._recorded(lambda: self._record.finish_attempt(trial, attempt, outcome, final))
        if final:
            self._arrive(trial)
            self._storage.settle(trial)
            self._storage.sweep(self._trials, self._told_all, self._strategy.living)
        for observer in self._observers:
            observer.on_outcome(trial, outcome, attempt, final)
            observer.on_progress(self.progress())

    def _hear(self, report: Epoch) -> None:
        """A running task has finished an epoch: tell the observers, and once a second the record."""
        self._reached[report.task.trial] = report.epoch
        for observer in self._observers:
            observer.on_epoch(self._trials[report.task.trial], report.epoch, report.metrics)
        if self._clock() - self._noted >= NOTE_SECONDS:
            self._record.note_epochs({(id, self._running[id].attempt): n for id, n in self._reached.items()})
            self._reached, self._noted = {}, self._clock()

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
                self._note(words)

    def _note(self, text: str) -> None:
        for observer in self._observers:
            observer.on_note(text)

    def _account(self, trial: Trial) -> None:
        """Count an outcome, and see whether it is the best; of equal ones the oldest is, in any order of arrival."""
        if trial.state is TrialState.CANCELLED:
            return
        self._done += 1
        self._done_epochs += self._cost(trial)
        self._failures += trial.state is not TrialState.OK
        if trial.fitness is not None and (self._incumbent is None or rank(trial) < rank(self._incumbent)):
            self._incumbent = trial

    def _check_failures(self) -> None:
        failed = self._failures_in_a_row
        if len(failed) < self._limits.failures_in_a_row:
            return
        attempt = self._record.attempts(failed[-1])[-1]
        log = "".join(f"\n    {line}" for line in attempt.details.get("log", "").splitlines())
        why = f"{len(failed)} trials in a row ended as `{attempt.state}`"
        said = f"trial {failed[-1]} said: {attempt.message}"  # a resume begins to count anew
        self._record.event(STOPPED, {"told": self._told, "state": attempt.state, "why": f"{why}; {said}"})
        raise RepeatedFailures(
            f"{why}, so the cause is probably not the networks."
            f" `evonas replay RUN {failed[-1]}` trains the last one in the foreground."
            f" Mend the cause and begin a new run: failed trials stay failed. The last one, {said}{log}"
        )
