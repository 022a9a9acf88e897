"""Everything that a pool is written with.

A pool of a plugin is a frozen dataclass that derives from `PoolSettings`, and the `Pool` that its
`open` returns. A config names it as `pool: {package.module:Name: {...}}`.
"""

from __future__ import annotations

from evonas.evaluate.contract.evaluator import evaluator_in
from evonas.evaluate.contract.pool import (
    Finished,
    Imported,
    Pool,
    PoolSettings,
    Progress,
    Report,
)
from evonas.evaluate.contract.protocol import Job, Setup
from evonas.evaluate.pools.registry import POOLS
from evonas.trial import Outcome, TrialState

__all__ = [
    "POOLS",
    "Finished",
    "Imported",
    "Job",
    "Outcome",
    "Pool",
    "PoolSettings",
    "Progress",
    "Report",
    "Setup",
    "TrialState",
    "evaluator_in",
]
