"""Crossover: how two parents make one genome.

Each scheme has a file of its own. A new scheme needs a file and a line in `CROSSOVERS`.
"""

from evonas.search.crossover.crossover import Crossover
from evonas.search.crossover.one_point import OnePoint
from evonas.search.crossover.sections import Sections
from evonas.search.crossover.uniform import Uniform

CROSSOVERS: dict[str, type[Crossover]] = {
    "uniform": Uniform,
    "one_point": OnePoint,
    "sections": Sections,
}

__all__ = ["CROSSOVERS", "Crossover", "OnePoint", "Sections", "Uniform"]
