"""Turns: the trials of a run in the driver's memory, their duplicates, and which one is told next.

The strategy is told in the order of proposals, whatever the order of arrival. That is what makes a
run repeatable. A run that gives this up (`deterministic: false`) tells trials as they arrive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from evonas.runtime.record.rows import settled
from evonas.trial import Objective, Proposal, Trial


class Turns:
    """Who is told next.

    Args:
        in_order: whether trials are told in the order of proposals; False for that of arrival.

    Attributes:
        in_order: as given.
        trials: all trials, by id.
        ahead: ids of the trials that are not told, in the order of proposals.
        twins_in_a_row: number of duplicates at the end of the proposals.
    """

    def __init__(self, objective: Objective, in_order: bool = True) -> None:
        self._objective = objective
        self.in_order = in_order
        self.trials: list[Trial] = []
        # An ordered set: a dict keeps the order of insertion and deletes from the middle at once.
        self.ahead: dict[int, None] = {}
        self.twins_in_a_row = 0
        # twin key -> the trial that is trained
        self._first: dict[tuple[str, int, int], int] = {}
        # trial that runs -> its duplicates, which will take its outcome
        self._twins: dict[int, list[int]] = {}
        # Trials to be told next, if they are told on arrival.
        self._arrived: deque[int] = deque()

    @property
    def told(self) -> int:
        """How many trials are told."""
        return len(self.trials) - len(self.ahead)

    def number(self, proposal: Proposal) -> Trial:
        """The trial that a proposal becomes, a duplicate or not; it is to be admitted next."""
        trial = Trial(len(self.trials), proposal)
        first = self._first.get(trial.twin_key)
        return Trial(trial.id, proposal, twin_of=first)

    def admit(self, trial: Trial) -> None:
        """Take a trial into memory; the same for a new one and for one from the record."""
        self.trials.append(trial)
        self.ahead[trial.id] = None
        if trial.twin_of is None:
            self.twins_in_a_row = 0
            self._first[trial.twin_key] = trial.id
            return
        self.twins_in_a_row += 1
        first = self.trials[trial.twin_of]
        if first.state.is_final:
            self._line_up([trial.id])
        else:
            self._twins.setdefault(trial.twin_of, []).append(trial.id)

    def restore(self, told: Sequence[int]) -> None:
        """All trials of the record are admitted, and these were told, in this order."""
        for id in told:
            del self.ahead[id]
        # `admit` has lined up trials that were told long ago.
        self._arrived.clear()
        for id in self.ahead:
            first = self._first_of(self.trials[id])
            if first.state.is_final:
                self._line_up([id])

    def go_back(self, told: int) -> None:
        """From now on only so many trials are told; only in the order of proposals."""
        self.ahead = dict.fromkeys(range(told, len(self.trials)))

    def arrive(self, trial: Trial) -> None:
        """A trial's outcome is known, and that of its duplicates."""
        self.trials[trial.id] = trial
        duplicates = self._twins.pop(trial.id, [])
        self._line_up([trial.id, *duplicates])

    def take(self) -> Trial | None:
        """The trial whose turn it is, if its outcome is known; from now on it counts as told.

        A duplicate has its outcome from the trial that it is a duplicate of.
        """
        queue: Iterable[int] = self.ahead if self.in_order else self._arrived
        id = next(iter(queue), None)
        if id is None:
            return None
        trial = self.trials[id]
        # The other trial comes before it in both orders. So its outcome is known by now.
        if trial.twin_of is not None:
            first = self._first_of(trial)
            trial = settled(trial, first.state, first.metrics, self._objective)
        if not trial.state.is_final:
            return None
        if not self.in_order:
            self._arrived.popleft()
        self.trials[id] = trial
        del self.ahead[id]
        return trial

    def _first_of(self, trial: Trial) -> Trial:
        """Of a trial and its duplicates, the one that is trained."""
        if trial.twin_of is None:
            return trial
        return self.trials[trial.twin_of]

    def _line_up(self, trials: Sequence[int]) -> None:
        """These trials can be told; in the order of proposals nothing has to be noted."""
        if not self.in_order:
            self._arrived += trials
