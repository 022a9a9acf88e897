"""Uniform crossover: each gene comes from either parent. Genes are matched by innovation number,
as in NEAT (Stanley and Miikkulainen, 2002)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.genome import Genome, SearchSpace
from evonas.genome.crossover import cross, uniform
from evonas.search.crossover.crossover import Crossover


@dataclass(frozen=True)
class Uniform(Crossover):
    """Matched genes with one op also mix their parameters.

    Genes without a match come from the main parent.
    """

    def cross(
        self, space: SearchSpace, first: Genome, second: Genome, rng: np.random.Generator
    ) -> Genome:
        # A new scheme passes its own function instead of `uniform`. The function makes the genes
        # of one section, and `cross` repairs them.
        return cross(space, first, second, rng, uniform)
