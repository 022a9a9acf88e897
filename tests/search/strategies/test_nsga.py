"""NSGA-II and NSGA-III as strategies: generations, and a front that is found."""

from __future__ import annotations

import pytest

from evonas.genome import parse_space, sample
from evonas.insight.front import Box, hypervolumes
from evonas.randomness import generator
from evonas.search.adaptation import Matching
from evonas.search.strategies.nsga2 import Nsga2Settings
from evonas.search.strategies.nsga3 import Nsga3Settings
from evonas.search.strategy import SearchProblem
from evonas.search.variation import Mutation
from evonas.testing import drive, settled
from evonas.trial import Fidelity, Lineage, Objective, Proposal, Trial

ONES, ZEROS = Objective("ones", "max"), Objective("zeros", "max")
KINDS = {"nsga2": Nsga2Settings, "nsga3": Nsga3Settings}
BITS = 12


@pytest.fixture(scope="module")
def bits():
    ops = "{one: {}, zero: {}}"
    network = f"{{bits: {{length: {BITS}, ops: {ops}}}}}"
    return parse_space(f"space: bits\ninput: none\nnetwork: {network}", "")


def settle(id: int, proposal: Proposal) -> Trial:
    """Leading ones against trailing zeros (Laumanns et al., 2004).

    The front has 13 of 4096 genomes.
    """
    ops = [gene.op for gene in proposal.genome["bits"]]
    ones = next((i for i, op in enumerate(ops) if op != "one"), BITS)
    zeros = next((i for i, op in enumerate(reversed(ops)) if op != "zero"), BITS)
    return settled(ONES, id, proposal, float(ones), {"zeros": float(zeros)})


def evolve(space, kind: str, generations: int, seed: int = 0, **settings) -> list[Trial]:
    problem = SearchProblem(space, ONES, Fidelity(1), seed, objectives=(ONES, ZEROS))
    return drive(KINDS[kind](**settings).make(problem), settle, generations, order="generations")


@pytest.mark.parametrize("kind", KINDS)
def test_every_generation_has_as_many_children_as_parents(bits, kind):
    trials = evolve(bits, kind, 4, population=7)
    assert [sum(t.lineage.generation == g for t in trials) for g in range(4)] == [7] * 4
    assert all(t.lineage.parents for t in trials if t.lineage.generation)


@pytest.mark.parametrize("kind", KINDS)
def test_the_front_is_better_than_that_of_random_search(bits, kind):
    box, wins = Box((-BITS, -BITS), (1.0, 1.0)), 0
    for seed in range(3):
        found = evolve(bits, kind, 20, seed, population=12)
        drawn = [sample(bits, generator(seed, "sample", i)) for i in range(240)]
        others = [
            settle(i, Proposal(genome, Fidelity(1), Lineage(("sample",))))
            for i, genome in enumerate(drawn)
        ]
        wins += (
            hypervolumes(found, (ONES, ZEROS), box)[-1]
            > 1.2 * hypervolumes(others, (ONES, ZEROS), box)[-1]
        )
    assert wins == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_without_one_of_the_objectives_is_no_parent(bits, kind):
    search = KINDS[kind](population=4).make(
        SearchProblem(bits, ONES, Fidelity(1), 0, objectives=(ONES, ZEROS))
    )
    for id, proposal in enumerate(search.ask(4)):
        search.tell(settle(id, proposal) if id else settled(ONES, id, proposal, 9.0))
    parents = {parent for proposal in search.ask(4) for parent in proposal.lineage.parents}
    assert parents
    assert 0 not in parents
    assert 0 not in search.retained


def test_settings_are_checked():
    wrong = Nsga2Settings(
        population=4, founders=("a",) * 5, mutation=Mutation(adaptation=Matching())
    )
    assert set(wrong.problems()) == {"founders", "mutation.adaptation"}
    assert Nsga3Settings().problems() == {}
