"""Progress while a search runs: a live line on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.progress import Progress
from evonas.telling.console import duration, say
from evonas.telling.running import Running, fitting
from evonas.trial import Outcome, Stopped, Trial, TrialState
from evonas.words import clean, counted, excerpt, number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

EXPECTED = (
    TrialState.OK,
    TrialState.INFEASIBLE,
    TrialState.DIVERGED,
    TrialState.CANCELLED,
)
"""Outcomes that are the network's own affair, or that the engine has wanted."""

BAR = 24
"""Columns of the bar."""
GAP = "  "
"""Between two parts of a line."""
NAMED = 4
"""Running trials that a line of a log names."""


def best_value(progress: Progress) -> str:
    """The incumbent's value under the name of the objective; empty before the first success."""
    best = progress.incumbent
    if best is None or best.fitness is None:
        return ""
    return f"{progress.objective} {number(best.fitness.value)}".strip()


def best_scores(progress: Progress) -> str:
    """The incumbent's value, and its accuracy if that is something else."""
    words = best_value(progress)
    best = progress.incumbent
    if best is None or progress.objective == "val_accuracy":
        return words
    # Most readers know what an accuracy means, whatever the search follows.
    accuracy = best.metrics.get("val_accuracy")
    if accuracy is not None:
        words += f", val_accuracy {number(accuracy)}"
    return words


def best_so_far(progress: Progress, scores: Callable[[Progress], str] = best_scores) -> str:
    """The incumbent, for a line of progress.

    Args:
        scores: says what it has scored.
    """
    best = progress.incumbent
    if best is None or best.fitness is None:
        return "no success yet"
    where = f"trial {best.id}"
    if not best.fitness.is_feasible:
        where += ", beyond the constraints"
    return f"best {scores(progress)} ({where})"


def place(progress: Progress) -> str:
    """How far the run is in each of its budgets: `12/96 trials, 140/1,000 epochs`."""
    trials = counted(progress.done, "trial")
    if progress.total is not None:
        trials = f"{progress.done:,}/{counted(progress.total, 'trial')}"
    parts = [trials]
    for budget in progress.spent:
        # Trials stand in front, even if they have no limit.
        if budget.unit == "trials":
            continue
        if budget.unit == "seconds":
            parts.append(f"{duration(budget.amount)}/{duration(budget.limit)}")
        else:
            parts.append(f"{budget.amount:,.0f}/{budget.limit:,.0f} {budget.unit}")
    return ", ".join(parts)


def counts(progress: Progress) -> str:
    """The numbers of failed and of infeasible trials, and of duplicates, which cost nothing."""
    # Most infeasible trials cost nothing either. What counts is in the place of the run.
    failed = progress.failures - (progress.infeasible - progress.given_back)
    words = f"{failed:,} failed"
    if progress.infeasible:
        words += f", {progress.infeasible:,} infeasible"
    if progress.twins:
        words += f", {counted(progress.twins, 'duplicate')}"
    return words


