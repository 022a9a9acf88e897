"""Seeded: the seeds come first, whatever strategy goes on from them."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.genome import sample
from evonas.search.replacement import Plus
from evonas.search.strategies.aging import AgingSettings
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.local_search import LocalSearchSettings
from evonas.search.strategies.model_based import ModelBasedSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategies.screened import ScreenedSettings
from evonas.search.strategies.seeded import Seeded, SeededSettings, earlier_name
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import GaussianProcess
from evonas.testing import drive
from evonas.trial import Fidelity, Lineage, Proposal

INNER = [
    RandomSettings(),
    AgingSettings(population=4),
    EvolutionSettings(population=4),
    LocalSearchSettings(5),
    ModelBasedSettings(GaussianProcess(depth=0), initial=4, candidates=12),
    ScreenedSettings(surrogate=GaussianProcess(0), factor=3, warmup=4),
]
NAMES = ("one", "two", "three")


@pytest.fixture
def problem(small_space, loss):
    seeds = {
        name: sample(small_space, np.random.default_rng(100 + i))
        for i, name in enumerate((*NAMES, "runs/a#1"))
    }
    return SearchProblem(small_space, loss, Fidelity(2), 0, seeds)


@pytest.mark.parametrize("inner", INNER, ids=lambda inner: type(inner).__name__)
@pytest.mark.parametrize("look_ahead", [1, 5])
def test_the_seeds_are_the_first_proposals_and_the_search_goes_on(
    problem, oracle, inner, look_ahead
):
    strategy = Seeded(problem, SeededSettings(inner, NAMES))
    trials = drive(strategy, oracle.settle, 20, order=look_ahead)
    assert [trial.genome for trial in trials[:3]] == [problem.seeds[name] for name in NAMES]
    assert [trial.lineage.operator for trial in trials[:3]] == [
        "seed one",
        "seed two",
        "seed three",
    ]
    assert all(
        trial.proposal.fidelity == Fidelity(2) and not trial.lineage.parents for trial in trials[:3]
    )
    assert not any(trial.lineage.operator.startswith("seed") for trial in trials[3:])


def test_seeds_become_parents(problem, oracle):
    settings = SeededSettings(EvolutionSettings(population=4), NAMES)
    trials = drive(Seeded(problem, settings), oracle.settle, 12, order=5)
    assert {parent for trial in trials for parent in trial.lineage.parents} & {0, 1, 2}


def test_more_seeds_than_founders_are_all_proposed(problem, oracle):
    settings = SeededSettings(EvolutionSettings(population=2, replacement=Plus()), NAMES)
    trials = drive(Seeded(problem, settings), oracle.settle, 12, order=5)
    assert [trial.genome for trial in trials[:3]] == [problem.seeds[name] for name in NAMES]


def test_the_genomes_of_a_run_follow_those_that_are_named_as_many_as_there_are(problem, oracle):
    assert earlier_name("runs/a", 1) == "runs/a#1"
    strategy = Seeded(problem, SeededSettings(INNER[0], ("two",), "runs/a", 3))
    trials = drive(strategy, oracle.settle, 4, order=5)
    assert [trial.lineage.operator for trial in trials[:4]] == [
        "seed two",
        "seed runs/a#1",
        "sample",
        "sample",
    ]


def test_without_seeds_it_is_the_inner_strategy(problem, oracle):
    seeded = drive(Seeded(problem, SeededSettings()), oracle.settle, 30, order=5)
    alone = drive(SeededSettings().inner.make(problem), oracle.settle, 30, order=5)
    assert [trial.proposal for trial in seeded] == [trial.proposal for trial in alone]
    assert "names no seed" in SeededSettings().problems()["genomes"]


class Halving(RandomSearch):
    """Continues its first trial with the second proposal."""

    continues_trials = True

    def ask(self, count):
        proposals = super().ask(count)
        if self._asked == 2:
            return [
                Proposal(
                    self.problem.seeds["runs/a#1"],
                    Fidelity(9),
                    Lineage(("promote",)),
                    resume_from=0,
                )
            ]
        return proposals


class HalvingSettings(RandomSettings):
    def make(self, problem):
        return Halving(problem, self)


def test_what_continues_a_trial_is_no_place_for_a_seed(problem, oracle):
    strategy = Seeded(problem, SeededSettings(HalvingSettings(), NAMES))
    assert strategy.continues_trials
    trials = drive(strategy, oracle.settle, 5, order=5)
    assert [trial.lineage.operator for trial in trials[:5]] == [
        "seed one",
        "promote",
        "seed two",
        "seed three",
        "sample",
    ]
    assert trials[1].proposal.resume_from == 0


@pytest.mark.parametrize("inner", INNER, ids=lambda inner: type(inner).__name__)
def test_a_search_that_is_killed_among_its_seeds_tells_the_inner_one_of_all(problem, oracle, inner):
    settings = SeededSettings(inner, NAMES)
    whole = drive(Seeded(problem, settings), oracle.settle, 14)
    begun = Seeded(problem, settings)
    known = {}
    for id in range(2):
        (proposal,) = begun.ask(1)
        known[id] = oracle.settle(id, proposal)
        begun.tell(known[id])
    goes_on = Seeded(problem, settings)
    goes_on.load_state_dict(begun.state_dict(), known)
    trials = list(known.values())
    for id in range(2, 14):
        (proposal,) = goes_on.ask(1)
        trials.append(oracle.settle(id, proposal))
        goes_on.tell(trials[-1])
    assert [trial.genome for trial in trials] == [trial.genome for trial in whole]
    assert [trial.lineage for trial in trials] == [trial.lineage for trial in whole]
