"""Whoever is a parent gave something, and `crossover` stands only where two parents did.

The genomes of a whole search are compared, without the code that made the lineages.
"""

from __future__ import annotations

import numpy as np
import pytest

from evonas.genome import MUTATIONS, Genome, decode
from evonas.search.adaptation import Credit, Matching
from evonas.search.crossover import CROSSOVERS, Uniform
from evonas.search.cube import Visit
from evonas.search.registry import STRATEGIES
from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategy import SearchProblem
from evonas.search.variation import Mutation
from evonas.testing import drive, settled
from evonas.trial import Fidelity, Lineage, Objective, Proposal


def facts(genome: Genome) -> set[tuple[object, ...]]:
    """What can be said of a genome, gene by gene; numbers stand for genes."""
    found: set[tuple[object, ...]] = set()
    for name, genes in genome.sections:
        before = [0]
        for gene in genes:
            here = (name, gene.innovation)
            found.add((*here, "op", gene.op))
            found |= {(*here, parameter, repr(value)) for parameter, value in gene.params}
            found |= {(*here, "takes", source) for source in gene.inputs}
            found |= {(*here, "comes after", other) for other in before}
            before.append(gene.innovation)
            # An edit may move it to another number: a copy stays, and the original is changed.
            values = [pair for pair in gene.params if pair[0] != "merge"]
            found.add((name, "has", gene.op, repr(values)))
    return found


def gave(parent: Genome, other: Genome, child: Genome) -> bool:
    """Whether the child agrees with the parent where the other one differs."""
    ours, theirs, childs = facts(parent), facts(other), facts(child)
    return bool((ours & childs) - theirs or theirs - ours - childs)


def searched(strategy, oracle, count=160):
    return drive(strategy, oracle.settle, count, order=5)


@pytest.mark.parametrize("edits", [1, 3])
@pytest.mark.parametrize("crossover", CROSSOVERS)
@pytest.mark.parametrize("name", ["evolution", "nsga2", "nsga3"])
def test_of_two_parents_each_gave_what_the_other_does_not_have(
    small_space, loss, oracle, name, crossover, edits
):
    kind = STRATEGIES[name]
    parts = {"crossover": CROSSOVERS[crossover](rate=0.9), "mutation": Mutation(edits=edits)}
    settings = kind(population=16, **parts)
    objectives = (loss, Objective("parameters", "min"))
    problem = SearchProblem(small_space, loss, Fidelity(1), 0, objectives=objectives)
    trials = searched(settings.make(problem), oracle)
    both = alone = 0
    for child in trials:
        words = child.lineage.operators
        parents = [trials[id].genome for id in child.lineage.parents]
        assert ("crossover" in words) == (len(parents) == 2)
        assert set(words) <= {*MUTATIONS, "crossover", "copy", "sample"}
        if len(parents) == 2:
            assert gave(parents[0], parents[1], child.genome)
            assert gave(parents[1], parents[0], child.genome)
            both += 1
        alone += len(parents) == 1
    assert both > 20
    # With the rate of 0.9, 14 of 144 children would have one parent.
    assert alone > 20


def test_a_partner_that_gave_nothing_changes_nothing_but_the_lineage(small_space, loss, oracle):
    """The same draws, and so the same genomes, whatever the lineages say."""

    class Drawn(Generational):
        def _parents(self, count, place, rng):
            found = super()._parents(count, place, rng)
            drawn.append([parent.id for parent in found])
            return found

    drawn: list[list[int]] = []
    problem = SearchProblem(small_space, loss, Fidelity(1), 0)
    settings = GenerationalSettings(crossover=Uniform(0.9))
    trials = searched(Drawn(problem, settings), oracle)
    children = [trial for trial in trials if trial.lineage.parents]
    kept = [0, 0, 0]
    for child, ids in zip(children, drawn, strict=True):
        named = child.lineage.parents
        assert list(named) == [id for id in ids if id in named], "in the order of the draws"
        if len(ids) == 2:
            kept[2 if len(named) == 2 else ids.index(named[0])] += 1
    assert sum(kept) > 100
    assert min(kept) > 0, "the main parent alone, its partner alone, or both"


@pytest.mark.parametrize("name", ["aging", "local_search"])
def test_a_child_of_one_parent_is_its_copy_but_for_the_edits(small_space, loss, oracle, name):
    kind = STRATEGIES[name]
    problem = SearchProblem(small_space, loss, Fidelity(1), 0)
    trials = searched(kind().make(problem), oracle)
    for child in trials:
        assert len(child.lineage.parents) <= 1
        for parent in child.lineage.parents:
            ours = facts(trials[parent].genome)
            assert facts(child.genome) & ours


@pytest.mark.parametrize("name", ["hyperband", "successive_halving", "asha"])
def test_a_promoted_trial_is_its_parent_trained_further(small_space, loss, oracle, name):
    kind = STRATEGIES[name]
    problem = SearchProblem(small_space, loss, Fidelity(9), 0)
    trials = searched(kind().make(problem), oracle)
    promoted = [trial for trial in trials if trial.lineage.operator == "promote"]
    assert promoted
    for trial in promoted:
        (parent,) = trial.lineage.parents
        assert trials[parent].genome == trial.genome


@pytest.mark.parametrize("name", ["cma_es", "particle_swarm", "nelder_mead"])
def test_a_trial_is_a_parent_of_the_points_that_move_with_it(small_space, loss, name):
    """A numeric check: one visit of the last batch lies a little elsewhere."""
    kind = STRATEGIES[name]
    problem = SearchProblem(small_space, loss, Fidelity(1), 0)
    every = np.full(small_space.dimension, True)

    def moves_after(shifted=None):
        """The moves after two batches, and the number of the second batch's first trial."""
        method = kind().make(problem)._search(0)
        moves = next(method)
        id = 0
        for batch in range(2):
            first = id
            visits = []
            for place, move in enumerate(moves):
                shift = 1e-6 if (batch, place) == (1, shifted) else 0.0
                visits.append(Visit(move.point + shift, id, float((id * 7) % 11)))
                id += 1
            moves = method.send(visits)
        return moves, range(first, id)

    moves, batch = moves_after()
    parents = 0
    for place, id in enumerate(batch):
        shifted, _ = moves_after(place)
        for move, other in zip(moves, shifted, strict=True):
            is_parent = id in move.parents(every)
            assert is_parent == (move.point != other.point).any()
            parents += is_parent
    assert parents


def test_an_adaptation_compares_a_child_with_those_who_gave_something(small_space, loss):
    """The better of two drawn parents gave nothing, so the gain is over the other one."""
    genome = decode(small_space, np.full(small_space.dimension, 0.5))
    weights = []
    for parents in ((0, 1), (0,)):
        credit = Credit(Matching(), Mutation().rates())
        # Without another operator that has gained nothing, all shares would be alike.
        told = [
            (1.0, Lineage(("sample",))),
            (0.2, Lineage(("sample",))),
            (0.9, Lineage(("swap",), (1,))),
            (0.5, Lineage(("add",), parents)),
        ]
        for id, (value, lineage) in enumerate(told):
            proposal = Proposal(genome, Fidelity(1), lineage)
            credit.tell(settled(loss, id, proposal, value))
        weights.append(credit.rates.operators["add"])
    over_both, over_the_giver = weights
    assert over_the_giver > over_both
