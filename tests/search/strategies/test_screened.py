"""Screened: the surrogate chooses one of many for each trial; the inner strategy is unaware."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.search.strategies.aging import AgingSettings
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.model_based import ModelBasedSettings
from evonas.search.strategies.random_search import RandomSettings
from evonas.search.strategies.screened import Screened, ScreenedSettings
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import Fitted, Forest, Surrogate
from evonas.testing import drive, settled
from evonas.trial import Fidelity

INNER = [
    RandomSettings(),
    AgingSettings(population=6),
    EvolutionSettings(population=6),
]


class Narrow(Surrogate):
    """Expects most of networks with few layers and small numbers."""

    depth, fitted_on = 0, 100

    def fit(self, features, genomes, values, rng, tuned=None):
        return NarrowFit(features)


class NarrowFit(Fitted):
    def __init__(self, features):
        self.features = features

    def predict(self, genomes):
        return 100 * self.features.points(genomes).sum(axis=1), np.zeros(len(genomes))


@pytest.fixture
def problem(small_space, loss):
    return SearchProblem(small_space, loss, Fidelity(1), 0)


@pytest.mark.parametrize("inner", INNER, ids=lambda inner: type(inner).__name__)
def test_during_the_warm_up_it_proposes_what_the_inner_strategy_does(problem, oracle, inner):
    strategy = Screened(problem, ScreenedSettings(inner, Narrow(), 5, 1000))
    screened = drive(strategy, oracle.settle, 25, order=5)
    alone = drive(inner.make(problem), oracle.settle, 25, order=5)
    differing = [
        i
        for i, (one, other) in enumerate(zip(screened, alone, strict=True))
        if one.proposal != other.proposal
    ]
    seen = {trial.genome for trial in screened[: differing[0]]} if differing else set()
    assert not differing or alone[differing[0]].genome in seen, (
        "only a genome that was proposed before is dropped"
    )


@pytest.mark.parametrize("inner", INNER, ids=lambda inner: type(inner).__name__)
def test_of_the_alternatives_that_are_new_the_most_promising_is_proposed(problem, oracle, inner):
    strategy = Screened(problem, ScreenedSettings(inner, Narrow(), 8, 2))
    twin, known = inner.make(problem), set()
    for i in range(30):
        options = [option for option in twin.alternatives(8) if option.genome not in known]
        (proposal,) = strategy.ask(1)
        if i >= 2 and options:
            assert proposal in options
        known.add(proposal.genome)
        twin.ask(1)
        trial = oracle.settle(i, proposal)
        strategy.tell(trial)
        twin.tell(trial)
    assert strategy.state_dict()["inner"] == twin.state_dict(), (
        "the inner one has been told of every trial it asked for"
    )


class WideFit(NarrowFit):
    """Expects an improvement of all, and most of networks with many layers and great numbers."""

    def predict(self, genomes):
        mean, deviation = super().predict(genomes)
        return -1 - mean, deviation


def test_two_alternatives_are_compared_too(problem, oracle, monkeypatch):
    monkeypatch.setattr(
        Narrow, "fit", lambda self, features, genomes, values, rng, tuned=None: WideFit(features)
    )
    inner = RandomSettings()
    strategy = Screened(problem, ScreenedSettings(inner, Narrow(), factor=2, warmup=4))
    drive(strategy, oracle.settle, 6)
    first, second = strategy._inner.alternatives(2)
    assert first.genome != second.genome
    chosen = strategy._chosen([first, second])
    assert strategy._chosen([second, first]) == chosen


def test_the_surrogate_decides(problem, loss, monkeypatch):
    calls = []

    def improvement(self, genomes):
        calls.append(len(genomes))
        return np.arange(len(genomes), dtype=float)

    monkeypatch.setattr("evonas.search.surrogate.Experience.improvement", improvement)
    strategy = Screened(problem, ScreenedSettings(INNER[0], Narrow(), 6, 4))
    drive(strategy, lambda id, proposal: settled(loss, id, proposal, 1.0 + id), 4)
    assert calls == []
    expected = INNER[0].make(problem)
    expected.load_state_dict({"asked": 4}, {})
    options = expected.alternatives(6)
    (proposal,) = strategy.ask(1)
    assert calls == [len({option.genome for option in options})]
    assert proposal == options[-1]


def test_it_waits_where_the_inner_strategy_waits(problem):
    strategy = Screened(problem, ScreenedSettings(INNER[2], Forest(), 4, 2))
    assert len(strategy.ask(20)) == 6
    before = strategy.state_dict()
    assert strategy.ask(1) == []
    assert strategy.state_dict() == before


def test_only_strategies_with_alternatives_can_be_screened():
    inner = ModelBasedSettings()
    assert "has no alternatives" in ScreenedSettings(inner).problems()["inner"]
    assert ScreenedSettings(INNER[1]).problems() == {}
