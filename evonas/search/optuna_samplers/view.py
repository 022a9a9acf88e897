"""Genomes as Optuna sees them: points of the unit cube, or trees of conditional parameters.

This module imports Optuna.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from evonas.genome.parameters import OFF_SHARE, Number, Parameter
from evonas.genome.space import Section

UNIT = FloatDistribution(0.0, 1.0)

Parameters = tuple[dict[str, Any], dict[str, BaseDistribution]]
"""Values and distributions, by name."""


class View(ABC):
    """How genomes of a space look to a sampler. What is shown of a genome is a function of the genome alone, so that a
    trial looks the same when it waits, when it is told, and after a resume."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    @property
    def cube(self) -> Mapping[str, BaseDistribution]:
        """The parameters, where every trial has all of them; else empty."""
        return {}

    @abstractmethod
    def suggested(self, trial: Trial) -> Genome:
        """The genome that the sampler suggests for this trial of a study."""

    @abstractmethod
    def parameters(self, genome: Genome) -> Parameters:
        """What must have been suggested for this genome."""


class Cube(View):
    """Every coordinate of the unit cube is a float in [0, 1], whether it decides something in this genome or not. What
    decides nothing is shown as 0.5, the rest as the middle of the places that give the same genome."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(space)
        self._cube = {f"{section}[{slot}] {key}": UNIT for section, slot, key in space.coordinates}

    @property
    def cube(self) -> Mapping[str, BaseDistribution]:
        return self._cube

    def suggested(self, trial: Trial) -> Genome:
        return decode(
            self.space, np.array([trial.suggest_float(name, 0.0, 1.0) for name in self._cube])
        )

    def parameters(self, genome: Genome) -> Parameters:
        return dict(zip(self._cube, encode(self.space, genome).tolist(), strict=True)), {
            **self._cube
        }


class Tree(View):
    """Decisions in the order in which they arise, and only those: a gene that is not there has no parameters, and one
    that is there has those of its own op.

    Ops, wirings and words are categories, lengths and choices between numbers are whole numbers, and a number in a
    range is a float in [0, 1] on its own scale, after a category for its `off`, if it has one.
    """

    def suggested(self, trial: Trial) -> Genome:
        point = np.full(self.space.dimension, 0.5)
        for step in _steps(self.space, point):
            point[step.index] = step.place(_suggest(trial, step.name, step.distribution))
        return decode(self.space, point)

    def parameters(self, genome: Genome) -> Parameters:
        point = encode(self.space, genome)
        steps = list(_steps(self.space, point))
        values = {step.name: step.value(float(point[step.index])) for step in steps}
        return values, {step.name: step.distribution for step in steps}


def _suggest(trial: Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(name, distribution.low, distribution.high)
    return trial.suggest_float(name, 0.0, 1.0)


@dataclass(frozen=True)
class _Step:
    """One decision.

    Attributes:
        index: of the coordinate that it is about.
        value: what Optuna is shown for a place on the coordinate.
        place: the place for a value of Optuna's.
    """

    name: str
    distribution: BaseDistribution
    index: int
    value: Callable[[float], Any]
    place: Callable[[Any], float]


def _pick(name: str, index: int, places: Sequence[float], ordered: bool) -> _Step:
    """A decision between a few places."""
    count = len(places)
    distribution = (
        IntDistribution(0, count - 1) if ordered else CategoricalDistribution(tuple(range(count)))
    )
    return _Step(name, distribution, index, places.index, places.__getitem__)


def _steps(space: SearchSpace, point: Point) -> Iterator[_Step]:
    """The decisions about a genome. Who walks through them puts each one into the point before taking the next."""
    for section in space.sections.values():
        length, options = section.low, section.high - section.low + 1
        if options > 1:
            index = space.index[section.name, -1, "length"]
            yield _pick(
                f"{section.name} length", index, [(i + 0.5) / options for i in range(options)], True
            )
            length += min(int(point[index] * options), options - 1)
        for slot in range(length):
            start = (
                space.index[section.name, slot, next(iter(section.layouts[slot]))]
                if section.layouts[slot]
                else 0
            )
            yield from _gene_steps(section, slot, start, point)


def _gene_steps(section: Section, slot: int, start: int, point: Point) -> Iterator[_Step]:
    """The decisions about the gene at a slot, whose coordinates begin at `start`."""
    layout, look_up, name = section.layouts[slot], section.look_up, f"{section.name}[{slot}]"
    op, inputs = next(iter(section.ops.values())), section.legal(slot)[0]
    if "op" in layout:
        index = start + layout["op"]
        yield _pick(f"{name} op", index, [section.op_to_unit(word) for word in section.ops], False)
        op = section.op_from_unit(float(point[index]))
    if "inputs" in layout:
        index = start + layout["inputs"]
        yield _pick(
            f"{name} inputs",
            index,
            [look_up.to_unit(slot, one) for one in section.legal(slot)],
            False,
        )
        inputs = look_up.from_unit(slot, float(point[index]))
    if inputs and section.merge is not None:
        yield from _parameter_steps(f"{name} merge", start + layout["merge"], section.merge, point)
    for key, parameter in op.parameters.items():
        yield from _parameter_steps(
            f"{name} {op.name} {key}", start + layout[key], parameter, point
        )


def _parameter_steps(name: str, index: int, parameter: Parameter, point: Point) -> Iterator[_Step]:
    if isinstance(parameter, Choice):
        if len(parameter.values) > 1:
            yield _pick(
                name,
                index,
                [parameter.to_unit(value) for value in parameter.values],
                parameter.ordered,
            )
        return
    assert isinstance(parameter, Number)
    low = 0.0
    if parameter.off is not None:
        low = OFF_SHARE
        both = CategoricalDistribution((0, 1))
        yield _Step(
            f"{name} on", both, index, lambda u: int(u >= low), lambda on: low if on else low / 2
        )
        if point[index] < low:
            return
    yield _Step(name, UNIT, index, lambda u: (u - low) / (1 - low), lambda x: low + x * (1 - low))
