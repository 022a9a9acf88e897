"""Uniform crossover: matched genes are mixed (Syswerda, 1989). Genes are matched by innovation
number, as in NEAT (Stanley and Miikkulainen, 2002).

Syswerda crosses strings of one length. Here, the list of genes is the main parent's. In NEAT, genes
without a match come from the fitter parent; here, they come from the main one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.genome import Genome, SearchSpace
from evonas.genome.crossover import cross, uniform
from evonas.search.crossover.crossover import Crossover


@dataclass(frozen=True)
class Uniform(Crossover):
    """Matched genes with one op mix their parameters; with two ops, either gene is taken whole.

    Genes without a match come from the main parent.
    """

    def cross(
        self, space: SearchSpace, first: Genome, second: Genome, rng: np.random.Generator
    ) -> Genome:
        return cross(space, first, second, rng, uniform)
