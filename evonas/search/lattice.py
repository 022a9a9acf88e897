"""A lattice: the genomes of a space with few levels for each number, counted and numbered.

The genomes are no plain product of the cube's coordinates. A list of genes may have any length.
Each gene has its op, the parameters of that op, and a wiring. So coordinates that decide nothing
are not varied, and no genome comes twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from evonas.genome import Choice, Op, Parameter, SearchSpace, Section
from evonas.genome.parameters import OFF_SHARE, Number

Levels = Callable[[str], int]
"""The number of levels of a parameter with this name, if the parameter has a range."""


def places(parameter: Parameter, levels: int) -> tuple[float, ...]:
    """Places of the unit interval, one for each value that a parameter has in the lattice."""
    if isinstance(parameter, Choice):
        return tuple(parameter.to_unit(value) for value in parameter.values)
    assert isinstance(parameter, Number)
    if levels == 1:
        even = [0.5]
    else:
        even = [i / (levels - 1) for i in range(levels)]
    if parameter.off is not None:
        # The first part of the interval stands for `off`, and the range fills the rest.
        even = [OFF_SHARE + u * (1 - OFF_SHARE) for u in even]
        even.insert(0, OFF_SHARE / 2)
    # The levels are even on the parameter's scale: a grid asks for all of it, likely or not.
    flat = parameter.flat
    # A range of few integers may have fewer values than there are levels.
    by_value = {flat.from_unit(u): u for u in even}
    if flat is parameter:
        return tuple(by_value.values())
    return tuple(parameter.to_unit(value) for value in by_value)


class Lattice:
    """The points of a space's lattice, by number.

    Attributes:
        sizes: number of lists of genes in each section, by the section's name.
    """

    def __init__(self, space: SearchSpace, levels: Levels) -> None:
        self._sections: list[_Section] = []
        sizes: dict[str, int] = {}
        for section in space.sections.values():
            part = _Section(section, levels)
            self._sections.append(part)
            sizes[section.name] = part.size
        self.sizes: Mapping[str, int] = sizes

    # Not `__len__`: the result of `len` must fit into a machine's integer, and a lattice may be
    # larger.
    @property
    def size(self) -> int:
        """The number of genomes in the lattice."""
        return math.prod(self.sizes.values())

    def __getitem__(self, number: int) -> list[float]:
        """The coordinates of a point, in the order of `SearchSpace.coordinates`."""
        values: list[float] = []
        # The number is read like digits, one digit a section. The base is the section's size.
        for part in self._sections:
            number, here = divmod(number, part.size)
            values += part.point(here)
        return values


class _Section:
    """The lists of genes of one section, numbered by length: the shortest lists come first."""

    def __init__(self, section: Section, levels: Levels) -> None:
        self.section = section
        self._genes: list[_Gene] = []
        without_wiring = 0
        for op in section.ops.values():
            gene = _Gene(section, op, levels)
            self._genes.append(gene)
            without_wiring += gene.size
        # Number of different genes in each slot.
        self._slots: list[int] = []
        for slot in range(section.high):
            size = without_wiring * self._wirings(slot)
            self._slots.append(size)
        # Number of lists of each length.
        self._lists: dict[int, int] = {}
        for length in range(section.low, section.high + 1):
            self._lists[length] = math.prod(self._slots[:length])
        self.size = sum(self._lists.values())

    def _wirings(self, slot: int) -> int:
        """The number of ways to wire a gene, each with all of its merges."""
        section = self.section
        count = section.look_up.count(slot)
        if section.merge is None:
            return count
        # The first, plainest wiring has nothing to merge.
        merges = len(section.merge.values)
        return 1 + (count - 1) * merges

    def point(self, number: int) -> list[float]:
        """The coordinates of one list of genes."""
        section = self.section
        length = section.low
        lists = self._lists
        while number >= lists[length]:
            number -= lists[length]
            length += 1
        values = []
        # A section of fixed length has no coordinate for it.
        if section.high > section.low:
            lengths = section.high - section.low + 1
            values.append((length - section.low + 0.5) / lengths)
        for slot, layout in enumerate(section.layouts):
            # Coordinates of absent genes decide nothing; `encode` sets them to 0.5 too.
            box = [0.5] * len(layout)
            if slot < length:
                number, here = divmod(number, self._slots[slot])
                self._fill(box, slot, here)
            values += box
        return values

    def _fill(self, box: list[float], slot: int, number: int) -> None:
        """Set the coordinates of one gene: its wiring, its op, and its parameters."""
        layout = self.section.layouts[slot]
        wirings = self._wirings(slot)
        number, wiring = divmod(number, wirings)
        # A slot with one possible wiring has no coordinate for it.
        if "inputs" in layout:
            self._wire(box, slot, wiring)
        # Numbers count through the first op, then through the second, and so on.
        for gene in self._genes:
            if number < gene.size:
                gene.fill(box, layout, number)
                return
            number -= gene.size

    def _wire(self, box: list[float], slot: int, wiring: int) -> None:
        """Set the coordinates of a gene's inputs, and of their merge if there is one."""
        section = self.section
        layout = section.layouts[slot]
        chosen = wiring
        if section.merge is not None:
            merges = places(section.merge, 0)
            # Wiring 0 has no merge. After it, each wiring counts once for every merge, so the
            # index of the inputs is rounded up.
            chosen = -(-wiring // len(merges))
            if wiring:
                merge = (wiring - 1) % len(merges)
                box[layout["merge"]] = merges[merge]
        inputs = section.legal(slot)[chosen]
        box[layout["inputs"]] = section.look_up.to_unit(slot, inputs)


class _Gene:
    """One op with all combinations of its parameters."""

    def __init__(self, section: Section, op: Op, levels: Levels) -> None:
        self._place = section.op_to_unit(op.name)
        self._axes: dict[str, Sequence[float]] = {}
        self.size = 1
        for name, parameter in op.parameters.items():
            axis = places(parameter, levels(name))
            self._axes[name] = axis
            self.size *= len(axis)

    def fill(self, box: list[float], layout: Mapping[str, int], number: int) -> None:
        """Set the coordinates of the op and its parameters."""
        if "op" in layout:
            box[layout["op"]] = self._place
        for name, axis in self._axes.items():
            number, here = divmod(number, len(axis))
            box[layout[name]] = axis[here]
