"""The section `pool` of a config: who runs the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evonas.evaluate.contract.pool import Pool, PoolSettings
from evonas.evaluate.contract.protocol import Setup
from evonas.runtime.config.families import AsWritten

SECTION = "pool"


@dataclass(frozen=True)
class PoolAsWritten(AsWritten, PoolSettings):
    """A pool of a plugin, of which a recorded config has the name and the settings.

    `opened_for_jobs` of `recorded_config.py` makes the pool's settings of it, for a session.
    """

    def open(self, setup: Setup, root: Path) -> Pool:
        raise AssertionError(f"the pool {self.name} was not opened")
