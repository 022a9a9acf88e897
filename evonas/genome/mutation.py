"""Mutation: one edit of one section, always legal and always a different genome.

An edit is a function `(section, genes, rng) -> genes | None`; None means that the edit is not
possible here. An edit may leave inputs out of normal form, because `repair` follows. To add an
edit, write one more function with `@edit("its_word")`.
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
"""Edits drawn by their rates, before all edits are tried one by one."""
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
        operators: word of an edit -> weight of the edit, relative to the others. An edit that is
            not named here is never tried.
        settings: probability that an edit goes to a settings section. It matters only in a space
            that also has network sections.

    Raises:
        UserError: an unknown word, a negative or infinite weight, a probability outside of [0, 1].
    """

    operators: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(MUTATIONS, 1.0))
    settings: float = 0.25

    def __post_init__(self) -> None:
        for word, weight in self.operators.items():
            if word not in MUTATIONS:
                known = list(MUTATIONS)
                hint = did_you_mean(word, known)
                raise UserError(f"No mutation {word!r}.{hint} Known: {', '.join(known)}.")
            if not math.isfinite(weight) or weight < 0:
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

    The group is drawn first (`rates.settings`), then the edit by its weight. The section is drawn
    last, by its number of genes. If the edit is impossible or changes nothing, all are drawn again.

    Returns:
        A valid genome that differs from `genome` (if that one is valid), and the word of the edit.

    Raises:
        NothingToMutate: no edit with a rate above 0 can change this genome.
    """
    rates = rates or MutationRates()
    words = [word for word, weight in rates.operators.items() if weight > 0]
    if not words:
        raise UserError("At least one mutation needs a rate above 0.")
    weights = [rates.operators[word] for word in words]
    edges = _ends(weights)
    groups = _groups(space, rates)
    # Sizes are those of `genome`, which stays the same over all tries.
    sites: dict[Group, tuple[Sequence[Section], list[float]]] = {}
    for _ in range(_RANDOM_TRIES):
        group = groups[0]
        # A space with one group takes no number from `rng` here.
        if len(groups) > 1 and rng.random() < rates.settings:
            group = groups[1]
        word = words[_place(rng, edges)]
        if group not in sites:
            listed = _sections(space, group)
            sites[group] = _by_size(listed, genome)
        sections, ends = sites[group]
        section = sections[_place(rng, ends)]
        child = _edited(section, genome, rng, word)
        if child is not None:
            return child, word
    return _any_edit(space, genome, rng, groups, words)


def _groups(space: SearchSpace, rates: MutationRates) -> list[Group]:
    """The groups that may be edited, network first.

    If the space has only one group, the rate does not matter.
    """
    candidates: tuple[Group, ...] = ("network", "settings")
    existing = [group for group in candidates if _sections(space, group)]
    if len(existing) < 2:
        return existing
    if rates.settings == 0:
        return ["network"]
    if rates.settings == 1:
        return ["settings"]
    return existing


def _sections(space: SearchSpace, group: Group) -> tuple[Section, ...]:
    """The sections of a group; cells are parts of the network."""
    if group == "network":
        return (*space.group("cells"), *space.group("network"))
    return space.group(group)


def _by_size(sections: Sequence[Section], genome: Genome) -> tuple[Sequence[Section], list[float]]:
    """The sections, and the upper ends of their shares of the unit interval.

    A section's share is as large as its number of genes.
    """
    # An empty section counts as one gene; otherwise nothing would ever be added to it.
    sizes = []
    for section in sections:
        genes = genome[section.name]
        sizes.append(max(1, len(genes)))
    total = sum(sizes)
    shares = (size / total for size in sizes)
    ends = list(accumulate(shares))
    return sections, ends


def _any_edit(
    space: SearchSpace,
    genome: Genome,
    rng: np.random.Generator,
    groups: Sequence[Group],
    words: Sequence[str],
) -> tuple[Genome, str]:
    """An edit where few are possible: everything is tried, in random order.

    Raises:
        NothingToMutate: nothing that was tried changes the genome.
    """
    sections: list[Section] = []
    for group in groups:
        sections += _sections(space, group)
    sites = [(section, word) for section in sections for word in words]
    for i in rng.permutation(len(sites)):
        section, word = sites[i]
        # An edit draws its place itself, so one failure does not mean that it is impossible.
        for _ in range(_TRIES_EACH):
            child = _edited(section, genome, rng, word)
            if child is not None:
                return child, word
    names = ", ".join(section.name for section in sections)
    raise NothingToMutate(
        f"Nothing in this genome of {space.name} can be mutated: in the sections {names}, "
        f"none of {', '.join(words)} leads to another genome."
    )


def _edited(section: Section, genome: Genome, rng: np.random.Generator, word: str) -> Genome | None:
    """The genome after one edit; None if the edit is impossible or changes nothing."""
    function = MUTATIONS[word]
    genes = function(section, genome[section.name], rng)
    if genes is None:
        return None
    repaired = repair(section, genes)
    if _same_network(genome[section.name], repaired):
        return None
    return genome.with_section(section.name, repaired)


def _same_network(old: Genes, new: Genes) -> bool:
    """Whether two lists of genes are equal but for their innovation numbers.

    Whole genomes are compared by digests, which cost more.
    """
    if len(old) != len(new):
        return False
    for before, after in zip(old, new, strict=True):
        if before.op != after.op or before.params != after.params:
            return False
        pairs = zip(before.params, after.params, strict=True)
        # To Python, 1, 1.0 and True are equal.
        if any(type(one) is not type(other) for (_, one), (_, other) in pairs):
            return False
    return positions(old) == positions(new)


def _ends(weights: Sequence[float]) -> list[float]:
    """The upper ends of shares of the unit interval, each as large as its weight."""
    # NumPy's sum, because that of Python rounds differently, and differently in each version.
    values = np.array(weights)
    total = values.sum()
    shares: list[float] = (values / total).tolist()
    return list(accumulate(shares))


def _place(rng: np.random.Generator, ends: Sequence[float]) -> int:
    """An index, drawn by shares of the unit interval that have these upper ends."""
    u = rng.random()
    place = bisect_right(ends, u)
    # Rounding may leave the last end a little below 1, and the drawn number beyond it.
    last = len(ends) - 1
    return min(place, last)


def _numbers(genes: Genes) -> dict[int, int]:
    """Position -> innovation number, with the section's inputs."""
    numbers = {i: gene.innovation for i, gene in enumerate(genes)}
    numbers.update(POSITION_INPUTS)
    return numbers


