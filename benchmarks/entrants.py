"""The strategies that are compared on published tables, by their names in the report.

Another strategy is one more line here. It has a row as soon as it is measured.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.sections import Strategy
from evonas.search.registry import STRATEGIES

EVOLUTION = "evolution, as it comes"
"""The name of evolution without a guide, whose rows were measured when it was the default."""

ENTRANTS: Mapping[str, Strategy] = {
    "random": {"random": {}},
    "aging, population 20, sample 5": {"aging": {"population": 20, "sample": 5}},
    EVOLUTION: {"evolution": {"guide": "none"}},
    "evolution, steady state": {"evolution": {"replacement": "steady_state"}},
    "local_search, as it comes": {"local_search": {}},
    "hyperband, as it comes": {"hyperband": {}},
    "asha, as it comes": {"asha": {}},
    "successive_halving, as it comes": {"successive_halving": {}},
    "screened, as it comes": {"screened": {}},
    "guided, as it comes": {"evolution": {}},
    "gaussian_process, as it comes": {"model_based": {"surrogate": "gaussian_process"}},
    "forest, as it comes": {"model_based": {"surrogate": "forest"}},
    "dngo, as it comes": {"model_based": {"surrogate": "dngo"}},
    "optuna, as it comes": {"optuna": {}},
    "cma_es, as it comes": {"cma_es": {}},
    "differential_evolution, as it comes": {"differential_evolution": {}},
    "particle_swarm, as it comes": {"particle_swarm": {}},
    "nelder_mead, as it comes": {"nelder_mead": {}},
}

OF_ONE_LENGTH: Mapping[str, Strategy] = {
    name: strategy
    for name, strategy in ENTRANTS.items()
    if not STRATEGIES[next(iter(strategy))].sets_epochs
}
"""The strategies that train everything fully, for tables that know one length of training."""
