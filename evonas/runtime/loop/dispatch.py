"""Dispatch: which trials wait for a worker, and which have one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from evonas.evaluate.contract.protocol import TrainJob
from evonas.runtime.loop.retries import runs_alone
from evonas.trial import Attempt


class Dispatch:
    """The trials of a session on their way to the workers.

    They are handed out in the order of proposals. A trial that is to run alone waits for those that
    run, and those after it wait for it.

    Args:
        attempts: gives all attempts at a trial.
        begun: ids of trials that a worker had in an earlier session.

    Attributes:
        waiting: ids of the trials to be handed out, in order.
        running: trial -> the job that a worker has.
    """

    def __init__(
        self, attempts: Callable[[int], Sequence[Attempt]], begun: Collection[int]
    ) -> None:
        self._attempts = attempts
        # Also those that were in a worker before a retry.
        self._begun = set(begun)
        self._is_alone = False
        self.waiting: list[int] = []
        self.running: dict[int, TrainJob] = {}

    def has_begun(self, trial: int) -> bool:
        """Whether a worker has had this trial."""
        return trial in self._begun

    def put_first(self, trial: int) -> None:
        """This trial is the next: in the order of proposals, no later one can be told before it."""
        self.waiting.insert(0, trial)

    def drop(self, trials: Iterable[int]) -> None:
        """These trials wait no longer."""
        gone = set(trials)
        self.waiting = [id for id in self.waiting if id not in gone]

    def take(self) -> tuple[int, Sequence[Attempt]] | None:
        """The trial to be handed out now, and the attempts at it; None if it has to wait."""
        trial = self.waiting[0]
        # Most trials are new; they cost no look into the record.
        earlier = self._attempts(trial) if self.has_begun(trial) else []
        is_alone = runs_alone(earlier)
        if self.running and (is_alone or self._is_alone):
            return None
        self.waiting.pop(0)
        self._is_alone = is_alone
        self._begun.add(trial)
        return trial, earlier
