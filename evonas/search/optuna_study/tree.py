"""Genomes as Optuna sees them: trees of conditional parameters.

This module imports Optuna.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from evonas.genome import Choice, Genome, SearchSpace, decode, encode
from evonas.genome.encoding import Point
from evonas.genome.parameters import Number, Parameter
from evonas.genome.space import Section

UNIT = FloatDistribution(0.0, 1.0)

Parameters = tuple[dict[str, Any], dict[str, BaseDistribution]]
"""Values and distributions, by name."""


class Tree:
    """Decisions in the order in which they arise, and only those that the genome needs.

    A gene that is not there has no parameters. A gene that is there has the parameters of its own
    op.

    Ops, wirings and words are categories. Lengths and choices between numbers are whole numbers.
    A number in a range is a float in [0, 1] on its own scale. If it can be `off`, a category for
    that comes first.

    What is shown of a genome is a function of the genome alone. So a trial looks the same when it
    waits, when it is told, and after a resume.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def suggested(self, trial: Trial) -> Genome:
        """The genome that the sampler suggests for this trial of a study."""
        # A coordinate that decides nothing stays in the middle.
        point = np.full(self.space.dimension, 0.5)
        # The steps depend on the point: each decision must be in it before the next step is made.
        for step in _steps(self.space, point):
            value = _suggest(trial, step.name, step.distribution)
            point[step.index] = step.place(value)
        return decode(self.space, point)

    def parameters(self, genome: Genome) -> Parameters:
        """What must have been suggested for this genome."""
        point = encode(self.space, genome)
        values: dict[str, Any] = {}
        distributions: dict[str, BaseDistribution] = {}
        for step in _steps(self.space, point):
            place = float(point[step.index])
            values[step.name] = step.value(place)
            distributions[step.name] = step.distribution
        return values, distributions


def _suggest(trial: Trial, name: str, distribution: BaseDistribution) -> Any:
    """The value that the sampler suggests for one parameter."""
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(name, distribution.low, distribution.high)
    return trial.suggest_float(name, 0.0, 1.0)


@dataclass(frozen=True)
class _Step:
    """One decision.

    Attributes:
        name: name of the parameter in Optuna.
        distribution: values that Optuna may suggest.
        index: index of the coordinate that the decision is about.
        value: what Optuna is shown for a place on the coordinate.
        place: the place on the coordinate for a value of Optuna's.
    """

    name: str
    distribution: BaseDistribution
    index: int
    value: Callable[[float], Any]
    place: Callable[[Any], float]


def _pick(name: str, index: int, places: Sequence[float], ordered: bool) -> _Step:
    """A decision between a few places."""
    count = len(places)
    distribution: BaseDistribution
    if ordered:
        distribution = IntDistribution(0, count - 1)
    else:
        distribution = CategoricalDistribution(tuple(range(count)))
    # Optuna sees the number of a place. An encoded genome lies exactly on one of the places, so
    # that `index` finds it.
    return _Step(name, distribution, index, places.index, places.__getitem__)


def _steps(space: SearchSpace, point: Point) -> Iterator[_Step]:
    """The decisions about a genome.

    The caller puts each decision into the point before it takes the next step.
    """
    for section in space.sections.values():
        length = section.low
        options = section.high - section.low + 1
        if options > 1:
            index = space.index[section.name, -1, "length"]
            places = [(i + 0.5) / options for i in range(options)]
            yield _pick(f"{section.name} length", index, places, True)
            # At the place 1.0 the product is one too large.
            added = min(int(point[index] * options), options - 1)
            length += added
        for slot in range(length):
            start = _start(space, section, slot)
            yield from _gene_steps(section, slot, start, point)


def _start(space: SearchSpace, section: Section, slot: int) -> int:
    """The index of the first coordinate of the gene at a slot; 0 if the gene has none."""
    layout = section.layouts[slot]
    if not layout:
        return 0
    first = next(iter(layout))
    return space.index[section.name, slot, first]


def _gene_steps(section: Section, slot: int, start: int, point: Point) -> Iterator[_Step]:
    """The decisions about the gene at a slot, whose coordinates begin at `start`."""
    layout = section.layouts[slot]
    look_up = section.look_up
    name = f"{section.name}[{slot}]"
    legal = section.legal(slot)
    # Without a coordinate for it there is a single op, and a single choice of inputs.
    op = next(iter(section.ops.values()))
    inputs = legal[0]
    if "op" in layout:
        index = start + layout["op"]
        places = [section.op_to_unit(word) for word in section.ops]
        yield _pick(f"{name} op", index, places, False)
        place = float(point[index])
        op = section.op_from_unit(place)
    if "inputs" in layout:
        index = start + layout["inputs"]
        places = [look_up.to_unit(slot, one) for one in legal]
        yield _pick(f"{name} inputs", index, places, False)
        place = float(point[index])
        inputs = look_up.from_unit(slot, place)
    if inputs and section.merge is not None:
        index = start + layout["merge"]
        yield from _parameter_steps(f"{name} merge", index, section.merge, point)
    for key, parameter in op.parameters.items():
        index = start + layout[key]
        # Ops share coordinates. The op in the name keeps their parameters apart for Optuna.
        yield from _parameter_steps(f"{name} {op.name} {key}", index, parameter, point)


def _parameter_steps(name: str, index: int, parameter: Parameter, point: Point) -> Iterator[_Step]:
    """The decisions about one parameter: none if it has a single value."""
    if isinstance(parameter, Choice):
        if len(parameter.values) > 1:
            places = [parameter.to_unit(value) for value in parameter.values]
            yield _pick(name, index, places, parameter.ordered)
        return
    assert isinstance(parameter, Number)
    # The places below `low` mean `off`. The rest of the coordinate is the scale of the number.
    low = 0.0
    if parameter.off is not None:
        low = parameter.off_share
        yield _on_or_off(name, index, low)
        if point[index] < low:
            return
    yield _on_scale(name, index, low)


def _on_or_off(name: str, index: int, low: float) -> _Step:
    """The decision whether a number is `off`, which it is at the places below `low`."""

    def value(place: float) -> int:
        return int(place >= low)

    def place(is_on: int) -> float:
        return low if is_on else low / 2

    return _Step(f"{name} on", CategoricalDistribution((0, 1)), index, value, place)


def _on_scale(name: str, index: int, low: float) -> _Step:
    """The decision about a number, whose scale begins at the place `low`."""
    width = 1 - low

    def value(place: float) -> float:
        return (place - low) / width

    def place(unit: float) -> float:
        return low + unit * width

    return _Step(name, UNIT, index, value, place)
