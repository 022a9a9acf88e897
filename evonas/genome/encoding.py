"""The unit cube: every decision about a genome has a coordinate, so every sampler shares one prior.

`decode(space, encode(space, genome)) == genome` holds for every valid genome, and every point of
the cube is a valid genome. Some coordinates decide nothing: those of absent genes, and those of
parameters of other ops. `encode` sets them to 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evonas.genome.genome import Gene, Genome, Value, positions
from evonas.genome.space import SearchSpace, Section
from evonas.genome.wiring import Inputs

Point = NDArray[np.float64]
Mask = NDArray[np.bool_]


def decode(space: SearchSpace, point: Point) -> Genome:
    """The genome at a point; its genes are numbered by position.

    Args:
        point: shape (space.dimension,), in [0, 1]; values outside are moved to the nearest end.

    Raises:
        ValueError: the shape is another, or a coordinate is NaN.
    """
    point = np.asarray(point, dtype=np.float64)
    if point.shape != (space.dimension,) or np.isnan(point).any():
        raise ValueError(
            f"a point of {space.name} has {space.dimension} numbers in [0, 1]."
            f" Received: {point!r:.200}"
        )
    # Python floats from here on: reading a NumPy array number by number is slow.
    values: list[float] = np.clip(point, 0.0, 1.0).tolist()
    sections = []
    start = 0
    for section in space.sections.values():
        genes, start = _decode_section(section, values, start)
        entry = (section.name, genes)
        sections.append(entry)
    return Genome(tuple(sections))


def _decode_section(
    section: Section, values: list[float], start: int
) -> tuple[tuple[Gene, ...], int]:
    """The genes of a section, and the place where the next section's coordinates start."""
    length = section.low
    if section.high > section.low:
        options = section.high - section.low + 1
        extra = int(values[start] * options)
        # A coordinate of exactly 1.0 would be one step too far.
        length += min(extra, options - 1)
        start += 1
    genes = []
    for slot in range(section.high):
        layout = section.layouts[slot]
        end = start + len(layout)
        if slot < length:
            here = values[start:end]
            gene = _decode_gene(section, slot, layout, here)
            genes.append(gene)
        start = end
    return tuple(genes), start


def _decode_gene(
    section: Section, slot: int, layout: Mapping[str, int], values: list[float]
) -> Gene:
    """The gene of one slot; `values` are the coordinates of this slot only."""
    # A decision without an alternative has no coordinate, so its key is not in the layout.
    u = 0.0
    if "op" in layout:
        u = values[layout["op"]]
    op = section.op_from_unit(u)
    params: dict[str, Value] = {}
    for name, parameter in op.parameters.items():
        u = values[layout[name]]
        params[name] = parameter.from_unit(u)
    look_up = section.look_up
    if "inputs" in layout:
        u = values[layout["inputs"]]
        inputs = look_up.from_unit(slot, u)
    else:
        inputs = look_up.legal(slot)[0]
    if inputs and section.merge is not None:
        u = values[layout["merge"]]
        params["merge"] = section.merge.from_unit(u)
    # Gene i has the number i + 1. So the section's inputs -1 and -2 have the numbers 0 and -1.
    numbers = (position + 1 for position in inputs)
    return Gene.make(op.name, params, numbers, slot + 1)


Slots = dict[tuple[str, int, Gene, Inputs], list[float]]
"""Coordinates of a slot, by section, slot, gene and the positions of the gene's inputs."""


def encode(
    space: SearchSpace, genome: Genome, flat: bool = False, slots: Slots | None = None
) -> Point:
    """The point of a genome, in the middle of the box of points that decode to the genome.

    Args:
        flat: whether parameters are laid out without their priors. Then equal distances are equal
            steps on a parameter's own scale, and the point does not decode to the genome.
        slots: slots that were encoded before, with the same space and `flat`. New ones are added.

    Returns:
        Shape (space.dimension,), in [0, 1].

    Raises:
        KeyError, ValueError: the genome is not valid in this space.
    """
    values: list[float] = []
    for section in space.sections.values():
        genes = genome[section.name]
        _encode_section(section, genes, values, flat, slots)
    return np.array(values, dtype=np.float64)


def _encode_section(
    section: Section,
    genes: tuple[Gene, ...],
    values: list[float],
    flat: bool,
    slots: Slots | None,
) -> None:
    """Appends the section's coordinates to `values`."""
    if section.high > section.low:
        options = section.high - section.low + 1
        extra = len(genes) - section.low
        values.append((extra + 0.5) / options)
    places = positions(genes)
    for slot in range(section.high):
        layout = section.layouts[slot]
        if slot < len(genes):
            gene = genes[slot]
            inputs = places[slot]
            key = (section.name, slot, gene, inputs)
            box = slots.get(key) if slots is not None else None
            if box is None:
                box = _encode_gene(section, slot, gene, inputs, flat)
                if slots is not None:
                    slots[key] = box
            values += box
        else:
            values += [0.5] * len(layout)


def _encode_gene(
    section: Section, slot: int, gene: Gene, inputs: Inputs, flat: bool
) -> list[float]:
    """The coordinates of one slot."""
    layout = section.layouts[slot]
    box = [0.5] * len(layout)
    if "op" in layout:
        place = layout["op"]
        box[place] = section.op_to_unit(gene.op)
    if "inputs" in layout:
        place = layout["inputs"]
        box[place] = section.look_up.to_unit(slot, inputs)
    for name, value in gene.params:
        parameter = section.parameter(gene.op, name)
        if flat:
            parameter = parameter.flat
        box[layout[name]] = parameter.to_unit(value)
    return box


def deciding(space: SearchSpace, genome: Genome) -> Mask:
    """Which coordinates decide something about a genome; `encode` sets all others to 0.5.

    Returns:
        Shape (space.dimension,).
    """
    values: list[bool] = []
    for section in space.sections.values():
        genes = genome[section.name]
        if section.high > section.low:
            values.append(True)
        for slot, layout in enumerate(section.layouts):
            decided: set[str] = set()
            if slot < len(genes):
                decided = {"op", "inputs", *genes[slot].parameters}
            values += [key in decided for key in layout]
    return np.array(values, dtype=np.bool_)


def sample(space: SearchSpace, rng: np.random.Generator) -> Genome:
    """A genome drawn from the prior: the genome at a uniform point of the cube."""
    point = rng.random(space.dimension)
    return decode(space, point)
