"""Crossover: how two parents make one genome.

One file a scheme; a scheme is added by a file and a line in `CROSSOVERS`.
"""

from evonas.search.crossover.crossover import Crossover
from evonas.search.crossover.uniform import Uniform

CROSSOVERS: dict[str, type[Crossover]] = {"uniform": Uniform}

__all__ = ["CROSSOVERS", "Crossover", "Uniform"]
