"""Children that may be edited again: their lineage, and the edits that a space can have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.genome import MutationRates, decode, parse_space, sample
from evonas.search.breeding import Child, bred, possible
from evonas.search.crossover import Uniform
from evonas.search.variation import Mutation
from evonas.testing import settled
from evonas.trial import Fidelity, Lineage, Proposal

PLACES = """
space: places
input: vector
network: {layers: {length: [4, 4], ops: {a: {}, b: {}, c: {}}}}
"""
ALL = MutationRates()


@pytest.fixture
def places():
    return parse_space(PLACES, "places.yaml")


@pytest.fixture
def trials(places, loss):
    """One trial whose layers are all `a`, and one whose layers are all `c`."""
    found = []
    for id, u in enumerate((0.0, 0.99)):
        genome = decode(places, [u] * places.dimension)
        proposal = Proposal(genome, Fidelity(1), Lineage(("sample",)))
        found.append(settled(loss, id, proposal, 1.0))
    return found


def test_a_child_of_one_parent_is_edited_and_names_it(places, trials):
    rng = np.random.default_rng(0)
    lineages = []
    for _ in range(40):
        child = bred(places, trials[:1], Uniform(), Mutation(edits=3), rng, ALL)
        assert child.crossed == trials[0].genome
        lineages.append(child.lineage())
    assert {lineage.parents for lineage in lineages} == {(0,)}
    assert {len(lineage.operators) for lineage in lineages} == {1, 2, 3}


def test_a_child_of_two_names_those_that_it_still_has_something_of(places, trials):
    rng = np.random.default_rng(0)
    named = set()
    for _ in range(200):
        child = bred(places, trials, Uniform(), Mutation(rate=0.0), rng, ALL)
        ops = {gene.op for gene in child.genome["layers"]}
        lineage = child.lineage()
        assert lineage.parents == tuple(i for i, op in enumerate("ac") if op in ops)
        assert ("crossover" in lineage.operators) == (len(ops) == 2)
        assert lineage.operators, "a child that is like one of the two is a copy"
        named.add(lineage.parents)
    assert named == {(0,), (1,), (0, 1)}


def test_further_edits_may_take_a_parent_out_of_the_lineage(places, trials):
    first, second = (trial.genome for trial in trials)
    mixed = first.with_section("layers", (*first["layers"][:3], second["layers"][3]))
    child = Child(mixed, tuple(trials), mixed)
    assert child.lineage() == Lineage(("crossover",), (0, 1))
    edited = replace(child, genome=first, words=("change_op",))
    assert edited.lineage() == Lineage(("change_op",), (0,))


def test_further_edits_follow_the_words_of_those_before(places, trials):
    rng = np.random.default_rng(0)
    child = bred(places, trials[:1], Uniform(), Mutation(edits=1), rng, ALL)
    further = child.edited(places, 2, rng, ALL)
    assert further.words[:1] == child.words
    assert len(further.words) == 3
    assert further.parents == child.parents


def test_edits_that_no_genome_can_have_are_left_out(places):
    assert set(possible(places, ALL).operators) == {"swap", "change_op"}


def test_all_edits_stay_that_a_genome_can_have(small_space):
    rng = np.random.default_rng(0)
    left = set(possible(small_space, ALL).operators)
    seen = set()
    for _ in range(600):
        genome = sample(small_space, rng)
        child = Child(genome, (), genome).edited(small_space, 2, rng, ALL)
        seen |= set(child.words)
    assert seen <= left


def test_rates_that_leave_nothing_stay_as_they_are(places):
    only = MutationRates(operators={"perturb": 1.0})
    assert possible(places, only) == only
