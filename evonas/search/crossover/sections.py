"""Section crossover: each section comes whole from either parent, as modules do in CoDeepNEAT
(Miikkulainen et al., 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evonas.genome import Gene, Genome, SearchSpace, Section, cross
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


def sections(
    section: Section, first: Sequence[Gene], second: Sequence[Gene], rng: np.random.Generator
) -> list[Gene]:
    """All genes of either parent, with the same probability."""
    if rng.random() < 0.5:
        return [*first]
    return [*second]
