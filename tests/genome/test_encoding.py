from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.genome import Genome, SearchSpace, decode, encode, sample, validate
from evonas.genome.encoding import deciding

Bred = Callable[[SearchSpace, int], Genome]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    corners=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=40),
)
def test_every_point_is_a_valid_genome_that_comes_back(
    space: SearchSpace, seed: int, corners: list[float]
) -> None:
    rng = np.random.default_rng(seed)
    point = rng.random(space.dimension)
    places = rng.permutation(space.dimension)[: len(corners)]
    point[places] = corners[: len(places)]
    genome = decode(space, point)
    validate(space, genome)
    assert decode(space, encode(space, genome)) == genome


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_bred_genomes_come_back(space: SearchSpace, bred: Bred, seed: int) -> None:
    genome = bred(space, seed)
    point = encode(space, genome)
    assert point.shape == (space.dimension,)
    assert ((point >= 0) & (point <= 1)).all()
    assert decode(space, point) == genome
    assert (encode(space, decode(space, point)) == point).all()


@pytest.mark.parametrize("u", [0.0, 1.0])
def test_the_corners_are_valid(space: SearchSpace, u: float) -> None:
    genome = decode(space, np.full(space.dimension, u))
    validate(space, genome)
    assert decode(space, encode(space, genome)) == genome


def test_inactive_coordinates_are_a_half(convnet: SearchSpace) -> None:
    point = np.zeros(convnet.dimension)  # one conv2d; no head; sgd
    encoded = encode(convnet, decode(convnet, point))
    for coordinate, i in convnet.index.items():
        if coordinate[:2] in {("features", 5), ("head", 0)} or coordinate == (
            "optimizer",
            0,
            "momentum",
        ):
            assert encoded[i] == 0.5
    assert encoded[convnet.index["features", 0, "op"]] == pytest.approx(2 / 6)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_coordinates_that_decide_nothing_make_no_difference(
    space: SearchSpace, bred: Bred, seed: int
) -> None:
    genome = bred(space, seed)
    decides = deciding(space, genome)
    assert decides.shape == (space.dimension,)
    elsewhere = np.random.default_rng(seed).random(space.dimension)
    point = np.where(decides, encode(space, genome), elsewhere)
    assert decode(space, point) == genome


def test_every_other_coordinate_can_make_another_genome(space: SearchSpace, bred: Bred) -> None:
    genome = bred(space, 7)
    place = encode(space, genome)
    for i in np.flatnonzero(deciding(space, genome)):
        points = (np.where(np.arange(len(place)) == i, u, place) for u in np.linspace(0, 1, 101))
        # the ends of the cube differ nearly always, so that this stops at once
        assert any(decode(space, point) != genome for point in points), space.coordinates[i]


def test_parameters_of_one_name_share_a_coordinate(convnet: SearchSpace) -> None:
    point = np.full(convnet.dimension, 0.5)
    point[convnet.index["optimizer", 0, "learning_rate"]] = 0.0
    rates = {}
    for u in np.linspace(0.02, 0.98, 25):
        point[convnet.index["optimizer", 0, "op"]] = u
        gene = decode(convnet, point)["optimizer"][0]
        rates[gene.op] = gene["learning_rate"]
    assert rates == {"sgd": 1e-3, "momentum": 1e-3, "adam": 1e-5}


def test_sampling_repeats_with_its_generator(space: SearchSpace) -> None:
    first, again, other = (sample(space, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_points_of_another_shape_or_without_a_number_are_refused(convnet: SearchSpace) -> None:
    with pytest.raises(ValueError, match="124 numbers"):
        decode(convnet, np.zeros(3))
    with pytest.raises(ValueError, match="124 numbers"):
        decode(convnet, np.full(convnet.dimension, np.nan))
    below = decode(convnet, np.full(convnet.dimension, -1e-9))
    assert below == decode(convnet, np.zeros(convnet.dimension))
