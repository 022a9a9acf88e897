"""The common part of strategies that wrap another one.

`screened` and `seeded` have a strategy inside, which proposes. `nsga2` and `nsga3` have generations
of `evolution` inside, with their own way to choose parents and survivors.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.trial import Trial


@dataclass(frozen=True)
class WrappingSettings(StrategySettings):
    """The settings of a strategy whose inner one a config chooses.

    Attributes:
        inner: the strategy inside.
    """

    inner: StrategySettings = field(default_factory=EvolutionSettings)

    def with_inner(self) -> tuple[StrategySettings, ...]:
        return (self, *self.inner.with_inner())


class Wrapping(Strategy):
    """Passes on what it is told. A subclass asks the inner strategy, and changes what comes of it.

    Args:
        inner: the strategy inside, before its first ask.
    """

    def __init__(self, problem: SearchProblem, settings: StrategySettings, inner: Strategy) -> None:
        super().__init__(problem, settings)
        self._inner = inner
        self.continues_trials = inner.continues_trials

    def tell(self, trial: Trial) -> None:
        self._inner.tell(trial)

    @property
    def is_done(self) -> bool:
        return self._inner.is_done

    @property
    def retained(self) -> Collection[int]:
        return self._inner.retained
