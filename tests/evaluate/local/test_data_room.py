"""How much of the data a worker may hold whole."""

from __future__ import annotations

from evonas.evaluate.local.data_room import data_room
from evonas.evaluate.local.devices import Device, DeviceShare
from evonas.evaluate.local.memory_guard import MemoryLimits

SMALL = Device(0, "GPU-a", "small", memory=400)
LARGE = Device(1, "GPU-b", "large", memory=1000)
SILENT = Device(2, "GPU-c", "MIG instance", memory=0)


def room(*devices: Device | None, worker: int | None = None, free: int = 9000) -> int:
    shares = [DeviceShare(number, device) for number, device in enumerate(devices)]
    return data_room(MemoryLimits(worker=worker), shares, free)


def test_half_of_what_a_worker_may_take_or_of_what_is_free() -> None:
    assert room(None, None) == 4500
    assert room(None, worker=300) == 150
    assert room(SILENT) == 4500


def test_workers_share_a_gpu_and_the_smallest_share_counts() -> None:
    assert room(LARGE) == 500
    assert room(LARGE, SMALL) == 200
    assert room(LARGE, SMALL, LARGE, LARGE) == 166
    assert room(LARGE, worker=300) == 150
