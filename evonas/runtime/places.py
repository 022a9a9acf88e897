"""Where the workers of a local pool run."""

from __future__ import annotations

from evonas.evaluate.devices import Slot, inventory, slots
from evonas.runtime.config import LocalConfig


def places(pool: LocalConfig) -> list[Slot]:
    """A slot a worker, on the devices that the config names.

    Raises:
        NoWorker: a device is missing.
    """
    return slots(pool.workers, pool.devices, inventory(), threads=pool.threads)
