"""A strategy chosen by name, with its settings: in a config, and inside of the strategies that wrap another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Objective


@dataclass(frozen=True)
class Named:
    """Something chosen by name, when what it is told does not tell its name: a strategy, with its settings."""

    name: str
    settings: Any


@dataclass(frozen=True)
class StrategyConfig(Named):
    """The strategy's name, and an instance of its `Settings`."""

    @property
    def kind(self) -> type[Strategy]:
        """The strategy's class."""
        from evonas.search.registry import (
            STRATEGIES,
        )  # here, for strategies that wrap others are registered, too

        return STRATEGIES[self.name]

    @property
    def innermost(self) -> StrategyConfig:
        """The strategy that is wrapped by all others; the strategy itself where none wraps another."""
        inner = getattr(self.settings, "inner", None)
        return inner.innermost if isinstance(inner, StrategyConfig) else self

    def layers(self) -> list[StrategyConfig]:
        """The strategy itself and those that it wraps, the outer first."""
        inner = getattr(self.settings, "inner", None)
        return [self, *(inner.layers() if isinstance(inner, StrategyConfig) else ())]

    @property
    def that_sets_epochs(self) -> str:
        """The name of the one, this or one that it wraps, that says how long each trial is trained; empty for none."""
        if self.kind.sets_epochs:
            return self.name
        inner = getattr(self.settings, "inner", None)
        return inner.that_sets_epochs if isinstance(inner, StrategyConfig) else ""

    def make(self, problem: SearchProblem) -> Strategy:
        """The strategy, before the first ask."""
        return self.kind(problem, self.settings)

    def objective_problems(self, objective: Objective, key: str) -> dict[str, str]:
        """What of these settings cannot work with this objective, by the key under `key`."""
        found = (
            self.settings.objective_problems(objective)
            if hasattr(self.settings, "objective_problems")
            else {}
        )
        return {f"{key}.{self.name}.{name}": message for name, message in found.items()}

    def misfits(self, problem: SearchProblem, key: str) -> dict[str, str]:
        """What of these settings does not fit a search problem, by the key under `key`; the empty name is all of
        them."""
        found = self.settings.misfits(problem) if hasattr(self.settings, "misfits") else {}
        return {
            f"{key}.{self.name}.{name}".removesuffix("."): message
            for name, message in found.items()
        }
