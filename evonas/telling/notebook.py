"""Progress in a notebook: one output that is written anew, and lines for what went wrong."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from evonas.runtime.loop.progress import Progress
from evonas.telling.console import duration, say
from evonas.telling.progress import BAR, GAP, Told, best_so_far, counts, place
from evonas.trial import Trial
from evonas.words import clean

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 0.25
"""Seconds between two states of the output, at least: each goes through the kernel."""


class Handle(Protocol):
    """An output that can be written anew, as `IPython.display.display` gives one."""

    def update(self, obj: Mapping[str, str], **options: Any) -> None: ...


class NotebookProgress(Told):
    """How far the run is, its best, its time and what runs, in one output.

    Args:
        out: console for what stays below: notes and failures.
        show: shows the first state; gives what writes it anew.
        clock: gives seconds.
    """

    # A notebook has a button, and no keyboard for its kernel.
    again: ClassVar[str] = "Another interrupt"

    def __init__(
        self,
        out: Console,
        show: Callable[[Mapping[str, str]], Handle] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(out, clock)
        self._show = show or _display
        self._handle: Handle | None = None
        self._last = -EVERY
        self._latest: Progress | None = None
        self._is_over = False

    def on_wait(self, what: str) -> None:
        # After its end the session still exports the winner. The output stays as it is then, and
        # does not tell for ever that something is awaited.
        if self._is_over:
            say(self._out, what)
            return
        super().on_wait(what)
        self._write(is_due=True)

    def on_start(self, progress: Progress) -> None:
        self._is_over = False
        self._latest = progress
        self._write(is_due=True)

    def on_progress(self, progress: Progress) -> None:
        self._latest = progress
        self._write()

    def on_tick(self, progress: Progress) -> None:
        self._latest = progress
        self._write()

    def on_epoch(self, trial: Trial, epoch: int, metrics: Mapping[str, float]) -> None:
        super().on_epoch(trial, epoch, metrics)
        self._write()

    def on_end(self, progress: Progress) -> None:
        self._is_over = True
        self._latest = progress
        self._write(is_due=True)
        self._tell_stops()

    def _write(self, is_due: bool = False) -> None:
        """Write the output, unless that was done a moment ago."""
        now = self._clock()
        if not is_due and now - self._last < EVERY:
            return
        self._last = now
        words = "\n".join(self._lines())
        shown = {"text/plain": words, "text/html": f"<pre>{html.escape(words)}</pre>"}
        if self._handle is None:
            self._handle = self._show(shown)
        else:
            self._handle.update(shown, raw=True)

    def _lines(self) -> list[str]:
        """The run in one line, and a line for each thing that it waits for or trains."""
        found = []
        progress = self._latest
        if progress is not None:
            spent = int(progress.share * BAR)
            bar = "━" * spent + "─" * (BAR - spent)
            when = f"elapsed {duration(progress.elapsed)}, ETA {duration(progress.remaining)}"
            parts = [bar, place(progress), best_so_far(progress), counts(progress), when]
            found.append(GAP.join(parts))
        return [clean(line) for line in (*found, *self._running.words())]


def _display(shown: Mapping[str, str]) -> Handle:
    # IPython is there in a notebook, and evonas does without it elsewhere.
    from IPython.display import display

    handle: Handle = display(shown, raw=True, display_id=True)
    return handle
