"""Observer: reactions to the loop.

Nothing that an observer does can change a search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from evonas.runtime.loop.progress import Progress
from evonas.trial import Outcome, Trial


class Observer:
    """Called by the engine in the driver's thread; every method may be left out.

    Errors of an observer are errors of evonas.
    """

    def on_note(self, text: str) -> None:
        """Something that the user should know, before the session or when its way changes."""

    def on_start(self, progress: Progress) -> None:
        """A session begins, new or resumed."""

    def on_wait(self, what: str) -> None:
        """The session now waits for something that takes seconds, such as an import."""

    def on_submit(self, trial: Trial, attempt: int) -> None:
        """A worker was given this trial."""

    def on_epoch(self, trial: Trial, epoch: int, metrics: Mapping[str, float]) -> None:
        """A training has finished an epoch (counted from 1)."""

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        """An attempt is over and recorded; if it is not `final`, the trial is tried again."""

    def on_progress(self, progress: Progress) -> None:
        """An outcome was recorded, or the strategy was told or asked."""

    def on_tick(self, progress: Progress) -> None:
        """No outcome has come since the last call of an observer; about once a second."""

    def on_stop(self, reason: str) -> None:
        """No further trial will be started; those that run are finished first."""

    def on_end(self, progress: Progress) -> None:
        """The session is over."""


def teller(observers: Sequence[Observer]) -> Callable[[str], None]:
    """A function that says a text to all observers."""

    def tell(text: str) -> None:
        for observer in observers:
            observer.on_note(text)

    return tell
