"""Mutation: one edit of one section, always legal and always a different genome.

An edit is a function `(section, genes, rng) -> genes | None`; None means that it is not possible here. It may leave
inputs out of normal form: `repair` follows. Another edit is one more function with `@edit("its_word")`.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from evonas.errors import NothingToMutate, UserError, did_you_mean
from evonas.genome.genome import Gene, Genome, Value, positions
from evonas.genome.innovation import innovation, neighbours
from evonas.genome.space import Group, Op, SearchSpace, Section
from evonas.genome.validity import POSITION_INPUTS, repair
from evonas.genome.wiring import Inputs

Genes = Sequence[Gene]
Edit = Callable[[Section, Genes, np.random.Generator], list[Gene] | None]

MUTATIONS: dict[str, Edit] = {}
"""Every edit by its word."""

_RANDOM_TRIES = 30
_TRIES_EACH = 20


def edit(word: str) -> Callable[[Edit], Edit]:
    """Registers an edit under a word."""

    def register(function: Edit) -> Edit:
        MUTATIONS[word] = function
        return function

    return register


@dataclass(frozen=True)
class MutationRates:
    """How often each edit is tried.

    Attributes:
        operators: word of an edit -> how often it is tried, relative to the others; edits that are not named never are.
        settings: the probability that an edit goes to a settings section, in a space that also has network sections.

    Raises:
        UserError: an unknown word, a negative or infinite weight, a probability outside of [0, 1].
    """

    operators: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(MUTATIONS, 1.0))
    settings: float = 0.25

    def __post_init__(self) -> None:
        for word, weight in self.operators.items():
            if word not in MUTATIONS:
                known = list(MUTATIONS)
                raise UserError(
                    f"No mutation {word!r}.{did_you_mean(word, known)} Known: {', '.join(known)}."
                )
            if not (math.isfinite(weight) and weight >= 0):
                raise UserError(
                    f"The rate of {word} must be a finite number, at least 0. Received: {weight!r}"
                )
        if not 0 <= self.settings <= 1:
            raise UserError(
                f"The rate `settings` is a probability, in [0, 1]. Received: {self.settings!r}"
            )


def mutate(
    space: SearchSpace, genome: Genome, rng: np.random.Generator, rates: MutationRates | None = None
) -> tuple[Genome, str]:
    """One edit that changes what is trained.

    First the group is drawn (`rates.settings`), then the edit by its weight, then the section by its number of genes.
    What turns out to be impossible, or to change nothing, is drawn again.

    Returns:
        A valid genome that differs from `genome` (if that one is valid), and the word of the edit.

    Raises:
        NothingToMutate: no edit with a rate above 0 can change this genome.
    """
    rates = rates or MutationRates()
    words = [word for word, weight in rates.operators.items() if weight > 0]
    if not words:
        raise UserError("At least one mutation needs a rate above 0.")
    weights = np.array([rates.operators[word] for word in words])
    edges: list[float] = list(accumulate((weights / weights.sum()).tolist()))
    groups = _groups(space, rates)
    sites: dict[Group, tuple[Sequence[Section], list[float]]] = {}
    for _ in range(_RANDOM_TRIES):
        group = groups[0] if len(groups) == 1 or rng.random() >= rates.settings else groups[1]
        word = words[_place(rng, edges)]
        if group not in sites:
            sites[group] = _by_size(_sections(space, group), genome)
        sections, ends = sites[group]
        child = _edited(sections[_place(rng, ends)], genome, rng, word)
        if child is not None:
            return child, word
    return _any_edit(space, genome, rng, groups, words)


def _groups(space: SearchSpace, rates: MutationRates) -> list[Group]:
    """The groups that may be edited, network first; where a space has one group only, the rate does not matter."""
    existing: list[Group] = [group for group in ("network", "settings") if _sections(space, group)]
    if len(existing) < 2:
        return existing
    return ["network"] if rates.settings == 0 else ["settings"] if rates.settings == 1 else existing


def _sections(space: SearchSpace, group: Group) -> tuple[Section, ...]:
    """The sections of a group; cells are parts of the network."""
    return (
        (*space.group("cells"), *space.group("network"))
        if group == "network"
        else space.group(group)
    )


def _by_size(sections: Sequence[Section], genome: Genome) -> tuple[Sequence[Section], list[float]]:
    """The sections, and the upper ends of their shares of the unit interval: by the number of their genes."""
    sizes = [max(1, len(genome[section.name])) for section in sections]
    total = sum(sizes)
    return sections, list(accumulate(size / total for size in sizes))


def _any_edit(
    space: SearchSpace,
    genome: Genome,
    rng: np.random.Generator,
    groups: Sequence[Group],
    words: Sequence[str],
) -> tuple[Genome, str]:
    """An edit where few are possible: everything is tried, in random order."""
    sites = [
        (section, word) for group in groups for section in _sections(space, group) for word in words
    ]
    for i in rng.permutation(len(sites)):
        section, word = sites[i]
        for _ in range(_TRIES_EACH):
            child = _edited(section, genome, rng, word)
            if child is not None:
                return child, word
    names = [section.name for group in groups for section in _sections(space, group)]
    raise NothingToMutate(
        f"Nothing in this genome of {space.name} can be mutated: in the sections {', '.join(names)}, "
        f"none of {', '.join(words)} leads to another genome."
    )


def _edited(section: Section, genome: Genome, rng: np.random.Generator, word: str) -> Genome | None:
    genes = MUTATIONS[word](section, genome[section.name], rng)
    if genes is None:
        return None
    child = genome.with_section(section.name, repair(section, genes))
    return None if child == genome else child


def _draw(rng: np.random.Generator, shares: Sequence[float]) -> int:
    """An index, drawn with these probabilities."""
    return _place(rng, list(accumulate(shares)))


def _place(rng: np.random.Generator, ends: Sequence[float]) -> int:
    """An index, drawn by shares of the unit interval that have these upper ends."""
    return min(bisect_right(ends, rng.random()), len(ends) - 1)


def draw_values(op: Op, rng: np.random.Generator, known: Mapping[str, Value]) -> dict[str, Value]:
    """Values for all of an op's parameters: the known ones where they are allowed, else drawn from the prior."""
    return {
        name: known[name]
        if name in known and parameter.contains(known[name])
        else parameter.from_unit(rng.random())
        for name, parameter in op.parameters.items()
    }


