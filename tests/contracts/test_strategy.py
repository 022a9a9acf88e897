"""What every strategy promises, run over the registry: register a strategy and it is held to this."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from evonas.genome import sample, validate
from evonas.search.adaptation import Matching, Pursuit
from evonas.search.named import StrategyConfig
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
from evonas.trial import Constraint, Fidelity, Objective, Proposal, Trial

LOOK_AHEAD = 5

AGING = StrategyConfig("aging", AgingSettings(population=5))
QUICK_PROCESS = GaussianProcessSettings(initial=6, candidates=12, parents=3, depth=1, fitted_on=20)
QUICK_FOREST = ForestSettings(initial=6, candidates=12, parents=3, depth=1, trees=4)
QUICK_DNGO = DngoSettings(initial=6, candidates=12, parents=3, depth=1, layers=1, units=8)
VARIANTS = {
    **{name: (name, kind.Settings()) for name, kind in STRATEGIES.items()},
    "steady state": ("evolution", EvolutionSettings(population=6, replacement=SteadyState(2))),
    "steady state, adaptive": (
        "evolution",
        EvolutionSettings(
            population=6, replacement=SteadyState(), mutation=Mutation(adaptation=Matching())
        ),
    ),
    "universal sampling, comma, adaptive": (
        "evolution",
        EvolutionSettings(
            4,
            (),
            StochasticUniversal(),
            mutation=Mutation(adaptation=Pursuit()),
            replacement=Comma(9),
        ),
    ),
    "random, a sequence": ("random", RandomSettings(Sobol())),
    "random, sets one after another": ("random", RandomSettings(LatinHypercube())),
    "asha, a set": ("asha", AshaSettings(2, sampler=Hammersley())),
    "hyperband, halves": ("hyperband", HyperbandSettings(2)),
    "aging, adaptive": (
        "aging",
        AgingSettings(population=5, mutation=Mutation(adaptation=Pursuit())),
    ),
    "optuna": ("optuna", OptunaSettings(Tpe(30, 8))),
    "optuna, cma_es": ("optuna", OptunaSettings(CmaEs(5))),
    "gaussian_process": ("gaussian_process", QUICK_PROCESS),
    "forest": ("forest", QUICK_FOREST),
    "dngo": ("dngo", QUICK_DNGO),
    "local search, few neighbours": (
        "local_search",
        LocalSearchSettings(4, Mutation(adaptation=Matching())),
    ),
    "cma_es, few": ("cma_es", CmaEsSettings(population=4, sigma=0.1)),
    "particle_swarm, few": ("particle_swarm", ParticleSwarmSettings(population=3)),
    "nelder_mead, adaptive": ("nelder_mead", NelderMeadSettings(adaptive=True, tolerance=0.05)),
    "differential_evolution, few": (
        "differential_evolution",
        DifferentialEvolutionSettings(5, base="random"),
    ),
    "screened": (
        "screened",
        ScreenedSettings(surrogate=GaussianProcess(1, 20), factor=4, warmup=8),
    ),
    "screened aging": (
        "screened",
        ScreenedSettings(AGING, Forest(trees=4, depth=1), factor=3, warmup=8),
    ),
    "seeded": ("seeded", SeededSettings(genomes=("first", "second", "third"))),
    "seeded aging": ("seeded", SeededSettings(AGING, ("first", "second", "third"))),
    "seeded local search": (
        "seeded",
        SeededSettings(StrategyConfig("local_search", LocalSearchSettings(4)), ("third",)),
    ),
    "seeded hyperband": (
        "seeded",
        SeededSettings(StrategyConfig("hyperband", HyperbandSettings()), ("first", "second")),
    ),
    "seeded cma_es": (
        "seeded",
        SeededSettings(
            StrategyConfig("cma_es", CmaEsSettings(population=5)), ("first", "second", "third")
        ),
    ),
    "seeded nelder_mead": (
        "seeded",
        SeededSettings(StrategyConfig("nelder_mead", NelderMeadSettings()), ("first", "third")),
    ),
    "seeded nsga2": (
        "seeded",
        SeededSettings(StrategyConfig("nsga2", Nsga2Settings(population=6)), ("first", "third")),
    ),
    "nsga3, few": ("nsga3", Nsga3Settings(population=5, divisions=9)),
    "seeded process": (
        "seeded",
        SeededSettings(StrategyConfig("gaussian_process", QUICK_PROCESS), ("first", "third")),
    ),
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
        kind, settings = VARIANTS[name]
        objectives = (oracle.objective, Objective("parameters", "min"))
        problem = SearchProblem(
            small_space, oracle.objective, Fidelity(9), seed, seeds, objectives=objectives
        )
        return STRATEGIES[kind](problem, settings)

    return build


@pytest.fixture
def few(name):
    """How many steps are taken for so many: a third of them where a model is fitted for each proposal."""
    return lambda steps: steps // 3 if name in SLOW else steps


def drive(strategy: Strategy, oracle, trials: list[Trial], told: int, steps: int) -> int:
    """Tell one, then ask while the window is open, as the engine does; returns how many are told."""
    for _ in range(steps):
        if told < len(trials):
            strategy.tell(trials[told])
            told += 1
        while len(trials) - told < LOOK_AHEAD and (asked := strategy.ask(1)):
            trials.extend(
                oracle.settle(len(trials) + i, proposal) for i, proposal in enumerate(asked)
            )
    return told


def known(trials: list[Trial], told: int) -> dict[int, Trial]:
    """What a strategy is given with its state: those that are not told wait."""
    return {trial.id: trial if trial.id < told else trial.unsettled for trial in trials}


def proposals(trials: list[Trial]) -> list[Proposal]:
    return [trial.proposal for trial in trials]


def test_proposals_are_valid_genomes_of_the_space(make, few, oracle, small_space):
    trials: list[Trial] = []
    drive(make(), oracle, trials, 0, few(60))
    assert len(trials) >= few(60)
    for trial in trials:
        validate(small_space, trial.genome)


def test_equal_seeds_give_equal_proposals_and_different_seeds_different_ones(make, few, oracle):
    runs: list[list[Trial]] = [[], [], []]
    for trials, seed in zip(runs, (0, 0, 1), strict=True):
        drive(make(seed), oracle, trials, 0, few(40))
    assert proposals(runs[0]) == proposals(runs[1])
    assert proposals(runs[0]) != proposals(runs[2])


def test_going_on_from_a_saved_state_is_the_same_as_never_stopping(make, name, few, oracle):
    whole: list[Trial] = []
    drive(make(), oracle, whole, 0, few(60))
    for stop in (7, 17) if name in SLOW else (0, 1, 7, 17, 33):
        trials: list[Trial] = []
        first = make()
        told = drive(first, oracle, trials, 0, stop)
        state = json.loads(json.dumps(first.state_dict()))
        second = make()
        second.load_state_dict(state, known(trials, told))
        drive(second, oracle, trials, told, few(60) - stop)
        assert proposals(trials) == proposals(whole), f"stopped after {stop} steps"


def test_the_global_random_streams_are_left_alone(make, few, oracle):
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.rand()
    random.seed(5)
    np.random.seed(5)
    drive(make(), oracle, [], 0, few(40))
    assert (random.random(), np.random.rand()) == expected


def test_the_users_seeding_of_the_global_streams_changes_nothing(make, few, oracle):
    runs: list[list[Trial]] = [[], []]
    for trials, seed in zip(runs, (1, 2), strict=True):
        random.seed(seed)
        np.random.seed(seed)
        drive(make(), oracle, trials, 0, few(40))
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
    trials: list[Trial] = []
    drive(make(), oracle, trials, 0, few(120))
    parents = {parent for trial in trials for parent in trial.lineage.parents}
    assert any(trial.fitness is None for trial in trials), (
        "the oracle must fail some, or this shows nothing"
    )
    assert all(trials[parent].fitness is not None for parent in parents)


def test_parents_are_told_before_their_children_are_asked(make, few, oracle):
    strategy, trials, told = make(), [], 0
    for _ in range(few(80)):
        known = told + 1 if told < len(trials) else told
        before = len(trials)
        told = drive(strategy, oracle, trials, told, 1)
        assert all(parent < known for trial in trials[before:] for parent in trial.lineage.parents)


def check_living(strategy: Strategy, oracle, steps: int = 120) -> list[Trial]:
    """Drive a strategy, and hold what it resumes from against what it said was alive; returns the trials."""
    trials: list[Trial] = []
    told = 0
    named: list[
        set[int]
    ] = []  # after each tell and each ask: the ids in `retained`, and how many were told
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
    trials: list[Trial] = []
    first = make()
    told = drive(first, oracle, trials, 0, few(50))
    second = make()
    second.load_state_dict(json.loads(json.dumps(first.state_dict())), known(trials, told))
    assert set(second.retained) == set(first.retained)


def test_the_state_is_small_and_holds_no_genome(make, few, oracle):
    strategy, trials = make(), []
    drive(strategy, oracle, trials, 0, few(60))
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


def test_alternatives_begin_with_the_next_proposal_and_change_nothing(make, oracle):
    strategy, trials, told = make(), [], 0
    if not strategy.has_alternatives:
        with pytest.raises(NotImplementedError):
            strategy.alternatives(3)
        return
    for _ in range(50):
        told = drive(strategy, oracle, trials, told, 1)
        strategy.tell(trials[told])
        told += 1
        before, options = strategy.state_dict(), strategy.alternatives(4)
        assert strategy.state_dict() == before
        asked = strategy.ask(1)
        assert options[:1] == asked
        assert not asked or strategy.problem.seeds or len({option.genome for option in options}) > 1
        trials.extend(oracle.settle(len(trials), proposal) for proposal in asked)
