"""The reserve: the seconds of a budget that are kept for what comes after the search.

The winner is exported then, and the pictures are drawn. How long that takes is measured in this
run: at its last end if it had one, otherwise at the trainings so far.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from evonas.trial import Trial

REPORT = 1.0
"""Seconds in which the process starts, reports and ends: it cannot measure them itself."""
SHARE = 0.1
"""Part of a budget of time that the ensemble may take."""
TRACES = 2
"""How often an export builds and traces a network: once for the model, once for its file."""


class Reserve:
    """Measures, and says how many seconds the end will take.

    Args:
        clock: gives seconds.
        ended: seconds of the last end of this run; 0 if it had none.
        folds: number of folds of the data, or None. With folds, the end includes a training on all
            of them.
        members: number of trials whose networks may be in the ensemble; 0 without one.
        budget: seconds of the whole run, of which the ensemble gets a tenth and
            the finalists a quarter, at most; None for no limit.
        neighbours: seconds that scikit-learn's models may take; None without them.
        trainings: number of trainings of finalists; 0 without them.
        workers: number of trials that run at once. The first training of a worker takes longer:
            it loads the data and starts TensorFlow. An export finds a worker that has done that.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        ended: float = 0.0,
        workers: int = 0,
        folds: int | None = None,
        members: int = 0,
        neighbours: float | None = None,
        budget: float | None = None,
        trainings: int = 0,
    ) -> None:
        self._clock = clock
        self._ended = ended
        self._workers = workers
        self._folds = folds
        self._members = members
        self._neighbours = neighbours or 0.0
        self._budget = budget
        self._trainings = trainings
        # Trial -> number of epochs that it has finished.
        self._epochs: dict[int, int] = {}
        # The first trainings of the workers.
        self._cold: set[int] = set()
        # Trial -> when it began, or finished its latest epoch.
        self._latest: dict[int, float] = {}
        # Trial -> seconds from its beginning to the end of its first epoch, and those of a later
        # one. The difference is what it takes to build and to trace the network.
        self._first: dict[int, float] = {}
        self._later: dict[int, float] = {}

    def begin(self, trial: int) -> None:
        """A worker was given this trial."""
        if len(self._latest) < self._workers:
            self._cold.add(trial)
        self._latest[trial] = self._clock()
        self._first.pop(trial, None)
        self._epochs[trial] = 0

    def hear(self, trial: int) -> None:
        """This trial has finished an epoch."""
        now = self._clock()
        took = now - self._latest.get(trial, now)
        self._latest[trial] = now
        self._epochs[trial] += 1
        if trial in self._first:
            self._later[trial] = took
        else:
            self._first[trial] = took

    def seconds(self, winner: Trial | None) -> float:
        """Seconds that the end will take.

        Args:
            winner: the best trial so far. Without one, the slowest of all may be it.
        """
        if winner is None:
            export = max(map(self._export, self._first), default=0.0)
        else:
            export = self._export(winner.id)
        others = export + self._ensemble() + self._neighbours
        return REPORT + max(others + self.of_finalists(), self._ended)

    def of_finalists(self) -> float:
        """Seconds that are kept for the trainings of finalists: those of trainings so far."""
        if not self._trainings or not self._first:
            return 0.0
        whole = [self._building(one) + self._epochs[one] * self._epoch(one) for one in self._first]
        found = self._trainings * sum(whole) / len(whole)
        return found if self._budget is None else min(found, self._budget / 4)

    def until_epochs_end(self, trials: Collection[int]) -> float | None:
        """Seconds until all of these trials, which run, have finished their current epoch.

        An epoch takes as long as the latest one of that trial. Before its first one, it takes as
        long as the slowest first epoch so far. None if that is unknown, or over already.
        """
        slowest = max(self._first.values(), default=0.0)
        now = self._clock()
        longest = 0.0
        for trial in trials:
            epoch = slowest
            if trial in self._first:
                epoch = self._later.get(trial, self._first[trial])
            left = epoch - (now - self._latest.get(trial, now))
            if left <= 0:
                return None
            longest = max(longest, left)
        return longest

    def _export(self, trial: int) -> float:
        """Seconds of an export of this trial; 0 if this session has not trained it."""
        building = self._building(trial)
        if trial in self._cold:
            warm = [self._building(other) for other in self._first if other not in self._cold]
            building = min(building, max(warm, default=building))
        # The model predicts all validation and test data, and its file the latter once more.
        # Together that is about an epoch.
        return TRACES * building + self._epoch(trial) + self._refit(trial)

    @property
    def members(self) -> int:
        """How many trials may have their networks in the ensemble, in the time that it gets.

        All that are wanted, as long as nothing is known of their times.
        """
        each = self._candidate()
        if self._budget is None or not each:
            return self._members
        return min(self._members, int(self._budget * SHARE / each))

    def _ensemble(self) -> float:
        """Seconds of choosing and writing an ensemble of networks like those of this session."""
        return min(self.members, len(self._first)) * self._candidate()

    def _candidate(self) -> float:
        """Seconds of one candidate of the ensemble; 0 if nothing is known."""
        warm = [self._building(trial) for trial in self._first if trial not in self._cold]
        if not self._members or not warm:
            return 0.0
        # It is built and traced to answer, and once more in the model, there with a network for
        # each fold. Without a training, that is half of a training's building (decision 270).
        return (1 + (self._folds or 1)) / 2 * sum(warm) / len(warm)

    def _refit(self, trial: int) -> float:
        """Seconds of a training on all folds; 0 without folds."""
        if self._folds is None:
            return 0.0
        # An epoch of all folds sees each sample once less than there are folds.
        epoch = self._epoch(trial) / (self._folds - 1)
        return self._building(trial) + self._epochs.get(trial, 0) * epoch

    def _building(self, trial: int) -> float:
        """Seconds in which the network was built and traced."""
        return self._first.get(trial, 0.0) - self._epoch(trial)

    def _epoch(self, trial: int) -> float:
        """Seconds of an epoch; 0 if there was only one, which includes the building."""
        later = self._later.get(trial, 0.0)
        return min(self._first.get(trial, 0.0), later)