@edit("add")
def add(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """A new gene somewhere, its op drawn by weight; wired in the plainest way that is legal there, or at random in a
    dag."""
    if len(genes) >= section.high:
        return None
    i = int(rng.integers(len(genes) + 1))
    op = section.op_from_unit(rng.random())
    numbers = {k: gene.innovation for k, gene in enumerate(genes)} | dict(POSITION_INPUTS)
    places = (
        section.look_up.from_unit(i, rng.random())
        if section.wiring == "dag"
        else section.legal(i)[0]
    )
    inputs = [numbers[place] for place in places]
    number = innovation(genes, *neighbours(genes, i), op.name)
    return [*genes[:i], Gene.make(op.name, draw_values(op, rng, {}), inputs, number), *genes[i:]]


@edit("remove")
def remove(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One gene less; skips from it are gone, and in a dag its takers take what it took first."""
    if len(genes) <= section.low:
        return None
    i = int(rng.integers(len(genes)))
    gone, left = genes[i], [*genes[:i], *genes[i + 1 :]]
    if section.wiring != "dag":
        return left
    heirs = {gone.innovation: gone.inputs[0]}
    return [
        dataclasses.replace(gene, inputs=tuple(heirs.get(n, n) for n in gene.inputs))
        for gene in left
    ]


@edit("duplicate")
def duplicate(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """A gene once more, right behind itself."""
    if not genes or len(genes) >= section.high:
        return None
    i = int(rng.integers(len(genes)))
    number = innovation(genes, *neighbours(genes, i + 1), genes[i].op)
    return [*genes[: i + 1], dataclasses.replace(genes[i], innovation=number), *genes[i + 1 :]]


@edit("swap")
def swap(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """Two genes change places; where the length is fixed, and in a dag, a place keeps its number and its inputs."""
    if len(genes) < 2:
        return None
    i, j = (int(k) for k in rng.choice(len(genes), 2, replace=False))
    first, second = genes[i], genes[j]
    if section.low == section.high or section.wiring == "dag":
        first, second = _content(first, second), _content(second, first)
    swapped = list(genes)
    swapped[i], swapped[j] = second, first
    return swapped


def _content(gene: Gene, place: Gene) -> Gene:
    """The op and parameters of one gene at the place of another."""
    params = {name: value for name, value in gene.params if name != "merge"}
    params |= {name: value for name, value in place.params if name == "merge"}
    return Gene.make(gene.op, params, place.inputs, place.innovation)


@edit("change_op")
def change_op(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """A gene gets another op, drawn by weight; parameters that fit are kept, and so are its number and its inputs."""
    if len(section.ops) < 2 or not genes:
        return None
    i = int(rng.integers(len(genes)))
    others = [op for op in section.ops.values() if op.name != genes[i].op]
    weights = np.array([op.weight for op in others])
    op = others[_draw(rng, (weights / weights.sum()).tolist())]
    known = genes[i].parameters
    params = draw_values(op, rng, known)
    if section.merge is not None and "merge" in known:
        params["merge"] = known["merge"]
    changed = list(genes)
    changed[i] = Gene.make(op.name, params, genes[i].inputs, genes[i].innovation)
    return changed


@edit("perturb")
def perturb(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One parameter of one gene moves on its own scale: a number a Gaussian step, a word to any other."""
    sites = [(i, name) for i, gene in enumerate(genes) for name, _ in gene.params]
    if not sites:
        return None
    i, name = sites[int(rng.integers(len(sites)))]
    gene = genes[i]
    params = gene.parameters | {name: section.parameter(gene.op, name).perturb(gene[name], rng)}
    changed = list(genes)
    changed[i] = Gene.make(gene.op, params, gene.inputs, gene.innovation)
    return changed


@edit("add_skip")
def add_skip(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One input more for a gene, merged as its others are, or in a way drawn from the prior."""
    return _rewired(
        section,
        genes,
        rng,
        lambda old, new: len(new) == len(old) + 1 and _common(old, new) == len(old),
    )


@edit("remove_skip")
def remove_skip(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One input less for a gene."""
    return _rewired(
        section,
        genes,
        rng,
        lambda old, new: len(new) == len(old) - 1 and _common(old, new) == len(new),
    )


@edit("move_skip")
def move_skip(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One input of a gene comes from elsewhere."""
    return _rewired(
        section, genes, rng, lambda old, new: len(new) == len(old) == _common(old, new) + 1
    )


def _common(old: Inputs, new: Inputs) -> int:
    """How many inputs are in both; one that is taken twice in both counts twice."""
    return (Counter(old) & Counter(new)).total()


def _rewired(
    section: Section,
    genes: Genes,
    rng: np.random.Generator,
    wanted: Callable[[Inputs, Inputs], bool],
) -> list[Gene] | None:
    """One gene with other inputs: the gene is drawn first, then its inputs; in a chain there is nothing to rewire."""
    if section.wiring == "chain":
        return None
    places = positions(genes)
    for i in (int(k) for k in rng.permutation(len(genes))):
        options = [inputs for inputs in section.legal(i) if wanted(places[i], inputs)]
        if not options:
            continue
        inputs = options[int(rng.integers(len(options)))]
        numbers = {k: gene.innovation for k, gene in enumerate(genes)} | dict(POSITION_INPUTS)
        params = genes[i].parameters
        if section.merge is not None:
            params = {"merge": section.merge.from_unit(rng.random())} | params
        changed = list(genes)
        changed[i] = Gene.make(
            genes[i].op, params, (numbers[k] for k in inputs), genes[i].innovation
        )
        return changed
    return None
