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

Group = Literal["cells", "network", "settings"]
InputKind = Literal["image", "sequence", "vector"]
Coordinate = tuple[str, int, str]
"""(section, slot, key): the key is `length` (with slot -1), `op`, `inputs`, `merge`, or a parameter's name."""


@dataclass(frozen=True)
class Op:
    """One op that a gene of a section may be.

    Attributes:
        name: a known word, or `package.module:function`.
        weight: how often the op is drawn, relative to the other ops of its section.
        parameters: what a gene decides, by name.
        constants: what is the same for every gene of this op.
        shared: parameter -> (section, parameter) of the one-gene section that it is the same as.
    """

    name: str
    weight: float = 1.0
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    constants: Mapping[str, Value] = field(default_factory=dict)
    shared: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every argument that the op is called with."""
        return (*self.parameters, *self.constants, *self.shared)


@dataclass(frozen=True, eq=False)
class Section:
    """A list of genes of a space: which ops, how many, and how they are connected.

    Attributes:
        group: `network` sections are built in their order; `cells` are built wherever a network gene has a cell's name
            as its op; `settings` sections say how the network is trained.
        ops: by name; at least one.
        low: the smallest number of genes.
        high: the largest number of genes, at least 1.
        wiring: `chain`, `skip` or `dag`.
        max_skips: skips into one gene, at most; 0 for another wiring.
        merge: how a skip joins, for the wiring `skip`; else None.
        inputs: tensors that each gene takes, for the wiring `dag`; else 0.
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
        """Tensors that come in: a cell takes the outputs of the two genes before it."""
        return 2 if self.group == "cells" else 1

    @functools.cached_property
    def look_up(self) -> Wiring:
        """The wiring as an object."""
        if self.wiring == "dag":
            return Dag(self.inputs, self.sources)
        return Skip(self.max_skips) if self.wiring == "skip" else Chain()

    def legal(self, i: int) -> tuple[Inputs, ...]:
        """All input tuples that gene i may have, as positions (-1 is the section's input), the plainest first."""
        return self.look_up.legal(i)

    @functools.cached_property
    def _edges(self) -> tuple[float, ...]:
        """The upper ends of the ops' shares of the unit interval."""
        sums = list(accumulate(op.weight for op in self.ops.values()))
        return tuple(edge / sums[-1] for edge in sums)

    @functools.cached_property
    def _op_names(self) -> tuple[str, ...]:
        return tuple(self.ops)

    def op_from_unit(self, u: float) -> Op:
        """The op at this place of the unit interval; each has a share as large as its weight."""
        return self.ops[self._op_names[min(bisect_right(self._edges, u), len(self._op_names) - 1)]]

    @functools.cached_property
    def _op_middles(self) -> Mapping[str, float]:
        lower = (0.0, *self._edges)
        return {name: (lower[i] + lower[i + 1]) / 2 for i, name in enumerate(self._op_names)}

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
        return self.ops[gene_op].parameters[name]

    @functools.cached_property
    def slot_names(self) -> tuple[str, ...]:
        """The names of all its ops' parameters; in a slot, parameters of one name share a coordinate."""
        return tuple(dict.fromkeys(name for op in self.ops.values() for name in op.parameters))

    @functools.cached_property
    def layouts(self) -> tuple[Mapping[str, int], ...]:
        """For each slot, the decisions about its gene and their order: `op`, `inputs`, `merge`, then the parameters."""
        found = []
        for slot in range(self.high):
            keys = ["op"] if len(self.ops) > 1 else []
            if self.look_up.count(slot) > 1:
                keys += ["inputs", "merge"] if self.merge is not None else ["inputs"]
            found.append({key: i for i, key in enumerate((*keys, *self.slot_names))})
        return tuple(found)


@dataclass(frozen=True, eq=False)
class SearchSpace:
    """Which genomes there are, as read from a file.

    Attributes:
        name: such as `convnet`.
        about: one sentence for people; may be empty.
        input: what the networks take; None where genomes are no networks (`input: none`), so that only an evaluator
            besides Keras can judge them.
        sections: by name: cells, then network sections in the order in which they are built, then settings.
        text: the file's content, for the record and for the workers.
    """

    name: str
    about: str
    input: InputKind | None
    sections: Mapping[str, Section]
    text: str = ""

    def __getitem__(self, name: str) -> Section:
        """A section.

        Raises:
            UserError: the space has no such section.
        """
        try:
            return self.sections[name]
        except KeyError:
            known = list(self.sections)
            raise UserError(
                f"The space {self.name} has no section {name!r}.{did_you_mean(name, known)} It has {', '.join(known)}."
            ) from None

    def group(self, group: Group) -> tuple[Section, ...]:
        """The sections of a group, in order."""
        return self._groups[group]

    @functools.cached_property
    def _groups(self) -> Mapping[Group, tuple[Section, ...]]:
        listed: tuple[Group, ...] = ("cells", "network", "settings")
        return {
            group: tuple(item for item in self.sections.values() if item.group == group)
            for group in listed
        }

    def is_cell(self, op: str) -> bool:
        """Whether a gene with this op is a cell."""
        return op in self.sections and self.sections[op].group == "cells"

    @functools.cached_property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """What each coordinate of the unit cube decides; length, op and inputs only where there is an alternative."""
        found: list[Coordinate] = []
        for section in self.sections.values():
            if section.high > section.low:
                found.append((section.name, -1, "length"))
            for slot in range(section.high):
                found += [(section.name, slot, key) for key in section.layouts[slot]]
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
        return section in self.sections and any(
            name in op.names for op in self.sections[section].ops.values()
        )

    def greatest(self, section: str, name: str) -> float | None:
        """The largest number that an argument of this name may be in this section; None where none has a number."""
        ops = self.sections[section].ops.values() if section in self.sections else ()
        found: list[object] = [op.constants[name] for op in ops if name in op.constants]
        for parameter in (op.parameters[name] for op in ops if name in op.parameters):
            found += (
                parameter.values if isinstance(parameter, Choice) else [parameter.from_unit(1.0)]
            )
        return max(
            (float(value) for value in found if isinstance(value, int | float)), default=None
        )

    def arguments(self, genome: Genome, section_name: str, gene: Gene) -> dict[str, Value]:
        """What the gene's op is called with: its parameters, the constants, and what it takes from other sections.

        How a skip joins (`merge`) is not among them; it is no business of the op.
        """
        section = self.sections[section_name]
        op = section.ops[gene.op]
        arguments = {
            name: value for name, value in gene.params if not (name == "merge" and section.merge)
        }
        arguments.update(op.constants)
        for name, (source, parameter) in op.shared.items():
            other = genome[source][0]
            constants = self.sections[source].ops[other.op].constants
            arguments[name] = constants[parameter] if parameter in constants else other[parameter]
        return arguments
