"""Founders for strategies that do not place them themselves."""

from __future__ import annotations

from evonas.search.strategies.seeded import SeededSettings
from evonas.search.strategy import StrategySettings


def founded(settings: StrategySettings) -> StrategySettings:
    """The settings, made so that the founders that they name are the first proposals.

    A strategy whose first generation has places for them is returned as it is.
    """
    # Settings that only check those of a plugin answer with the plugin's own.
    own = settings.with_inner()[0]
    names = own.founder_names
    if not names or own.places_founders:
        return settings
    return SeededSettings(settings, names)
