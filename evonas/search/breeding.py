"""A child that may still be edited before it is proposed, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evonas.genome import Genome, MutationRates, SearchSpace
from evonas.genome.inheritance import givers
from evonas.genome.space import Section
from evonas.search.crossover import Crossover
from evonas.search.variation import Mutation, edited
from evonas.trial import Lineage, Trial


@dataclass(frozen=True)
class Child:
    """A genome made of one or two trials.

    Attributes:
        parents: the main parent, and its partner if there is one.
        crossed: what crossover made of both, before any edit. It is the genome of a single parent.
        words: words of the edits.
    """

    genome: Genome
    parents: tuple[Trial, ...]
    crossed: Genome
    words: tuple[str, ...] = ()

    def edited(
        self, space: SearchSpace, edits: int, rng: np.random.Generator, rates: MutationRates
    ) -> Child:
        """The child after this many more edits; after fewer if no more are possible."""
        words = list(self.words)
        genome = edited(space, self.genome, edits, words, rng, rates)
        return replace(self, genome=genome, words=tuple(words))

    def lineage(self) -> Lineage:
        """The operators, and the parents that the child still has something of."""
        parents = self.parents
        words = self.words
        if len(parents) == 2:
            first, second = (parent.genome for parent in parents)
            places = givers(first, second, self.crossed, self.genome)
            parents = tuple(parents[place] for place in places)
        if len(parents) == 2:
            words = ("crossover", *words)
        ids = tuple(parent.id for parent in parents)
        return Lineage(words or ("copy",), ids)


def bred(
    space: SearchSpace,
    parents: Sequence[Trial],
    crossover: Crossover,
    mutation: Mutation,
    rng: np.random.Generator,
    rates: MutationRates,
) -> Child:
    """A child of one or two parents.

    A child of one parent is always edited, a child of two with the probability `mutation.rate`.

    Args:
        parents: the main parent, and its partner if there is one.
        rates: rates of the edits.
    """
    first = parents[0].genome
    crossed = first
    if len(parents) == 2:
        crossed = crossover.cross(space, first, parents[1].genome, rng)
    child = Child(crossed, tuple(parents), crossed)
    if len(parents) == 2 and rng.random() >= mutation.rate:
        return child
    edits = int(rng.integers(1, mutation.edits + 1))
    return child.edited(space, edits, rng, rates)


def possible(space: SearchSpace, rates: MutationRates) -> MutationRates:
    """The rates without the edits that no genome of this space can have.

    An impossible edit costs another draw, and a surrogate is asked about many children.
    """
    words = set()
    for section in space.sections.values():
        words |= _edits_of(section)
    # Rates that leave nothing are the user's own, and make children that are copies.
    kept = {word: weight for word, weight in rates.operators.items() if word in words}
    if not any(kept.values()):
        return rates
    return replace(rates, operators=kept)


def _edits_of(section: Section) -> set[str]:
    """The words of the edits that genomes can have in this section."""
    words = set()
    if section.low < section.high:
        words |= {"add", "remove", "duplicate"}
    if section.high > 1:
        words.add("swap")
    if len(section.ops) > 1:
        words.add("change_op")
    if any(op.parameters for op in section.ops.values()):
        words.add("perturb")
    if section.wiring != "chain":
        words |= {"add_skip", "remove_skip", "move_skip"}
    return words
