"""Crossover: a child of two genomes, their genes aligned by innovation number.

A kind is a function `(section, first, second, rng) -> genes`. It is called for one section at a
time, and `repair` follows. `evonas.search.crossover` knows the words and settings of the kinds in
a config.
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


def one_point(
    section: Section, first: Sequence[Gene], second: Sequence[Gene], rng: np.random.Generator
) -> list[Gene]:
    """One-point crossover (Holland, 1975) of each section.

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


def sections(
    section: Section, first: Sequence[Gene], second: Sequence[Gene], rng: np.random.Generator
) -> list[Gene]:
    """Each section whole, from either parent with the same probability."""
    if rng.random() < 0.5:
        return [*first]
    return [*second]


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
