"""The names that a config may write: strategies, and the parts that they are made of.

A new strategy gets one import and one line in `STRATEGIES` here. Nobody else knows the names.
"""

from __future__ import annotations

from collections.abc import Mapping

from evonas.search.adaptation import ADAPTATIONS, Adaptation
from evonas.search.crossover import CROSSOVERS, Crossover
from evonas.search.older_names import DELETED_SAMPLERS, OLDER_STRATEGIES
from evonas.search.optuna_study.tpe import OPTUNA_SAMPLERS, Tpe
from evonas.search.replacement import REPLACEMENTS, Replacement
from evonas.search.sampling import SAMPLERS, Sampler
from evonas.search.selection import SELECTIONS, Selection
from evonas.search.strategies.aging import AgingSettings
from evonas.search.strategies.asha import AshaSettings
from evonas.search.strategies.cma_es import CmaEsSettings
from evonas.search.strategies.differential_evolution import DifferentialEvolutionSettings
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.grid import GridSettings
from evonas.search.strategies.hyperband import HyperbandSettings
from evonas.search.strategies.local_search import LocalSearchSettings
from evonas.search.strategies.model_based import ModelBasedSettings
from evonas.search.strategies.nelder_mead import NelderMeadSettings
from evonas.search.strategies.nsga2 import Nsga2Settings
from evonas.search.strategies.nsga3 import Nsga3Settings
from evonas.search.strategies.optuna_search import OptunaSettings
from evonas.search.strategies.particle_swarm import ParticleSwarmSettings
from evonas.search.strategies.random_search import RandomSettings
from evonas.search.strategies.screened import ScreenedSettings
from evonas.search.strategies.seeded import SeededSettings
from evonas.search.strategies.successive_halving import SuccessiveHalvingSettings
from evonas.search.strategy import StrategySettings
from evonas.search.surrogate import GUIDES, SURROGATES, Guide, Surrogate
from evonas.settings import Settings

STRATEGIES: Mapping[str, type[StrategySettings]] = {
    "evolution": EvolutionSettings,
    "aging": AgingSettings,
    "random": RandomSettings,
    "grid": GridSettings,
    "successive_halving": SuccessiveHalvingSettings,
    "hyperband": HyperbandSettings,
    "asha": AshaSettings,
    "local_search": LocalSearchSettings,
    "cma_es": CmaEsSettings,
    "particle_swarm": ParticleSwarmSettings,
    "nelder_mead": NelderMeadSettings,
    "differential_evolution": DifferentialEvolutionSettings,
    "model_based": ModelBasedSettings,
    "optuna": OptunaSettings,
    "screened": ScreenedSettings,
    "seeded": SeededSettings,
    "nsga2": Nsga2Settings,
    "nsga3": Nsga3Settings,
}

NAMES: Mapping[type[Settings], Mapping[str, type[Settings] | str]] = {
    StrategySettings: {**STRATEGIES, **OLDER_STRATEGIES},
    Selection: SELECTIONS,
    Crossover: CROSSOVERS,
    Replacement: REPLACEMENTS,
    Adaptation: ADAPTATIONS,
    Sampler: SAMPLERS,
    Surrogate: SURROGATES,
    Guide: GUIDES,
    Tpe: {**OPTUNA_SAMPLERS, **DELETED_SAMPLERS},
}
"""The families of what a config writes by name.

If a field of a settings dataclass has one of these types, a config writes it `{name: {settings}}`.
A sentence in the place of a class says why the name is refused.
"""
