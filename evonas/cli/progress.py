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


def best_so_far(progress: Progress) -> str:
    best = progress.incumbent
    if best is None or best.fitness is None:
        return "no success yet"
    accuracy = best.metrics.get("val_accuracy")
    beside = "" if accuracy is None else f", val_accuracy {accuracy:.4f}"
    return f"best {best.fitness.value:.4f}{beside} (trial {best.id})"


def place(progress: Progress) -> str:
    """How far the run is in each of its budgets: `12/96 trials, 140/1000 epochs`."""
    trials = (
        f"{progress.done:>4}" + ("" if progress.total is None else f"/{progress.total}") + " trials"
    )
    others = [
        f"{duration(budget.amount)}/{duration(budget.limit)}"
        if budget.unit == "seconds"
        else f"{budget.amount:.0f}/{budget.limit:.0f} {budget.unit}"
        for budget in progress.spent
        if budget.unit != "trials"
    ]
    return ", ".join([trials, *others])


def counts(progress: Progress) -> str:
    twins = f", {progress.twins} twins" if progress.twins else ""
    return f"{progress.failures} failed{twins}"


class _Told(Observer):
    """Says what went wrong with a trial, unless it is the network's own affair."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._stops: list[Stopped] = []

    def on_note(self, text: str) -> None:
        self._out.print(f"note: {text}")

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        if outcome.state not in (TrialState.OK, TrialState.INFEASIBLE, TrialState.DIVERGED):
            again = "" if final else "; it is tried again"
            self._out.print(
                f"trial {trial.id}: {outcome.state}: {outcome.message}{again}", soft_wrap=True
            )
        if stop := Stopped.in_details(outcome.details):
            self._stops.append(stop)

    def _tell_stops(self) -> None:
        """What this session's stopped trainings have spared."""
        if self._stops:
            spared = sum(stop.epochs - stop.epoch for stop in self._stops)
            trainings = (
                "1 training was" if len(self._stops) == 1 else f"{len(self._stops)} trainings were"
            )
            self._out.print(
                f"{trainings} stopped by the learning curve, which spared at most {spared:,} epochs.",
                soft_wrap=True,
            )

    def on_stop(self, reason: str) -> None:
        self._out.print(f"{reason}. Ctrl-C again abandons them.")


class LineProgress(_Told):
    """A line for each new best and each new generation, and otherwise one now and then.

    Args:
        every: seconds after which a line is due even without news.
    """

    def __init__(
        self, out: Console, every: float = 15.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(out)
        self._every, self._clock = every, clock
        self._last = -every
        self._said: tuple[int, int | None] = (-1, None)
        self._done = -1

    def on_start(self, progress: Progress) -> None:
        if progress.done:
            self._out.print(f"Going on after {place(progress).strip()}.")

    def on_progress(self, progress: Progress) -> None:
        news = (progress.generation, progress.incumbent.id if progress.incumbent else None)
        if news == self._said and self._clock() - self._last < self._every:
            return
        self._said, self._last, self._done = news, self._clock(), progress.done
        self._say(progress)

    def _say(self, progress: Progress) -> None:
        where = f"generation {progress.generation:>2}  {place(progress)}"
        when = f"{duration(progress.elapsed)} gone, ETA {duration(progress.remaining)}"
        self._out.print(
            f"{where}  {best_so_far(progress)}  {counts(progress)}  {when}", soft_wrap=True
        )

    def on_end(self, progress: Progress) -> None:
        if progress.done != self._done:
            self._say(progress)
        self._tell_stops()


class LiveProgress(_Told):
    """One live line with a bar; new bests and failures scroll by above it."""

    def __init__(self, out: Console) -> None:
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
        self._task = self._bar.add_task(
            "", total=1.0, generation=0, place="", best="", counts="", when=""
        )
        self._show(progress)

    def on_epoch(self, trial: Trial, epoch: int, metrics: Mapping[str, float]) -> None:
        if self._latest is not None:
            self._show(self._latest)

    def on_progress(self, progress: Progress) -> None:
        best = progress.incumbent
        if best is not None and best.id != self._best:
            self._best = best.id
            self._out.print(f"trial {best.id}: {best_so_far(progress)}, {best.lineage.operator}")
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
        self._bar.stop()
        self._tell_stops()
