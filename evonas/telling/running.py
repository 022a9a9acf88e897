"""What a session is doing at this moment: what it waits for, and how far its trials are."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from evonas.telling.console import duration
from evonas.trial import Trial


@dataclass
class _Begun:
    """A trial that runs.

    Attributes:
        since: when a worker was given it.
        epoch: latest epoch that it has finished; None before the first one, and without epochs.
    """

    trial: Trial
    since: float
    epoch: int | None = None


class Running:
    """Follows the trials that run.

    Args:
        clock: gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[int, _Begun] = {}
        self._awaited = ""
        self._waits_since = 0.0

    @property
    def count(self) -> int:
        """The number of trials that run."""
        return len(self._begun)

    def wait(self, what: str) -> None:
        """The session waits for something."""
        self._awaited = what
        self._waits_since = self._clock()

    def begin(self, trial: Trial) -> None:
        """A worker was given this trial."""
        self._awaited = ""
        self._begun[trial.id] = _Begun(trial, self._clock())

    def hear(self, trial: Trial, epoch: int) -> None:
        """A trial has finished this epoch."""
        if trial.id in self._begun:
            self._begun[trial.id].epoch = epoch

    def end(self, trial: Trial) -> None:
        """A trial runs no longer."""
        self._begun.pop(trial.id, None)

    def words(self) -> list[str]:
        """A phrase for what is awaited, then one for each trial, the oldest first."""
        now = self._clock()
        found = []
        if self._awaited:
            found.append(f"{self._awaited}, {duration(now - self._waits_since)}")
        # A copy at once: the live line is drawn by a thread of its own.
        for one in list(self._begun.values()):
            found.append(f"trial {one.trial.id}: {_where(one)}, {duration(now - one.since)}")
        return found


def _where(begun: _Begun) -> str:
    """The epoch that a training is in, if that is known."""
    if begun.epoch is None:
        return "running"
    last = begun.trial.proposal.fidelity.epochs
    # Patience may end it earlier, and after the last epoch it saves its files.
    current = min(begun.epoch + 1, last)
    return f"epoch {current:,} of {last:,}"


def fitting(words: list[str], width: int) -> str:
    """As many phrases as fit into a line, and how many more there are."""
    for count in range(len(words), 0, -1):
        line = "  ".join(words[:count])
        more = len(words) - count
        if more:
            line += f"  and {more} more"
        if len(line) <= width:
            return line
    return words[0] if words else ""
