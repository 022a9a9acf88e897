"""A lattice: the genomes of a space when each number in a range is reduced to a few levels, counted and numbered.

A list of genes may have any length, each gene any op with its own parameters and any wiring, so the genomes are no
plain product of the cube's coordinates: coordinates that decide nothing are not varied, and no genome comes twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from evonas.genome import Choice, Op, Parameter, SearchSpace, Section
from evonas.genome.parameters import OFF_SHARE, Number

Levels = Callable[[str], int]
"""How many levels a parameter of this name has, if it has a range."""


def places(parameter: Parameter, levels: int) -> tuple[float, ...]:
    """Places of the unit interval, one for each value that a parameter has in the lattice."""
    if isinstance(parameter, Choice):
        return tuple(parameter.to_unit(value) for value in parameter.values)
    assert isinstance(parameter, Number)
    even = [0.5] if levels == 1 else [i / (levels - 1) for i in range(levels)]
    if parameter.off is not None:
        even = [OFF_SHARE / 2, *(OFF_SHARE + u * (1 - OFF_SHARE) for u in even)]
    return tuple(
        {parameter.from_unit(u): u for u in even}.values()
    )  # few integers may be fewer than the levels


class Lattice:
    """The points of a space's lattice, by number.

    Attributes:
        sizes: by section, how many lists of genes it has.
    """

    def __init__(self, space: SearchSpace, levels: Levels) -> None:
        self._sections = [_Section(section, levels) for section in space.sections.values()]
        self.sizes: Mapping[str, int] = {part.section.name: part.size for part in self._sections}

    @property
    def size(self) -> int:
        """Genomes in all; there may be more of them than `len` could tell."""
        return math.prod(self.sizes.values())

    def __getitem__(self, number: int) -> list[float]:
        """The coordinates of a point, in the order of `SearchSpace.coordinates`."""
        values: list[float] = []
        for part in self._sections:
            number, here = divmod(number, part.size)
            values += part.point(here)
        return values


class _Section:
    """The lists of genes of one section: first those of the least length, then of the next."""

    def __init__(self, section: Section, levels: Levels) -> None:
        self.section = section
        self._genes = [_Gene(section, op, levels) for op in section.ops.values()]
        self._slots = [
            sum(gene.size for gene in self._genes) * self._wirings(slot)
            for slot in range(section.high)
        ]
        self._lists = {n: math.prod(self._slots[:n]) for n in range(section.low, section.high + 1)}
        self.size = sum(self._lists.values())

    def _wirings(self, slot: int) -> int:
        count = self.section.look_up.count(slot)
        return (
            count
            if self.section.merge is None
            else 1 + (count - 1) * len(self.section.merge.values)
        )

    def point(self, number: int) -> list[float]:
        section, length = self.section, self.section.low
        while number >= self._lists[length]:
            number -= self._lists[length]
            length += 1
        values = []
        if section.high > section.low:
            values.append((length - section.low + 0.5) / (section.high - section.low + 1))
        for slot, layout in enumerate(section.layouts):
            box = [0.5] * len(layout)
            if slot < length:
                number, here = divmod(number, self._slots[slot])
                self._fill(box, slot, here)
            values += box
        return values

    def _fill(self, box: list[float], slot: int, number: int) -> None:
        """The decisions about one gene: its wiring, its op, its parameters."""
        section, layout = self.section, self.section.layouts[slot]
        number, wiring = divmod(number, self._wirings(slot))
        if "inputs" in layout:
            merges: Sequence[float] = (
                places(section.merge, 0) if section.merge is not None else (0.5,)
            )
            chosen = (
                -(-wiring // len(merges)) if section.merge is not None else wiring
            )  # the first has nothing to merge
            box[layout["inputs"]] = section.look_up.to_unit(slot, section.legal(slot)[chosen])
            if section.merge is not None and wiring:
                box[layout["merge"]] = merges[(wiring - 1) % len(merges)]
        for gene in self._genes:
            if number < gene.size:
                gene.fill(box, layout, number)
                return
            number -= gene.size


class _Gene:
    """One op with all combinations of its parameters."""

    def __init__(self, section: Section, op: Op, levels: Levels) -> None:
        self._place = section.op_to_unit(op.name)
        self._axes = {
            name: places(parameter, levels(name)) for name, parameter in op.parameters.items()
        }
        self.size = math.prod(map(len, self._axes.values()))

    def fill(self, box: list[float], layout: Mapping[str, int], number: int) -> None:
        if "op" in layout:
            box[layout["op"]] = self._place
        for name, axis in self._axes.items():
            number, here = divmod(number, len(axis))
            box[layout[name]] = axis[here]
