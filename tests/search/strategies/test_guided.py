"""Guided: founders first, then the most promising of many children, and of their children."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from evonas.genome import decode, parse_space
from evonas.search.strategies import guided
from evonas.search.strategies.guided import GuidedSettings, drawn_place
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import Fitted, Surrogate
from evonas.search.variation import Mutation
from evonas.testing import drive, settled
from evonas.testing.oracle import Oracle
from evonas.trial import Constraint, Fidelity, Objective, Trial, TrialState

FEW = """
space: few
input: vector
network: {layers: {length: [2, 2], ops: {a: {}, b: {}, c: {}}}}
"""
EIGHT = FEW.replace("few", "eight").replace("[2, 2]", "[8, 8]")
QUICK = GuidedSettings(initial=5, children=12)


def wrong(genome) -> int:
    """How many layers are not what they should be."""
    return sum(gene.op != "abcabcab"[i] for i, gene in enumerate(genome["layers"]))


@pytest.fixture
def eight(loss):
    return SearchProblem(parse_space(EIGHT, "eight.yaml"), loss, Fidelity(1), 0)


@pytest.fixture
def judged(loss):
    return lambda id, proposal: settled(loss, id, proposal, float(wrong(proposal.genome)))


class Perfect(Surrogate):
    """Knows how many layers are wrong, and is nearly sure."""

    depth, fitted_on = 0, 100

    def fit(self, features, genomes, values, rng, tuned=None):
        return Known()


class Known(Fitted):
    def predict(self, genomes):
        errors = np.array([float(wrong(genome)) for genome in genomes])
        return errors / 8 - 9, np.full(len(genomes), 0.01)


def test_founders_come_first_the_named_ones_before_the_random(eight, judged, loss):
    middle = decode(eight.space, [0.5] * eight.space.dimension)
    problem = SearchProblem(eight.space, loss, Fidelity(1), 0, {"middle": middle})
    settings = GuidedSettings(initial=4, children=6, founders=("middle",))
    trials = drive(settings.make(problem), judged, 8)
    assert trials[0].genome == middle
    words = [trial.lineage.operator for trial in trials]
    assert words[:4] == ["seed middle", "sample", "sample", "sample"]
    assert all(trial.lineage.parents for trial in trials[4:])


def test_more_founders_than_initial_trials_are_refused():
    settings = GuidedSettings(initial=2, founders=("one", "two", "three"))
    assert settings.problems() == {"founders": "3 founders do not fit into 2 initial trials"}
    unknown = GuidedSettings(mutation=Mutation(operators={"fold": 1.0}))
    assert "unknown operators" in unknown.problems()["mutation.operators"]


def test_the_most_promising_child_is_trained_and_edits_lead_further_than_one_child(eight, judged):
    """A child of one edit mends one layer. Two rounds of further edits mend two more."""
    mutation = Mutation(edits=1, operators={"swap": 0.0})
    settings = GuidedSettings(4, 300, Perfect(), mutation=mutation)
    trials = drive(settings.make(eight), judged, 5)
    founders = min(wrong(trial.genome) for trial in trials[:4])
    assert founders > 3, "or this shows nothing"
    assert wrong(trials[4].genome) == founders - 3
    assert trials[4].lineage.operators == ("change_op",) * 3


def test_a_space_is_searched_through_before_any_genome_comes_again(loss):
    problem = SearchProblem(parse_space(FEW, "few.yaml"), loss, Fidelity(1), 0)
    trials = drive(QUICK.make(problem), lambda id, p: settled(loss, id, p, float(id % 4)), 11)
    assert len({trial.genome for trial in trials[:9]}) == 9, "the space has nine genomes"


def test_proposals_that_are_asked_together_keep_apart(eight, judged):
    strategy = QUICK.make(eight)
    for id, proposal in enumerate(strategy.ask(8)):
        strategy.tell(judged(id, proposal))
    batch = [proposal.genome for proposal in strategy.ask(6)]
    assert len(set(batch)) == 6


def test_it_goes_on_at_random_until_a_trial_succeeds(eight, loss):
    def make_trial(id, proposal):
        if id < 7:
            return Trial(id, proposal, None, TrialState.ERROR)
        return settled(loss, id, proposal, 1.0)

    trials = drive(QUICK.make(eight), make_trial, 9)
    words = [trial.lineage.operator for trial in trials]
    assert words[:8] == ["sample"] * 8
    assert trials[8].lineage.parents == (7,)


def test_who_satisfies_the_constraints_comes_first_among_the_parents(small_space):
    objective = Objective("val_loss", "min", constraints=(Constraint("parameters", most=500),))
    strategy = QUICK.make(SearchProblem(small_space, objective, Fidelity(1), 0))
    trials = drive(strategy, Oracle(objective).settle, 25)
    fitness = [trial.fitness for trial in trials if trial.fitness is not None]
    satisfied = sum(one.is_feasible for one in fitness)
    assert len(strategy.retained) <= satisfied < len(fitness), "or this shows nothing"
    assert all(trials[id].fitness.is_feasible for id in strategy.retained)


def test_the_logarithm_of_a_parents_rank_is_uniform():
    rng = np.random.default_rng(0)
    drawn = Counter(drawn_place(20, rng) for _ in range(20_000))
    assert set(drawn) == set(range(20))
    for place, count in drawn.items():
        share = math.log((place + 2) / (place + 1)) / math.log(21)
        expected = 20_000 * share
        assert abs(count - expected) < 5 * math.sqrt(expected)


def test_after_many_trials_no_surrogate_is_asked_and_no_genome_comes_again(
    eight, judged, monkeypatch
):
    monkeypatch.setattr(guided, "GUIDED", 8)
    asked = []

    class Counted(Perfect):
        def fit(self, features, genomes, values, rng, tuned=None):
            asked.append(len(genomes))
            return Known()

    strategy = GuidedSettings(4, 6, Counted()).make(eight)
    trials = drive(strategy, judged, 20)
    assert asked == [4, 5, 6, 7]
    assert len({trial.genome for trial in trials}) == 20
    assert all(trial.lineage.parents for trial in trials[8:])
