"""The unit cube: every decision about a genome has a coordinate, so every sampler shares one prior.

`decode(space, encode(space, genome)) == genome` for every valid genome, and every point of the cube is a valid genome.
Coordinates that decide nothing (of absent genes, of other ops' parameters) are encoded as 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evonas.genome.genome import Gene, Genome, Value, positions
from evonas.genome.space import SearchSpace, Section

Point = NDArray[np.float64]


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
            f"a point of {space.name} has {space.dimension} numbers in [0, 1]. Received: {point!r:.200}"
        )
    values: list[float] = np.clip(point, 0.0, 1.0).tolist()
    start, sections = 0, []
    for section in space.sections.values():
        genes, start = _decode_section(section, values, start)
        sections.append((section.name, genes))
    return Genome(tuple(sections))


def _decode_section(
    section: Section, values: list[float], start: int
) -> tuple[tuple[Gene, ...], int]:
    """The genes of a section, and where the next section's coordinates start."""
    length = section.low
    if section.high > section.low:
        options = section.high - section.low + 1
        length += min(int(values[start] * options), options - 1)
        start += 1
    genes = []
    for slot in range(section.high):
        layout = section.layouts[slot]
        if slot < length:
            genes.append(_decode_gene(section, slot, layout, values[start : start + len(layout)]))
        start += len(layout)
    return tuple(genes), start


def _decode_gene(
    section: Section, slot: int, layout: Mapping[str, int], values: list[float]
) -> Gene:
    op = section.op_from_unit(values[layout["op"]] if "op" in layout else 0.0)
    params: dict[str, Value] = {
        name: p.from_unit(values[layout[name]]) for name, p in op.parameters.items()
    }
    look_up = section.look_up
    inputs = (
        look_up.from_unit(slot, values[layout["inputs"]])
        if "inputs" in layout
        else look_up.legal(slot)[0]
    )
    if inputs and section.merge is not None:
        params["merge"] = section.merge.from_unit(values[layout["merge"]])
    return Gene.make(op.name, params, (position + 1 for position in inputs), slot + 1)


def encode(space: SearchSpace, genome: Genome) -> Point:
    """The point of a genome, in the middle of the box of points that decode to it.

    Returns:
        Shape (space.dimension,), in [0, 1].

    Raises:
        KeyError, ValueError: the genome is not valid in this space.
    """
    values: list[float] = []
    for section in space.sections.values():
        _encode_section(section, genome[section.name], values)
    return np.array(values, dtype=np.float64)


def _encode_section(section: Section, genes: tuple[Gene, ...], values: list[float]) -> None:
    if section.high > section.low:
        values.append((len(genes) - section.low + 0.5) / (section.high - section.low + 1))
    places = positions(genes)
    for slot in range(section.high):
        layout = section.layouts[slot]
        box = [0.5] * len(layout)
        if slot < len(genes):
            gene = genes[slot]
            if "op" in layout:
                box[layout["op"]] = section.op_to_unit(gene.op)
            if "inputs" in layout:
                box[layout["inputs"]] = section.look_up.to_unit(slot, places[slot])
            for name, value in gene.params:
                box[layout[name]] = section.parameter(gene.op, name).to_unit(value)
        values += box


def sample(space: SearchSpace, rng: np.random.Generator) -> Genome:
    """A genome drawn from the prior: the one at a uniform point of the cube."""
    return decode(space, rng.random(space.dimension))
