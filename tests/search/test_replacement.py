"""Each replacement scheme: exactly who lives on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evonas.search.replacement import (
    REPLACEMENTS,
    Comma,
    Elitist,
    Generational,
    Plus,
    SteadyState,
    TournamentReplacement,
)

PARENTS, CHILDREN = [0.1, 0.5, 0.3, 0.4], [0.9, 0.2, 0.35, 0.6]


def survivors(make_population, scheme, parents=PARENTS, children=CHILDREN, population=4, seed=0):
    chosen = scheme.survivors(
        make_population(parents),
        make_population(children, first=10),
        population,
        np.random.default_rng(seed),
    )
    return [individual.id for individual in chosen]


@pytest.mark.parametrize(
    ("scheme", "living", "offspring"),
    [
        (Generational(), [11, 12, 13, 10], 4),
        (Elitist(1), [0, 11, 12, 13], 3),
        (Plus(), [0, 11, 2, 12], 4),
        (Plus(1), [0, 11, 2, 12], 1),
        (Comma(), [11, 12, 13, 10], 8),
        (Comma(6), [11, 12, 13, 10], 6),
        (SteadyState(), [11, 12, 13, 10], 1),
        (TournamentReplacement(100_000), [0, 11, 2, 12], 4),
    ],
    ids=repr,
)
def test_who_lives_on(make_population, scheme, living, offspring):
    assert survivors(make_population, scheme) == living
    assert scheme.offspring(4) == offspring


def test_comma_keeps_the_best_of_more_children(make_population):
    assert survivors(make_population, Comma(), children=[0.9, 0.8, 0.2, 0.7, 0.3, 0.4]) == [
        12,
        14,
        15,
        13,
    ]


@pytest.mark.parametrize("scheme", [Generational(), Comma()])
def test_where_few_children_succeed_the_population_is_small_for_a_while(make_population, scheme):
    assert survivors(make_population, scheme, children=[0.9, 0.8]) == [11, 10]


def test_steady_state_replaces_the_worst_even_by_a_worse_one(make_population):
    assert survivors(make_population, SteadyState(), children=[0.9]) == [0, 2, 3, 10]
    assert survivors(make_population, SteadyState(2), children=[0.9, 0.2]) == [0, 11, 2, 10]


def test_steady_state_fills_up_before_it_replaces(make_population):
    assert survivors(
        make_population, SteadyState(), parents=[0.1, 0.5], children=[0.9], population=3
    ) == [0, 1, 10]


def test_plus_never_loses_anybody_who_is_among_the_best(make_population):
    assert survivors(make_population, Plus(2), children=[0.9, 0.8]) == [0, 2, 3, 1]


@pytest.mark.parametrize("name", REPLACEMENTS)
def test_what_every_scheme_promises(make_population, name):
    scheme = REPLACEMENTS[name]()
    for parents, children in (
        (PARENTS, []),
        (PARENTS, [0.2]),
        ([], CHILDREN),
        ([], [0.2]),
        ([0.2], [0.2]),
    ):
        for seed in range(5):
            living = survivors(make_population, scheme, parents, children, 4, seed)
            assert 1 <= len(living) <= 4
            assert len(set(living)) == len(living)
            values = {
                **dict(enumerate(parents)),
                **{10 + i: value for i, value in enumerate(children)},
            }
            assert living == sorted(living, key=lambda id: (values[id], id)), "best first"
    assert survivors(make_population, scheme, [], []) == []
    alone = [0, 2] if name == "elitist" else [0, 2, 3, 1]  # an elite is an elite
    assert survivors(make_population, scheme, PARENTS, []) == alone, (
        "where all failed, the parents live on"
    )


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        (Comma(3), "at least the population"),
        (SteadyState(4), "less than the population"),
        (Elitist(4), "less than"),
    ],
)
def test_what_cannot_work_is_refused(scheme, words):
    assert words in scheme.problem(4)
    assert type(scheme)().problem(4) == ""


def test_wins_of_a_tournament_are_binomial():
    """Of n, the one of rank i is better than n - 1 - i of the n - 1 whom it may meet."""
    n, opponents, repeats = 5, 3, 4000
    rng = np.random.default_rng(0)
    wins = np.array([TournamentReplacement(opponents).wins(n, rng) for _ in range(repeats)])
    assert (wins[:, 0] == opponents).all()
    assert (wins[:, -1] == 0).all()
    for rank in range(1, n - 1):
        expected = (
            stats.binom.pmf(range(opponents + 1), opponents, (n - 1 - rank) / (n - 1)) * repeats
        )
        observed = np.bincount(wins[:, rank], minlength=opponents + 1)
        assert stats.chisquare(observed, expected).pvalue > 0.001


def test_the_best_of_all_survives_every_tournament_and_others_by_luck(make_population):
    living = [
        survivors(make_population, TournamentReplacement(1), seed=seed) for seed in range(300)
    ]
    assert all(0 in ids and len(ids) == 4 for ids in living)
    assert any(10 not in ids for ids in living)
    assert any(1 in ids for ids in living)
    assert len({tuple(ids) for ids in living}) > 10


def test_steady_state_never_keeps_more_than_the_population(make_population):
    """A config cannot ask for as many children; of more, the best live."""
    children = make_population([0.5, 0.1, 0.4, 0.2, 0.3], first=10)
    alive = SteadyState(5).survivors(make_population([0.0]), children, 3, np.random.default_rng(0))
    assert [one.id for one in alive] == [11, 13, 14]
