"""A strategy chosen by name, with its settings.

A config has one, and so has a strategy that wraps another one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from evonas.search.choice import Named
from evonas.search.optuna_samplers import OptunaSampler
from evonas.search.sampling import Sampler
from evonas.search.strategy import SearchProblem, Strategy
from evonas.search.surrogate import Surrogate
from evonas.trial import Objective


@dataclass(frozen=True)
class StrategyConfig(Named):
    """The strategy's name, and an instance of its `Settings`."""

    @property
    def kind(self) -> type[Strategy]:
        """The strategy's class."""
        # Imported here: the registry imports the strategies that wrap others, and those import
        # this module.
        from evonas.search.registry import STRATEGIES

        return STRATEGIES[self.name]

    @property
    def _inner(self) -> StrategyConfig | None:
        """The strategy that this one wraps, or None."""
        # Only the settings of a strategy that wraps another one have the field `inner`.
        inner = getattr(self.settings, "inner", None)
        if isinstance(inner, StrategyConfig):
            return inner
        return None

    @property
    def innermost(self) -> StrategyConfig:
        """The strategy inside of all others; the strategy itself if it wraps none."""
        inner = self._inner
        if inner is None:
            return self
        return inner.innermost

    def layers(self) -> list[StrategyConfig]:
        """The strategy itself and those that it wraps, the outer first."""
        inner = self._inner
        if inner is None:
            return [self]
        return [self, *inner.layers()]

    def libraries(self) -> set[str]:
        """Packages besides NumPy whose versions may change what is proposed."""
        found: set[str] = set()
        for layer in self.layers():
            found.update(layer.kind.libraries)
            for field in fields(layer.settings):
                part = getattr(layer.settings, field.name)
                if isinstance(part, Sampler | Surrogate):
                    found.update(part.libraries)
                elif isinstance(part, OptunaSampler):
                    found.update(part.packages)
        return found

    @property
    def that_sets_epochs(self) -> str:
        """Name of the layer that decides how long each trial is trained; empty if none does."""
        if self.kind.sets_epochs:
            return self.name
        inner = self._inner
        if inner is None:
            return ""
        return inner.that_sets_epochs

    @property
    def counts_infeasible(self) -> bool:
        """Whether a layer plans the number of its proposals, so that infeasible ones count."""
        return any(layer.kind.counts_infeasible for layer in self.layers())

    def make(self, problem: SearchProblem) -> Strategy:
        """A new strategy, before the first ask."""
        return self.kind(problem, self.settings)

    def objective_problems(self, objective: Objective, key: str) -> dict[str, str]:
        """Which settings cannot work with this objective, by the key under `key`."""
        # Most settings work with any objective and do not have this method.
        if not hasattr(self.settings, "objective_problems"):
            return {}
        messages: dict[str, str] = {}
        for name, message in self.settings.objective_problems(objective).items():
            path = f"{key}.{self.name}.{name}"
            messages[path] = message
        return messages

    def misfits(self, problem: SearchProblem, key: str) -> dict[str, str]:
        """Which settings do not fit a search problem, by the key under `key`.

        An empty name stands for all settings together; their key ends with the strategy's name.
        """
        # The method is optional, as `Strategy.Settings` says.
        if not hasattr(self.settings, "misfits"):
            return {}
        messages: dict[str, str] = {}
        for name, message in self.settings.misfits(problem).items():
            path = f"{key}.{self.name}.{name}"
            messages[path.removesuffix(".")] = message
        return messages
