"""Ends workers that take too much memory, before the kernel ends somebody else for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from evonas.evaluate.local.memory import MIB, Memory

PAUSE = 0.5
"""Seconds between two looks."""
SHARE = 10
"""A look that takes long is followed by a pause of so many times its length: where there are thousands of processes, or
many large ones, looking must not become the driver's work."""


@dataclass(frozen=True)
class MemoryLimits:
    """Bytes.

    Attributes:
        growth: a worker that has grown by more since it was ready is replaced after its job; None for no such limit.
        worker: a worker whose process group takes more is ended; None for no such limit.
        floor: with less free memory on the host, the largest worker is ended; 0 for no such limit.
    """

    growth: int | None = 1024 * MIB
    worker: int | None = None
    floor: int = 512 * MIB


class GuardedSlot(Protocol):
    """A slot, as the guard sees it."""

    @property
    def group(self) -> int | None:
        """The number of its worker's process group; None where there is no worker, or it is about to end."""

    @property
    def is_ending(self) -> bool:
        """Its worker will soon be gone, and its memory be free."""

    @property
    def is_busy(self) -> bool:
        """Its worker has a job, or starts for one."""

    def kill(self, now: float) -> None: ...

    def end_for_memory(self, why: str, now: float) -> None: ...


class MemoryGuard:
    """Looks every half second or so, whenever it is called often enough."""

    def __init__(
        self, limits: MemoryLimits, memory: Memory, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits, self._memory, self._clock = limits, memory, clock
        self._next = float("-inf")

    def look(self, slots: Sequence[GuardedSlot], now: float) -> None:
        """End what is beyond a limit; nothing where the last look is not long enough ago."""
        if now < self._next or not any(slot.is_busy for slot in slots):
            return
        start = self._clock()
        self._end_the_overgrown(slots, now)
        self._keep_the_floor(slots, now)
        self._next = now + max(PAUSE, SHARE * (self._clock() - start))

    def _end_the_overgrown(self, slots: Sequence[GuardedSlot], now: float) -> None:
        limit = self._limits.worker
        if limit is None:
            return
        for slot, taken in self._taken(slots, limit):
            if taken > limit:
                why = f"The worker took {_mib(taken)} of memory; the limit, pool.local.memory_mb, is {_mib(limit)}."
                slot.end_for_memory(why, now)

    def _keep_the_floor(self, slots: Sequence[GuardedSlot], now: float) -> None:
        """Idle workers go first, for they cost no trial; then the largest, and no other before its memory is back."""
        free, floor = self._memory.free(), self._limits.floor
        if free.bytes >= floor or any(slot.is_ending for slot in slots):
            return
        taken = self._taken(slots)
        back = 0
        for slot, size in taken:
            if not slot.is_busy:
                slot.kill(now)
                back += size
        busy = [(size, slot) for slot, size in taken if slot.is_busy]
        if free.bytes + back >= floor or not busy:
            return
        size, largest = max(busy, key=lambda pair: pair[0])
        why = (
            f"Only {_mib(free.bytes)} of memory were free on {free.where}, and pool.local.free_memory_mb keeps"
            f" {_mib(floor)} free: the largest worker, which took {_mib(size)}, was ended. Fewer workers"
            " (pool.local.workers) or smaller networks (limits.parameters) need less."
        )
        largest.end_for_memory(why, now)

    def _taken(
        self, slots: Sequence[GuardedSlot], beyond: int = 0
    ) -> list[tuple[GuardedSlot, int]]:
        """The bytes of each living worker; see `Memory.of_groups`."""
        alive = [(slot, group) for slot in slots if (group := slot.group) is not None]
        sizes = self._memory.of_groups([group for _, group in alive], beyond)
        return [(slot, sizes[group]) for slot, group in alive]


def _mib(size: int) -> str:
    return f"{size / MIB:,.0f} MiB"
