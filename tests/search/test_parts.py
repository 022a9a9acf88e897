"""The parts of evolution: tournament selection and its formula, elitism, contained randomness."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from evonas.genome import sample
from evonas.search.individual import Individual, best_first, lent_random, lent_randomness
from evonas.search.replacement import Elitist
from evonas.search.selection import Tournament
from evonas.search.strategy import counters
from evonas.search.variation import Mutation
from evonas.trial import Fidelity, Lineage, Proposal, Trial, TrialState

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("direction", ["min", "max"])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_tournament_chooses_the_ith_best_as_often_as_the_formula_says(
    make_population, size, direction
):
    """Of n, with replacement: P(rank i wins) = ((n - i)^s - (n - i - 1)^s) / n^s.

    Ranks count from 0 for the best.
    """
    n, draws = 8, 20_000
    values = list(range(n)) if direction == "min" else list(range(n))[::-1]
    chosen = Tournament(size).select(
        make_population(values, direction), draws, np.random.default_rng(1)
    )
    counts = Counter(individual.id for individual in chosen)
    expected = np.array([((n - i) ** size - (n - i - 1) ** size) / n**size for i in range(n)])
    observed = np.array([counts[i] for i in range(n)])
    keep = expected > 0
    chi2 = float((((observed - expected * draws) ** 2)[keep] / (expected * draws)[keep]).sum())
    assert chi2 < 24.3, "above the 99.9 % quantile of chi-square with 7 degrees of freedom"


def test_selection_leaves_the_population_and_the_global_streams_alone(make_population):
    individuals = make_population([3.0, 1.0, 2.0])
    before = list(individuals)
    random.seed(3)
    expected = random.random()
    random.seed(3)
    Tournament().select(individuals, 10, np.random.default_rng(0))
    assert random.random() == expected
    assert individuals == before


@pytest.mark.parametrize("lent", [lent_random, lent_randomness])
def test_lent_randomness_is_given_back_after_an_error(lent):
    random.seed(9)
    expected = random.random()
    random.seed(9)
    with pytest.raises(ZeroDivisionError), lent(np.random.default_rng(0)):
        random.random()
        raise ZeroDivisionError
    assert random.random() == expected


def test_a_scheme_may_borrow_pythons_randomness_alone_and_the_search_is_the_same():
    found = []
    for lent in (lent_random, lent_randomness):
        rng = np.random.default_rng(3)
        with lent(rng):
            drawn = random.random()
        found.append((drawn, rng.random()))
    assert found[0] == found[1]


def test_elitist_keeps_the_best_parents_and_every_child(make_population):
    parents = make_population([0.1, 0.5, 0.3, 0.4])
    children = make_population([0.9, 0.2], first=10)
    survivors = Elitist(2).survivors(parents, children, 4, RNG)
    assert [individual.id for individual in survivors] == [0, 11, 2, 10]


def test_elitist_without_elites_is_fully_generational(make_population):
    parents, children = make_population([0.1]), make_population([0.9], first=10)
    assert [individual.id for individual in Elitist(0).survivors(parents, children, 1, RNG)] == [10]


def test_parents_live_on_where_every_child_failed(make_population):
    parents = make_population([0.2, 0.1])
    assert [individual.id for individual in Elitist(0).survivors(parents, [], 2, RNG)] == [1, 0]


def test_best_first_breaks_ties_by_age(make_population):
    assert [
        individual.id for individual in best_first(make_population([0.5, 0.2, 0.5, 0.2])[::-1])
    ] == [
        1,
        3,
        0,
        2,
    ]


def test_a_failed_trial_is_no_individual(small_space):
    proposal = Proposal(
        sample(small_space, np.random.default_rng(0)), Fidelity(1), Lineage(("sample",))
    )
    with pytest.raises(ValueError, match="diverged"):
        Individual(Trial(4, proposal, state=TrialState.DIVERGED))


def test_alternatives_are_counted_and_the_first_one_is_the_proposal_itself():
    assert [counters(count) for count in (0, 1, 3)] == [[], [()], [(), (1,), (2,)]]


def test_edits_that_are_not_named_have_the_weight_1():
    operators = Mutation(operators={"perturb": 3.0}).rates().operators
    assert operators.pop("perturb") == 3.0
    assert set(operators.values()) == {1.0}
