"""What every strategy promises, run over the registry: each registered strategy is held to this."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from evonas.genome import sample, validate
from evonas.search.adaptation import Matching, Pursuit
from evonas.search.optuna_samplers import CmaEs, Tpe
from evonas.search.registry import STRATEGIES
from evonas.search.replacement import Comma, SteadyState
from evonas.search.sampling import Hammersley, LatinHypercube, Sobol
from evonas.search.selection import StochasticUniversal
from evonas.search.strategies.aging import AgingSettings
from evonas.search.strategies.asha import AshaSettings
from evonas.search.strategies.cma_es import CmaEsSettings
from evonas.search.strategies.differential_evolution import DifferentialEvolutionSettings
from evonas.search.strategies.dngo import DngoSettings
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.forest import ForestSettings
from evonas.search.strategies.gaussian_process import GaussianProcessSettings
from evonas.search.strategies.hyperband import HyperbandSettings
from evonas.search.strategies.local_search import LocalSearchSettings
from evonas.search.strategies.nelder_mead import NelderMeadSettings
from evonas.search.strategies.nsga2 import Nsga2Settings
from evonas.search.strategies.nsga3 import Nsga3Settings
from evonas.search.strategies.optuna_search import OptunaSettings
from evonas.search.strategies.particle_swarm import ParticleSwarmSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategies.screened import ScreenedSettings
from evonas.search.strategies.seeded import SeededSettings
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.surrogate import Forest, GaussianProcess
from evonas.search.variation import Mutation
from evonas.testing import Driver
from evonas.trial import Constraint, Fidelity, Objective, Proposal, Trial

LOOK_AHEAD = 5

AGING = AgingSettings(population=5)
QUICK_PROCESS = GaussianProcessSettings(initial=6, candidates=12, parents=3, depth=1, fitted_on=20)
QUICK_FOREST = ForestSettings(initial=6, candidates=12, parents=3, depth=1, trees=4)
QUICK_DNGO = DngoSettings(initial=6, candidates=12, parents=3, depth=1, layers=1, units=8)
VARIANTS = {
    **{name: kind() for name, kind in STRATEGIES.items()},
    "steady state": EvolutionSettings(population=6, replacement=SteadyState(2)),
    "steady state, adaptive": EvolutionSettings(
        population=6, replacement=SteadyState(), mutation=Mutation(adaptation=Matching())
    ),
    "universal sampling, comma, adaptive": EvolutionSettings(
        4,
        (),
        StochasticUniversal(),
        mutation=Mutation(adaptation=Pursuit()),
        replacement=Comma(9),
    ),
    "random, a sequence": RandomSettings(Sobol()),
    "random, sets one after another": RandomSettings(LatinHypercube()),
    "asha, a set": AshaSettings(2, sampler=Hammersley()),
    "hyperband, halves": HyperbandSettings(2),
    "aging, adaptive": AgingSettings(population=5, mutation=Mutation(adaptation=Pursuit())),
    "optuna": OptunaSettings(Tpe(30, 8)),
    "optuna, cma_es": OptunaSettings(CmaEs(5)),
    "gaussian_process": QUICK_PROCESS,
    "forest": QUICK_FOREST,
    "dngo": QUICK_DNGO,
    "local search, few neighbours": LocalSearchSettings(4, Mutation(adaptation=Matching())),
    "cma_es, few": CmaEsSettings(population=4, sigma=0.1),
    "particle_swarm, few": ParticleSwarmSettings(population=3),
    "nelder_mead, adaptive": NelderMeadSettings(adaptive=True, tolerance=0.05),
    "differential_evolution, few": DifferentialEvolutionSettings(5, base="random"),
    "screened": ScreenedSettings(surrogate=GaussianProcess(1, 20), factor=4, warmup=8),
    "screened aging": ScreenedSettings(AGING, Forest(trees=4, depth=1), factor=3, warmup=8),
    "seeded": SeededSettings(genomes=("first", "second", "third")),
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
    "gaussian_process",
    "optuna",
    "optuna, cma_es",
    "screened",
    "screened aging",
    "seeded process",
)
"""Those that fit a model for each proposal."""
CONSTRAINED = ("evolution", "nsga2")
"""Strategies that are also held to it where half of the trials violate a constraint."""


@pytest.fixture(params=[*sorted(VARIANTS), *(f"{name}, constrained" for name in CONSTRAINED)])
def name(request):
    return request.param.removesuffix(", constrained")


@pytest.fixture
def oracle(request, oracle):
    given = getattr(request.node, "callspec", None)
    if given is not None and "constrained" in given.id:
        oracle.objective = replace(
            oracle.objective, constraints=(Constraint("parameters", most=500),)
        )
    return oracle


@pytest.fixture
def make(name, small_space, oracle):
    seeds = {
        word: sample(small_space, np.random.default_rng(i))
        for i, word in enumerate(["first", "second", "third"])
    }

    def build(seed: int = 0) -> Strategy:
        objectives = (oracle.objective, Objective("parameters", "min"))
        problem = SearchProblem(
            small_space, oracle.objective, Fidelity(9), seed, seeds, objectives=objectives
        )
        return VARIANTS[name].make(problem)

    return build


@pytest.fixture
def few(name):
    """The number of steps to take: a third if a model is fitted for each proposal."""
    return lambda steps: steps // 3 if name in SLOW else steps


def driven(strategy: Strategy, oracle, steps: int) -> Driver:
    """A search after so many steps of the engine."""
    driver = Driver(strategy, oracle.settle, LOOK_AHEAD)
    driver.step(steps)
    return driver


def known(driver: Driver) -> dict[int, Trial]:
    """The trials that a strategy gets with its state: those that are not told wait."""
    found = {}
    for trial in driver.trials:
        found[trial.id] = trial if trial.id < driver.told else trial.unsettled
    return found


def proposals(driver: Driver) -> list[Proposal]:
    return [trial.proposal for trial in driver.trials]


def test_proposals_are_valid_and_as_the_settings_say(make, name, few, oracle, small_space):
    trials = driven(make(), oracle, few(60)).trials
    assert len(trials) >= few(60)
    for trial in trials:
        validate(small_space, trial.genome)
    layers = VARIANTS[name].with_inner()
    asked = {trial.proposal.fidelity.epochs for trial in trials}
    assert asked <= {epochs for layer in layers for epochs in layer.fidelities(9)}
    assert (asked != {9}) == any(layer.sets_epochs for layer in layers)


def test_its_settings_make_another_one_like_it(make, few, oracle):
    strategy = make()
    driven(strategy, oracle, few(12))
    again = strategy.settings.make(strategy.problem)
    assert again.state_dict() == make().state_dict()
    assert again.ask(3) == make().ask(3)


def test_equal_seeds_give_equal_proposals_and_different_seeds_different_ones(make, few, oracle):
    runs = [driven(make(seed), oracle, few(40)) for seed in (0, 0, 1)]
    assert proposals(runs[0]) == proposals(runs[1])
    assert proposals(runs[0]) != proposals(runs[2])


def test_going_on_from_a_saved_state_is_the_same_as_never_stopping(make, name, few, oracle):
    whole = driven(make(), oracle, few(60))
    for stop in (7, 17) if name in SLOW else (0, 1, 7, 17, 33):
        driver = driven(make(), oracle, stop)
        state = json.loads(json.dumps(driver.strategy.state_dict()))
        second = make()
        second.load_state_dict(state, known(driver))
        driver.strategy = second
        driver.step(few(60) - stop)
        assert proposals(driver) == proposals(whole), f"stopped after {stop} steps"


def test_the_global_random_streams_are_left_alone(make, few, oracle):
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.rand()
    random.seed(5)
    np.random.seed(5)
    driven(make(), oracle, few(40))
    assert (random.random(), np.random.rand()) == expected


def test_the_users_seeding_of_the_global_streams_changes_nothing(make, few, oracle):
    runs = []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)
        runs.append(driven(make(), oracle, few(40)))
    assert proposals(runs[0]) == proposals(runs[1])


def test_an_ask_that_returns_nothing_changes_nothing(make, few):
    strategy = make()
    for _ in range(few(1000)):
        before = strategy.state_dict()
        if not strategy.ask(1):
            assert strategy.state_dict() == before
            return
    assert not strategy.is_done, "a strategy that never waits proposes for ever"


def test_asking_for_many_is_asking_one_by_one(make):
    many, single = make(), make()
    together = many.ask(7)
    one_by_one = [proposal for _ in range(7) for proposal in single.ask(1)]
    assert together == one_by_one[: len(together)]
    assert len(together) == len(one_by_one)
    assert many.state_dict() == single.state_dict()


def test_failed_trials_never_become_parents(make, few, oracle):
    trials = driven(make(), oracle, few(120)).trials
    parents = {parent for trial in trials for parent in trial.lineage.parents}
    assert any(trial.fitness is None for trial in trials), (
        "the oracle must fail some, or this shows nothing"
    )
    assert all(trials[parent].fitness is not None for parent in parents)


def test_parents_are_told_before_their_children_are_asked(make, few, oracle):
    driver = driven(make(), oracle, few(80))
    for trial, known in zip(driver.trials, driver.told_before, strict=True):
        assert all(parent < known for parent in trial.lineage.parents)


def check_living(strategy: Strategy, oracle, steps: int = 120) -> list[Trial]:
    """Search, and compare what is resumed from with what was said to live; returns the trials."""
    trials: list[Trial] = []
    told = 0
    # After each tell and each ask: the ids in `retained`, and how many trials were told.
    named: list[set[int]] = []
    known: list[int] = []

    def look() -> None:
        named.append(set(strategy.retained))
        known.append(told)
        assert named[-1] <= set(range(told)), "only who was told can live"

    look()
    for _ in range(steps):
        if told < len(trials):
            strategy.tell(trials[told])
            told += 1
            look()
        while len(trials) - told < LOOK_AHEAD and (asked := strategy.ask(1)):
            for proposal in asked:
                if (source := proposal.resume_from) is not None:
                    assert strategy.continues_trials
                    since = [ids for ids, count in zip(named, known, strict=True) if source < count]
                    assert since, f"trial {source} is resumed from, and was not told yet"
                    assert all(source in ids for ids in since), (
                        f"trial {source} was not alive all the time"
                    )
                trials.append(oracle.settle(len(trials), proposal))
            look()
    return trials


def test_who_is_resumed_from_was_alive_from_the_tell_to_the_proposal(make, few, oracle):
    trials = check_living(make(), oracle, few(120))
    continues = any(trial.proposal.resume_from is not None for trial in trials)
    assert continues == make().continues_trials, "or this shows nothing"


def test_the_living_are_the_same_after_a_resume(make, few, oracle):
    first = make()
    driver = driven(first, oracle, few(50))
    second = make()
    second.load_state_dict(json.loads(json.dumps(first.state_dict())), known(driver))
    assert set(second.retained) == set(first.retained)


def test_the_state_is_small_and_holds_no_genome(make, few, oracle):
    strategy = make()
    driven(strategy, oracle, few(60))
    text = json.dumps(strategy.state_dict(), allow_nan=False)
    assert len(text) < 2000
    assert "dense" not in text


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


def test_the_contract_about_the_living_can_be_broken(small_space, loss, oracle):
    problem = SearchProblem(small_space, loss, Fidelity(3), 0)
    trials = check_living(Continuing(problem, RandomSettings()), oracle)
    assert sum(trial.proposal.resume_from is not None for trial in trials) > 5
    liar = type("Liar", (Continuing,), {"forgets": frozenset({27})})
    with pytest.raises(AssertionError, match="trial 27 was not alive all the time"):
        check_living(liar(problem, RandomSettings()), oracle)


def test_alternatives_begin_with_the_next_proposal_and_change_nothing(make, name, oracle):
    strategy = make()
    if not VARIANTS[name].has_alternatives:
        with pytest.raises(NotImplementedError):
            strategy.alternatives(3)
        return
    driver = Driver(strategy, oracle.settle, LOOK_AHEAD)
    for _ in range(50):
        driver.step()
        driver.tell()
        before, options = strategy.state_dict(), strategy.alternatives(4)
        assert strategy.state_dict() == before
        asked = driver.ask()
        assert options[:1] == [trial.proposal for trial in asked]
        assert not asked or strategy.problem.seeds or len({option.genome for option in options}) > 1
