"""The names of pools in a config. A new pool gets one import and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from evonas.evaluate.contract.pool import PoolSettings
from evonas.evaluate.pools.inline import InlineSettings
from evonas.evaluate.pools.local import LocalSettings
from evonas.evaluate.pools.simulated import SimulatedSettings

POOLS: Mapping[str, type[PoolSettings]] = {
    "local": LocalSettings,
    "inline": InlineSettings,
    "simulated": SimulatedSettings,
}

DEFAULT = LocalSettings()
"""The pool of a config that names none."""
