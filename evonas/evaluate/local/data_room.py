"""How much of the data a worker may hold whole, by the memory that it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evonas.evaluate.local.devices import DeviceShare
from evonas.evaluate.local.memory_guard import MemoryLimits

SHARE = 2
"""The data may take one part in so many. Networks and their optimizers take memory, too."""


def data_room(limits: MemoryLimits, shares: Sequence[DeviceShare], free: int) -> int:
    """Bytes of data that any worker of a pool may hold whole. All workers have the same limit.

    A worker on a CPU has the memory that it may take, or else what is free. Workers there share the
    pages of one file. A worker on a GPU copies the data to the GPU, which is shared evenly.

    Args:
        limits: limits of a worker.
        shares: device share of each worker.
        free: free bytes of the host.
    """
    rooms = [free if limits.worker is None else limits.worker]
    devices = [share.device for share in shares if share.device is not None]
    for device, workers in Counter(devices).items():
        # A device that does not tell its memory sets no limit.
        if device.memory:
            rooms.append(device.memory // workers)
    return min(rooms) // SHARE
