"""gaussian_process, forest and dngo: random first, then new genomes that a surrogate expects much of."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.genome import parse_space, validate
from evonas.search.strategies.dngo import DngoSearch, DngoSettings
from evonas.search.strategies.forest import ForestSearch, ForestSettings
from evonas.search.strategies.gaussian_process import GaussianProcessSearch, GaussianProcessSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem
from evonas.search.variation import Mutation
from evonas.trial import Fidelity, Trial, TrialState

FEW = """
space: few
input: vector
network: {layers: {length: [2, 2], ops: {a: {}, b: {}, c: {}}}}
"""
EIGHT = FEW.replace("few", "eight").replace("[2, 2]", "[8, 8]")
QUICK = {"initial": 5, "candidates": 60, "parents": 4}
KINDS = [
    (GaussianProcessSearch, GaussianProcessSettings(**QUICK)),
    (ForestSearch, ForestSettings(**QUICK, trees=10)),
    (DngoSearch, DngoSettings(**QUICK, layers=2, units=20)),
]


def settle(problem, id, proposal, value):
    metrics = {"val_loss": value}
    return Trial(id, proposal, None, TrialState.OK, metrics, problem.objective.fitness(metrics))


def errors(genome):
    """How many layers are not what they should be."""
    return sum(gene.op != "abcabcab"[i] for i, gene in enumerate(genome["layers"]))


def best_of(strategy, trials):
    found = []
    for i in range(trials):
        (proposal,) = strategy.ask(1)
        found.append(errors(proposal.genome))
        strategy.tell(settle(strategy.problem, i, proposal, float(found[-1])))
    return min(found)


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_a_space_is_searched_through_before_any_genome_is_proposed_again(loss, kind, settings):
    problem = SearchProblem(parse_space(FEW, "few.yaml"), loss, Fidelity(1), 0)
    strategy, found = kind(problem, settings), []
    for i in range(11):
        (proposal,) = strategy.ask(1)
        found.append(proposal.genome)
        strategy.tell(settle(problem, i, proposal, float(i % 4)))
    assert len(set(found[:9])) == 9, "the space has nine genomes"


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_it_finds_in_thirty_trials_what_chance_does_not(loss, kind, settings):
    space = parse_space(EIGHT, "eight.yaml")
    ours, chance = [], []
    for seed in range(2):
        problem = SearchProblem(space, loss, Fidelity(1), seed)
        ours.append(best_of(kind(problem, settings), 30))
        chance.append(best_of(RandomSearch(problem, RandomSettings()), 30))
    assert np.mean(ours) < np.mean(chance) - 0.5


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_proposals_that_are_asked_together_keep_apart(loss, kind, settings):
    problem = SearchProblem(parse_space(EIGHT, "eight.yaml"), loss, Fidelity(1), 0)
    strategy = kind(problem, settings)
    for i, proposal in enumerate(strategy.ask(12)):
        strategy.tell(settle(problem, i, proposal, float(errors(proposal.genome))))
    batch = [proposal.genome for proposal in strategy.ask(6)]
    assert len(set(batch)) == 6
    alone = kind(problem, settings)
    known = {
        i: settle(problem, i, p, float(errors(p.genome)))
        for i, p in enumerate(kind(problem, settings).ask(12))
    }
    alone.load_state_dict({"asked": 12}, known)
    assert alone.ask(1)[0].genome == batch[0], "the first of a batch is what would be asked alone"


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_where_everything_fails_it_goes_on_at_random(loss, kind, settings):
    problem = SearchProblem(parse_space(EIGHT, "eight.yaml"), loss, Fidelity(1), 0)
    strategy = kind(problem, settings)
    for i in range(20):
        (proposal,) = strategy.ask(1)
        assert proposal.lineage.operator == "sample"
        strategy.tell(Trial(i, proposal, None, TrialState.ERROR))


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_the_lineage_names_the_trial_that_a_candidate_stems_from(
    small_space, loss, drive, kind, settings
):
    trials = drive(kind(SearchProblem(small_space, loss, Fidelity(1), 0), settings), 30)
    children = [trial for trial in trials if trial.lineage.parents]
    assert children
    for trial in trials:
        validate(small_space, trial.genome)
        assert trial.lineage.operator.startswith("sample") == (not trial.lineage.parents)
    assert all(parent < child.id for child in children for parent in child.lineage.parents)


def test_the_first_trials_are_random_as_many_as_set(small_space, loss, drive):
    settings = GaussianProcessSettings(initial=7, candidates=12)
    trials = drive(
        GaussianProcessSearch(SearchProblem(small_space, loss, Fidelity(1), 0), settings), 12, 1
    )
    assert [trial.lineage.operator for trial in trials[:7]] == ["sample"] * 7


def test_an_unknown_operator_is_refused():
    settings = GaussianProcessSettings(mutation=Mutation(operators={"fold": 1.0}))
    assert "unknown operators" in settings.problems()["mutation.operators"]
