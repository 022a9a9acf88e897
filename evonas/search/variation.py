"""How a child is edited: the section `mutation` of a config, shared by the strategies that mutate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from annotated_types import Ge, Interval

from evonas.errors import NothingToMutate
from evonas.genome import MUTATIONS, Genome, MutationRates, SearchSpace, mutate
from evonas.search.adaptation import Adaptation, Credit, Fixed

TRIES = 20
"""Edits of a child that still equals a parent; then it stays what it is."""


@dataclass(frozen=True)
class Mutation:
    """How a child is edited.

    Attributes:
        rate: the probability that a child of two parents is edited too; a child of one parent always is.
        edits: an edited child gets 1 to this many edits, each number as likely.
        settings: the probability that an edit goes to the settings (optimizer, training, style), not to the network.
        operators: the weights of the operators, by name; those not named have 1, and 0 switches one off.
        adaptation: whether and how these weights follow what the operators' children have gained.
    """

    rate: Annotated[float, Interval(ge=0, le=1)] = 0.5
    edits: Annotated[int, Ge(1)] = 1
    settings: Annotated[float, Interval(ge=0, le=1)] = 0.25
    operators: Mapping[str, Annotated[float, Ge(0)]] = field(default_factory=dict)
    adaptation: Adaptation = field(default_factory=Fixed)

    def rates(self) -> MutationRates:
        return MutationRates(
            settings=self.settings,
            operators={name: self.operators.get(name, 1.0) for name in MUTATIONS},
        )

    def credit(self) -> Credit:
        """The operators' weights, as they are before anything is told."""
        return Credit(self.adaptation, self.rates())

    def operators_problem(self) -> str:
        """What is wrong with `operators`; empty where nothing is."""
        unknown = sorted(set(self.operators) - set(MUTATIONS))
        if unknown:
            return f"unknown operators {unknown}; there are {sorted(MUTATIONS)}"
        if not any(weight > 0 for weight in self.rates().operators.values()):
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
    """A genome after so many edits, fewer where none is possible; their words are appended to `words`."""
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
    """The child, edited until it differs from its parents; where none can be found, a twin, which costs nothing."""
    for _ in range(TRIES):
        if all(child != parent for parent in parents):
            break
        child = edited(space, child, 1, words, rng, rates)
    return child
