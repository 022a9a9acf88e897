"""The dialogue with the strategy: it is told in turn, and asked while the window is open."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from evonas.runtime.loop.budget import Account, RunLimits
from evonas.runtime.loop.turns import Turns
from evonas.runtime.record.past import LastAsk, Past
from evonas.search.strategy import Strategy
from evonas.trial import Trial


class Dialogue:
    """Tells the strategy, and asks it, in an order that depends on no clock.

    Args:
        strategy: a new one, before its first ask.
        turns: the trials of the run, and which of them is told next.
        account: what the run has spent.
        limits: limits of the run.
    """

    def __init__(
        self, strategy: Strategy, turns: Turns, account: Account, limits: RunLimits
    ) -> None:
        self._strategy = strategy
        self._turns = turns
        self._account = account
        self._limits = limits
        # Whether the strategy was asked in this session.
        self._has_asked = False
        # The last ask, if the budget has kept the strategy from asking since.
        self._last_ask: LastAsk | None = None

    @property
    def retained(self) -> Collection[int]:
        """Ids of the trials that the strategy may still need."""
        return self._strategy.retained

    def state_dict(self) -> dict[str, Any]:
        """The state of the strategy."""
        return self._strategy.state_dict()

    def restore(self, past: Past, told: Mapping[int, Trial]) -> None:
        """Bring the strategy to where the last session has left it.

        Args:
            told: trials that it was told, by id.
        """
        if past.state is not None:
            self._load(past.state, told)
        if self._limits.gives_back:
            self._last_ask = past.last_ask

    def _load(self, state: Mapping[str, Any], told: Mapping[int, Trial]) -> None:
        known = dict(told)
        # Outcomes may be recorded that the strategy was not told. It must not see them early.
        for id in self._turns.ahead:
            known[id] = self._turns.trials[id].unsettled
        self._strategy.load_state_dict(state, known)

    def begin(self) -> bool:
        """Whether the strategy is to be asked before it is told anything; once a session.

        If the budget was raised since the last session, more has to be asked before the next is
        told: so would a run that began with the greater budget.
        """
        is_first = not self._has_asked
        self._has_asked = True
        return is_first

    def tell_next(self) -> Trial | None:
        """Tell the trial whose turn it is, if its outcome is known."""
        trial = self._turns.take()
        if trial is not None:
            self._strategy.tell(trial)
        return trial

    def ask(self, admit: Callable[[Trial], None]) -> list[Trial]:
        """New trials, while the window is open and the budget lasts.

        Args:
            admit: takes a trial into the run. Only then is known what it costs.
        """
        asked: list[Trial] = []
        # One by one: only an admitted trial shows whether it is a duplicate, and so what it costs.
        while len(self._turns.ahead) < self._limits.look_ahead and self.wants_more:
            proposals = self._strategy.ask(1)
            if not proposals:
                break
            trial = self._turns.number(proposals[0])
            asked.append(trial)
            admit(trial)
        return asked

    def note_ask(self, told: int, state: Mapping[str, Any]) -> bool:
        """The strategy was asked; whether only the budget keeps it from being asked again.

        Args:
            told: number of trials that had been told.
            state: state of the strategy after the ask.
        """
        is_held = self._limits.gives_back and self._account.is_used_up
        # By JSON and back, as a record would give it: the strategy may go on with its own lists.
        self._last_ask = (told, json.loads(json.dumps(state))) if is_held else None
        return is_held

    def may_go_back(self) -> bool:
        """Whether something was given back to the budget that had kept the strategy from asking."""
        return self._last_ask is not None and not self._account.is_spent

    def way_back(self) -> LastAsk | None:
        """The place to go back to; None if nothing was told since. The strategy is asked there.

        A greater budget would have asked it right after its last ask, and so it is asked now:
        nothing depends on when an outcome arrived. What it was told since is told again.
        """
        place = self._last_ask
        self._last_ask = None
        self._has_asked = False
        # Without the order of proposals, no other order could be repeated.
        if place is None or not self._turns.in_order or place[0] == self._turns.told:
            return None
        return place

    def go_back(self, place: LastAsk) -> None:
        """A new strategy is where the old one was when only so many trials were told."""
        told, state = place
        self._turns.go_back(told)
        # A new one, made as the first one was.
        self._strategy = self._strategy.settings.make(self._strategy.problem)
        self._load(state, {trial.id: trial for trial in self._turns.trials[:told]})

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing new is found."""
        return self._turns.twins_in_a_row >= self._limits.twins_in_a_row

    @property
    def wants_more(self) -> bool:
        """Whether the strategy may be asked, if the window is open."""
        if self._account.is_spent or self.is_exhausted:
            return False
        return not self._strategy.is_done
