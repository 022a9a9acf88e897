"""What a config leaves out and its budget and data decide: from the founders to the patience.

The numbers are computed once, when the config is read. The config that is recorded has them, like
everything else. A config that names them keeps its own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from evonas.genome import SearchSpace
from evonas.runtime.config.limits_config import BudgetConfig
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config.strategy_config import is_guided_evolution, layers, that_sets_epochs
from evonas.runtime.config.training_config import TrainingConfig
from evonas.runtime.config.wanted_seeds import Written, strategies_in
from evonas.search.registry import STRATEGIES
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.generational import GenerationalSettings
from evonas.search.strategies.wrapping import WrappingSettings
from evonas.search.strategy import StrategySettings
from evonas.words import counted, listed, number

POPULATION = "population"
"""The key for the size of a first generation that lives on."""

INITIAL = "initial"
"""The key for the number of founders of evolution with a guide, which has no population."""

SMALLEST, LARGEST = 4, 16
"""The population, and the number of founders, that follow from a budget."""

LOOK_AHEAD = "look_ahead"
"""The key for the number of proposals that may be asked and not yet told."""

FEWEST_AHEAD, MOST_AHEAD = 4, 16
"""The proposals ahead that follow from a number of trials, under a guide.

With more, the first trials are all random, and each child is chosen without the last results.
"""

UNTOLD_FOUNDERS = 6
"""Founders of a guided search with a budget of time, which may be no more than twenty trials.

