"""Optuna's genetic algorithms NSGA-II (Deb et al., 2002) and NSGA-III (Deb and Jain, 2014) on the
unit cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge

from evonas.search.optuna_samplers.sampler import Ask, OptunaSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class NsgaII(OptunaSampler):
    """NSGA-II with one objective.

    Attributes:
        population: number of successful trials that make a generation.
    """

    population: Annotated[int, Ge(2)] = 50

    word: ClassVar[str] = "nsgaii"
    generation: ClassVar[str] = "NSGAIISampler:generation"

    def make(self, ask: Ask) -> BaseSampler:
        from optuna.samplers import NSGAIISampler

        return NSGAIISampler(population_size=self.population, seed=ask.seed)


@dataclass(frozen=True)
class NsgaIII(OptunaSampler):
    """NSGA-III with one objective.

    Attributes:
        population: number of successful trials that make a generation.
    """

    population: Annotated[int, Ge(2)] = 50

    word: ClassVar[str] = "nsgaiii"
    generation: ClassVar[str] = "NSGAIIISampler:generation"

    def make(self, ask: Ask) -> BaseSampler:
        from optuna.samplers import NSGAIIISampler

        return NSGAIIISampler(population_size=self.population, seed=ask.seed)
