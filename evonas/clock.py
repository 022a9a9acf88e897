"""The clocks of evonas: one for each quantity.

| quantity | clock |
| --- | --- |
| when something happened, for people | `on_the_wall`; nothing is computed of it |
| what a session has worked, limits of trials and workers | `AwakeClock`, in the driver |
| how long one piece of work took | `time.monotonic`, in the process that does the work |
| all of a simulation | the virtual clock of `SimulatedPool` |

No other module asks the clock on the wall. That one may jump by hours, in either direction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds between two looks in which a process may neither look nor compute. In more it was
stopped."""


def on_the_wall() -> float:
    """Seconds since 1970 (UTC)."""
    return time.time()


class AwakeClock:
    """Monotonic seconds without those in which this process did not run.

    A process that is stopped (SIGSTOP, a frozen container, a suspended machine) cannot notice it.
    But afterwards, much time lies between two looks at this clock, and in that time the process has
    not computed. Such time does not count. So whoever uses the clock looks at it at least once a
    second while it waits, and begins what may wait longer with `at_work`.

    Args:
        clock: gives monotonic seconds.
        computed: gives the seconds that this process has computed, of all its threads.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        computed: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock = clock
        self._computed = computed
        self._away = 0.0
        self._is_at_work = False
        self._look()

    def __call__(self) -> float:
        """The seconds so far, from an arbitrary beginning."""
        seen, computed = self._seen, self._computed_then
        self._look()
        idle = (self._seen - seen) - (self._computed_then - computed)
        if idle > PATIENCE and not self._is_at_work:
            self._away += idle
        return self._seen - self._away

    def _look(self) -> None:
        self._seen = self._clock()
        self._computed_then = self._computed()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Something that may wait long without a look. All of its time counts."""
        self()
        self._is_at_work = True
        try:
            yield
        finally:
            self._look()
            self._is_at_work = False
