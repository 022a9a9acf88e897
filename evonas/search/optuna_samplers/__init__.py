"""Optuna's samplers by their names, with their settings; one file a sampler, and a line in `OPTUNA_SAMPLERS`.

Optuna is an extra of evonas and takes half a second to import. So modules that speak to it (`study.py`, `view.py`) are
imported where they are used, and these files import it inside of `make` only.
"""

from evonas.search.optuna_samplers.cma_es import CmaEs
from evonas.search.optuna_samplers.genetic import NsgaII, NsgaIII
from evonas.search.optuna_samplers.independent import Independent
from evonas.search.optuna_samplers.qmc import Qmc
from evonas.search.optuna_samplers.sampler import OptunaSampler
from evonas.search.optuna_samplers.tpe import Tpe

OPTUNA_SAMPLERS: dict[str, type[OptunaSampler]] = {
    kind.word: kind for kind in (Tpe, Independent, Qmc, CmaEs, NsgaII, NsgaIII)
}

__all__ = [
    "OPTUNA_SAMPLERS",
    "CmaEs",
    "Independent",
    "NsgaII",
    "NsgaIII",
    "OptunaSampler",
    "Qmc",
    "Tpe",
]
