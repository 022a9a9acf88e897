"""Optuna's samplers by their names, with their settings.

Each sampler has a file of its own. A new sampler needs a file and a place in `OPTUNA_SAMPLERS`.

Optuna is an extra of evonas and takes half a second to import. So the samplers import it in `make`
only. The modules `study.py` and `view.py` import it at once, and are imported only when used.
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
