"""Points, fronts and who survives: against the definitions, written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from evonas.search.individual import Individual
from evonas.search.pareto import fronts, points, scaled, values_of
from evonas.search.strategies.nsga2 import CrowdedTournament, Crowding
from evonas.search.strategies.nsga3 import FeasibleFirst, Niches, Nsga3Settings
from evonas.trial import Constraint, Fidelity, Lineage, Objective, Proposal, Trial, TrialState

OBJECTIVES = (
    Objective("val_accuracy", "max", constraints=(Constraint("flops", most=100),)),
    Objective("parameters", "min"),
    Objective("latency_ms", "min"),
)


@pytest.fixture
def population(small_space):
    """Individuals with these accuracies, parameters, latencies and FLOPs."""
    from evonas.genome import sample

    def make(rows, first: int = 0) -> list[Individual]:
        rng, found = np.random.default_rng(0), []
        for i, row in enumerate(rows):
            metrics = dict(
                zip(
                    ("val_accuracy", "parameters", "latency_ms", "flops"),
                    map(float, row),
                    strict=True,
                )
            )
            proposal = Proposal(sample(small_space, rng), Fidelity(1), Lineage(("sample",)))
            fitness = OBJECTIVES[0].fitness(metrics)
            found.append(
                Individual(Trial(first + i, proposal, None, TrialState.OK, metrics, fitness))
            )
        return found

    return make


@pytest.fixture
def cloud(population):
    """Forty at random, every fourth of which violates the constraint."""
    rng = np.random.default_rng(3)
    flops = np.where(np.arange(40) % 4, 50, 101 + rng.random(40))
    rows = np.column_stack([rng.random(40), rng.integers(1, 20, 40), rng.random(40), flops])
    return population(rows.tolist())


def beats(a: Individual, b: Individual) -> bool:
    """Constrained domination, as the paper defines it."""
    if a.value.violation or b.value.violation:
        return a.value.violation < b.value.violation
    pairs = list(zip(values_of(a.trial, OBJECTIVES), values_of(b.trial, OBJECTIVES), strict=True))
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)


def test_values_are_turned_so_that_less_is_better(population):
    (one,) = population([(0.9, 10, 2.5, 0)])
    assert values_of(one.trial, OBJECTIVES) == (-0.9, 10, 2.5)
    assert values_of(one.trial.unsettled, OBJECTIVES) is None
    assert values_of(one.trial, (*OBJECTIVES, Objective("training_seconds", "min"))) is None


def test_fronts_are_peeled_off_one_by_one(cloud):
    left = list(cloud)
    for front in fronts(points(cloud, OBJECTIVES)):
        best = {a.id for a in left if not any(beats(b, a) for b in left)}
        assert {point.individual.id for point in front} == best
        left = [one for one in left if one.id not in best]
    assert not left


def test_scaling_changes_no_domination(cloud):
    found = scaled(points(cloud, OBJECTIVES))
    assert all(0 <= value <= 1 for point in found for value in point.values)
    # DEAP's NSGA-III counts on an ideal point of 0, also within the first front.
    best = np.min([point.values for point in fronts(found)[0]], axis=0)
    feasible = [point.values for point in found if not point.violation]
    assert (best == np.min(feasible, axis=0)).all()
    assert (np.min([point.values for point in found], axis=0) == 0).all()
    for a, b in itertools.permutations(range(len(found)), 2):
        if not (found[a].violation or found[b].violation):
            assert found[a].fitness.dominates(found[b].fitness) == beats(cloud[a], cloud[b])


@pytest.mark.parametrize("kind", ["nsga2", "nsga3"])
@pytest.mark.parametrize("count", [1, 5, 16, 29, 31, 39])
def test_fronts_survive_in_order(cloud, kind, count):
    replacement = (
        Crowding(OBJECTIVES)
        if kind == "nsga2"
        else Niches(OBJECTIVES, Nsga3Settings().directions(3))
    )
    alive = {
        one.id
        for one in replacement.survivors(cloud[:20], cloud[20:], count, np.random.default_rng(0))
    }
    assert len(alive) == count
    places = {
        point.individual.id: at
        for at, front in enumerate(fronts(points(cloud, OBJECTIVES)))
        for point in front
    }
    assert max(places[id] for id in alive) <= min(
        places[one.id] for one in cloud if one.id not in alive
    )


def test_everybody_lives_where_there_is_room(cloud):
    for replacement in (Crowding(OBJECTIVES), Niches(OBJECTIVES, Nsga3Settings().directions(3))):
        alive = replacement.survivors(cloud[:20], cloud[20:], 100, np.random.default_rng(0))
        assert {one.id for one in alive} == {one.id for one in cloud}
        assert replacement.survivors([], [], 10, np.random.default_rng(0)) == []


def test_the_least_violating_fill_up(population):
    rows = [(0.9, 1, 1, 150), (0.1, 9, 9, 50), (0.9, 1, 1, 110), (0.9, 1, 1, 400)]
    alive = Crowding(OBJECTIVES).survivors(population(rows), [], 3, np.random.default_rng(0))
    assert [one.id for one in alive] == [1, 2, 0]


def test_of_one_front_the_crowded_die(population):
    two = OBJECTIVES[:2]
    rows = [(0.1, 1, 0, 0), (0.5, 5, 0, 0), (0.51, 5.1, 0, 0), (0.52, 5.2, 0, 0), (0.9, 9, 0, 0)]
    alive = Crowding(two).survivors(population(rows), [], 4, np.random.default_rng(0))
    assert {one.id for one in alive} == {0, 1, 3, 4}


def test_each_direction_keeps_its_nearest(population):
    """Three are best in two objectives and worst in the third, and many lie between two of them."""
    rows = [(0.1, 1, 1, 0), (1.0, 9, 1, 0), (1.0, 1, 9, 0)]
    rows += [(0.1 + 0.9 * t, 1 + 8 * t, 1, 0) for t in np.linspace(0.3, 0.7, 9)]
    niches = Niches(OBJECTIVES, Nsga3Settings(divisions=1).directions(3))
    for seed in range(5):
        alive = niches.survivors(population(rows), [], 3, np.random.default_rng(seed))
        assert {one.id for one in alive} == {0, 1, 2}


@pytest.mark.parametrize(
    ("objectives", "population", "count"), [(2, 16, 16), (3, 16, 15), (3, 20, 15), (4, 4, 4)]
)
def test_there_are_at_most_as_many_directions_as_individuals(objectives, population, count):
    directions = Nsga3Settings(population=population).directions(objectives)
    assert directions.shape == (count, objectives)
    assert directions.sum(axis=1) == pytest.approx(1)


def test_the_crowded_tournament_is_fair_and_prefers_the_better(population):
    rows = [
        (0.9, 1, 0, 0),
        (0.5, 5, 0, 0),
        (0.4, 6, 0, 0),
        (0.99, 1, 0, 200),
    ]  # fronts 0, 1, 2 and a violation
    parents = CrowdedTournament(OBJECTIVES[:2]).select(
        population(rows), 4000, np.random.default_rng(0)
    )
    shares = np.bincount([one.id for one in parents], minlength=4) / 4000
    # In pairs without replacement the best always wins: 1/2. The next ones win 1/3 and 1/6, and
    # the last never.
    assert shares[:3] == pytest.approx([1 / 2, 1 / 3, 1 / 6], abs=0.03)
    assert shares[3] == 0


def test_without_violations_nsga3_draws_everybody_alike(population):
    some = population([(0.9, 1, 0, 0), (0.5, 5, 0, 0), (0.4, 6, 0, 0)])
    assert (
        np.bincount(
            [one.id for one in FeasibleFirst().select(some, 300, np.random.default_rng(0))]
        ).tolist()
        == [100] * 3
    )
    worse = population([(0.9, 1, 0, 0), (0.5, 5, 0, 200), (0.4, 6, 0, 300)])
    counts = np.bincount(
        [one.id for one in FeasibleFirst().select(worse, 3000, np.random.default_rng(0))]
    )
    assert counts[0] > counts[1] > counts[2]


def test_vectors_of_every_shape_are_survived(population):
    """Equal, degenerate and huge values: no warning, which would be an error, and no one lost."""
    rng = np.random.default_rng(1)
    shapes = [
        [(0.5, 5, 5, 0)] * 9,
        [(0.5, 5, t, 0) for t in range(9)],
        [(0.5 + 1e-12 * t, 1e12 - t, 1e-300 * t, 0) for t in range(9)],
        [(t, t * 1e200, -t, 0) for t in rng.random(9)],
    ]
    for rows, count in itertools.product(shapes, (1, 4, 9)):
        for replacement in (
            Crowding(OBJECTIVES),
            Niches(OBJECTIVES, Nsga3Settings().directions(3)),
        ):
            alive = replacement.survivors(population(rows), [], count, np.random.default_rng(0))
            assert len({one.id for one in alive}) == count


def test_of_a_pair_from_one_front_the_less_crowded_wins(population):
    """Four equally good ones: the two in the middle are crowded, one of them more than the other.

    In pairs without replacement, the ends always win against the middle.
    """
    rows = [(0.1, 1, 0, 0), (0.4, 4, 0, 0), (0.5, 5, 0, 0), (0.9, 9, 0, 0)]
    parents = CrowdedTournament(OBJECTIVES[:2]).select(
        population(rows), 3000, np.random.default_rng(0)
    )
    wins = np.bincount([one.id for one in parents], minlength=4)
    assert wins[1] == 0, "the most crowded one loses against all others"
    # The third one meets it in a third of all rounds, and has half of that round's wins then.
    assert wins[2] / 3000 == pytest.approx(1 / 6, abs=0.03)
    assert wins[[0, 3]] / 3000 == pytest.approx(5 / 12, abs=0.03)


@pytest.mark.parametrize("seed", [0, 10, 18, 27])
def test_the_niches_depend_neither_on_units_nor_on_zero_points(population, seed):
    """DEAP alone would choose others: its extreme points depend on units, its axes on zero."""
    rng = np.random.default_rng(seed)
    shares = rng.random((40, 3)) ** 2
    niches = Niches(OBJECTIVES, Nsga3Settings(divisions=3).directions(3))

    def survive(units, zeros):
        moved = shares * units + zeros
        rows = [(-first, second, third, 0) for first, second, third in moved]
        alive = niches.survivors(population(rows), [], 8, np.random.default_rng(0))
        return {one.id for one in alive}

    plain = survive((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    assert survive((0.1, 1e6, 1e-3), (-0.95, 2e6, 5.0)) == plain
