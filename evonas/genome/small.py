"""Small genomes that use given ops: to try each op of a space once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evonas.genome.encoding import decode
from evonas.genome.genome import Genome
from evonas.genome.space import SearchSpace, Section


def small_genome(
    space: SearchSpace,
    wanted: Mapping[str, str],
    level: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Genome:
    """A genome of short sections whose first genes have these ops.

    The parameters of these ops are in the middle of their ranges, because the ends are often `off`.
    All other sections have an op of evonas if they can.

    Args:
        wanted: section -> op.
        level: place of all other decisions in the unit interval; 0 gives the smallest values.
        rng: if given, it decides the other decisions instead.
    """
    wanted = _with_callers(space, wanted)
    point = np.full(space.dimension, level) if rng is None else rng.random(space.dimension)
    for place, (name, slot, key) in enumerate(space.coordinates):
        section = space.sections[name]
        if key == "length":
            # A section that may be empty has a gene if one is wanted.
            length = max(section.low, int(name in wanted))
            point[place] = (length - section.low + 0.5) / (section.high - section.low + 1)
        elif key == "op" and (slot == 0 or rng is None):
            op = wanted.get(name) if slot == 0 else None
            point[place] = section.op_to_unit(op or _usual(section))
        elif slot == 0 and name in wanted and key not in ("inputs", "merge"):
            point[place] = 0.5 if rng is None else point[place]
    return decode(space, point)


def _with_callers(space: SearchSpace, wanted: Mapping[str, str]) -> dict[str, str]:
    """The wanted ops, and for each cell among the sections a gene that calls it."""
    found = dict(wanted)
    for name in wanted:
        if space.sections[name].group != "cells":
            continue
        for section in space.group("network"):
            if name in section.ops:
                found[section.name] = name
                break
    return found


def _usual(section: Section) -> str:
    """The op of a gene for which none is wanted: the first one that is no plugin's."""
    for op in section.ops:
        if ":" not in op:
            return op
    return next(iter(section.ops))
