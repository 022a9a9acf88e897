"""The names that a config may write: strategies, and the parts that evolution is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas.search.adaptation import ADAPTATIONS, Adaptation
from evonas.search.aging import Aging
from evonas.search.crossover import CROSSOVERS, Crossover
from evonas.search.evolution import Evolution
from evonas.search.random_search import RandomSearch
from evonas.search.replacement import REPLACEMENTS, Replacement
from evonas.search.selection import SELECTIONS, Selection
from evonas.search.strategy import Strategy

STRATEGIES: Mapping[str, type[Strategy]] = {"evolution": Evolution, "aging": Aging, "random": RandomSearch}

PARTS: Mapping[type, Mapping[str, type[Any]]] = {
    Selection: SELECTIONS,
    Crossover: CROSSOVERS,
    Replacement: REPLACEMENTS,
    Adaptation: ADAPTATIONS,
}
"""The families of named parts: a field of a settings dataclass that has such a type is written `{name: {settings}}`."""
