"""Turns: the trials of a run in the driver's memory, who is a twin of whom, and whose turn it is to be told.

The strategy is told in the order of proposals, whatever the order of arrival: that is what makes a run repeatable. A
run that gives this up is told of trials as they arrive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from evonas.runtime.record.rows import settled
from evonas.trial import Objective, Proposal, Trial


class Turns:
    """
    Args:
        in_order: of proposals; False for that of arrival.

    Attributes:
        trials: all, by id.
        ahead: the ids of those that are not told, in order.
        twins_in_a_row: at the end of the proposals.
    """

    def __init__(self, objective: Objective, in_order: bool = True) -> None:
        self._objective, self._in_order = objective, in_order
        self.trials: list[Trial] = []
        self.ahead: dict[int, None] = {}  # an ordered set
        self.twins_in_a_row = 0
        self._first: dict[tuple[str, int, int], int] = {}  # twin key -> the trial that is trained
        self._twins: dict[
            int, list[int]
        ] = {}  # of a trial that runs, those that will take its outcome
        self._arrived: deque[int] = deque()  # to be told next, where trials are told on arrival

    @property
    def told(self) -> int:
        """How many trials are."""
        return len(self.trials) - len(self.ahead)

    def number(self, proposal: Proposal) -> Trial:
        """The trial that a proposal becomes, a twin or not; it is to be admitted next."""
        trial = Trial(len(self.trials), proposal)
        return Trial(trial.id, proposal, twin_of=self._first.get(trial.twin_key))

    def admit(self, trial: Trial) -> None:
        """Into memory; the same for a new trial and for one from the record."""
        self.trials.append(trial)
        self.ahead[trial.id] = None
        if trial.twin_of is None:
            self.twins_in_a_row = 0
            self._first[trial.twin_key] = trial.id
            return
        self.twins_in_a_row += 1
        if self.trials[trial.twin_of].state.is_final:
            self._line_up([trial.id])
        else:
            self._twins.setdefault(trial.twin_of, []).append(trial.id)

    def restore(self, told: Sequence[int]) -> None:
        """All trials of the record are admitted, and these were told, in this order."""
        for id in told:
            del self.ahead[id]
        self._arrived.clear()
        self._line_up([id for id in self.ahead if self._first_of(self.trials[id]).state.is_final])

    def arrive(self, trial: Trial) -> None:
        """A trial's outcome is known, and so its twins' is."""
        self.trials[trial.id] = trial
        self._line_up([trial.id, *self._twins.pop(trial.id, [])])

    def take(self) -> Trial | None:
        """The trial whose turn it is, if its outcome is known; it counts as told from now on.

        A twin has its outcome from the trial that it is a twin of.
        """
        id = next(iter(self.ahead if self._in_order else self._arrived), None)
        if id is None:
            return None
        trial = self.trials[id]
        if trial.twin_of is not None:
            first = self._first_of(trial)
            trial = settled(trial, first.state, first.metrics, self._objective)
        if not trial.state.is_final:
            return None
        if not self._in_order:
            self._arrived.popleft()
        self.trials[id] = trial
        del self.ahead[id]
        return trial

    def _first_of(self, trial: Trial) -> Trial:
        """The one of its twins that is trained."""
        return trial if trial.twin_of is None else self.trials[trial.twin_of]

    def _line_up(self, trials: Sequence[int]) -> None:
        if not self._in_order:
            self._arrived += trials
