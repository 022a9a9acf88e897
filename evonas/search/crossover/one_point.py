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
    """The main parent gives the genes before the cut, the other parent those from there on.

    A section that gets too long loses its last genes.
    """

    def cross(
        self, space: SearchSpace, first: Genome, second: Genome, rng: np.random.Generator
    ) -> Genome:
        # `cross` repairs each section after the cut, so that the child is valid.
        return cross(space, first, second, rng, one_point)
