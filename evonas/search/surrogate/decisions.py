"""The decisions about a genome as points of a space in which each group has a length of its own.

A number is a column, as it is laid out on its own scale. A word has a column for each option, of
which one is 1. Where the length of a section is fixed, each of its decisions is a group. Otherwise
the genes of a section share their groups, because an edit moves genes from place to place. What a
graph shows better is left out: the ops of such sections, and the inputs of genes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evonas.genome import Choice, SearchSpace
from evonas.genome.space import Section

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decisions:
    """Columns, made of the coordinates of the unit cube. All arrays have the shape (columns,).

    Attributes:
        places: coordinate that each column is made of.
        options: coordinate of the word that the column stands for; NaN for a number.
        factors: factor of each column. With it, the squared distance within a group is the mean
            square difference of its numbers, or the share of its words that differ.
        groups: number of each column's group, from 0 and without a gap.
    """

    places: NDArray[np.intp]
    options: NDArray[np.float64]
    factors: NDArray[np.float64]
    groups: NDArray[np.intp]

    @property
    def count(self) -> int:
        """Number of groups."""
        return int(self.groups.max()) + 1 if len(self.groups) else 0

    def columns(self, points: Matrix) -> Matrix:
        """The columns of these points; shape (len(points), columns).

        Args:
            points: shape (n, space.dimension), laid out without priors.
        """
        found = points[:, self.places]
        is_word = ~np.isnan(self.options)
        found[:, is_word] = found[:, is_word] == self.options[is_word]
        return found * self.factors


def decisions(space: SearchSpace) -> Decisions:
    """The decisions of a space."""
    members: dict[Hashable, list[tuple[int, tuple[float, ...]]]] = {}
    for place, (name, slot, key) in enumerate(space.coordinates):
        section = space[name]
        is_fixed = section.low == section.high
        if key in ("inputs", "merge") or (key == "op" and not is_fixed):
            continue
        group = (name, slot if is_fixed else -1, key)
        options = _options(section, key)
        members.setdefault(group, []).append((place, options))
    places, values, factors, groups = [], [], [], []
    for number, listed in enumerate(members.values()):
        for place, options in listed:
            # Two words differ in two columns, so each of them counts half.
            width = 2 if options else 1
            for option in options or (np.nan,):
                places.append(place)
                values.append(option)
                factors.append(1 / np.sqrt(width * len(listed)))
                groups.append(number)
    return Decisions(
        places=np.array(places, dtype=np.intp),
        options=np.array(values, dtype=np.float64),
        factors=np.array(factors, dtype=np.float64),
        groups=np.array(groups, dtype=np.intp),
    )


def _options(section: Section, key: str) -> tuple[float, ...]:
    """The coordinates of the words that a decision is between; none if it is about a number."""
    if key == "length":
        return ()
    if key == "op":
        return tuple(section.op_to_unit(name) for name in section.ops)
    found: set[float] = set()
    for op in section.ops.values():
        parameter = op.parameters.get(key)
        if isinstance(parameter, Choice) and not parameter.ordered:
            found.update(parameter.flat.to_unit(value) for value in parameter.values)
    return tuple(sorted(found))
