"""How many genomes a search space holds."""

from __future__ import annotations

import math

from evonas.genome.parameters import Choice, Number, Parameter
from evonas.genome.space import Op, SearchSpace, Section


def census(space: SearchSpace) -> int:
    """The number of genomes.

    A float counts as one value, or as two if it can be off.
    """
    sections = space.sections.values()
    return math.prod(map(_section, sections))


def _section(section: Section) -> int:
    """The number of gene lists of a section, all lengths together."""
    genes = sum(map(_genes, section.ops.values()))
    total = 0
    if section.low == 0:
        # The empty list is one, too.
        total += 1
    # The number of lists of one length; it grows slot by slot.
    lists = 1
    for slot in range(section.high):
        lists *= genes * _wirings(section, slot)
        length = slot + 1
        if length >= section.low:
            total += lists
    return total


def _genes(op: Op) -> int:
    """The number of genes with this op, without their inputs."""
    parameters = op.parameters.values()
    return math.prod(map(_values, parameters))


def _wirings(section: Section, slot: int) -> int:
    """The number of inputs that a slot's gene may have, with the ways to merge them."""
    count = section.look_up.count(slot)
    if section.merge is None:
        return count
    # One of them is no skip at all, with nothing to merge.
    with_skips = count - 1
    merges = len(section.merge.values)
    return 1 + with_skips * merges


def _values(parameter: Parameter) -> int:
    """The number of values of a parameter."""
    if isinstance(parameter, Choice):
        return len(parameter.values)
    assert isinstance(parameter, Number)
    count = 1
    if parameter.integer:
        count = int(parameter.high) - int(parameter.low) + 1
    if parameter.off is not None:
        count += 1
    return count
