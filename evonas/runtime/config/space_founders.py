"""The founders of a search space: its good genomes, which begin every search that names no others.

A shipped seed genome names its space. Those of the config's space come in by themselves, and the
config that is recorded names them. So a run never depends on which genomes are shipped later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from evonas.errors import InvalidInput
from evonas.genome import Genome, SearchSpace, library, load_genome, strict_yaml
from evonas.runtime.config.families import AsWritten
from evonas.runtime.config.strategy_config import is_guided_evolution
from evonas.search.registry import STRATEGIES
from evonas.search.strategies.seeded import SeededSettings
from evonas.search.strategies.wrapping import WrappingSettings
from evonas.search.strategy import SPACE, StrategySettings

USUAL = 16
"""The first population of a strategy that has none, to count its founders."""

S = TypeVar("S", bound=StrategySettings)


@dataclass(frozen=True)
class Founders:
    """What has come in by itself.

    Attributes:
        genomes: name -> genome, in the order in which they are proposed.
        left_out: a sentence for each that is no genome of the space, as it is now.
    """

    genomes: Mapping[str, Genome] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def founders_of(
    space: SearchSpace, strategy: StrategySettings, trials: int | None, most: int | None = None
) -> Founders:
    """The founders that come in by themselves: at most a third of the first population.

    In a guided search they may be all of the first trials but one. It has no population in which
    random networks would need a place, and a surrogate chooses among many children.

    None come if the config names founders, or none of them; or if the strategy takes none, or is
    one of a plugin, which may not expect other genomes than its own.

    Args:
        space: search space of the run.
        strategy: strategy of the run, with all that is inside it.
        trials: budget in trials, if it is counted in trials.
        most: the most that may come, if that is less.
    """
    layers = strategy.with_inner()
    are_own = all(type(layer) in STRATEGIES.values() for layer in layers)
    is_asked = any(layer.founders != SPACE or isinstance(layer, SeededSettings) for layer in layers)
    if not layers or not are_own or is_asked or not layers[0].takes_founders:
        return Founders()
    places = _places(layers, trials)
    if most is not None:
        places = min(places, most)
    genomes: dict[str, Genome] = {}
    left_out: list[str] = []
    for name, path in _shipped(space.name):
        if len(genomes) == places:
            break
        try:
            genomes[name] = load_genome(path, space)
        except InvalidInput as error:
            first = error.problems[0]
            left_out.append(
                f"the founder {name} is left out, because it is no genome of the space as it is"
                f" here: {first.key}: {first.message}"
            )
    return Founders(genomes, tuple(left_out))


def settled(settings: S, names: tuple[str, ...] = ()) -> S:
    """The settings, which name their founders.

    Args:
        names: founders that come in by themselves; they are those of the outer strategy.
    """
    changes: dict[str, Any] = {}
    if settings.founders == SPACE:
        changes["founders"] = names
    if isinstance(settings, WrappingSettings):
        changes["inner"] = settled(settings.inner)
    # What is kept as it was written has no settings of its own.
    if isinstance(settings, AsWritten):
        return settings
    return dataclasses.replace(settings, **changes)


def _places(layers: tuple[StrategySettings, ...], trials: int | None) -> int:
    """Places for them in the first population, or in the budget if that is smaller; at least one.

    See `founders_of`.
    """
    first = USUAL
    is_guided = False
    for layer in layers:
        population = layer.first_generation()
        if population is not None:
            first = population
            is_guided = is_guided_evolution(layer)
    if trials is not None:
        first = min(first, trials)
    return max(1, first - 1 if is_guided else first // 3)


def _shipped(space: str) -> list[tuple[str, Path]]:
    """Names and files of the shipped genomes of a space, the best first."""
    ranked = []
    for name in library.names("seeds"):
        path = library.find("seeds", name)
        data = strict_yaml.load_file(path).data
        if data["space"] == space:
            ranked.append((data.get("rank", LAST), name, path))
    return [(name, path) for _, name, path in sorted(ranked)]


LAST = 100
"""The rank of a seed genome whose file has none."""
