"""Surrogates: models that predict a genome's fitness from the trials that are known, with their doubt.

A **surrogate** is a frozen value with its settings; `fit` gives a `Fitted`, which predicts. One file a surrogate, and a
line in `SURROGATES`. They see genomes through `Features`: counts of Weisfeiler-Lehman subtrees, and numbers.
"""

from evonas.search.surrogate.dngo import Dngo
from evonas.search.surrogate.experience import Experience
from evonas.search.surrogate.features import Features
from evonas.search.surrogate.forest import Forest
from evonas.search.surrogate.gaussian_process import GaussianProcess
from evonas.search.surrogate.improvement import expected_improvement
from evonas.search.surrogate.surrogate import Fitted, Surrogate

SURROGATES: dict[str, type[Surrogate]] = {
    "gaussian_process": GaussianProcess,
    "forest": Forest,
    "dngo": Dngo,
}

__all__ = [
    "SURROGATES",
    "Dngo",
    "Experience",
    "Features",
    "Fitted",
    "Forest",
    "GaussianProcess",
    "Surrogate",
    "expected_improvement",
]