Of 4, 6 and 10, it had the smallest regret in a look at LCBench, with `relevance` (decision 218).
"""

FEWEST_TRIALS = 24
"""Full trainings that a budget in epochs has at least, if it has the epochs."""

FEW, MANY = 10, 50
"""The epochs that follow from the data."""

S = TypeVar("S", bound=StrategySettings)


@dataclass(frozen=True)
class Followed:
    """A value that a config leaves out.

    Attributes:
        sentence: key, value, and why it is this one.
        is_usual: whether it is the value of a config of which nothing is known.
    """

    sentence: str
    is_usual: bool


def population_for(trials: int) -> int:
    """Individuals of a search of so many trials, about 1.6 times the root of the number.

    That is 5 for 8 trials, 10 for 40 and 16 for 96, as in the shipped configs; 16 at most.
    """
    return max(SMALLEST, min(LARGEST, round(1.6 * math.sqrt(trials))))


def founders_for(trials: int) -> int:
    """Number of founders of a guided search: a tenth of its trials, 4 to 16."""
    return max(SMALLEST, min(LARGEST, round(trials / 10)))


def ahead_for(trials: int | None, workers: int) -> int:
    """Proposals ahead: few, because whatever is asked before others are told knows nothing of them.

    A sixth of the trials, 4 to 16. The number of workers is no part of it, so that a seed gives the
    same run with any number of them. A budget of time cannot keep that promise. There, it is twice
    the workers, so that they wait for nobody.

    Args:
        trials: full trainings of the budget; None if nobody knows.
    """
    if trials is None:
        return max(FEWEST_AHEAD, 2 * workers)
    return max(FEWEST_AHEAD, min(MOST_AHEAD, trials // 6))


def epochs_for(samples: int | None, budget: int | None) -> int:
    """Epochs of a full training.

    Fewer samples need more passes over them: 40 for 442 samples and 30 for 1,800, as in the shipped
    configs, and 15 for 60,000.

    Args:
        samples: number of samples; None if nobody has looked at them.
        budget: the budget in epochs; None without one.
    """
    epochs = TrainingConfig.epochs
    if samples is not None:
        epochs = round(30 * (1800 / max(samples, 1)) ** 0.2)
        epochs = max(FEW, min(MANY, epochs))
    if budget is not None:
        epochs = min(epochs, max(1, budget // FEWEST_TRIALS))
    return epochs


def patience_for(epochs: int) -> int:
    """Epochs without improvement that end a training: a third of all, and 4 at least."""
    return max(4, epochs // 3)


def trials_of(budget: BudgetConfig, epochs: int) -> int | None:
    """Full trainings that a budget has; None if only a limit on time is given."""
    counts = []
    if budget.trials is not None:
        counts.append(budget.trials)
    if budget.epochs is not None:
        counts.append(max(1, budget.epochs // epochs))
    return min(counts, default=None)


def completed(
    config: RunConfig, written: Any, space: SearchSpace, samples: int | None
) -> tuple[RunConfig, tuple[Followed, ...]]:
    """The config with what it leaves out, and what that is.

    Args:
        written: plain data of the config's file, with overrides.
        samples: number of samples, if the data were looked at.
    """
    found: list[Followed] = []
    training = config.training
    given = written.get("training") or {}
    # How long trainings are is decided by these, and not by the length of a full one.
    is_decided = bool(that_sets_epochs(config.strategy)) or space.has_parameter(
        "training", "epochs"
    )
    if config.evaluator.tells_epochs and "epochs" not in given and not is_decided:
        training, found = _trained(training, given, config.budget, samples)
    trials = trials_of(config.budget, training.epochs)
    layers_written = strategies_in(written)
    strategy = _sized(config.strategy, layers_written, trials)
    found += _populations(strategy, layers_written, config.budget, trials)
    config = dataclasses.replace(config, training=training, strategy=strategy)
    return config, tuple(found)


def with_look_ahead(config: RunConfig, written: Any) -> tuple[RunConfig, tuple[Followed, ...]]:
    """The config with a `look_ahead` that suits a guide, if it leaves that out, and what it is.

    A guide learns from each trial that is told. Other strategies keep the usual one: a seed gives
    them the run that it has always given.

    Args:
        written: plain data of the config's file, with overrides.
    """
    innermost = layers(config.strategy)[-1:]
    is_guided = any(is_guided_evolution(layer.settings) for layer in innermost)
    if not is_guided or LOOK_AHEAD in written:
        return config, ()
    trials = trials_of(config.budget, config.training.epochs)
    ahead = ahead_for(trials, config.pool.workers)
    why = f"the budget is {config.budget}, and the guide learns from each trial that is told"
    if trials is None:
        workers = counted(config.pool.workers, "worker")
        why = f"a guide learns from each trial that is told, and the pool has {workers}"
    found = Followed(f"{LOOK_AHEAD} is {ahead}, because {why}", is_usual=True)
    return dataclasses.replace(config, look_ahead=ahead), (found,)


def _trained(
    training: TrainingConfig, given: Mapping[str, Any], budget: BudgetConfig, samples: int | None
) -> tuple[TrainingConfig, list[Followed]]:
    """The section `training` with its length, and why it is this one."""
    epochs = epochs_for(samples, budget.epochs)
    why = []
    if samples is not None:
        why.append(f"there are {counted(samples, 'sample')}")
    if budget.epochs is not None and epochs < epochs_for(samples, None):
        least = min(FEWEST_TRIALS, budget.epochs)
        why = [f"the budget of {number(budget.epochs)} epochs shall do for {least} trainings"]
    if not why:
        return training, []
    is_usual = epochs == training.epochs
    found = [Followed(f"training.epochs is {epochs}, because {listed(why)}", is_usual)]
    if "patience" not in given:
        patience = patience_for(epochs)
        sentence = f"training.patience is {patience}, about a third of the epochs"
        if patience != training.patience:
            found.append(Followed(sentence, is_usual=False))
        training = dataclasses.replace(training, patience=patience)
    return dataclasses.replace(training, epochs=epochs), found


def _sized(settings: S, written: Sequence[Written], trials: int | None) -> S:
    """The strategy with its first generation, and with those of the strategies inside it.

    Args:
        written: this strategy and those inside it as the config has them; empty if it names none.
        trials: full trainings of the budget; None if nobody knows.
    """
    changes: dict[str, Any] = {}
    if key := _left_out(settings, written):
        changes[key] = _usual(key) if trials is None else FOLLOWING[key](trials)
    if isinstance(settings, WrappingSettings):
        changes["inner"] = _sized(settings.inner, written[1:], trials)
    changed = dataclasses.replace(settings, **changes)
    # What the config says beside it may need another one, such as more elites than that.
    return settings if any(changed.problems().values()) else changed


FOLLOWING: Mapping[str, Callable[[int], int]] = {POPULATION: population_for, INITIAL: founders_for}
"""Key -> what gives its value, from the number of trials."""


def _usual(key: str) -> int:
    """The value of a config whose number of trials nobody knows."""
    return UNTOLD_FOUNDERS if key == INITIAL else GenerationalSettings.population


def _left_out(settings: StrategySettings, written: Sequence[Written]) -> str:
    """The key of the first generation's size, if there is one and the config does not have it.

    Only strategies of evonas have one: that of a plugin has its own reasons.
    """
    if type(settings) not in STRATEGIES.values():
        return ""
    defaults = {item.name: item.default for item in dataclasses.fields(settings)}
    key = POPULATION if isinstance(defaults.get(POPULATION), int) else ""
    if isinstance(settings, EvolutionSettings):
        key = INITIAL if settings.is_guided else POPULATION
    given = written[0].settings if written else {}
    return "" if key in given else key


def _populations(
    strategy: StrategySettings,
    written: Sequence[Written],
    budget: BudgetConfig,
    trials: int | None,
) -> list[Followed]:
    """Why the first generations are of these sizes.

    Args:
        strategy: the strategy with its first generation.
        trials: full trainings of the budget; None if nobody knows.
    """
    why = f"because the budget is {budget}"
    if trials is None:
        why = "as usual: a budget of time does not say how many trainings there will be"
    elif budget.trials != trials:
        why += f", {counted(trials, 'training')} in full"
    found = []
    for place, layer in enumerate(layers(strategy)):
        size = layer.settings.first_generation()
        key = _left_out(layer.settings, written[place:])
        if size is not None and key:
            path = ".".join(map(str, (*layer.path, key)))
            is_usual = size == _usual(key)
            found.append(Followed(f"{path} is {size}, {why}", is_usual))
    return found
