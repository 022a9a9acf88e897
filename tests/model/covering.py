"""Few genomes that together hold every op of a space."""

from __future__ import annotations

import numpy as np

from evonas.genome import Genome, SearchSpace, Section, decode


def covering_genomes(space: SearchSpace, count: int = 5, level: float = 0.3) -> list[Genome]:
    """Genomes that hold every op of the space, and few genes besides.

    Args:
        level: upper end of all other decisions in the unit interval, which are random.
    """
    rng = np.random.default_rng(0)
    wanted = {}
    # Each section begins with another genome, so that the genomes are about as long.
    for first, section in enumerate(space.sections.values()):
        wanted[section.name] = _distributed(section, count, first)
    genomes = []
    for number in range(count):
        point = rng.random(space.dimension) * level
        for place, (name, slot, key) in enumerate(space.coordinates):
            section = space.sections[name]
            ops = wanted[name][number]
            if key == "length":
                point[place] = (len(ops) - section.low + 0.5) / (section.high - section.low + 1)
            elif key == "op" and slot < len(ops):
                point[place] = section.op_to_unit(ops[slot])
        genomes.append(decode(space, point))
    return genomes


def _distributed(section: Section, count: int, first: int) -> list[list[str]]:
    """The ops of a section in each genome: each op in one of them, more where there must be."""
    found: list[list[str]] = [[] for _ in range(count)]
    names = list(section.ops)
    for place, name in enumerate(names):
        found[(first + place) % count].append(name)
    for number, ops in enumerate(found):
        while len(ops) < section.low:
            ops.append(names[(number + len(ops)) % len(names)])
    return found
