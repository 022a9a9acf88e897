"""model_based: random trials first, then genomes that a surrogate prefers; and its older names."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evonas.genome import parse_space, validate
from evonas.runtime.config.families import dump
from evonas.runtime.config.run_config import FAMILIES
from evonas.runtime.config.settings import Builder
from evonas.search.strategies.model_based import ModelBased, ModelBasedSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem, StrategySettings
from evonas.search.surrogate import Dngo, Fitted, Forest, GaussianProcess, Surrogate
from evonas.search.variation import Mutation, edited
from evonas.testing import drive, settled
from evonas.trial import Fidelity, Trial, TrialState

FEW = """
space: few
input: vector
network: {layers: {length: [2, 2], ops: {a: {}, b: {}, c: {}}}}
"""
EIGHT = FEW.replace("few", "eight").replace("[2, 2]", "[8, 8]")
QUICK = {"initial": 5, "candidates": 60, "parents": 4}
KINDS = [
    ModelBasedSettings(GaussianProcess(), **QUICK),
    ModelBasedSettings(Forest(trees=10), **QUICK),
    ModelBasedSettings(Dngo(layers=2, units=20), **QUICK),
]


def errors(genome):
    """How many layers are not what they should be."""
    return sum(gene.op != "abcabcab"[i] for i, gene in enumerate(genome["layers"]))


def best_of(strategy, count):
    objective = strategy.problem.objective

    def make_trial(id, proposal):
        return settled(objective, id, proposal, float(errors(proposal.genome)))

    return min(errors(trial.genome) for trial in drive(strategy, make_trial, count))


@pytest.mark.parametrize("settings", KINDS)
def test_a_space_is_searched_through_before_any_genome_is_proposed_again(loss, settings):
    problem = SearchProblem(parse_space(FEW, "few.yaml"), loss, Fidelity(1), 0)

    def make_trial(id, proposal):
        return settled(loss, id, proposal, float(id % 4))

    trials = drive(settings.make(problem), make_trial, 11)
    assert len({trial.genome for trial in trials[:9]}) == 9, "the space has nine genomes"


@pytest.mark.parametrize("settings", KINDS)
def test_it_finds_in_thirty_trials_what_chance_does_not(loss, settings):
    space = parse_space(EIGHT, "eight.yaml")
    ours, chance = [], []
    for seed in range(2):
        problem = SearchProblem(space, loss, Fidelity(1), seed)
        ours.append(best_of(settings.make(problem), 30))
        chance.append(best_of(RandomSearch(problem, RandomSettings()), 30))
    assert np.mean(ours) < np.mean(chance) - 0.5


@pytest.mark.parametrize("settings", KINDS)
def test_proposals_that_are_asked_together_keep_apart(loss, settings):
    problem = SearchProblem(parse_space(EIGHT, "eight.yaml"), loss, Fidelity(1), 0)
    strategy = settings.make(problem)
    for i, proposal in enumerate(strategy.ask(12)):
        strategy.tell(settled(loss, i, proposal, float(errors(proposal.genome))))
    batch = [proposal.genome for proposal in strategy.ask(6)]
    assert len(set(batch)) == 6
    alone = settings.make(problem)
    known = {
        i: settled(loss, i, p, float(errors(p.genome)))
        for i, p in enumerate(settings.make(problem).ask(12))
    }
    alone.load_state_dict({"asked": 12}, known)
    assert alone.ask(1)[0].genome == batch[0], "the first of a batch is what would be asked alone"


@pytest.mark.parametrize("settings", KINDS)
def test_where_everything_fails_it_goes_on_at_random(loss, settings):
    problem = SearchProblem(parse_space(EIGHT, "eight.yaml"), loss, Fidelity(1), 0)

    def make_trial(id, proposal):
        return Trial(id, proposal, None, TrialState.ERROR)

    trials = drive(settings.make(problem), make_trial, 20)
    assert [trial.lineage.operator for trial in trials] == ["sample"] * 20


@pytest.mark.parametrize("settings", KINDS)
def test_the_lineage_names_the_trial_that_a_candidate_stems_from(
    small_space, loss, oracle, settings
):
    strategy = settings.make(SearchProblem(small_space, loss, Fidelity(1), 0))
    trials = drive(strategy, oracle.settle, 30, order=5)
    children = [trial for trial in trials if trial.lineage.parents]
    assert children
    for trial in trials:
        validate(small_space, trial.genome)
        assert trial.lineage.operator.startswith("sample") == (not trial.lineage.parents)
    assert all(parent < child.id for child in children for parent in child.lineage.parents)


def test_the_first_trials_are_random_as_many_as_set(small_space, loss, oracle):
    settings = ModelBasedSettings(initial=7, candidates=12)
    problem = SearchProblem(small_space, loss, Fidelity(1), 0)
    trials = drive(settings.make(problem), oracle.settle, 12)
    assert [trial.lineage.operator for trial in trials[:7]] == ["sample"] * 7


def test_an_unknown_operator_is_refused():
    settings = ModelBasedSettings(mutation=Mutation(operators={"fold": 1.0}))
    assert "unknown operators" in settings.problems()["mutation.operators"]


class Perfect(Surrogate):
    """Knows how many layers are wrong, and is nearly sure."""

    depth, fitted_on = 0, 100

    def tune(self, features, genomes, values, rng):
        return None

    def fit(self, features, genomes, values, rng, tuned=None):
        return Known()


class Known(Fitted):
    def predict(self, genomes):
        wrong = np.array([float(errors(genome)) for genome in genomes])
        return wrong / 8 - 1, np.full(len(genomes), 0.01)


def test_each_further_round_edits_the_most_promising_candidates(loss, monkeypatch):
    """Three rounds of 20; the roots of the last two are the best three of the rounds before."""
    roots, found = [], []

    def recorded(space, genome, *rest):
        child = edited(space, genome, *rest)
        roots.append(errors(genome))
        found.append(errors(child))
        return child

    problem = SearchProblem(parse_space(EIGHT, "eight.yaml"), loss, Fidelity(1), 0)
    settings = ModelBasedSettings(Perfect(), initial=5, candidates=60, parents=3)
    strategy = ModelBased(problem, settings)
    for i, proposal in enumerate(strategy.ask(5)):
        strategy.tell(settled(loss, i, proposal, float(errors(proposal.genome))))
    monkeypatch.setattr("evonas.search.strategies.model_based.edited", recorded)
    (proposal,) = strategy.ask(1)
    # Ten children of the best trials beside ten random genomes, then twenty, and twenty.
    assert len(roots) == 10 + 20 + 20
    first, second, third = roots[:10], roots[10:30], roots[30:]
    assert max(second) <= min(*first, *found[:10]), "none is worse than what was there"
    assert max(third) <= min(found[:30])
    assert errors(proposal.genome) == min(found)


def test_a_candidate_has_one_to_so_many_edits_each_as_likely(loss, monkeypatch):
    lengths: Counter[int] = Counter()

    def recorded(space, genome, edits, *rest):
        lengths[edits] += 1
        return edited(space, genome, edits, *rest)

    problem = SearchProblem(parse_space(EIGHT, "eight.yaml"), loss, Fidelity(1), 0)
    settings = ModelBasedSettings(
        Perfect(), initial=5, candidates=600, parents=3, mutation=Mutation(edits=3)
    )
    strategy = ModelBased(problem, settings)
    for i, proposal in enumerate(strategy.ask(5)):
        strategy.tell(settled(loss, i, proposal, float(errors(proposal.genome))))
    monkeypatch.setattr("evonas.search.strategies.model_based.edited", recorded)
    strategy.ask(1)
    assert set(lengths) == {1, 2, 3}
    assert min(lengths.values()) > 120, "of 500"


def built(plain):
    builder = Builder(FAMILIES)
    return builder.build(StrategySettings, plain, ("strategy",)), builder.issues


@pytest.mark.parametrize("name", ["gaussian_process", "forest", "dngo"])
def test_an_older_name_means_the_same(name):
    older, _ = built({name: {"initial": 6, "depth": 1, "mutation": {"edits": 3}}})
    of_surrogate = {"surrogate": {name: {"depth": 1}}}
    today, _ = built({"model_based": {**of_surrogate, "initial": 6, "mutation": {"edits": 3}}})
    assert older == today
    assert built(name) == built({"model_based": {"surrogate": name}})
    # The record has the form of today.
    assert built(dump(older, FAMILIES)) == (today, [])
    assert list(dump(older, FAMILIES)) == ["model_based"]


def test_what_is_wrong_under_an_older_name_is_told_at_its_keys():
    _, issues = built({"forest": {"trees": 1, "tree": 5, "initial": 0, "surrogate": "dngo"}})
    told = {issue.path: issue.message for issue in issues}
    assert set(told) == {
        ("strategy", "forest", key) for key in ("trees", "tree", "initial", "surrogate")
    }
    assert "Did you mean 'trees'?" in told["strategy", "forest", "tree"]
    assert "from 2 to 1000" in told["strategy", "forest", "trees"]
    _, issues = built({"dngo": {"mutation": {"operators": {"fold": 1.0}}}})
    assert [issue.path for issue in issues] == [("strategy", "dngo", "mutation", "operators")]


def test_an_older_name_is_not_told_as_allowed():
    _, (issue,) = built("forrest")
    assert "model_based" in issue.message
    assert "forest" not in issue.message.replace("forrest", "")
