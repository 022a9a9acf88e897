"""Section crossover: each section comes whole from either parent, as modules do in CoDeepNEAT
(Miikkulainen et al., 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.genome import Genome, SearchSpace
from evonas.genome.crossover import cross, sections
from evonas.search.crossover.crossover import Crossover


@dataclass(frozen=True)
class Sections(Crossover):
    """For example, a child has one parent's layers and the other parent's optimizer.

    Genes of one section that work well together stay together.
    """

    def cross(
        self, space: SearchSpace, first: Genome, second: Genome, rng: np.random.Generator
    ) -> Genome:
        return cross(space, first, second, rng, sections)
