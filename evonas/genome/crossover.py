"""Crossover: a child of two genomes, their genes aligned by innovation number.

A kind is a function `(section, first, second, rng) -> genes`, called for one section at a time; `repair` follows. What
they are called in a config, and by which settings, is the affair of `evonas.search.crossover`.
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
    """Uniform crossover (Syswerda, 1989): the first parent's list, each matched gene mixed with its match."""
    matches = {gene.innovation: gene for gene in second}
    return [
        _mixed(gene, matches[gene.innovation], rng) if gene.innovation in matches else gene
        for gene in first
    ]


def _mixed(first: Gene, second: Gene, rng: np.random.Generator) -> Gene:
    """Of one op: each parameter from either; of two: one of the genes. Inputs and `merge` stay together."""
    if first.op != second.op:
        return first if rng.random() < 0.5 else second
    other = second.parameters
    params: dict[str, Value] = {
        name: other[name] if name in other and rng.random() < 0.5 else value
        for name, value in first.params
        if name != "merge"
    }
    wires = first if rng.random() < 0.5 else second
    params |= {name: value for name, value in wires.params if name == "merge"}
    return Gene.make(first.op, params, wires.inputs, first.innovation)


def one_point(
    section: Section, first: Sequence[Gene], second: Sequence[Gene], rng: np.random.Generator
) -> list[Gene]:
    """One-point crossover (Holland, 1975) of each section: the first parent's genes up to a gene that both have, the
    second's from there on.

    With k genes in common there are k + 1 cuts, each as likely; the last leaves the first parent's section as it is,
    and so do parents with nothing in common here.
    """
    places = {gene.innovation: i for i, gene in enumerate(second)}
    common = [i for i, gene in enumerate(first) if gene.innovation in places]
    cut = int(rng.integers(len(common) + 1))
    if cut == len(common):
        return [*first]
    head = first[: common[cut]]
    return [*head, *second[places[first[common[cut]].innovation] :]]


def sections(
    section: Section, first: Sequence[Gene], second: Sequence[Gene], rng: np.random.Generator
) -> list[Gene]:
    """Whole sections from either parent, each with the same probability: modules change hands, nothing inside them."""
    return [*first] if rng.random() < 0.5 else [*second]


def cross(
    space: SearchSpace,
    first: Genome,
    second: Genome,
    rng: np.random.Generator,
    kind: Kind = uniform,
) -> Genome:
    """A child of both. How much of its structure is the first parent's depends on the kind; of `uniform`, all of it.

    The child is valid if its parents are. It may equal one of them (then nothing differed, or luck chose one side
    throughout): who wants a new genome mutates it.
    """
    made = []
    for section in space.sections.values():
        old = first[section.name]
        genes = repair(section, kind(section, old, second[section.name], rng))
        made.append((section.name, genes if len(genes) >= section.low else tuple(old)))
    return Genome(tuple(made))
