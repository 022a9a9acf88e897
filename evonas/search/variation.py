"""How a child is edited: the section `mutation` of a config.

The strategies that mutate share it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from annotated_types import Ge, Interval

from evonas.errors import NothingToMutate
from evonas.genome import MUTATIONS, Genome, MutationRates, SearchSpace, mutate
from evonas.genome.strict_yaml import short
from evonas.search.adaptation import Adaptation, Credit, Fixed
from evonas.search.part import Part

TRIES = 20
"""Number of edits of a child that still equals a parent; after them, it stays as it is."""


@dataclass(frozen=True)
class Mutation(Part):
    """How a child is edited.

    Attributes:
        rate: probability that a child of two parents is edited too. A child of one parent is always
            edited.
        edits: largest number of edits; a child gets 1 to this many, and each number is equally
            likely.
        settings: probability that an edit changes the settings (optimizer, training, style) and not
            the network.
        operators: weights of the operators, by name. An operator without an entry has the weight 1,
            and 0 switches it off.
        adaptation: whether and how these weights follow the gains of the operators' children.
    """

    rate: Annotated[float, Interval(ge=0, le=1)] = 0.5
    edits: Annotated[int, Ge(1)] = 1
    settings: Annotated[float, Interval(ge=0, le=1)] = 0.25
    operators: Mapping[str, Annotated[float, Ge(0)]] = field(default_factory=dict)
    adaptation: Adaptation = field(default_factory=Fixed)

    def rates(self) -> MutationRates:
        """The rates in the form that `mutate` takes."""
        # In the order of MUTATIONS, not of the config: the order decides which operator a drawn
        # number stands for.
        operators = {}
        for name in MUTATIONS:
            operators[name] = self.operators.get(name, 1.0)
        return MutationRates(settings=self.settings, operators=operators)

    def credit(self) -> Credit:
        """The operators' weights, before any trial is told."""
        return Credit(self.adaptation, self.rates())

    def operators_problem(self) -> str:
        """What is wrong with `operators`; empty if nothing is."""
        known = sorted(MUTATIONS)
        unknown = sorted(set(self.operators) - set(known))
        if unknown:
            return f"unknown operators {short(str(unknown))}; there are {known}"
        weights = self.rates().operators.values()
        if not any(weight > 0 for weight in weights):
            return "at least one operator must have a weight above 0"
        return ""


def edited(
    space: SearchSpace,
    genome: Genome,
    edits: int,
    words: list[str],
    rng: np.random.Generator,
    rates: MutationRates,
) -> Genome:
    """A genome after this many edits; after fewer if no more are possible.

    Args:
        edits: number of edits.
        words: list to which the words of the edits are appended.
    """
    for _ in range(edits):
        try:
            genome, word = mutate(space, genome, rng, rates)
        except NothingToMutate:
            return genome
        words.append(word)
    return genome


def different(
    space: SearchSpace,
    child: Genome,
    parents: Sequence[Genome],
    words: list[str],
    rng: np.random.Generator,
    rates: MutationRates,
) -> Genome:
    """The child, edited until it differs from its parents.

    If no such child is found, it stays a duplicate, which costs nothing.
    """
    # One edit differs from its input but may lead back to the other parent, so this is a loop.
    for _ in range(TRIES):
        if all(child != parent for parent in parents):
            break
        child = edited(space, child, 1, words, rng, rates)
    return child
