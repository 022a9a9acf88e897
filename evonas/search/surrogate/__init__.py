"""Surrogates: models that predict a genome's fitness from the trials that are known.

A **surrogate** is a frozen value with its settings. Its `fit` gives a `Fitted`, which predicts a
mean and a standard deviation. `Experience` keeps the trials that it learns from. A surrogate sees
genomes through `Features`: counts of Weisfeiler-Lehman subtrees, and numbers. A **guide** is a
surrogate, or none.

Each surrogate has a file of its own. A new surrogate needs a file and a line in `SURROGATES`.
"""

from evonas.search.surrogate.dngo import Dngo
from evonas.search.surrogate.experience import Experience
from evonas.search.surrogate.features import Features
from evonas.search.surrogate.forest import Forest
from evonas.search.surrogate.gaussian_process import GaussianProcess
from evonas.search.surrogate.guide import Guide, NoGuide
from evonas.search.surrogate.improvement import expected_improvement
from evonas.search.surrogate.relevance import Relevance
from evonas.search.surrogate.surrogate import Fitted, Surrogate

SURROGATES: dict[str, type[Surrogate]] = {
    "gaussian_process": GaussianProcess,
    "forest": Forest,
    "dngo": Dngo,
    "relevance": Relevance,
}

GUIDES: dict[str, type[Guide]] = {**SURROGATES, "none": NoGuide}

__all__ = [
    "GUIDES",
    "SURROGATES",
    "Dngo",
    "Experience",
    "Features",
    "Fitted",
    "Forest",
    "GaussianProcess",
    "Guide",
    "NoGuide",
    "Relevance",
    "Surrogate",
    "expected_improvement",
]
