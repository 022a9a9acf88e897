"""The names that a config may write: strategies, and the parts that they are made of.

A new strategy gets one import and one line in `STRATEGIES` here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas.search.adaptation import ADAPTATIONS, Adaptation
from evonas.search.crossover import CROSSOVERS, Crossover
from evonas.search.optuna_samplers import OPTUNA_SAMPLERS, OptunaSampler
from evonas.search.replacement import REPLACEMENTS, Replacement
from evonas.search.sampling import SAMPLERS, Sampler
from evonas.search.selection import SELECTIONS, Selection
from evonas.search.strategies.aging import Aging
from evonas.search.strategies.asha import Asha
from evonas.search.strategies.cma_es import CmaEs
from evonas.search.strategies.differential_evolution import DifferentialEvolution
from evonas.search.strategies.dngo import DngoSearch
from evonas.search.strategies.evolution import Evolution
from evonas.search.strategies.forest import ForestSearch
from evonas.search.strategies.gaussian_process import GaussianProcessSearch
from evonas.search.strategies.grid import Grid
from evonas.search.strategies.hyperband import Hyperband
from evonas.search.strategies.local_search import LocalSearch
from evonas.search.strategies.nelder_mead import NelderMead
from evonas.search.strategies.nsga2 import Nsga2
from evonas.search.strategies.nsga3 import Nsga3
from evonas.search.strategies.optuna_search import OptunaSearch
from evonas.search.strategies.particle_swarm import ParticleSwarm
from evonas.search.strategies.random_search import RandomSearch
from evonas.search.strategies.screened import Screened
from evonas.search.strategies.seeded import Seeded
from evonas.search.strategies.successive_halving import SuccessiveHalving
from evonas.search.strategy import Strategy
from evonas.search.surrogate import SURROGATES, Surrogate

STRATEGIES: Mapping[str, type[Strategy]] = {
    "evolution": Evolution,
    "aging": Aging,
    "random": RandomSearch,
    "grid": Grid,
    "successive_halving": SuccessiveHalving,
    "hyperband": Hyperband,
    "asha": Asha,
    "local_search": LocalSearch,
    "cma_es": CmaEs,
    "particle_swarm": ParticleSwarm,
    "nelder_mead": NelderMead,
    "differential_evolution": DifferentialEvolution,
    "gaussian_process": GaussianProcessSearch,
    "forest": ForestSearch,
    "dngo": DngoSearch,
    "optuna": OptunaSearch,
    "screened": Screened,
    "seeded": Seeded,
    "nsga2": Nsga2,
    "nsga3": Nsga3,
}

PARTS: Mapping[type, Mapping[str, type[Any]]] = {
    Selection: SELECTIONS,
    Crossover: CROSSOVERS,
    Replacement: REPLACEMENTS,
    Adaptation: ADAPTATIONS,
    Sampler: SAMPLERS,
    Surrogate: SURROGATES,
    OptunaSampler: OPTUNA_SAMPLERS,
}
"""The families of named parts.

If a field of a settings dataclass has one of these types, a config writes it `{name: {settings}}`.
"""
