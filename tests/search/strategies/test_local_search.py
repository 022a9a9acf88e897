"""Local search: every neighbour, a move to a better one, a restart after the last; nobody waits."""

from __future__ import annotations

import pytest

from evonas.genome import parse_space
from evonas.search.strategies.local_search import LocalSearch, LocalSearchSettings
from evonas.search.strategy import SearchProblem
from evonas.search.variation import Mutation
from evonas.testing import Driver, settled
from evonas.trial import Fidelity

SPACE = """
space: places
input: vector
network: {layers: {length: [4, 4], ops: {a: {}, b: {}, c: {}}}}
"""
ONE_OP = LocalSearchSettings(mutation=Mutation(operators={"swap": 0.0}))


@pytest.fixture
def problem(loss):
    return SearchProblem(parse_space(SPACE, "places.yaml"), loss, Fidelity(1), 0)


def word(genome):
    return "".join(gene.op for gene in genome["layers"])


def distance(one, other):
    return sum(a != b for a, b in zip(word(one), word(other), strict=True))


def run(problem, settings, value, count, look_ahead=1):
    def make_trial(id, proposal):
        return settled(problem.objective, id, proposal, value(proposal.genome))

    driver = Driver(LocalSearch(problem, settings), make_trial, look_ahead)
    driver.run(count)
    assert driver.waits == 0
    return driver.trials


def test_every_neighbour_of_a_peak_is_visited_once_then_it_starts_elsewhere(problem):
    first = []

    def value(genome):
        first.append(genome)
        return 0.0 if genome == first[0] else 1.0

    trials = run(problem, ONE_OP, value, 10)
    assert [distance(trials[0].genome, trial.genome) for trial in trials[1:9]] == [1] * 8, (
        "4 places, 2 other ops"
    )
    assert len({trial.genome for trial in trials}) == 10
    assert all(trial.lineage.parents == (0,) for trial in trials[1:9])
    assert trials[9].lineage.operator == "sample"


def test_it_moves_as_soon_as_one_is_better(problem):
    trials = run(
        problem,
        ONE_OP,
        lambda genome: float(word(genome).count("b") + 2 * word(genome).count("c")),
        25,
    )
    centre = trials[0]
    for trial in trials[1:]:
        if not trial.lineage.parents:
            break
        assert trial.lineage.parents == (centre.id,)
        assert distance(trial.genome, centre.genome) == 1
        centre = trial if trial.fitness > centre.fitness else centre
    assert word(centre.genome) == "aaaa"


def test_after_so_many_neighbours_it_starts_elsewhere(problem):
    few = LocalSearchSettings(3, ONE_OP.mutation)
    first = []

    def value(genome):
        first.append(genome)
        return float(len(first))

    trials = run(problem, few, value, 13)
    assert [trial.id for trial in trials if not trial.lineage.parents] == [0, 4, 8, 12]


def test_nobody_waits_and_no_genome_comes_twice(problem):
    trials = run(problem, ONE_OP, lambda genome: float(word(genome).count("b")), 60, look_ahead=7)
    assert len({trial.genome for trial in trials}) == 60


def test_a_climb_goes_on_when_a_late_neighbour_is_better(problem, loss):
    strategy = LocalSearch(problem, LocalSearchSettings(2, ONE_OP.mutation))
    (start,) = strategy.ask(1)
    strategy.tell(settled(loss, 0, start, 5.0))
    early, late, other = strategy.ask(3)
    assert (early.lineage.parents, late.lineage.parents, other.lineage.parents) == ((0,), (0,), ())
    strategy.tell(settled(loss, 1, early, 6.0))
    strategy.tell(settled(loss, 2, late, 4.0))
    strategy.tell(settled(loss, 3, other, 1.0))
    assert strategy.ask(1)[0].lineage.parents == (2,), "the other start is kept for the next climb"
    assert strategy.ask(1)[0].lineage.parents == (2,)
    strategy.tell(settled(loss, 4, early, None))
    strategy.tell(settled(loss, 5, early, None))
    assert strategy.ask(1)[0].lineage.parents == (3,)


def test_an_exhausted_space_gives_twins(problem):
    trials = run(problem, LocalSearchSettings(), lambda genome: 1.0, 83)
    assert len({trial.genome for trial in trials[:81]}) == 81
    assert len({trial.genome for trial in trials}) == 81


def test_failed_starts_begin_no_climb(problem):
    trials = run(problem, ONE_OP, lambda genome: None, 20)
    assert not any(trial.lineage.parents for trial in trials)


def test_an_equal_neighbour_does_not_move_the_centre(problem):
    """On a plateau the first genome keeps its place, until all of its neighbours are tried."""
    trials = run(problem, ONE_OP, lambda genome: 1.0, 11)
    assert [trial.lineage.parents for trial in trials[1:9]] == [(0,)] * 8
    assert [trial.lineage.parents for trial in trials[9:]] == [(), (9,)]
