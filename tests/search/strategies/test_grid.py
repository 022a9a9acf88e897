"""Grid search: each combination exactly once; a grid beyond the budget is refused with its size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evonas.genome import Choice, Number, decode, parse_space, validate
from evonas.genome.census import census
from evonas.search.lattice import Lattice, places
from evonas.search.strategies.grid import LARGEST, Grid, GridSettings
from evonas.search.strategy import SearchProblem
from evonas.trial import Fidelity

WIRED = """
space: wired
input: image
network:
  features:
    length: [0, 3]
    wiring: skip
    max_skips: 2
    merge: {choice: [add, concat]}
    ops:
      conv2d: {filters: {choice: [4, 8]}, dropout: {float: [0.1, 0.5], off: 0.0}}
      max_pooling: {}
  bridge: {ops: {flatten: {}}}
settings:
  optimizer: {ops: {adam: {learning_rate: 0.1}}}
  training: {ops: {training: {batch_size: 16}}}
"""

CELLS = """
space: cellular
input: image
cells:
  normal:
    length: [1, 2]
    wiring: dag
    inputs: 2
    ops: {pair: {left: {choice: [identity, max_3x3]}, right: identity}}
network:
  stem: {ops: {conv2d: {filters: 8, kernel_size: 3}}}
  stack: {length: [1, 2], ops: {normal: {stride: {choice: [1, 2]}}}}
  bridge: {ops: {flatten: {}}}
settings:
  optimizer: {ops: {adam: {learning_rate: {int: [1, 2]}}}}
  training: {ops: {training: {batch_size: 16}}}
"""


def problem(space, loss, trials: int | None = None, seed: int = 0) -> SearchProblem:
    return SearchProblem(space, loss, Fidelity(1), seed, {}, trials)


def values(parameter, levels: int) -> list[object]:
    return [parameter.from_unit(u) for u in places(parameter, levels)]


def test_levels_are_evenly_spaced_and_have_both_ends():
    assert values(Number(1e-4, 1.0, log=True), 5) == [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    assert values(Number(0.0, 1.0), 3) == [0.0, 0.5, 1.0]
    assert values(Number(0.0, 1.0), 1) == [0.5]
    assert values(Number(0.1, 0.5, off=0.0), 2) == [0.0, 0.1, 0.5]
    assert values(Number(16, 256, log=True, integer=True), 3) == [16, 63, 256]
    assert values(Number(2, 4, integer=True), 9) == [2, 3, 4], "no value twice"
    assert values(Choice(("relu", "tanh")), 9) == ["relu", "tanh"]
    assert values(Choice((4, 8, 16)), 1) == [4, 8, 16]


@pytest.mark.parametrize(("text", "levels"), [(WIRED, 1), (CELLS, 9)])
def test_a_lattice_is_every_genome_once(text, levels):
    space = parse_space(text, "space")
    lattice = Lattice(space, lambda name: levels)
    genomes = [decode(space, np.array(lattice[number])) for number in range(lattice.size)]
    digests = {genome.digest for genome in genomes}
    assert len(digests) == lattice.size == math.prod(lattice.sizes.values())
    if text == CELLS:
        assert lattice.size == census(space), (
            "nothing but choices and few integers: the grid is the whole space"
        )
    for genome in genomes[::17]:
        validate(space, genome)


def test_the_lattice_of_a_wired_space_counts_what_the_census_counts():
    space = parse_space(WIRED, "space")
    assert Lattice(space, lambda name: 1).size == census(space), (
        "there, a float is one value, or two with off"
    )


def test_the_grid_is_proposed_once_in_an_order_of_the_seed_and_then_it_is_done(small_space, loss):
    grid = Grid(problem(small_space, loss, 336), GridSettings())
    found = []
    while not grid.is_done:
        found += grid.ask(7)
    assert len(found) == len({proposal.genome.digest for proposal in found}) == 336
    genes = [gene for proposal in found for gene in proposal.genome["optimizer"]]
    rates = {gene["learning_rate"] for gene in genes if gene.op == "sgd"}
    assert rates == {0.001, 0.03162, 1.0}
    assert grid.ask(1) == []
    other = Grid(problem(small_space, loss, 336, seed=1), GridSettings())
    again = other.ask(400)
    assert [p.genome for p in again] != [p.genome for p in found]
    assert {p.genome.digest for p in again} == {p.genome.digest for p in found}


def test_levels_by_name(small_space, loss):
    assert GridSettings({"learning_rate": 5}).lattice(small_space).size == 42 * (5 + 1) * 2
    assert GridSettings(1).lattice(small_space).size == 42 * (1 + 1) * 2
    assert GridSettings({}).lattice(small_space).size == 336


def test_a_grid_beyond_the_budget_is_refused_with_its_size(small_space, loss):
    assert GridSettings().misfits(problem(small_space, loss, 336)) == {}
    assert GridSettings().misfits(problem(small_space, loss)) == {}
    message = GridSettings().misfits(problem(small_space, loss, 96))["levels"]
    assert (
        "42 (layers) * 4 (optimizer) * 2 (training) = 336 genomes, and the budget is 96 trials"
        in message
    )
    huge = GridSettings(20_000).misfits(problem(small_space, loss))["levels"]
    assert f"at most {LARGEST:,} can be" in huge


def test_a_name_that_is_no_parameter_is_refused(small_space, loss):
    message = GridSettings({"learning_rat": 2}).misfits(problem(small_space, loss))["levels"]
    assert "no parameter" not in message
    assert "'learning_rat'. Did you mean 'learning_rate'?" in message
    assert "batch_size" in message