class Told(Observer):
    """Follows what runs, and says what went wrong unless it is the network's own affair.

    Class attributes:
        again: how a user asks for the end a second time.
    """

    again: ClassVar[str] = "Ctrl-C again"

    def __init__(self, out: Console, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._running = Running(clock)
        self._stops: list[Stopped] = []

    def on_note(self, text: str) -> None:
        note = f"note: {text}"
        say(self._out, note)

    def on_wait(self, what: str) -> None:
        self._running.wait(what)

    def on_submit(self, trial: Trial, attempt: int) -> None:
        self._running.begin(trial)

    def on_epoch(self, trial: Trial, epoch: int, metrics: Mapping[str, float]) -> None:
        self._running.hear(trial, epoch)

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        self._running.end(trial)
        if outcome.state not in EXPECTED:
            words = f"trial {trial.id}: {outcome.state}: {excerpt(outcome.message)}"
            if not final:
                words += "; it is tried again"
            say(self._out, words)
        if (stop := outcome.details.stopped) is not None:
            self._stops.append(stop)

    def _tell_stops(self) -> None:
        """Says what this session's stopped trainings have spared."""
        if not self._stops:
            return
        trainings = counted(len(self._stops), "training was", "trainings were")
        # At most: patience might have ended some of them anyway.
        spared = counted(sum(stop.epochs - stop.epoch for stop in self._stops), "epoch")
        say(self._out, f"{trainings} stopped by the learning curve, which spared at most {spared}.")

    def on_stop(self, reason: str) -> None:
        words = f"{reason}."
        if self._running.count:
            them = "it" if self._running.count == 1 else "them"
            words += f" {self.again} abandons {them}."
        say(self._out, words)


class LineProgress(Told):
    """A line for each new best, and otherwise one now and then.

    Args:
        every: seconds after which a line is due even without news.
        clock: gives seconds.
    """

    def __init__(
        self, out: Console, every: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(out, clock)
        self._every = every
        # The first line is due at once.
        self._last = -every
        self._best: int | None = None
        self._done = -1

    def on_wait(self, what: str) -> None:
        super().on_wait(what)
        say(self._out, what)

    def on_start(self, progress: Progress) -> None:
        if progress.done:
            say(self._out, f"Going on after {place(progress)}.")

    def on_progress(self, progress: Progress) -> None:
        best = progress.incumbent
        if best is not None and best.id != self._best:
            self._best = best.id
            self._say(progress)
        else:
            self.on_tick(progress)

    def on_tick(self, progress: Progress) -> None:
        if self._clock() - self._last >= self._every:
            self._say(progress)

    def _say(self, progress: Progress) -> None:
        """One line: where the run is, its best, its failures, its time, and what runs."""
        self._last = self._clock()
        self._done = progress.done
        total = 0 if progress.total is None else progress.total
        # Lines of one run stand below each other.
        width = len(f"{total:,}/{total:,} trials") if total else 0
        parts = [
            *_generation(progress),
            f"{place(progress):>{width}}",
            best_so_far(progress),
            counts(progress),
            f"elapsed {duration(progress.elapsed)}, ETA {duration(progress.remaining)}",
        ]
        running = self._running.words()
        if len(running) > NAMED:
            running = [*running[:NAMED], f"and {len(running) - NAMED} more"]
        parts += running
        say(self._out, GAP.join(parts))

    def on_end(self, progress: Progress) -> None:
        # The last trials may have brought no news.
        if progress.done != self._done:
            self._say(progress)
        self._tell_stops()


class LiveProgress(Told):
    """A live line with a bar, and one for what runs; new bests and failures scroll by above."""

    def __init__(self, out: Console, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.live import Live

        super().__init__(out, clock)
        self._best: int | None = None
        self._latest: Progress | None = None
        self._latest_at = 0.0
        # It asks for the lines at once.
        self._live = Live(console=out, get_renderable=self._lines, refresh_per_second=4)

    def on_wait(self, what: str) -> None:
        super().on_wait(what)
        # After its end the session still exports the winner.
        if not self._live.is_started:
            say(self._out, what)

    def on_start(self, progress: Progress) -> None:
        self._show(progress)
        self._live.start(refresh=True)

    def on_progress(self, progress: Progress) -> None:
        best = progress.incumbent
        if best is not None and best.id != self._best:
            self._best = best.id
            say(
                self._out,
                f"trial {best.id} is the best so far: {best_scores(progress)}"
                f" ({best.lineage.operator})",
            )
        self._show(progress)

    def on_tick(self, progress: Progress) -> None:
        self._show(progress)

    def _show(self, progress: Progress) -> None:
        self._latest = progress
        self._latest_at = self._clock()

    def _lines(self) -> Text:
        """What is live: how far the run is, and what runs."""
        from rich.text import Text

        if self._latest is None:
            return Text("")
        passed = self._clock() - self._latest_at
        width = self._out.width
        line = Text(overflow="fold")
        parts = _live_parts(self._latest, passed, width)
        for place, part in enumerate(parts):
            if place:
                line.append(GAP)
            if part:
                line.append(clean(part))
            else:
                line.append(self._bar(self._latest.share))
        running = fitting(self._running.words(), width)
        if running:
            line.append(f"\n{running}", style="dim")
        return line

    def _bar(self, share: float) -> Text:
        """The bar: how much of the budget is spent."""
        from rich.text import Text

        # A terminal without Unicode has no long dashes.
        done, left = ("=", "-") if self._out.options.ascii_only else ("━", "━")
        spent = int(share * BAR)
        bar = Text(done * spent, style="bar.complete")
        return bar.append(left * (BAR - spent), style="bar.back")

    def on_end(self, progress: Progress) -> None:
        self._show(progress)
        # The live lines must be at rest before anything else is printed.
        self._live.stop()
        self._tell_stops()


def _generation(progress: Progress) -> list[str]:
    """The generation from the second one on: a search without generations has the first alone."""
    return [f"generation {progress.generation}"] if progress.generation else []


def _live_parts(progress: Progress, passed: float, width: int) -> list[str]:
    """The parts of the live line that fit into a terminal; the bar is an empty one.

    Args:
        passed: seconds since this progress was made.
    """
    remaining = progress.remaining
    if remaining is not None:
        remaining = max(0.0, remaining - passed)
    where = place(progress)
    generation = _generation(progress)
    best = best_so_far(progress)
    shorter = best_so_far(progress, best_value)
    failed = counts(progress)
    eta = f"ETA {duration(remaining)}"
    when = f"elapsed {duration(progress.elapsed + passed)}, {eta}"
    layouts = (
        [*generation, "", where, best, failed, when],
        ["", where, best, failed, when],
        [where, best, failed, when],
        [where, shorter, failed, when],
        [where, shorter, when],
        [where, shorter, eta],
        [where, shorter],
    )
    for parts in layouts:
        room = sum(len(part) or BAR for part in parts) + len(GAP) * (len(parts) - 1)
        if room <= width:
            return parts
    # Nothing is cut: in a terminal of a few columns this goes on in the next line.
    return [where]
