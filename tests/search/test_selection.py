"""Each selection scheme against its formula, by a chi-square or an exact test."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from evonas.search.selection import SELECTIONS, Best, Random, Rank, Roulette, StochasticUniversal
from evonas.trial import Objective

DRAWS = 20_000
LOSSES = [0.1, 0.2, 0.25, 0.5, 1.0, 2.0]


def agree(chosen, expected) -> None:
    """The counts of ids 0, 1, ... against their expected probabilities, at the 0.1 % level.

    Zeros are compared exactly.
    """
    counts = Counter(individual.id for individual in chosen)
    observed, expected = np.array([counts[i] for i in range(len(expected))]), np.array(expected)
    assert observed[expected == 0].sum() == 0
    assert observed.sum() == len(chosen)
    keep = expected > 0
    assert stats.chisquare(observed[keep], expected[keep] * len(chosen)).pvalue > 0.001


def inverse(losses):
    return [1 / loss / sum(1 / other for other in losses) for loss in losses]


def linear(n, pressure):
    return [(pressure - (2 * pressure - 2) * i / (n - 1)) / n for i in range(n)]


def test_roulette_is_inversely_proportional_to_the_loss(make_population):
    agree(
        Roulette().select(make_population(LOSSES), DRAWS, np.random.default_rng(0)), inverse(LOSSES)
    )


@pytest.mark.parametrize("scheme", [Roulette(), StochasticUniversal(shares="loss")])
def test_a_loss_of_zero_is_the_limit_of_the_formula(make_population, scheme):
    agree(
        scheme.select(make_population([0.5, 0.0, 1.0, 0.0]), DRAWS, np.random.default_rng(0)),
        [0, 0.5, 0, 0.5],
    )


@pytest.mark.parametrize("scheme", [Roulette(), StochasticUniversal(shares="loss")])
def test_losses_of_any_size_are_taken(make_population, scheme):
    tiny = [5e-324, 1e-323, 1e300]
    agree(scheme.select(make_population(tiny), DRAWS, np.random.default_rng(0)), [2 / 3, 1 / 3, 0])


@pytest.mark.parametrize("scheme", [Roulette(), StochasticUniversal(shares="loss")])
def test_what_is_no_loss_is_refused_with_the_reason(make_population, scheme):
    assert scheme.problem(Objective("val_loss", "min")) == ""
    assert scheme.problem(Objective("val_mean_absolute_error", "min")) == ""
    assert "maximised" in scheme.problem(Objective("val_accuracy", "max"))
    assert "never be negative" in scheme.problem(Objective("val_reward", "min"))
    with pytest.raises(ValueError, match="at least 0"):
        scheme.select(make_population([0.1, -0.1]), 1, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["tournament", "rank", "stochastic_universal", "best", "random"])
def test_the_others_take_any_objective(name):
    assert SELECTIONS[name]().problem(Objective("val_accuracy", "max")) == ""


@pytest.mark.parametrize("direction", ["min", "max"])
@pytest.mark.parametrize("pressure", [1.0, 1.5, 2.0])
def test_rank_is_linear_in_the_rank(make_population, pressure, direction):
    values = [0.0, 1e-9, 5.0, 5.0, 1e9] if direction == "min" else [1e9, 5.0, 1e-9, 1e-9, -3.0]
    chosen = Rank(pressure).select(
        make_population(values, direction), DRAWS, np.random.default_rng(0)
    )
    agree(chosen, linear(5, pressure))


def test_rank_does_not_depend_on_the_order_of_the_population(make_population):
    agree(
        Rank(2.0).select(make_population(LOSSES)[::-1], DRAWS, np.random.default_rng(0)),
        linear(6, 2.0),
    )


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        (StochasticUniversal(pressure=1.7), linear(6, 1.7)),
        (StochasticUniversal(shares="loss"), inverse(LOSSES)),
    ],
)
def test_universal_sampling_is_never_more_than_one_away_from_what_is_expected(
    make_population, scheme, expected
):
    population = make_population(LOSSES)
    for seed in range(50):
        for count in (1, 7, 16):
            counts = Counter(
                individual.id
                for individual in scheme.select(population, count, np.random.default_rng(seed))
            )
            assert sum(counts.values()) == count
            for id, share in enumerate(expected):
                assert (
                    math.floor(share * count - 1e-9)
                    <= counts[id]
                    <= math.ceil(share * count + 1e-9)
                )


def test_every_place_of_universal_sampling_is_drawn_alike(make_population):
    population = make_population(LOSSES)
    scheme = StochasticUniversal(shares="loss")
    drawn = [scheme.select(population, 8, np.random.default_rng(seed)) for seed in range(3000)]
    for place in (0, 7):
        agree([chosen[place] for chosen in drawn], inverse(LOSSES))


def test_best_takes_the_few_best_alike(make_population):
    values = [0.5, 0.1, 0.3, 0.3, 0.2]
    chosen = Best(3).select(make_population(values), DRAWS, np.random.default_rng(0))
    agree(chosen, [0, 1 / 3, 1 / 3, 0, 1 / 3])
    assert {
        individual.id
        for individual in Best(9).select(make_population([1.0, 2.0]), 50, np.random.default_rng(0))
    } == {
        0,
        1,
    }


def test_random_is_uniform(make_population):
    agree(Random().select(make_population(LOSSES), DRAWS, np.random.default_rng(0)), [1 / 6] * 6)


@pytest.mark.parametrize("name", SELECTIONS)
def test_every_scheme_chooses_as_many_as_asked_for_from_one_or_more(make_population, name):
    for values in ([0.3], [0.3, 0.3], [0.0, 0.0, 1.0], LOSSES):
        population = make_population(values)
        before = list(population)
        for count in (1, 8, 33):
            chosen = SELECTIONS[name]().select(population, count, np.random.default_rng(count))
            assert len(chosen) == count
            assert {individual.id for individual in chosen} <= {
                individual.id for individual in population
            }
        assert population == before
