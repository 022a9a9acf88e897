"""Samplers: what each promises about its points and refuses, and that rounds make one sequence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import qmc

from evonas.genome import parse_space, sample, validate
from evonas.randomness import generator
from evonas.search.sampling import (
    SAMPLERS,
    Design,
    Halton,
    Hammersley,
    LatinHypercube,
    PoissonDisk,
    Sobol,
    Uniform,
)
from evonas.search.sampling.discrepancy import discrepancy, expected
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem
from evonas.trial import Fidelity

PRIMES = (2, 3, 5, 7)


def radical_inverse(number: int, base: int) -> float:
    """The digits of a number mirrored at the point."""
    value, place = 0.0, 1.0
    while number:
        place /= base
        number, digit = divmod(number, base)
        value += digit * place
    return value


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("dimension", [1, 2, 6])
def test_points_are_in_the_cube_and_a_function_of_the_seed(name, dimension):
    sampler = SAMPLERS[name]()
    size = sampler.size(20)
    for round in (0, 1):
        points = sampler.points(dimension, size, 3, round)
        assert points.shape == (size, dimension)
        assert points.min() >= 0
        assert points.max() <= 1
        assert np.array_equal(points, SAMPLERS[name]().points(dimension, size, 3, round))
        assert not np.array_equal(points, sampler.points(dimension, size, 4, round))
    assert not np.array_equal(
        sampler.points(dimension, size, 3, 0), sampler.points(dimension, size, 3, 1)
    )


def test_uniform_is_what_random_search_always_drew(small_space, loss):
    strategy = RandomSearch(SearchProblem(small_space, loss, Fidelity(1), 7), RandomSettings())
    expected = [sample(small_space, generator(7, "sample", number)) for number in range(150)]
    assert [proposal.genome for proposal in strategy.ask(150)] == expected


def test_sobol_is_the_sequence_of_scipy_and_goes_on_from_round_to_round():
    whole = qmc.Sobol(5, scramble=False).random(256)
    rounds = [Sobol(scramble=False).points(5, 64, 0, round) for round in range(4)]
    assert np.array_equal(np.concatenate(rounds), whole)
    scrambled = np.concatenate([Sobol().points(5, 64, 0, round) for round in range(4)])
    for column in scrambled.T:  # each sixteenth of each coordinate has its share
        assert np.bincount((column * 16).astype(int), minlength=16).tolist() == [16] * 16


def test_halton_is_radical_inverses():
    rounds = np.concatenate([Halton(scramble=False).points(4, 10, 0, round) for round in range(3)])
    expected = [[radical_inverse(number, base) for base in PRIMES] for number in range(30)]
    assert rounds == pytest.approx(np.array(expected))
    one = np.concatenate([Halton().points(4, 10, 0, round) for round in range(3)])
    assert one == pytest.approx(Halton().points(4, 30, 0, 0))


def test_hammersley_is_its_formula():
    for round in (0, 1):
        points = Hammersley(scramble=False).points(4, 12, 0, round)
        numbers = range(12 * round, 12 * round + 12)
        expected = [
            [(i % 12) / 12, *(radical_inverse(i, base) for base in PRIMES[:3])] for i in numbers
        ]
        assert points == pytest.approx(np.array(expected))
    shuffled = Hammersley().points(4, 12, 0, 0)
    assert sorted((shuffled[:, 0] * 12).astype(int)) == list(range(12))
    assert (np.diff(shuffled[:, 0]) < 0).any()


@pytest.mark.parametrize("round", [0, 1])
def test_a_latin_hypercube_has_one_point_in_each_share_of_each_coordinate(round):
    points = LatinHypercube().points(9, 30, 5, round)
    assert all(sorted((column * 30).astype(int)) == list(range(30)) for column in points.T)


@pytest.mark.parametrize("dimension", [1, 2, 4, 7])
def test_points_of_a_poisson_disk_are_farther_apart_than_uniform_ones(dimension):
    def nearest(points):
        return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(points, 2))

    assert nearest(PoissonDisk().points(dimension, 24, 0, 0)) > 1.5 * nearest(
        Uniform().points(dimension, 24, 0, 0)
    )


def test_sets_have_as_many_points_as_the_budget_and_sequences_do_not_care():
    sizes = {
        name: [kind().size(total) for total in (None, 1, 50, 200, 10**6)]
        for name, kind in SAMPLERS.items()
    }
    assert sizes["latin_hypercube"] == sizes["hammersley"] == [64, 1, 50, 200, 4096]
    assert sizes["poisson_disk"] == [128, 1, 50, 128, 128]
    assert sizes["uniform"] == sizes["sobol"] == sizes["halton"] == [64] * 5


@pytest.mark.parametrize(
    ("name", "dimension", "words"),
    [
        ("poisson_disk", 8, ("at most 7 dimensions", "has 8")),
        ("sobol", 21_202, ("at most 21,201", "has 21,202")),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_dimension(name, dimension, words):
    sampler = SAMPLERS[name]()
    assert sampler.problem(dimension - 1) == ""
    assert all(word in sampler.problem(dimension) for word in words)
    with pytest.raises(ValueError, match=words[0]):
        discrepancy(sampler, dimension, 4, 0)


@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - {"poisson_disk"}))
def test_a_design_gives_valid_genomes_in_any_order(name, small_space):
    design = Design(SAMPLERS[name](), small_space, 20, 0)
    forward = [design[number] for number in range(90)]
    for genome in forward:
        validate(small_space, genome)
    again = Design(SAMPLERS[name](), small_space, 20, 0)
    assert [again[number] for number in reversed(range(90))] == forward[::-1]
    assert len({genome.digest for genome in forward}) > 30


def test_a_space_of_one_decision_can_be_sampled():
    text = """
space: one
input: vector
network: {a: {ops: {dense: {units: {choice: [4, 8]}}}}}
settings:
  optimizer: {ops: {adam: {learning_rate: 0.1}}}
  training: {ops: {training: {batch_size: 8}}}
"""
    space = parse_space(text, "one")
    assert space.dimension == 1
    for kind in SAMPLERS.values():
        assert len({Design(kind(), space, 8, 0)[number].digest for number in range(8)}) == 2


def test_low_discrepancy_has_a_low_discrepancy():
    values = {name: discrepancy(kind(), 2, 64, 0) for name, kind in SAMPLERS.items()}
    for name in ("sobol", "halton", "hammersley", "latin_hypercube"):
        assert values[name] < values["uniform"] / 3, values


def test_the_expected_discrepancy_is_the_mean_of_uniform_points():
    rng = np.random.default_rng(0)
    found = np.mean([qmc.discrepancy(rng.random((20, 5)), method="CD") for _ in range(400)])
    assert found == pytest.approx(expected(5, 20), rel=0.05)


def test_samplers_draw_from_nobody_elses_generators():
    import random

    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()
    for kind in SAMPLERS.values():
        kind().points(3, 16, 0, 0)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


@pytest.mark.parametrize("seed", range(4))
def test_a_scrambled_hammersley_is_shifted_as_a_whole_within_one_step(seed):
    """The first coordinate is i / n plus the same part of 1 / n, and the seed decides which."""
    first = np.sort(Hammersley().points(3, 10, seed, 0)[:, 0]) * 10
    shifts = first - np.arange(10)
    assert np.ptp(shifts) < 1e-9
    assert 0.001 < shifts[0] < 0.999
    other = np.sort(Hammersley().points(3, 10, seed + 1, 0)[:, 0]) * 10
    assert abs(other[0] - first[0]) > 0.001
