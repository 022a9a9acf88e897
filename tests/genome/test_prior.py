"""Priors: what is likely is drawn often, everything else stays possible, and steps stay steps."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from evonas.genome import Choice, Number, decode, encode, parse_space, sample
from evonas.genome.parameters import OFF_SHARE
from evonas.genome.prior import FLOOR, Prior
from evonas.search.lattice import places

RATE = Number(1e-5, 1.0, log=True, prior=Prior(1e-3, 3.0))
EVEN = (np.arange(20_000) + 0.5) / 20_000
"""Places of the unit interval, as evenly as uniform draws are on average."""

TEXT = """
space: s
input: vector
network:
  layers:
    length: [1, 3]
    ops:
      dense:
        units: {{int: [8, 512], log: true{units}}}
        dropout: {{float: [0.1, 0.5], off: 0.0{dropout}}}
        activation: {{choice: [relu, tanh, elu]{activation}}}
        width: {{choice: [4, 1, 2]{width}}}
"""
PLAIN = parse_space(TEXT.format(units="", dropout="", activation="", width=""), "plain.yaml")
PRIOR = parse_space(
    TEXT.format(
        units=", prior: {median: 64, spread: 2}",
        dropout=", prior: {median: 0.2, spread: 0.05, off: 0.6}",
        activation=", prior: {relu: 6}",
        width=", prior: [7, 1, 2]",
    ),
    "prior.yaml",
)


def test_two_thirds_of_the_draws_are_within_one_spread_of_the_median() -> None:
    drawn = np.array([RATE.from_unit(u) for u in EVEN])
    # the even floor draws the middle a little towards that of the range
    assert np.median(drawn) == pytest.approx(1e-3, rel=0.05)
    within = np.mean((drawn > 1e-3 / 3) & (drawn < 3e-3))
    # of the curve 68 %, and of the even floor what the width of two spreads is of the range
    expected = (1 - FLOOR) * 0.6827 + FLOOR * 2 * math.log(3) / math.log(1e5)
    assert within == pytest.approx(expected, abs=0.005)


def test_nothing_that_is_allowed_is_impossible() -> None:
    drawn = np.array([RATE.from_unit(u) for u in EVEN])
    highest = np.mean(drawn > 0.1)
    assert highest == pytest.approx(FLOOR / 5, rel=0.1), "a fifth of the scale, of the floor alone"
    assert (RATE.from_unit(0.0), RATE.from_unit(1.0)) == (1e-5, 1.0)


def test_a_linear_range_and_its_off() -> None:
    dropout = Number(0.0, 0.8, off=-1.0, prior=Prior(0.2, 0.1), off_share=0.6)
    drawn = np.array([dropout.from_unit(u) for u in EVEN])
    assert np.mean(drawn == -1.0) == pytest.approx(0.6, abs=0.001)
    on = drawn[drawn >= 0]
    # what the range cuts off lies below the median, so that the middle of the rest is higher
    assert 0.2 < np.median(on) < 0.24
    # a share without a curve: the rest of the draws is even, as ever
    only = Number(0.0, 0.8, off=-1.0, off_share=0.6)
    assert only.from_unit(0.8) == 0.4
    assert Number(0.0, 0.8, off=-1.0).off_share == OFF_SHARE


def test_words_are_drawn_by_weight() -> None:
    words = Choice(("relu", "tanh", "elu"), (6.0, 1.0, 1.0))
    count = Counter(words.from_unit(u) for u in EVEN)
    assert count["relu"] / len(EVEN) == pytest.approx(0.75, abs=0.001)
    assert [words.from_unit(words.to_unit(word)) for word in words.values] == [*words.values]


def test_a_step_means_the_same_with_and_without_a_prior() -> None:
    """A mutation of a rate is a factor, wherever the rate is, and whatever is likely."""
    plain = Number(1e-5, 1.0, log=True)
    for seed in range(40):
        for value in (1e-5, 1e-3, 0.5):
            steps = [one.perturb(value, np.random.default_rng(seed)) for one in (RATE, plain)]
            assert steps[0] == steps[1]
    numbers = Choice((1, 2, 4, 8), (1.0, 1.0, 1.0, 900.0))
    moved = {numbers.perturb(2, np.random.default_rng(seed)) for seed in range(40)}
    assert moved == {1, 4}


def test_another_word_is_a_fresh_draw() -> None:
    words = Choice(("relu", "tanh", "elu"), (1.0, 1.0, 9.0))
    rng = np.random.default_rng(0)
    count = Counter(words.perturb("relu", rng) for _ in range(500))
    assert set(count) == {"tanh", "elu"}
    assert count["elu"] > 5 * count["tanh"]


def test_samples_of_a_space_follow_its_priors_and_come_back() -> None:
    rng = np.random.default_rng(0)
    genomes = [sample(PRIOR, rng) for _ in range(300)]
    assert all(decode(PRIOR, encode(PRIOR, genome)) == genome for genome in genomes)
    first = [genome["layers"][0] for genome in genomes]
    assert 55 < np.median([gene["units"] for gene in first]) < 75
    assert 0.5 < np.mean([gene["dropout"] == 0.0 for gene in first]) < 0.7
    assert 0.67 < np.mean([gene["activation"] == "relu" for gene in first]) < 0.83
    # numbers are put in order, and their weights with them
    assert 0.6 < np.mean([gene["width"] == 4 for gene in first]) < 0.8


def test_surrogates_see_the_scale_and_not_the_prior() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        genome = sample(PRIOR, rng)
        assert (encode(PRIOR, genome, flat=True) == encode(PLAIN, genome)).all()
        assert (encode(PRIOR, genome) != encode(PLAIN, genome)).any()


def test_a_grid_asks_for_all_of_a_range() -> None:
    plain = PLAIN["layers"].ops["dense"].parameters
    for name, parameter in PRIOR["layers"].ops["dense"].parameters.items():
        values = [parameter.from_unit(u) for u in places(parameter, 5)]
        assert values == [plain[name].from_unit(u) for u in places(plain[name], 5)]


def test_what_is_likely_in_words() -> None:
    parameters = PRIOR["layers"].ops["dense"].parameters
    assert [one.likely for one in parameters.values()] == [
        "about 64 within a factor of 2",
        "about 0.2 give or take 0.05, off in 60 % of draws",
        "drawn as 6, 1, 1",
        "drawn as 1, 2, 7",
    ]
    assert all(one.likely == "" for one in PLAIN["layers"].ops["dense"].parameters.values())
