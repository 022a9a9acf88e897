"""Observer: reactions to the loop.

Nothing that an observer raises can end a search.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence

from evonas.runtime.loop.progress import Progress
from evonas.trial import Outcome, Trial
from evonas.words import clean_lines

_log = logging.getLogger(__name__)

TOLD = 2000
"""Characters at each end of a traceback that are logged."""


class Observer:
    """Called by the engine in the driver's thread; every method may be left out.

    What a method raises is logged, the first time with its traceback, and the search goes on. Only
    a `KeyboardInterrupt`, a `SystemExit` or another exception that is no `Exception` ends the
    session. The next one goes on from there.
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

    everyone = sheltered(observers)

    def tell(text: str) -> None:
        for observer in everyone:
            observer.on_note(text)

    return tell


def sheltered(observers: Sequence[Observer]) -> tuple[Observer, ...]:
    """The same observers, each behind a wall through which no error comes."""
    found: list[Observer] = []
    for observer in observers:
        found.append(observer if isinstance(observer, _Sheltered) else _Sheltered(observer))
    return tuple(found)


class _Sheltered(Observer):
    """Passes everything on, and logs what the other raises.

    An observer that has failed is called again: the service to which it reports may be back.
    """

    def __init__(self, inner: Observer) -> None:
        self._inner = inner
        self._has_failed = False

    @contextlib.contextmanager
    def _wall(self, method: str) -> Iterator[None]:
        try:
            yield
        # A border: an observer is the user's code, or prints, and may raise anything.
        except Exception as error:
            # The user's own handlers of the log may raise as well.
            with contextlib.suppress(Exception):
                self._log(method, error)

    def _log(self, method: str, error: Exception) -> None:
        name = type(self._inner).__name__
        if self._has_failed:
            _log.debug("The observer %s has failed again in %s.", name, method)
            return
        self._has_failed = True
        told = "".join(traceback.format_exception(error))
        # Where it was raised stands at the beginning, the error itself at the end.
        end = told if len(told) <= 2 * TOLD else f"{told[:TOLD]}...{told[-TOLD:]}"
        _log.error(
            "The observer %s has failed in %s. The search goes on, and calls it again; further"
            " failures are not told.\n%s",
            name,
            method,
            clean_lines(end),
        )

    def on_note(self, text: str) -> None:
        with self._wall("on_note"):
            self._inner.on_note(text)

    def on_start(self, progress: Progress) -> None:
        with self._wall("on_start"):
            self._inner.on_start(progress)

    def on_wait(self, what: str) -> None:
        with self._wall("on_wait"):
            self._inner.on_wait(what)

    def on_submit(self, trial: Trial, attempt: int) -> None:
        with self._wall("on_submit"):
            self._inner.on_submit(trial, attempt)

    def on_epoch(self, trial: Trial, epoch: int, metrics: Mapping[str, float]) -> None:
        with self._wall("on_epoch"):
            self._inner.on_epoch(trial, epoch, metrics)

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        with self._wall("on_outcome"):
            self._inner.on_outcome(trial, outcome, attempt, final)

    def on_progress(self, progress: Progress) -> None:
        with self._wall("on_progress"):
            self._inner.on_progress(progress)

    def on_tick(self, progress: Progress) -> None:
        with self._wall("on_tick"):
            self._inner.on_tick(progress)

    def on_stop(self, reason: str) -> None:
        with self._wall("on_stop"):
            self._inner.on_stop(reason)

    def on_end(self, progress: Progress) -> None:
        with self._wall("on_end"):
            self._inner.on_end(progress)
