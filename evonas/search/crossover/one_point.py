"""One-point crossover: each section is cut once, at a gene that both parents have (Holland, 1975).

Genes are aligned by innovation number, as in NEAT (Stanley and Miikkulainen, 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.genome import Genome, SearchSpace
from evonas.genome.crossover import cross, one_point
from evonas.search.crossover.crossover import Crossover


@dataclass(frozen=True)
class OnePoint(Crossover):
    """The main parent's genes before the cut, the other's from there on; too long a section loses its last genes."""

    def cross(
        self, space: SearchSpace, first: Genome, second: Genome, rng: np.random.Generator
    ) -> Genome:
        return cross(space, first, second, rng, one_point)
