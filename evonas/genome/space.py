"""SearchSpace, Section and Op: which genomes there are."""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from evonas.errors import UserError, did_you_mean
from evonas.genome.genome import Gene, Genome, Value
from evonas.genome.parameters import Choice, Parameter
from evonas.genome.wiring import Chain, Dag, Inputs, Skip, Wiring
from evonas.words import listed

Group = Literal["cells", "network", "settings"]
InputKind = Literal["image", "sequence", "vector", "table", "text"]
Range = tuple[int, int | None]
"""A least and a most number, both included; None for no end."""
Coordinate = tuple[str, int, str]
"""(section, slot, key). The key is `op`, `inputs`, `merge` or the name of a parameter.

For the length of a section, the key is `length` and the slot is -1.
"""


@dataclass(frozen=True)
class Op:
    """One op that a gene of a section may be.

    Attributes:
        name: a known word, or `package.module:function`.
        weight: how often the op is drawn, relative to the other ops of its section.
        parameters: what a gene decides, by name.
        constants: what is the same for every gene of this op.
        shared: parameter -> (section, parameter) that it is the same as; the section has one gene.
    """

    name: str
    weight: float = 1.0
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    constants: Mapping[str, Value] = field(default_factory=dict)
    shared: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every argument that the op is called with."""
        return (
            *self.parameters,
            *self.constants,
            *self.shared,
        )


@dataclass(frozen=True, eq=False)
class Section:
    """A list of genes of a space: which ops, how many, and how they are connected.

    Attributes:
        group: `network` sections are built in their order. `cells` are built where a network gene
            has the cell's name as its op. `settings` sections say how the network is trained.
        ops: ops by name; at least one.
        low: the smallest number of genes.
        high: the largest number of genes, at least 1.
        wiring: `chain`, `skip` or `dag`.
        max_skips: the largest number of skips into one gene; 0 for another wiring.
        merge: how a skip joins, for the wiring `skip`; otherwise None.
        inputs: number of tensors that each gene takes, for the wiring `dag`; otherwise 0.
    """

    name: str
    group: Group
    ops: Mapping[str, Op]
    low: int = 1
    high: int = 1
    wiring: str = "chain"
    max_skips: int = 0
    merge: Choice | None = None
    inputs: int = 0

    @property
    def sources(self) -> int:
        """The number of tensors that come in."""
        # A cell takes the outputs of the two genes before it.
        if self.group == "cells":
            return 2
        return 1

    @functools.cached_property
    def look_up(self) -> Wiring:
        """The wiring as an object."""
        if self.wiring == "dag":
            return Dag(self.inputs, self.sources)
        if self.wiring == "skip":
            return Skip(self.max_skips)
        return Chain()

    def legal(self, i: int) -> tuple[Inputs, ...]:
        """All input tuples that gene i may have, the plainest first.

        They are positions; -1 is the section's input.
        """
        return self.look_up.legal(i)

    @functools.cached_property
    def _edges(self) -> tuple[float, ...]:
        """The upper ends of the ops' shares of the unit interval."""
        weights = [op.weight for op in self.ops.values()]
        sums = list(accumulate(weights))
        total = sums[-1]
        shares = [edge / total for edge in sums]
        return tuple(shares)

    @functools.cached_property
    def _op_names(self) -> tuple[str, ...]:
        return tuple(self.ops)

    def op_from_unit(self, u: float) -> Op:
        """The op at this place of the unit interval; each has a share as large as its weight."""
        names = self._op_names
        place = bisect_right(self._edges, u)
        # For u = 1.0 the place is one too far.
        place = min(place, len(names) - 1)
        name = names[place]
        return self.ops[name]

    @functools.cached_property
    def _op_middles(self) -> Mapping[str, float]:
        """The middle of each op's share."""
        middles = {}
        low = 0.0
        for name, high in zip(self._op_names, self._edges, strict=True):
            middles[name] = (low + high) / 2
            low = high
        return middles

    def op_to_unit(self, name: str) -> float:
        """The middle of an op's share."""
        return self._op_middles[name]

    def parameter(self, gene_op: str, name: str) -> Parameter:
        """The parameter of a gene with this op, `merge` included.

        Raises:
            KeyError: the op has no such parameter.
        """
        if name == "merge" and self.merge is not None:
            return self.merge
        op = self.ops[gene_op]
        return op.parameters[name]

    @functools.cached_property
    def slot_names(self) -> tuple[str, ...]:
        """The names of the parameters of all ops, each once."""
        # In a slot, parameters of one name share a coordinate, whatever the op.
        names: dict[str, None] = {}
        for op in self.ops.values():
            for name in op.parameters:
                names[name] = None
        return tuple(names)

    @functools.cached_property
    def layouts(self) -> tuple[Mapping[str, int], ...]:
        """For each slot, the decisions about its gene, each with its place in the slot.

        The order is `op`, `inputs`, `merge`, then the parameters.
        """
        found = []
        for slot in range(self.high):
            keys = []
            if len(self.ops) > 1:
                keys.append("op")
            # Without an alternative there is no decision: the first gene never has a skip.
            if self.look_up.count(slot) > 1:
                keys.append("inputs")
                if self.merge is not None:
                    keys.append("merge")
            keys += self.slot_names
            found.append({key: place for place, key in enumerate(keys)})
        return tuple(found)


