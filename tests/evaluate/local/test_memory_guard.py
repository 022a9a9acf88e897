"""Who is ended when memory is short; real workers are in test_supervision.py."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest

from evonas.evaluate.local.memory_guard import PAUSE, SHARE, MemoryGuard, MemoryLimits
from evonas.memory import MIB, Free, Memory


@dataclass
class Place:
    """A slot whose worker takes so many MiB."""

    group: int | None
    size: int
    is_busy: bool = True
    is_ending: bool = False
    is_killed: bool = False
    why: str = ""

    def kill(self, now: float) -> None:
        self.is_killed, self.is_ending, self.group = True, True, None

    def end_for_memory(self, why: str, now: float) -> None:
        self.why, self.is_busy, self.is_ending, self.group = why, False, True, None


@dataclass
class Host(Memory):
    """Says what it is told to say, and takes its time."""

    places: list[Place]
    left: int = 10**6
    time: float = 0.0
    cost: float = 0.0
    looks: list[float] = field(default_factory=list)

    def free(self) -> Free:
        self.looks.append(self.time)
        self.time += self.cost
        return Free(self.left * MIB, "this machine for the cgroup /job")

    def of_groups(self, leaders: Collection[int], beyond: int = 0) -> dict[int, int]:
        return {place.group: place.size * MIB for place in self.places if place.group in leaders}


def look(limits: MemoryLimits, *places: Place, left: int = 10**6) -> list[Place]:
    """The places that are ended, and those that are killed without a word."""
    host = Host(list(places), left)
    MemoryGuard(limits, host, lambda: 0.0).look(list(places), 0.0)
    return [place for place in places if place.why or place.is_killed]


FLOOR = MemoryLimits(worker=None, floor=512 * MIB)


def test_with_room_nobody_is_ended() -> None:
    assert look(FLOOR, Place(1, 10**5), left=512) == []
    assert look(MemoryLimits(floor=0), Place(1, 10**5), left=0) == []


def test_below_the_floor_the_largest_is_ended() -> None:
    small, large = Place(1, 100), Place(2, 2000)
    assert look(FLOOR, small, large, left=300) == [large]
    assert large.why == (
        "Only 300 MiB of memory were free on this machine for the cgroup /job, and"
        " pool.local.free_memory_mb keeps 512 MiB free: the largest worker, which took 2,000 MiB,"
        " was ended. Fewer workers (pool.local.workers) or smaller networks (limits.parameters)"
        " need less."
    )


def test_nobody_else_is_ended_while_the_memory_of_one_is_on_its_way_back() -> None:
    assert look(FLOOR, Place(1, 100), Place(None, 2000, is_ending=True), left=300) == []


def test_idle_workers_go_first_and_alone_where_that_is_enough() -> None:
    busy, idle = Place(1, 2000), Place(2, 300, is_busy=False)
    assert look(FLOOR, busy, idle, left=300) == [idle]
    assert idle.is_killed
    busy, idle = Place(1, 2000), Place(2, 100, is_busy=False)
    assert look(FLOOR, busy, idle, left=300) == [busy, idle]


def test_without_a_job_nobody_looks() -> None:
    assert look(FLOOR, Place(1, 2000, is_busy=False), left=0) == []
    assert look(FLOOR, left=0) == []


def test_a_worker_beyond_its_own_limit_is_ended_whoever_is_larger_or_not() -> None:
    places = [Place(1, 1001), Place(2, 1000), Place(3, 5000), Place(None, 9000, is_ending=True)]
    assert look(MemoryLimits(worker=1000 * MIB), *places) == [places[0], places[2]]
    assert (
        places[0].why
        == "The worker took 1,001 MiB of memory; the limit, pool.local.memory_mb, is 1,000 MiB."
    )


@pytest.mark.parametrize(("cost", "pause"), [(0.0, PAUSE), (0.2, 0.2 * SHARE)])
def test_looks_are_half_a_second_apart_or_ten_times_what_one_takes(
    cost: float, pause: float
) -> None:
    host = Host([Place(1, 1)], cost=cost)
    guard = MemoryGuard(FLOOR, host, lambda: host.time)
    while len(host.looks) < 5:
        guard.look(host.places, host.time)
        host.time += 0.01
    gaps = [after - before for before, after in zip(host.looks, host.looks[1:], strict=False)]
    assert all(pause <= gap <= pause + 0.03 for gap in gaps)
