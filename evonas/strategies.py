"""Everything that a strategy, or a part of evolution, is written with.

`docs/evolution.md` writes a selection scheme and a whole strategy with these names.
"""

from __future__ import annotations

from evonas.randomness import generator
from evonas.search.adaptation import ADAPTATIONS, Adaptation
from evonas.search.crossover import CROSSOVERS, Crossover
from evonas.search.individual import Individual, best_first
from evonas.search.registry import STRATEGIES
from evonas.search.replacement import REPLACEMENTS, Replacement
from evonas.search.sampling import SAMPLERS, Sampler
from evonas.search.selection import SELECTIONS, Selection
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings, counters
from evonas.search.surrogate import SURROGATES, Surrogate
from evonas.search.variation import Mutation
from evonas.trial import (
    Expected,
    Fidelity,
    Fitness,
    Lineage,
    Objective,
    Proposal,
    Trial,
    TrialState,
)

__all__ = [
    "ADAPTATIONS",
    "CROSSOVERS",
    "REPLACEMENTS",
    "SAMPLERS",
    "SELECTIONS",
    "STRATEGIES",
    "SURROGATES",
    "Adaptation",
    "Crossover",
    "Expected",
    "Fidelity",
    "Fitness",
    "Individual",
    "Lineage",
    "Mutation",
    "Objective",
    "Proposal",
    "Replacement",
    "Sampler",
    "SearchProblem",
    "Selection",
    "Strategy",
    "StrategySettings",
    "Surrogate",
    "Trial",
    "TrialState",
    "best_first",
    "counters",
    "generator",
]
