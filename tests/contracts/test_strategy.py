"""What every strategy promises, run over the registry: each registered strategy is held to this."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evonas.search.adaptation import Matching, Pursuit
from evonas.search.optuna_study.tpe import Tpe
from evonas.search.registry import STRATEGIES
from evonas.search.replacement import Comma, SteadyState
from evonas.search.sampling import Hammersley, LatinHypercube, Sobol
from evonas.search.selection import StochasticUniversal
from evonas.search.strategies.aging import AgingSettings
from evonas.search.strategies.asha import AshaSettings
from evonas.search.strategies.cma_es import CmaEsSettings
from evonas.search.strategies.differential_evolution import DifferentialEvolutionSettings
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.hyperband import HyperbandSettings
from evonas.search.strategies.local_search import LocalSearchSettings
from evonas.search.strategies.model_based import ModelBasedSettings
from evonas.search.strategies.nelder_mead import NelderMeadSettings
from evonas.search.strategies.nsga2 import Nsga2Settings
from evonas.search.strategies.nsga3 import Nsga3Settings
from evonas.search.strategies.optuna_search import OptunaSettings
from evonas.search.strategies.particle_swarm import ParticleSwarmSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategies.screened import ScreenedSettings
from evonas.search.strategies.seeded import SeededSettings
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import Dngo, Forest, GaussianProcess, NoGuide
from evonas.search.variation import Mutation
from evonas.testing import StrategySuite
from evonas.testing.suites.strategy import check_retained
from evonas.trial import Constraint, Fidelity, Trial

AGING = AgingSettings(population=5)
QUICK_PROCESS = ModelBasedSettings(GaussianProcess(1, 20), initial=6, candidates=12, parents=3)
QUICK_FOREST = replace(QUICK_PROCESS, surrogate=Forest(trees=4, depth=1))
QUICK_DNGO = replace(QUICK_PROCESS, surrogate=Dngo(layers=1, units=8, depth=1))
VARIANTS = {
    **{name: kind() for name, kind in STRATEGIES.items()},
    "steady state": EvolutionSettings(population=6, replacement=SteadyState(2)),
    "steady state, adaptive": EvolutionSettings(
        population=6, replacement=SteadyState(), mutation=Mutation(adaptation=Matching())
    ),
    "universal sampling, comma, adaptive": EvolutionSettings(
        population=4,
        selection=StochasticUniversal(),
        mutation=Mutation(adaptation=Pursuit()),
        replacement=Comma(9),
    ),
    "random, a sequence": RandomSettings(Sobol()),
    "random, sets one after another": RandomSettings(LatinHypercube()),
    "asha, a set": AshaSettings(2, sampler=Hammersley()),
    "hyperband, halves": HyperbandSettings(2),
    "aging, adaptive": AgingSettings(population=5, mutation=Mutation(adaptation=Pursuit())),
    "optuna": OptunaSettings(Tpe(30, 8)),
    "model_based": QUICK_PROCESS,
    "forest": QUICK_FOREST,
    "dngo": QUICK_DNGO,
    "local search, few neighbours": LocalSearchSettings(4, Mutation(adaptation=Matching())),
    "cma_es, few": CmaEsSettings(population=4, sigma=0.1),
    "particle_swarm, few": ParticleSwarmSettings(population=3),
    "nelder_mead, adaptive": NelderMeadSettings(adaptive=True, tolerance=0.05),
    "differential_evolution, few": DifferentialEvolutionSettings(5, base="random"),
    "screened": ScreenedSettings(surrogate=GaussianProcess(1, 20), factor=4, warmup=8),
    "screened aging": ScreenedSettings(AGING, Forest(trees=4, depth=1), factor=3, warmup=8),
    "evolution": EvolutionSettings(GaussianProcess(0, 10), initial=4, children=6),
    "evolution without a guide": EvolutionSettings(NoGuide()),
    "seeded": SeededSettings(EvolutionSettings(NoGuide()), ("first", "second", "third")),
    "seeded aging": SeededSettings(AGING, ("first", "second", "third")),
    "seeded local search": SeededSettings(LocalSearchSettings(4), ("third",)),
    "seeded hyperband": SeededSettings(HyperbandSettings(), ("first", "second")),
    "seeded cma_es": SeededSettings(CmaEsSettings(population=5), ("first", "second", "third")),
    "seeded nelder_mead": SeededSettings(NelderMeadSettings(), ("first", "third")),
    "seeded nsga2": SeededSettings(Nsga2Settings(population=6), ("first", "third")),
    "nsga3, few": Nsga3Settings(population=5, divisions=9),
    "seeded process": SeededSettings(QUICK_PROCESS, ("first", "third")),
}
"""Every strategy as it is by default, and settings that change how it asks or what it remembers."""

SLOW = (
    "forest",
    "dngo",
    "model_based",
    "optuna",
    "screened",
    "screened aging",
    "evolution",
    "seeded process",
)
"""Those that fit a model for each proposal."""


class TestStrategies(StrategySuite):
    members = {name: settings for name, settings in VARIANTS.items() if name not in SLOW}


class TestModels(StrategySuite):
    members = {name: VARIANTS[name] for name in SLOW}
    brevity = 3


class TestConstrained(StrategySuite):
    members = {name: VARIANTS[name] for name in ("evolution without a guide", "nsga2")}
    constraints = (Constraint("parameters", most=500),)


class Continuing(RandomSearch):
    """Every ninth proposal trains on the trial of eight before it."""

    continues_trials = True
    forgets: frozenset[int] = frozenset()

    def __init__(self, problem, settings):
        super().__init__(problem, settings)
        self.known: list[Trial] = []

    def _propose(self, number):
        proposal = super()._propose(number)
        if number % 9 == 8:
            first = self.known[number - 8]
            return replace(
                proposal, genome=first.genome, resume_from=first.id, fidelity=Fidelity(9)
            )
        return proposal

    def tell(self, trial):
        self.known.append(trial)

    @property
    def retained(self):
        return [trial.id for trial in self.known[-9:] if trial.id not in self.forgets]


def test_the_contract_about_the_retained_can_be_broken(small_space, loss, oracle):
    problem = SearchProblem(small_space, loss, Fidelity(3), 0)
    trials = check_retained(Continuing(problem, RandomSettings()), oracle.settle, 120)
    assert sum(trial.proposal.resume_from is not None for trial in trials) > 5
    liar = type("Liar", (Continuing,), {"forgets": frozenset({27})})
    with pytest.raises(AssertionError, match="trial 27 was not retained all the time"):
        check_retained(liar(problem, RandomSettings()), oracle.settle, 120)
