"""The section `pool` of a config: where trials are trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le

from evonas.runtime.config.settings import Count, shown
from evonas.settings import Settings

Few = Annotated[int, Ge(1), Le(1024)]


class PoolConfig(Settings):
    """Where trials are trained; written by name, `local: {workers: 2}`."""

    workers: int
    """Number of trials that can run at once."""


@dataclass(frozen=True)
class LocalConfig(PoolConfig):
    """Processes on this machine.

    Attributes:
        workers: number of processes; each trains one network at a time.
        devices: `auto` for all GPUs, or for the CPU if there is none; `cpu`; or a list of GPU
            numbers.
        threads: number of TensorFlow threads of each worker. Results depend on it, so that it is
            never derived from the number of workers.
        recycle_mb: growth of a worker's memory in MiB after which a fresh one takes the next trial;
            null for no limit.
        memory_mb: memory in MiB that a worker and its child processes may take. A worker that takes
            more is ended. Null for no limit.
        free_memory_mb: memory in MiB that stays free on this machine, or in the cgroup (container)
            of evonas. With less, the largest worker is ended, before the system ends another
            process. 0 for no limit.
    """

    workers: Few = 2
    devices: Literal["auto", "cpu"] | tuple[Annotated[int, Ge(0)], ...] = "auto"
    threads: Few = 1
    recycle_mb: Count | None = 1024
    memory_mb: Count | None = None
    free_memory_mb: Annotated[int, Ge(0)] = 512

    def problems(self) -> dict[str, str]:
        if self.devices == ():
            message = "must name at least one GPU; for none, write `devices: cpu`. Received: []."
            return {"devices": message}
        if isinstance(self.devices, tuple) and len(set(self.devices)) < len(self.devices):
            received = shown(list(self.devices))
            return {"devices": f"names a GPU twice. Received: {received}."}
        return {}


@dataclass(frozen=True)
class InlineConfig(PoolConfig):
    """The driver trains in its own process, one network at a time: for tests and debugging."""

    workers: int = field(default=1, init=False)


@dataclass(frozen=True)
class SimulatedConfig(PoolConfig):
    """A virtual clock on which the evaluators `table` and `python` replay their seconds.

    Attributes:
        workers: number of simulated workers.
    """

    workers: Count = 1
