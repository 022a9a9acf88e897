"""Progress while a search runs: a live line on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from evonas.cli.console import duration
from evonas.evaluate.training.learning_curve import Stopped
from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.progress import Progress
from evonas.trial import Outcome, Trial, TrialState

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

EXPECTED = (TrialState.OK, TrialState.INFEASIBLE, TrialState.DIVERGED)
"""Outcomes that are the network's own affair; nobody needs to be told."""


def best_so_far(progress: Progress) -> str:
    """The incumbent's value, for a line of progress."""
    best = progress.incumbent
    if best is None or best.fitness is None:
        return "no success yet"
    words = f"best {best.fitness.value:.4f}"
    # Most readers know what an accuracy means, whatever the search follows.
    accuracy = best.metrics.get("val_accuracy")
    if accuracy is not None:
        words += f", val_accuracy {accuracy:.4f}"
    return f"{words} (trial {best.id})"


def place(progress: Progress) -> str:
    """How far the run is in each of its budgets: `12/96 trials, 140/1000 epochs`."""
    trials = f"{progress.done:>4}"
    if progress.total is not None:
        trials += f"/{progress.total}"
    parts = [f"{trials} trials"]
    for budget in progress.spent:
        # Trials stand in front, even if they have no limit.
        if budget.unit == "trials":
            continue
        if budget.unit == "seconds":
            parts.append(f"{duration(budget.amount)}/{duration(budget.limit)}")
        else:
            parts.append(f"{budget.amount:.0f}/{budget.limit:.0f} {budget.unit}")
    return ", ".join(parts)


def counts(progress: Progress) -> str:
    """The numbers of failed trials and of duplicates."""
    words = f"{progress.failures} failed"
    if progress.twins:
        words += f", {progress.twins} twins"
    return words


class _Told(Observer):
    """Says what went wrong with a trial, unless it is the network's own affair."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._stops: list[Stopped] = []

    def on_note(self, text: str) -> None:
        note = f"note: {text}"
        self._out.print(note)

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        if outcome.state not in EXPECTED:
            words = f"trial {trial.id}: {outcome.state}: {outcome.message}"
            if not final:
                words += "; it is tried again"
            self._out.print(words, soft_wrap=True)
        if stop := Stopped.in_details(outcome.details):
            self._stops.append(stop)

    def _tell_stops(self) -> None:
        """Says what this session's stopped trainings have spared."""
        if not self._stops:
            return
        trainings = "1 training was"
        if len(self._stops) > 1:
            trainings = f"{len(self._stops)} trainings were"
        # At most: patience might have ended some of them anyway.
        spared = sum(stop.epochs - stop.epoch for stop in self._stops)
        self._out.print(
            f"{trainings} stopped by the learning curve, which spared at most {spared:,} epochs.",
            soft_wrap=True,
        )

    def on_stop(self, reason: str) -> None:
        words = f"{reason}. Ctrl-C again abandons them."
        self._out.print(words)


class LineProgress(_Told):
    """A line for each new best and each new generation, and otherwise one now and then.

    Args:
        every: seconds after which a line is due even without news.
    """

    def __init__(
        self, out: Console, every: float = 15.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(out)
        self._every = every
        self._clock = clock
        # The first line is due at once.
        self._last = -every
        self._said: tuple[int, int | None] = (-1, None)
        self._done = -1

    def on_start(self, progress: Progress) -> None:
        if progress.done:
            where = place(progress).strip()
            self._out.print(f"Going on after {where}.")

    def on_progress(self, progress: Progress) -> None:
        best = progress.incumbent
        news = (progress.generation, best.id if best else None)
        if news == self._said and self._clock() - self._last < self._every:
            return
        self._said = news
        self._last = self._clock()
        self._done = progress.done
        self._say(progress)

    def _say(self, progress: Progress) -> None:
        """One line: where the run is, its best, its failures and its time."""
        parts = [
            f"generation {progress.generation:>2}",
            place(progress),
            best_so_far(progress),
            counts(progress),
            f"{duration(progress.elapsed)} gone, ETA {duration(progress.remaining)}",
        ]
        self._out.print("  ".join(parts), soft_wrap=True)

    def on_end(self, progress: Progress) -> None:
        # The last trials may have brought no news.
        if progress.done != self._done:
            self._say(progress)
        self._tell_stops()


class LiveProgress(_Told):
    """One live line with a bar; new bests and failures scroll by above it."""

    def __init__(self, out: Console) -> None:
        # rich's bar has the name of our own values.
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        super().__init__(out)
        self._bar = Bar(
            TextColumn("generation {task.fields[generation]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[place]}"),
            TextColumn("{task.fields[best]}  {task.fields[counts]}  {task.fields[when]}"),
            console=out,
        )
        self._task: TaskID | None = None
        self._best: int | None = None
        self._latest: Progress | None = None

    def on_start(self, progress: Progress) -> None:
        self._bar.start()
        # Every field must exist before the first line is drawn.
        self._task = self._bar.add_task(
            "",
            total=1.0,
            generation=0,
            place="",
            best="",
            counts="",
            when="",
        )
        self._show(progress)

    def on_epoch(self, trial: Trial, epoch: int, metrics: Mapping[str, float]) -> None:
        if self._latest is not None:
            self._show(self._latest)

    def on_progress(self, progress: Progress) -> None:
        best = progress.incumbent
        if best is not None and best.id != self._best:
            self._best = best.id
            words = best_so_far(progress)
            self._out.print(f"trial {best.id}: {words}, {best.lineage.operator}")
        self._show(progress)

    def _show(self, progress: Progress) -> None:
        self._latest = progress
        if self._task is None:
            return
        self._bar.update(
            self._task,
            completed=progress.share,
            generation=progress.generation,
            place=place(progress).strip(),
            best=best_so_far(progress),
            counts=counts(progress),
            when=f"ETA {duration(progress.remaining)}",
        )

    def on_end(self, progress: Progress) -> None:
        self._show(progress)
        # The bar must be gone before anything else is printed.
        self._bar.stop()
        self._tell_stops()
