"""How many genomes a search space holds."""

from __future__ import annotations

import math

from evonas.genome.parameters import Choice, Number, Parameter
from evonas.genome.space import SearchSpace, Section


def census(space: SearchSpace) -> int:
    """The number of genomes, where the values of a float are counted as one (or as two: off and on)."""
    return math.prod(_section(section) for section in space.sections.values())


def _section(section: Section) -> int:
    """All lengths together; a slot's choices are its ops with their parameters, times its wirings."""
    genes = sum(math.prod(map(_values, op.parameters.values())) for op in section.ops.values())
    total, lists = int(section.low == 0), 1
    for slot in range(section.high):
        lists *= genes * _wirings(section, slot)
        total += lists if slot + 1 >= section.low else 0
    return total


def _wirings(section: Section, slot: int) -> int:
    count = section.look_up.count(slot)
    return count if section.merge is None else 1 + (count - 1) * len(section.merge.values)


def _values(parameter: Parameter) -> int:
    if isinstance(parameter, Choice):
        return len(parameter.values)
    assert isinstance(parameter, Number)
    inside = int(parameter.high) - int(parameter.low) + 1 if parameter.integer else 1
    return inside + int(parameter.off is not None)