@dataclass(frozen=True)
class Suits:
    """The data that a space is good for, besides their kind of input.

    Attributes:
        samples: number of samples.
        size: pixels of an image, steps of a sequence, columns of a table, words of a text.
    """

    samples: Range = (0, None)
    size: Range = (0, None)

    def fits(self, samples: int, size: int) -> bool:
        """Whether data of this size are among them."""
        return _is_in(samples, self.samples) and _is_in(size, self.size)

    def in_words(self) -> str:
        """`samples from 1,000 and size up to 128`; empty if all data are among them."""
        ranges = []
        for what, range in (("samples", self.samples), ("size", self.size)):
            if range != (0, None):
                ranges.append(f"{what} {_between(range)}")
        return listed(ranges)


def _between(range: Range) -> str:
    low, high = range
    if high is None:
        return f"from {low:,}"
    return f"up to {high:,}" if low == 0 else f"from {low:,} to {high:,}"


def _is_in(number: int, range: Range) -> bool:
    low, high = range
    return low <= number and (high is None or number <= high)


@dataclass(frozen=True, eq=False)
class SearchSpace:
    """Which genomes there are, as read from a file.

    Attributes:
        name: name such as `convnet`.
        about: one sentence for people; may be empty.
        input: what the networks take. None if genomes are no networks (`input: none`); then only
            an evaluator other than Keras can judge them.
        sections: sections by name: cells, then network sections in the order in which they are
            built, then settings.
        text: the file's content, for the record and for the workers.
        suits: which data `space: auto` chooses this space for; None for no data.
    """

    name: str
    about: str
    input: InputKind | None
    sections: Mapping[str, Section]
    text: str = ""
    suits: Suits | None = None

    def __getitem__(self, name: str) -> Section:
        """A section.

        Raises:
            UserError: the space has no such section.
        """
        try:
            return self.sections[name]
        except KeyError:
            known = list(self.sections)
            hint = did_you_mean(name, known)
            listed = ", ".join(known)
            raise UserError(
                f"The space {self.name} has no section {name!r}.{hint} It has {listed}."
            ) from None

    def group(self, group: Group) -> tuple[Section, ...]:
        """The sections of a group, in order."""
        return self._groups[group]

    @functools.cached_property
    def _groups(self) -> Mapping[Group, tuple[Section, ...]]:
        groups: dict[Group, tuple[Section, ...]] = {
            "cells": (),
            "network": (),
            "settings": (),
        }
        for section in self.sections.values():
            groups[section.group] += (section,)
        return groups

    def is_cell(self, op: str) -> bool:
        """Whether a gene with this op is a cell."""
        if op not in self.sections:
            return False
        return self.sections[op].group == "cells"

    @functools.cached_property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """What each coordinate of the unit cube decides.

        Length, op and inputs have a coordinate only if there is an alternative.
        """
        found: list[Coordinate] = []
        for section in self.sections.values():
            name = section.name
            if section.high > section.low:
                found.append((name, -1, "length"))
            for slot, layout in enumerate(section.layouts):
                for key in layout:
                    found.append((name, slot, key))
        return tuple(found)

    @functools.cached_property
    def index(self) -> Mapping[Coordinate, int]:
        """The place of each coordinate."""
        return {coordinate: i for i, coordinate in enumerate(self.coordinates)}

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        return len(self.coordinates)

    def has_parameter(self, section: str, name: str) -> bool:
        """Whether some op of this section has an argument of this name, searched or constant."""
        if section not in self.sections:
            return False
        found = self.sections[section]
        ops = found.ops.values()
        return any(name in op.names for op in ops)

    def greatest(self, section: str, name: str) -> float | None:
        """The largest number that an argument of this name may be in this section.

        None if no op has such an argument, or if it is no number.
        """
        if section not in self.sections:
            return None
        found = self.sections[section]
        values: list[object] = []
        for op in found.ops.values():
            if name in op.constants:
                values.append(op.constants[name])
            if name in op.parameters:
                parameter = op.parameters[name]
                values += _ends_of(parameter)
        numbers = []
        for value in values:
            if isinstance(value, int | float):
                numbers.append(float(value))
        return max(numbers, default=None)

    def arguments(self, genome: Genome, section_name: str, gene: Gene) -> dict[str, Value]:
        """What the gene's op is called with.

        That is its parameters, the constants, and what it takes from other sections. How a skip
        joins (`merge`) is not among them, because the op does not see it.
        """
        section = self.sections[section_name]
        op = section.ops[gene.op]
        arguments = gene.parameters
        if section.merge is not None:
            arguments.pop("merge", None)
        arguments.update(op.constants)
        for name, (source, parameter) in op.shared.items():
            # The space's loader has checked that the source has one gene, and this parameter.
            other = genome[source][0]
            ops = self.sections[source].ops
            constants = ops[other.op].constants
            if parameter in constants:
                arguments[name] = constants[parameter]
            else:
                arguments[name] = other[parameter]
        return arguments


def _ends_of(parameter: Parameter) -> list[object]:
    """Values of which one is the largest: all of a choice, or the upper end of a range."""
    if isinstance(parameter, Choice):
        return list(parameter.values)
    return [parameter.from_unit(1.0)]
