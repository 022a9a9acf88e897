"""The section `strategy` of a config: which strategies there are, by name and key.

A strategy does not know its name. The names are here, and in the registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas.genome.strict_yaml import KeyPath
from evonas.runtime.config.families import AsWritten, name_of
from evonas.runtime.config.plugin_members import names_plugin
from evonas.search.older_names import DELETED_SAMPLERS
from evonas.search.registry import NAMES
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.trial import Objective

SECTION = "strategy"
INNER = "inner"
"""The key under which a strategy has the one that it wraps."""


@dataclass(frozen=True)
class StrategyAsWritten(AsWritten, StrategySettings):
    """A strategy of a recorded config that is, or holds, something that may be gone.

    That is something of a plugin, or a deleted sampler. Whoever only reads a run needs neither.
    `opened_strategy` of `recorded_config.py` makes the strategy's settings of it, for those who ask
    the strategy.
    """

    @classmethod
    def is_kept(cls, name: str, settings: Any) -> bool:
        return names_plugin(settings) or _names_deleted({name: settings})

    def make(self, problem: SearchProblem) -> Strategy:
        raise AssertionError(f"the strategy {self.name} was not opened")

    def with_inner(self) -> tuple[StrategySettings, ...]:
        # Nothing is known of it, so there is nobody who could answer.
        return ()


def _names_deleted(data: Any) -> bool:
    """Whether the plain data of a strategy, or of one inside it, name a deleted sampler."""
    match data:
        case {"optuna": {"sampler": str(name)}}:
            return name in DELETED_SAMPLERS
        case {"optuna": {"sampler": {**named}}}:
            return any(name in DELETED_SAMPLERS for name in named)
        case {**named} if len(named) == 1:
            (settings,) = named.values()
            return isinstance(settings, dict) and _names_deleted(settings.get("inner"))
        case _:
            return False


@dataclass(frozen=True)
class Layer:
    """A strategy of a config: the one that it names, or one inside of that.

    Attributes:
        name: name in the config.
        path: key path of its settings.
        settings: the strategy.
    """

    name: str
    path: KeyPath
    settings: StrategySettings

    def placed(self, messages: Mapping[str, str]) -> dict[KeyPath, str]:
        """These messages with the whole paths of their keys.

        An empty key stands for all settings together.
        """
        found: dict[KeyPath, str] = {}
        for key, message in messages.items():
            relative = key.split(".") if key else []
            found[(*self.path, *relative)] = message
        return found


def layers(strategy: StrategySettings) -> list[Layer]:
    """The strategy and those that it wraps, the outer first."""
    found = []
    path: KeyPath = (SECTION,)
    for settings in strategy.with_inner():
        name = name_of(settings, NAMES) or ""
        path = (*path, name)
        found.append(Layer(name, path, settings))
        path = (*path, INNER)
    return found


def is_guided_evolution(settings: StrategySettings) -> bool:
    """Whether it is `evolution` with a guide."""
    return isinstance(settings, EvolutionSettings) and settings.is_guided


def in_words(strategy: StrategySettings) -> str:
    """`evolution guided by forest`, `seeded with aging inside`: which search it is."""
    told = []
    for layer in layers(strategy):
        words = layer.name
        if isinstance(layer.settings, EvolutionSettings):
            guide = layer.settings.guide
            assert guide is not None, "it is settled when the settings are made"
            by = f"guided by {name_of(guide, NAMES)}"
            words += f" {by if layer.settings.is_guided else 'without a guide'}"
        told.append(words)
    outer, *inner = told or [name_of(strategy, NAMES) or ""]
    return " with ".join([outer, *inner]) + (" inside" if inner else "")


def with_meant_guide(written: Any) -> Any:
    """The plain data of a strategy, in which `screened` has evolution without a guide.

    A guided search cannot stand inside `screened`, so `guide: none` need not be written there.
    """
    if not isinstance(written, dict) or len(written) != 1:
        return written
    ((name, settings),) = written.items()
    if not isinstance(settings, dict) or INNER not in settings:
        return written
    inner = settings[INNER]
    if name == "screened":
        inner = _without_a_guide(inner)
    return {name: {**settings, INNER: with_meant_guide(inner)}}


def _without_a_guide(written: Any) -> Any:
    """Evolution without a guide, if it is evolution and no guide is named."""
    choice = {written: None} if isinstance(written, str) else written
    if not isinstance(choice, dict) or list(choice) != ["evolution"]:
        return written
    settings = choice["evolution"]
    if settings is None:
        settings = {}
    if not isinstance(settings, dict) or settings.get("guide") is not None:
        return written
    return {"evolution": {**settings, "guide": "none"}}


def that_sets_epochs(strategy: StrategySettings) -> str:
    """Name of the first layer that decides how long each trial is trained; empty if none does."""
    for layer in layers(strategy):
        if layer.settings.sets_epochs:
            return layer.name
    return ""


def counts_infeasible(strategy: StrategySettings) -> bool:
    """Whether a layer plans the number of its proposals, so that infeasible ones count."""
    return any(settings.counts_infeasible for settings in strategy.with_inner())


def number_problems(strategy: StrategySettings, objectives: int) -> str:
    """Why the strategy cannot follow so many objectives; empty if it can.

    Args:
        objectives: number of objectives under `objectives`; 0 if there is one under `objective`.
    """
    found = layers(strategy)
    followers = [layer.name for layer in found if not layer.settings.takes_several]
    if objectives and followers:
        return (
            f"{followers[0]} follows one objective, and there are {objectives}. "
            "nsga2 and nsga3 follow several; for one number, write `objective: {weighted: "
            "{METRIC: WEIGHT}}`, or keep one objective and bound the others under `constraints`."
        )
    # Only the innermost strategy can search a front; the others wrap it.
    for innermost in found[-1:]:
        if not objectives and innermost.settings.needs_several:
            return (
                f"{innermost.name} searches a front of several objectives, such as "
                "`objectives: [val_loss, parameters]`."
            )
    return ""


def founder_problems(strategy: StrategySettings) -> dict[KeyPath, str]:
    """What is wrong with the founders that a strategy names, by key path."""
    found: dict[KeyPath, str] = {}
    for place, layer in enumerate(layers(strategy)):
        settings = layer.settings
        if not settings.founder_names:
            continue
        wrong = ""
        if not settings.takes_founders:
            instead = "its key `genomes` names them" if layer.name == "seeded" else "it takes none"
            wrong = f"are not for {layer.name} to name: {instead}. Allowed: none."
        elif place and not settings.places_founders:
            outer = layers(strategy)[0].name
            wrong = f"belong to the outer strategy: write `founders` under {outer}."
        found |= layer.placed({"founders": wrong} if wrong else {})
    return found


def objective_problems(strategy: StrategySettings, objective: Objective) -> dict[KeyPath, str]:
    """Which settings cannot work with this objective, by key path."""
    found: dict[KeyPath, str] = {}
    for layer in layers(strategy):
        found |= layer.placed(layer.settings.objective_problems(objective))
    return found


def misfits(strategy: StrategySettings, problem: SearchProblem) -> dict[KeyPath, str]:
    """Which settings do not fit a search problem, by key path."""
    found: dict[KeyPath, str] = {}
    for layer in layers(strategy):
        found |= layer.placed(layer.settings.misfits(problem))
    return found
