"""The kinds of crossover that a config names: each is its function, with the main parent first."""

from __future__ import annotations

import pytest

from evonas.genome import cross, parse_space, sample, validate
from evonas.genome.crossover import uniform
from evonas.randomness import generator
from evonas.search.crossover import CROSSOVERS
from evonas.search.crossover.one_point import one_point
from evonas.search.crossover.sections import sections

SPACE = """
space: two
input: vector
network:
  body: {length: [3, 6], ops: {dense: {units: {int: [4, 64]}}, wide: {units: {int: [64, 256]}}}}
  head: {length: [1, 3], ops: {dense: {units: {int: [4, 64]}}}}
"""
FUNCTIONS = {"uniform": uniform, "one_point": one_point, "sections": sections}


def test_every_kind_is_known():
    assert set(CROSSOVERS) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_kind_is_its_function_with_the_main_parent_first(name):
    space = parse_space(SPACE, "two.yaml")
    turned = 0
    for seed in range(20):
        first, second = (sample(space, generator(seed, "sample", i)) for i in range(2))
        kind = FUNCTIONS[name]
        child = CROSSOVERS[name]().cross(space, first, second, generator(seed, "child"))
        assert child == cross(space, first, second, generator(seed, "child"), kind)
        validate(space, child)
        turned += child != cross(space, second, first, generator(seed, "child"), kind)
    assert turned > 10, "or the order of the parents makes no difference here"
