"""How many edits lie between genomes: the cost of the cheapest alignment of their genes.

A gene that only one genome has costs 1. So does a gene with another op. Values cost what differs
between them: a category that is another one costs 1, a number its distance on its own scale, from 0
to 1. A gene never costs more than 1. Genes keep their order (Needleman & Wunsch, 1970).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evonas.genome import Choice, Genome, SearchSpace, encode
from evonas.genome.encoding import deciding
from evonas.genome.space import Section

Matrix = NDArray[np.float64]

LENGTH, OP = "length", "op"


class EditDistance:
    """The distances from any genome to some that are known."""

    def __init__(self, space: SearchSpace, known: Sequence[Genome]) -> None:
        self._space = space
        self._sections = []
        for section in space.sections.values():
            self._sections.append(_Genes(space, section))
        self._known = [genes.of(known) for genes in self._sections]
        self._lengths = _lengths(space, known)

    def to(self, genome: Genome) -> Matrix:
        """The distance to each known genome, shape (n,)."""
        lengths = _lengths(self._space, [genome])[0]
        total = np.zeros(len(self._lengths))
        for place, genes in enumerate(self._sections):
            (own,) = genes.of([genome])
            costs = genes.costs(own[: lengths[place]], self._known[place])
            total += _aligned(costs, self._lengths[:, place])
        return total


def _lengths(space: SearchSpace, genomes: Sequence[Genome]) -> NDArray[np.int64]:
    """The number of genes in each section, shape (genomes, sections)."""
    return np.array([[len(genome[name]) for name in space.sections] for genome in genomes])


class _Genes:
    """The genes of one section as rows of numbers: the op first, then each value that it has."""

    def __init__(self, space: SearchSpace, section: Section) -> None:
        self._space = space
        self._slots = section.high
        # A decision without an alternative has no coordinate.
        self._places: list[tuple[int, int, int]] = []
        keys = [OP]
        for place, (name, slot, key) in enumerate(space.coordinates):
            if name == section.name and key != LENGTH:
                if key not in keys:
                    keys.append(key)
                self._places.append((place, slot, keys.index(key)))
        self._width = len(keys)
        self._is_category = np.array([_is_category(section, key) for key in keys])

    def of(self, genomes: Sequence[Genome]) -> Matrix:
        """Shape (genomes, slots, values); NaN where a gene has no such value."""
        found = np.full((len(genomes), self._slots, self._width), np.nan)
        # One op alone has no coordinate, and is the same everywhere.
        found[:, :, 0] = 0.0
        for row, genome in enumerate(genomes):
            point = encode(self._space, genome, flat=True)
            decides = deciding(self._space, genome)
            for place, slot, key in self._places:
                if decides[place]:
                    found[row, slot, key] = point[place]
        return found

    def costs(self, own: Matrix, known: Matrix) -> Matrix:
        """What each of a genome's genes costs in the place of each known gene.

        Args:
            own: genes of the one genome, shape (m, values).
            known: genes of all known ones, shape (n, slots, values).

        Returns:
            Shape (m, n, slots).
        """
        here = own[:, np.newaxis, np.newaxis, :]
        there = known[np.newaxis]
        difference = np.abs(here - there)
        has_one = np.isnan(here) != np.isnan(there)
        is_other = has_one | (self._is_category & (difference > 0))
        value = np.where(is_other, 1.0, np.nan_to_num(difference))
        whole: Matrix = np.minimum(value.sum(axis=-1), 1.0)
        return whole


def _is_category(section: Section, key: str) -> bool:
    """Whether a coordinate has no distances: an op, inputs, a merge, or a choice without order."""
    if key in (OP, "inputs", "merge"):
        return True
    for op in section.ops.values():
        parameter = op.parameters.get(key)
        if isinstance(parameter, Choice) and not parameter.ordered:
            return True
    return False


def _aligned(costs: Matrix, lengths: NDArray[np.int64]) -> Matrix:
    """The cost of the cheapest alignment with each known list of genes, all at once.

    Args:
        costs: shape (m, n, slots), as of `_Genes.costs`.
        lengths: number of genes of each known list, shape (n,).
    """
    own, count, slots = costs.shape
    # above[j] is the cost of aligning the genes before this one with the first j known ones
    above = np.tile(np.arange(slots + 1.0), (count, 1))
    for i in range(own):
        row = np.empty_like(above)
        row[:, 0] = i + 1.0
        for j in range(slots):
            gap = np.minimum(above[:, j + 1], row[:, j]) + 1.0
            row[:, j + 1] = np.minimum(gap, above[:, j] + costs[i, :, j])
        above = row
    total: Matrix = above[np.arange(count), lengths]
    return total
