"""Uniform crossover: genes matched by innovation number come from either parent, as in NEAT (Stanley and
Miikkulainen, 2002)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.genome import Genome, SearchSpace
from evonas.genome.crossover import cross, uniform
from evonas.search.crossover.crossover import Crossover


@dataclass(frozen=True)
class Uniform(Crossover):
    """Matched genes of one op mix their parameters, too; genes without a match come from the main parent."""

    def cross(
        self, space: SearchSpace, first: Genome, second: Genome, rng: np.random.Generator
    ) -> Genome:
        return cross(space, first, second, rng, uniform)
