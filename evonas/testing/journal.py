"""A journal in memory. `suites/journal.py` says what is expected of every journal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from evonas.runtime.record.past import Past
from evonas.trial import (
    ABANDONED,
    Attempt,
    Details,
    Objective,
    Outcome,
    Trial,
    rank,
)


class MemoryJournal:
    """Keeps what the engine does in memory: for simulations, thousands of which run in a process.

    The state of the strategy is kept as it is given, without a copy.

    Args:
        clock: gives the time of the attempts.

    Attributes:
        ends: trial -> time of its last outcome.
        outcomes: trial -> its last outcome.
    """

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._session = 0
        self._trials: list[Trial] = []
        # For each trial, how many trials had been told when it was asked.
        self._told_before: list[int] = []
        self._told: list[int] = []
        # The best trial after 0, 1, 2, ... told trials.
        self._best: list[Trial | None] = [None]
        self._attempts: dict[int, list[Attempt]] = {}
        self._state: Mapping[str, Any] | None = None
        self._last_ask: tuple[int, Mapping[str, Any]] | None = None
        self._stops: list[Mapping[str, Any]] = []
        self._time_over: float | None = None
        self.ends: dict[int, float] = {}
        self.outcomes: dict[int, Outcome] = {}

    def resume(self, objective: Objective, limit: float | None, is_late: bool) -> Past:
        """See `Journal`."""
        self._session += 1
        self._abandon("running", self._attempts)
        begun = {id for id in self._attempts if not self._trials[id].state.is_final}
        is_over = self._time_over is not None and self._time_over == limit
        is_time_over = is_late or is_over
        if not is_time_over:
            told = set(self._told)
            again = {t.id for t in self._trials if t.is_interrupted and t.id not in told}
            self._abandon("ok", again & self._attempts.keys())
            for id in again:
                self._trials[id] = self._trials[id].unsettled
        return Past(
            session=self._session,
            trials=list(self._trials),
            told=list(self._told),
            begun=begun,
            state=_plain(self._state),
            last_ask=self._last_ask,
            stops=list(self._stops),
            is_time_over=is_time_over,
        )

    def _abandon(self, state: str, trials: Any) -> None:
        """Attempts in this state at these trials will never have another outcome."""
        for id in list(trials):
            for place, attempt in enumerate(self._attempts[id]):
                if attempt.state == state:
                    self._attempts[id][place] = replace(attempt, state=ABANDONED)

    def attempts(self, trial: int) -> Sequence[Attempt]:
        """See `Journal`."""
        return list(self._attempts.get(trial, ()))

    def commit_step(
        self,
        told: Sequence[Trial],
        asked: Sequence[Trial],
        state: Mapping[str, Any],
        before: int,
        is_last: bool = False,
        stop: Mapping[str, Any] | None = None,
    ) -> None:
        """See `Journal`."""
        for trial in told:
            self._trials[trial.id] = trial
            self._told.append(trial.id)
            best = self._best[-1]
            if trial.fitness is not None and (best is None or rank(trial) < rank(best)):
                best = trial
            self._best.append(best)
        self._trials += asked
        self._told_before += [before] * len(asked)
        self._state = state
        if asked or is_last:
            # What was noted before a later ask is out of date.
            self._last_ask = (before, _plain(state) or {}) if is_last else None
        if stop is not None:
            self._stops.append(dict(stop))

    def best_known(self, trial: int) -> float | None:
        """The best value that was told before this trial was asked."""
        best = self._best[self._told_before[trial]]
        if best is None or best.fitness is None:
            return None
        return best.fitness.value

    def go_back(self, told: int, state: Mapping[str, Any]) -> None:
        """See `Journal`."""
        del self._told[told:]
        del self._best[told + 1 :]
        self._state = state

    def start_attempt(self, trial: int) -> int:
        """See `Journal`."""
        attempts = self._attempts.setdefault(trial, [])
        number = len(attempts)
        attempt = Attempt(
            trial=trial,
            number=number,
            session=self._session,
            state="running",
            started=self._clock(),
            ended=None,
            epochs=0,
            seconds=None,
            history={},
            message="",
            details=Details(),
        )
        attempts.append(attempt)
        return number

    def note_epochs(self, reached: Mapping[tuple[int, int], int]) -> None:
        """See `Journal`."""
        for (trial, number), epochs in reached.items():
            attempts = self._attempts[trial]
            attempts[number] = replace(attempts[number], epochs=epochs)

    def finish_attempt(self, trial: Trial, number: int, outcome: Outcome, final: bool) -> None:
        """See `Journal`."""
        now = self._clock()
        attempts = self._attempts[trial.id]
        attempts[number] = replace(
            attempts[number],
            state=str(outcome.state),
            ended=now,
            epochs=outcome.epochs,
            seconds=outcome.seconds,
            history={name: list(values) for name, values in outcome.history.items()},
            message=outcome.message,
            details=outcome.details,
        )
        if final:
            self._trials[trial.id] = trial
        self.ends[trial.id] = now
        self.outcomes[trial.id] = outcome

    def cancel(self, trials: Sequence[Trial], limit: float | None) -> None:
        """See `Journal`."""
        self._time_over = limit
        for trial in trials:
            self._trials[trial.id] = trial


def _plain(state: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A state by JSON and back, as a record gives it."""
    found: Mapping[str, Any] | None = json.loads(json.dumps(state))
    return found
