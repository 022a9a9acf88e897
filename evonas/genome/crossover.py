"""Crossover: a child of two genomes, their genes aligned by innovation number.

A kind is a function `(section, first, second, rng) -> genes`. It is called for one section at a
time, and `repair` follows. `uniform` is the one that is taken if none is named; the others are in
`evonas.search.crossover`, with the words of a config.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evonas.genome.genome import Gene, Genome, Value
from evonas.genome.space import SearchSpace, Section
from evonas.genome.validity import repair

Kind = Callable[[Section, Sequence[Gene], Sequence[Gene], np.random.Generator], list[Gene]]


def uniform(
    section: Section, first: Sequence[Gene], second: Sequence[Gene], rng: np.random.Generator
) -> list[Gene]:
    """Uniform crossover (Syswerda, 1989).

    The child has the first parent's list. Each gene that the second parent has, too, is mixed.
    """
    matches = {gene.innovation: gene for gene in second}
    genes = []
    for gene in first:
        match = matches.get(gene.innovation)
        if match is not None:
            gene = _mixed(gene, match, rng)
        genes.append(gene)
    return genes


def _mixed(first: Gene, second: Gene, rng: np.random.Generator) -> Gene:
    """A gene of two that have one number.

    If the ops differ, the child gets one whole gene. Otherwise each parameter comes from either.
    """
    if first.op != second.op:
        if rng.random() < 0.5:
            return first
        return second
    other = second.parameters
    params: dict[str, Value] = {}
    for name, value in first.params:
        if name == "merge":
            continue
        params[name] = value
        if name in other and rng.random() < 0.5:
            params[name] = other[name]
    # `merge` is there exactly if there are inputs, so both come from the same parent.
    wires = second
    if rng.random() < 0.5:
        wires = first
    for name, value in wires.params:
        if name == "merge":
            params[name] = value
    return Gene.make(
        first.op,
        params,
        inputs=wires.inputs,
        innovation=first.innovation,
    )


def cross(
    space: SearchSpace,
    first: Genome,
    second: Genome,
    rng: np.random.Generator,
    kind: Kind = uniform,
) -> Genome:
    """A child of both.

    How much of its structure is the first parent's depends on the kind; with `uniform` it is all.

    The child is valid if its parents are valid. It may equal one of them: then nothing differed,
    or chance took everything from one side. Mutate the child if you need a new genome.
    """
    made = []
    for section in space.sections.values():
        old = first[section.name]
        mixed = kind(section, old, second[section.name], rng)
        genes = repair(section, mixed)
        # `repair` cuts a list that is too long, but it cannot fill one that is too short.
        if len(genes) < section.low:
            genes = tuple(old)
        entry = (section.name, genes)
        made.append(entry)
    return Genome(tuple(made))
