"""Ends workers that take too much memory, before the kernel kills some process for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from evonas.memory import MIB, Memory

PAUSE = 0.5
"""Seconds between two looks, at least."""
SHARE = 10
"""A pause is at least this many times as long as the look before it.

A look takes long if there are thousands of processes, or many large ones. It must not become the
driver's work.
"""


@dataclass(frozen=True)
class MemoryLimits:
    """Limits in bytes.

    Attributes:
        growth: a worker that has grown by more since it was ready is replaced after its job; None
            for no such limit.
        worker: a worker whose process group takes more is ended; None for no such limit.
        floor: if the host has less free memory, the largest worker is ended; 0 for no such limit.
    """

    growth: int | None = 1024 * MIB
    worker: int | None = None
    floor: int = 512 * MIB


class GuardedSlot(Protocol):
    """A slot, as the guard sees it."""

    @property
    def group(self) -> int | None:
        """Number of the worker's process group; None if there is no worker, or it is ending."""

    @property
    def is_ending(self) -> bool:
        """True if the worker will soon be gone and its memory free."""

    @property
    def is_busy(self) -> bool:
        """True if the worker has a job, or starts for one."""

    def kill(self, now: float) -> None: ...

    def end_for_memory(self, why: str, now: float) -> None: ...


class MemoryGuard:
    """Looks at the memory every half second or so, if it is called often enough.

    Args:
        limits: in bytes.
        memory: reads what the workers take and what is free.
        clock: monotonic seconds; measures how long a look takes.
    """

    def __init__(
        self,
        limits: MemoryLimits,
        memory: Memory,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._memory = memory
        self._clock = clock
        self._next = float("-inf")

    def look(self, slots: Sequence[GuardedSlot], now: float) -> None:
        """End the workers that are beyond a limit; nothing happens before the next look is due."""
        if now < self._next or not any(slot.is_busy for slot in slots):
            return
        start = self._clock()
        self._end_the_overgrown(slots, now)
        self._keep_the_floor(slots, now)
        seconds = self._clock() - start
        self._next = now + max(PAUSE, SHARE * seconds)

    def _end_the_overgrown(self, slots: Sequence[GuardedSlot], now: float) -> None:
        """End each worker that takes more than `MemoryLimits.worker`."""
        limit = self._limits.worker
        if limit is None:
            return
        for slot, taken in self._taken(slots, limit):
            if taken > limit:
                why = (
                    f"The worker took {_mib(taken)} of memory; "
                    f"the limit, pool.local.memory_mb, is {_mib(limit)}."
                )
                slot.end_for_memory(why, now)

    def _keep_the_floor(self, slots: Sequence[GuardedSlot], now: float) -> None:
        """Free memory if the host has less than `MemoryLimits.floor`."""
        free = self._memory.free()
        floor = self._limits.floor
        if free.bytes >= floor:
            return
        # The memory of a worker that is ending will be free soon. Until then nobody else is ended
        # for the same shortage.
        if any(slot.is_ending for slot in slots):
            return
        taken = self._taken(slots)
        back = 0
        # Idle workers go first: to end one costs no trial.
        for slot, size in taken:
            if not slot.is_busy:
                slot.kill(now)
                back += size
        busy = [(size, slot) for slot, size in taken if slot.is_busy]
        if free.bytes + back >= floor or not busy:
            return
        size, largest = max(busy, key=lambda pair: pair[0])
        why = (
            f"Only {_mib(free.bytes)} of memory were free on {free.where}, "
            f"and pool.local.free_memory_mb keeps {_mib(floor)} free: "
            f"the largest worker, which took {_mib(size)}, was ended. "
            "Fewer workers (pool.local.workers) or smaller networks (limits.parameters) need less."
        )
        largest.end_for_memory(why, now)

    def _taken(
        self, slots: Sequence[GuardedSlot], beyond: int = 0
    ) -> list[tuple[GuardedSlot, int]]:
        """The slots whose worker runs, with the bytes that it takes; see `Memory.of_groups`."""
        running: list[tuple[GuardedSlot, int]] = []
        for slot in slots:
            group = slot.group
            if group is not None:
                running.append((slot, group))
        groups = [group for _, group in running]
        sizes = self._memory.of_groups(groups, beyond)
        return [(slot, sizes[group]) for slot, group in running]


def _mib(size: int) -> str:
    mebibytes = size / MIB
    return f"{mebibytes:,.0f} MiB"
