"""One-point crossover: each section is cut once, at a gene that both parents have (Holland, 1975).

Genes are aligned by innovation number, as in NEAT (Stanley and Miikkulainen, 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evonas.genome import Gene, Genome, SearchSpace, Section, cross
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


def one_point(
    section: Section, first: Sequence[Gene], second: Sequence[Gene], rng: np.random.Generator
) -> list[Gene]:
    """The genes of a child's section.

    The child has the first parent's genes up to a gene that both have. From there on, it has the
    second parent's genes. With k genes in common there are k + 1 cuts, each as likely. The last
    cut leaves the first parent's section unchanged, and so do parents with nothing in common.

    If the parents have common genes in another order, the child may lack one that both have: it may
    stand behind the cut in the first parent, and before it in the second.
    """
    places = {gene.innovation: i for i, gene in enumerate(second)}
    common = [i for i, gene in enumerate(first) if gene.innovation in places]
    cuts = len(common) + 1
    cut = int(rng.integers(cuts))
    if cut == len(common):
        return [*first]
    here = common[cut]
    # The second parent may have this gene at another place.
    number = first[here].innovation
    there = places[number]
    head = first[:here]
    tail = second[there:]
    return [*head, *tail]
