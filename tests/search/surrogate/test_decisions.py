"""Decisions: what the squared distance within a group means."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.genome import decode, parse_space
from evonas.search.surrogate import Features
from evonas.search.surrogate.decisions import decisions

SPACE = """
space: some
input: vector
network:
  layers: {length: [1, 3], ops: {dense: {units: {int: [1, 100]}, act: {choice: [a, b, c]}}}}
  head: {length: 2, ops: {x: {}, y: {}, z: {}}}
settings:
  optimizer: {ops: {sgd: {batch: {choice: [16, 32, 64]}, rate: {float: [1e-3, 1.0], log: true}}}}
"""


@pytest.fixture
def space():
    return parse_space(SPACE, "some.yaml")


def apart(space, first, second):
    """The squared distance within each group, by the group's first coordinate."""
    found = decisions(space)
    genomes = [decode(space, np.array(point)) for point in (first, second)]
    a, b = found.columns(Features(space, 1).points(genomes))
    squares = {}
    for group in range(found.count):
        own = found.groups == group
        place = int(found.places[own][0])
        squares[space.coordinates[place]] = float(np.sum((a[own] - b[own]) ** 2))
    return squares


def test_a_variable_section_shares_its_groups_and_a_fixed_one_does_not(space):
    groups = apart(space, [0.5] * space.dimension, [0.5] * space.dimension)
    assert set(groups) == {
        ("layers", -1, "length"),
        ("layers", 0, "act"),
        ("layers", 0, "units"),
        ("head", 0, "op"),
        ("head", 1, "op"),
        ("optimizer", 0, "batch"),
        ("optimizer", 0, "rate"),
    }
    assert not any(groups.values())


def test_a_distance_is_the_mean_square_of_numbers_and_the_share_of_words(space):
    first = [0.5] * space.dimension
    first[space.index["layers", -1, "length"]] = 0.9
    second = list(first)
    second[space.index["layers", 0, "units"]] = 0.805
    second[space.index["layers", 1, "act"]] = 0.9
    second[space.index["head", 1, "op"]] = 0.1
    groups = apart(space, first, second)
    assert groups.pop(("layers", 0, "act")) == pytest.approx(1 / 3), "one word of three"
    assert groups.pop(("head", 1, "op")) == pytest.approx(1)
    assert groups.pop(("layers", 0, "units")) == pytest.approx(0.3**2 / 3, abs=1e-2)
    assert not any(groups.values())
