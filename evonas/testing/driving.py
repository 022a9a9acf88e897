"""Ask and tell a strategy as the engine does, with outcomes that a test makes up.

`drive` does a whole search in one call. A test that looks at a search in between takes a `Driver`.
Both need a function that makes the finished trial of a proposal, for example with `settled`:

    def make_trial(id: int, proposal: Proposal) -> Trial:
        return settled(objective, id, proposal, float(id % 7))

    trials = drive(strategy, make_trial, 40, order=5)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from evonas.search.strategy import Strategy
from evonas.trial import Objective, Proposal, Trial, TrialState

MakeTrial = Callable[[int, Proposal], Trial]
"""Makes the finished trial of a proposal; the number is the trial's id."""

ALL_AT_ONCE = 100_000
"""More proposals than a strategy with generations gives before it waits."""


def settled(
    objective: Objective,
    id: int,
    proposal: Proposal,
    value: float | None,
    metrics: Mapping[str, float] | None = None,
    twin_of: int | None = None,
) -> Trial:
    """The finished trial of a proposal.

    Args:
        objective: objective of the search.
        id: number of the trial.
        proposal: what the strategy proposed.
        value: value of the objective; None for a trial that diverged.
        metrics: further metrics.
        twin_of: id of the trial whose duplicate this one is.
    """
    if value is None:
        return Trial(id, proposal, twin_of, TrialState.DIVERGED)
    found = {objective.name: value, **(metrics or {})}
    return Trial(id, proposal, twin_of, TrialState.OK, found, objective.fitness(found))


class Driver:
    """Asks and tells one strategy, in the order in which the engine does.

    Args:
        strategy: the strategy to search with.
        make_trial: makes the finished trial of each proposal.
        look_ahead: number of proposals that may be asked and not yet told.

    Attributes:
        strategy: the strategy. A test of a resume puts another one here, in the middle of a search.
        trials: all trials, by id.
        told: number of trials that the strategy was told, in the order of their ids.
        told_before: for each trial, how many trials had been told when it was asked.
        waits: number of asks that the strategy answered with nothing.
    """

    def __init__(self, strategy: Strategy, make_trial: MakeTrial, look_ahead: int = 5) -> None:
        self.strategy = strategy
        self.trials: list[Trial] = []
        self.told = 0
        self.told_before: list[int] = []
        self.waits = 0
        self._make_trial = make_trial
        self._look_ahead = look_ahead

    def run(self, count: int) -> list[Trial]:
        """Step until `count` trials are asked, or the strategy is done.

        Returns:
            all trials, by id. Up to `look_ahead` of them are not told.

        Raises:
            AssertionError: the strategy waits although every trial is told.
        """
        while len(self.trials) < count:
            told = self.told
            asked = len(self.trials)
            self.step()
            if (self.told, len(self.trials)) == (told, asked):
                # Another step would do nothing again: the search ends, or it hangs.
                self._check_done()
                break
        return self.trials

    def generation(self) -> list[Trial]:
        """Ask all that the strategy gives, then tell all; returns the new trials.

        Raises:
            AssertionError: the strategy waits although every trial is told.
        """
        asked = self.ask(ALL_AT_ONCE)
        if not asked:
            self._check_done()
        self.tell_all()
        return asked

    def step(self, times: int = 1) -> None:
        """Tell one trial, then ask while the window is open: one step of the engine."""
        for _ in range(times):
            # There is nothing to tell before the first ask, and after the last tell.
            if self.told < len(self.trials):
                self.tell()
            while len(self.trials) - self.told < self._look_ahead and not self.strategy.is_done:
                # One by one, as the engine does.
                if not self.ask():
                    break

    def ask(self, count: int = 1) -> list[Trial]:
        """Ask for up to `count` proposals; returns their trials, of which there may be fewer."""
        proposals = self.strategy.ask(count)
        first = len(self.trials)
        for proposal in proposals:
            self.trials.append(self._make_trial(len(self.trials), proposal))
            self.told_before.append(self.told)
        if not proposals:
            self.waits += 1
        return self.trials[first:]

    def tell(self) -> Trial:
        """Tell the next trial, and return it; there must be one that is asked and not told."""
        trial = self.trials[self.told]
        self.strategy.tell(trial)
        self.told += 1
        return trial

    def tell_all(self) -> None:
        """Tell every trial that is asked and not yet told."""
        while self.told < len(self.trials):
            self.tell()

    def _check_done(self) -> None:
        # A strategy may wait for a tell, but here no tell will come.
        if not self.strategy.is_done:
            raise AssertionError("the strategy waits although every trial is told")


def drive(
    strategy: Strategy,
    make_trial: MakeTrial,
    count: int,
    order: int | Literal["generations"] = 1,
) -> list[Trial]:
    """Search until `count` trials are asked, or the strategy is done.

    Args:
        strategy: the strategy to search with; nothing was asked of it before.
        make_trial: makes the finished trial of each proposal.
        count: number of trials, or of generations.
        order: order of the asks and tells. A number is the size of the window of proposals that
            are asked and not yet told; 1 tells each trial before the next is asked. `generations`
            asks all that the strategy gives, then tells all of them.

    Returns:
        all trials, by id. All of them are told, except those in a window of more than one.

    Raises:
        AssertionError: the strategy waits although every trial is told.
    """
    if order == "generations":
        driver = Driver(strategy, make_trial)
        for _ in range(count):
            driver.generation()
        return driver.trials
    driver = Driver(strategy, make_trial, look_ahead=order)
    driver.run(count)
    if order == 1:
        # So that a test may look at what the strategy learned from all of them.
        driver.tell_all()
    return driver.trials
