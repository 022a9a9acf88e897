"""The names that a config may write: strategies, and the parts that they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas.search.adaptation import ADAPTATIONS, Adaptation
from evonas.search.aging import Aging
from evonas.search.asha import Asha
from evonas.search.crossover import CROSSOVERS, Crossover
from evonas.search.evolution import Evolution
from evonas.search.grid import Grid
from evonas.search.hyperband import Hyperband
from evonas.search.random_search import RandomSearch
from evonas.search.replacement import REPLACEMENTS, Replacement
from evonas.search.sampling import SAMPLERS, Sampler
from evonas.search.selection import SELECTIONS, Selection
from evonas.search.strategy import Strategy
from evonas.search.successive_halving import SuccessiveHalving

STRATEGIES: Mapping[str, type[Strategy]] = {
    "evolution": Evolution,
    "aging": Aging,
    "random": RandomSearch,
    "grid": Grid,
    "successive_halving": SuccessiveHalving,
    "hyperband": Hyperband,
    "asha": Asha,
}

PARTS: Mapping[type, Mapping[str, type[Any]]] = {
    Selection: SELECTIONS,
    Crossover: CROSSOVERS,
    Replacement: REPLACEMENTS,
    Adaptation: ADAPTATIONS,
    Sampler: SAMPLERS,
}
"""The families of named parts: a field of a settings dataclass that has such a type is written `{name: {settings}}`."""