def _replaced(genes: Genes, i: int, gene: Gene) -> list[Gene]:
    """The genes with another gene at one place."""
    changed = list(genes)
    changed[i] = gene
    return changed


def draw_values(op: Op, rng: np.random.Generator, known: Mapping[str, Value]) -> dict[str, Value]:
    """Values for all of an op's parameters.

    A known value is kept if it is allowed. Every other value is drawn from the prior.
    """
    values = {}
    for name, parameter in op.parameters.items():
        if name in known and parameter.contains(known[name]):
            values[name] = known[name]
        else:
            u = rng.random()
            values[name] = parameter.from_unit(u)
    return values


@edit("add")
def add(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """A new gene somewhere, its op drawn by weight.

    In a dag its inputs are drawn, too. Otherwise it gets the plainest inputs that are legal.
    """
    if len(genes) >= section.high:
        return None
    gaps = len(genes) + 1
    i = int(rng.integers(gaps))
    op = section.op_from_unit(rng.random())
    if section.wiring == "dag":
        places = section.look_up.from_unit(i, rng.random())
    else:
        places = section.legal(i)[0]
    numbers = _numbers(genes)
    inputs = [numbers[place] for place in places]
    left, right = neighbours(genes, i)
    number = innovation(genes, left, right, op.name)
    values = draw_values(op, rng, {})
    gene = Gene.make(op.name, values, inputs, number)
    added = list(genes)
    added.insert(i, gene)
    return added


@edit("remove")
def remove(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One gene less; skips from it are gone, too."""
    if len(genes) <= section.low:
        return None
    i = int(rng.integers(len(genes)))
    left = list(genes)
    gone = left.pop(i)
    if section.wiring != "dag":
        return left
    # A gene of a dag cannot have an input less, so its takers take what it took first.
    heir = gone.inputs[0]
    rewired = []
    for gene in left:
        inputs = [heir if n == gone.innovation else n for n in gene.inputs]
        changed = dataclasses.replace(gene, inputs=tuple(inputs))
        rewired.append(changed)
    return rewired


@edit("duplicate")
def duplicate(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """A gene once more, right behind itself."""
    if not genes or len(genes) >= section.high:
        return None
    i = int(rng.integers(len(genes)))
    gene = genes[i]
    behind = i + 1
    left, right = neighbours(genes, behind)
    number = innovation(genes, left, right, gene.op)
    copy = dataclasses.replace(gene, innovation=number)
    doubled = list(genes)
    doubled.insert(behind, copy)
    return doubled


@edit("swap")
def swap(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """Two genes change places.

    If the length is fixed, or in a dag, each place keeps its number and its inputs.
    """
    if len(genes) < 2:
        return None
    i, j = rng.choice(len(genes), 2, replace=False).tolist()
    first = genes[i]
    second = genes[j]
    swapped = list(genes)
    if section.low == section.high or section.wiring == "dag":
        swapped[i] = _content(second, first)
        swapped[j] = _content(first, second)
    else:
        swapped[i] = second
        swapped[j] = first
    return swapped


def _content(gene: Gene, place: Gene) -> Gene:
    """The op and parameters of one gene at the place of another."""
    params = gene.parameters
    params.pop("merge", None)
    # `merge` goes with the inputs, which stay where they are.
    for name, value in place.params:
        if name == "merge":
            params[name] = value
    return Gene.make(
        gene.op,
        params,
        inputs=place.inputs,
        innovation=place.innovation,
    )


@edit("change_op")
def change_op(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """A gene gets another op, drawn by weight.

    Parameters that fit the new op are kept, and so are the number and the inputs.
    """
    if len(section.ops) < 2 or not genes:
        return None
    i = int(rng.integers(len(genes)))
    gene = genes[i]
    others = [op for op in section.ops.values() if op.name != gene.op]
    ends = _ends([op.weight for op in others])
    op = others[_place(rng, ends)]
    known = gene.parameters
    params = draw_values(op, rng, known)
    if section.merge is not None and "merge" in known:
        params["merge"] = known["merge"]
    changed = Gene.make(
        op.name,
        params,
        inputs=gene.inputs,
        innovation=gene.innovation,
    )
    return _replaced(genes, i, changed)


@edit("perturb")
def perturb(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One parameter of one gene moves: a number by a Gaussian step, a word to any other."""
    # Drawn over all parameters: a gene with many of them is perturbed more often.
    sites = [(i, name) for i, gene in enumerate(genes) for name, _ in gene.params]
    if not sites:
        return None
    k = int(rng.integers(len(sites)))
    i, name = sites[k]
    gene = genes[i]
    parameter = section.parameter(gene.op, name)
    params = gene.parameters
    params[name] = parameter.perturb(gene[name], rng)
    changed = Gene.make(
        gene.op,
        params,
        inputs=gene.inputs,
        innovation=gene.innovation,
    )
    return _replaced(genes, i, changed)


@edit("add_skip")
def add_skip(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One input more for a gene, merged as its others are, or in a way drawn from the prior."""
    return _rewired(section, genes, rng, _has_one_more)


@edit("remove_skip")
def remove_skip(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One input less for a gene."""
    return _rewired(section, genes, rng, _has_one_less)


@edit("move_skip")
def move_skip(section: Section, genes: Genes, rng: np.random.Generator) -> list[Gene] | None:
    """One input of a gene comes from elsewhere."""
    return _rewired(section, genes, rng, _has_one_moved)


def _has_one_more(old: Inputs, new: Inputs) -> bool:
    if len(new) != len(old) + 1:
        return False
    return _common(old, new) == len(old)


def _has_one_less(old: Inputs, new: Inputs) -> bool:
    if len(new) != len(old) - 1:
        return False
    return _common(old, new) == len(new)


def _has_one_moved(old: Inputs, new: Inputs) -> bool:
    if len(new) != len(old):
        return False
    return _common(old, new) == len(old) - 1


def _common(old: Inputs, new: Inputs) -> int:
    """How many inputs are in both; one that is taken twice in both counts twice."""
    shared = Counter(old) & Counter(new)
    return shared.total()


def _rewired(
    section: Section,
    genes: Genes,
    rng: np.random.Generator,
    wanted: Callable[[Inputs, Inputs], bool],
) -> list[Gene] | None:
    """One gene with other inputs: the gene is drawn first, then its inputs.

    Args:
        wanted: says whether new inputs may replace the old ones; called as `wanted(old, new)`.
    """
    # A chain has nothing to rewire. It also takes no number from `rng`.
    if section.wiring == "chain":
        return None
    places = positions(genes)
    # Genes in random order: the first that has an option is taken.
    for i in rng.permutation(len(genes)).tolist():
        old = places[i]
        options = [new for new in section.legal(i) if wanted(old, new)]
        if not options:
            continue
        k = int(rng.integers(len(options)))
        chosen = options[k]
        gene = genes[i]
        numbers = _numbers(genes)
        params = gene.parameters
        if section.merge is not None:
            # A gene that has skips already keeps its `merge`, but the number is drawn for it, too.
            drawn = section.merge.from_unit(rng.random())
            params.setdefault("merge", drawn)
        inputs = [numbers[place] for place in chosen]
        changed = Gene.make(
            gene.op,
            params,
            inputs=inputs,
            innovation=gene.innovation,
        )
        return _replaced(genes, i, changed)
    return None
