"""How the genes of a section are connected: one look-up of the inputs that are legal at each place.

Sampling, mutation, encoding, validation and repair all go through `legal`; a new kind of wiring is one more class here.
Positions count from 0; -1 is the section's first input, -2 the second one of a cell.
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
        """How many input tuples gene i may have, without listing them."""

    def legal(self, i: int) -> tuple[Inputs, ...]:
        """All input tuples gene i may have, each in normal form (nearest first); the first is the plainest."""

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
    """A chain in which a gene may also take the outputs of a few earlier genes, or the section's input.

    Gene i always has the output of gene i - 1; its `inputs` are what comes beside that, so i - 1 is not among them.

    Attributes:
        most: skips into one gene, at most.
    """

    most: int = 1
    word: str = "skip"
    merges: bool = True

    def count(self, i: int) -> int:
        """See `Wiring`."""
        return sum(math.comb(i, k) for k in range(min(self.most, i) + 1))

    def legal(self, i: int) -> tuple[Inputs, ...]:
        """See `Wiring`."""
        return _combinations(i, self.most)

    def from_unit(self, i: int, u: float) -> Inputs:
        """The lower half means no skip, else few networks would be without."""
        legal = self.legal(i)
        if u < 0.5 or len(legal) == 1:
            return legal[0]
        return legal[1 + min(int((u - 0.5) * 2 * (len(legal) - 1)), len(legal) - 2)]

    def to_unit(self, i: int, inputs: Inputs) -> float:
        """See `Wiring`."""
        k = _places(i, self.most)[inputs]
        return 0.5 + (k - 0.5) / (len(self.legal(i)) - 1) / 2 if k else 0.25


@dataclass(frozen=True)
class Dag:
    """Each gene takes as many tensors as its op wants, from any earlier genes or the section's inputs.

    One source may be taken twice, else the first gene of a section with one input could not have two. What no gene
    takes is concatenated to the section's output, so that no gene is without effect.

    Attributes:
        inputs: tensors that each gene takes.
        sources: inputs of the section itself: 2 for a cell, else 1.
    """

    inputs: int = 2
    sources: int = 1
    word: str = "dag"
    merges: bool = False

    def count(self, i: int) -> int:
        """See `Wiring`."""
        return math.comb(i + self.sources + self.inputs - 1, self.inputs)

    def legal(self, i: int) -> tuple[Inputs, ...]:
        """See `Wiring`."""
        return _draws(i, self.inputs, self.sources)

    def from_unit(self, i: int, u: float) -> Inputs:
        """All alike."""
        legal = self.legal(i)
        return legal[min(int(u * len(legal)), len(legal) - 1)]

    def to_unit(self, i: int, inputs: Inputs) -> float:
        """See `Wiring`."""
        return (_draw_places(i, self.inputs, self.sources)[inputs] + 0.5) / self.count(i)


@functools.cache
def _draws(i: int, inputs: int, sources: int) -> tuple[Inputs, ...]:
    return tuple(itertools.combinations_with_replacement(range(i - 1, -1 - sources, -1), inputs))


@functools.cache
def _draw_places(i: int, inputs: int, sources: int) -> Mapping[Inputs, int]:
    return {drawn: k for k, drawn in enumerate(_draws(i, inputs, sources))}


@functools.cache  # the space's loader bounds what one section can ask for
def _combinations(i: int, most: int) -> tuple[Inputs, ...]:
    sources = (*range(i - 2, -1, -1), -1) if i else ()
    return tuple(chosen for k in range(most + 1) for chosen in itertools.combinations(sources, k))


@functools.cache
def _places(i: int, most: int) -> Mapping[Inputs, int]:
    return {inputs: k for k, inputs in enumerate(_combinations(i, most))}
