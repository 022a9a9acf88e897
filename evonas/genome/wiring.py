"""How the genes of a section are connected: one look-up of the inputs that are legal at each place.

Sampling, mutation, encoding, validation and repair all use `legal`. To add a kind of wiring, write
one more class here. Positions count from 0; -1 is the section's first input, -2 the second input
of a cell.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Inputs = tuple[int, ...]


class Wiring(Protocol):
    """A kind of wiring, with its options."""

    @property
    def word(self) -> str:
        """The name in a space's file."""

    @property
    def merges(self) -> bool:
        """Whether a gene with inputs has a parameter `merge`."""

    def count(self, i: int) -> int:
        """The number of input tuples that gene i may have, without listing them."""

    def legal(self, i: int) -> tuple[Inputs, ...]:
        """All input tuples that gene i may have, the plainest first.

        Each is in normal form: the nearest input comes first.
        """

    def from_unit(self, i: int, u: float) -> Inputs:
        """The input tuple at this place of the unit interval."""

    def to_unit(self, i: int, inputs: Inputs) -> float:
        """The middle of the places that give these inputs."""


@dataclass(frozen=True)
class Chain:
    """Each gene takes what the gene before it gives; there is nothing to decide."""

    word: str = "chain"
    merges: bool = False

    def count(self, i: int) -> int:
        """See `Wiring`."""
        return 1

    def legal(self, i: int) -> tuple[Inputs, ...]:
        """See `Wiring`."""
        return ((),)

    def from_unit(self, i: int, u: float) -> Inputs:
        """See `Wiring`."""
        return ()

    def to_unit(self, i: int, inputs: Inputs) -> float:
        """See `Wiring`."""
        return 0.5


@dataclass(frozen=True)
class Skip:
    """A chain in which a gene may also take the outputs of earlier genes, or the section's input.

    Gene i always has the output of gene i - 1. Its `inputs` are what comes beside that output, so
    i - 1 is not among them.

    Attributes:
        most: the largest number of skips into one gene.
    """

    most: int = 1
    word: str = "skip"
    merges: bool = True

    def count(self, i: int) -> int:
        """See `Wiring`."""
        # Gene i has i sources: the section's input and the genes up to i - 2.
        most = min(self.most, i)
        total = 0
        for k in range(most + 1):
            total += math.comb(i, k)
        return total

    def legal(self, i: int) -> tuple[Inputs, ...]:
        """See `Wiring`."""
        return _combinations(i, self.most)

    def from_unit(self, i: int, u: float) -> Inputs:
        """The lower half means no skip; the upper half is shared by all others."""
        legal = self.legal(i)
        # With equal shares for all, few networks would be without skips.
        if u < 0.5 or len(legal) == 1:
            return legal[0]
        with_skips = len(legal) - 1
        place = int((u - 0.5) * 2 * with_skips)
        # For u = 1.0 the place is one too far.
        place = min(place, with_skips - 1)
        return legal[1 + place]

    def to_unit(self, i: int, inputs: Inputs) -> float:
        """See `Wiring`."""
        places = _places(i, self.most)
        place = places[inputs]
        if place == 0:
            return 0.25
        with_skips = len(self.legal(i)) - 1
        share = (place - 0.5) / with_skips
        return 0.5 + share / 2


@dataclass(frozen=True)
class Dag:
    """Each gene takes a fixed number of tensors, from earlier genes or the section's inputs.

    One source may be taken twice. Otherwise the first gene of a section with one input could not
    have two inputs. All that no gene takes is concatenated to the section's output, so that no
    gene is without effect.

    Attributes:
        inputs: number of tensors that each gene takes.
        sources: number of inputs of the section itself: 2 for a cell, otherwise 1.
    """

    inputs: int = 2
    sources: int = 1
    word: str = "dag"
    merges: bool = False

    def count(self, i: int) -> int:
        """See `Wiring`."""
        # Multisets of size `inputs` out of `available`: C(available + inputs - 1, inputs).
        available = i + self.sources
        n = available + self.inputs - 1
        return math.comb(n, self.inputs)

    def legal(self, i: int) -> tuple[Inputs, ...]:
        """See `Wiring`."""
        return _draws(i, self.inputs, self.sources)

    def from_unit(self, i: int, u: float) -> Inputs:
        """Each input tuple has the same share."""
        legal = self.legal(i)
        n = len(legal)
        place = int(u * n)
        # For u = 1.0 the place is one too far.
        place = min(place, n - 1)
        return legal[place]

    def to_unit(self, i: int, inputs: Inputs) -> float:
        """See `Wiring`."""
        places = _draw_places(i, self.inputs, self.sources)
        place = places[inputs]
        return (place + 0.5) / self.count(i)


# Every draw, check and repair of a gene reads the tables below. So each is made once in a process.
# The space's loader bounds their size.


@functools.cache
def _draws(i: int, inputs: int, sources: int) -> tuple[Inputs, ...]:
    """All input tuples of gene i in a dag."""
    nearest = i - 1
    farthest = -sources
    available = range(nearest, farthest - 1, -1)
    draws = itertools.combinations_with_replacement(available, inputs)
    return tuple(draws)


@functools.cache
def _draw_places(i: int, inputs: int, sources: int) -> Mapping[Inputs, int]:
    """The place of each input tuple in `_draws`."""
    draws = _draws(i, inputs, sources)
    return {drawn: place for place, drawn in enumerate(draws)}


@functools.cache
def _combinations(i: int, most: int) -> tuple[Inputs, ...]:
    """All skips of gene i: none first, then one, and so on."""
    sources: tuple[int, ...] = ()
    # The first gene takes the section's input anyway.
    if i > 0:
        sources = (*range(i - 2, -1, -1), -1)
    found: list[Inputs] = []
    for k in range(most + 1):
        found += itertools.combinations(sources, k)
    return tuple(found)


@functools.cache
def _places(i: int, most: int) -> Mapping[Inputs, int]:
    """The place of each input tuple in `_combinations`."""
    combinations = _combinations(i, most)
    return {inputs: place for place, inputs in enumerate(combinations)}
