"""What a config may say, and probably does not mean."""

from __future__ import annotations

from evonas.genome import SearchSpace
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config.strategy_config import is_guided_evolution, layers
from evonas.words import counted


def warnings(config: RunConfig, space: SearchSpace) -> list[str]:
    """What is allowed and probably not meant."""
    found = []
    longest = space.greatest("training", "epochs")
    full = config.training.epochs
    if longest is not None and longest > full:
        found.append(
            f"training.epochs ({full}) cuts short the gene epochs, which goes up to {longest:g}."
        )
    found += _look_ahead_warnings(config.look_ahead, config.pool.workers)
    trials = config.budget.trials
    for innermost in layers(config.strategy)[-1:]:
        population = innermost.settings.first_generation()
        if trials is not None and population is not None and population > trials:
            what = "the population"
            if is_guided_evolution(innermost.settings):
                what = "the number of founders"
            found.append(
                f"{what} ({population:,}) is larger than the budget"
                f" ({counted(trials, 'trial')}): {innermost.name} ends within its first"
                " generation."
            )
    return found


def _look_ahead_warnings(ahead: int, workers: int) -> list[str]:
    """Whether some workers will have to wait, because too few trials are asked ahead."""
    if ahead < workers:
        idle = workers - ahead
        never = f"{idle} of them will never work"
        return [f"look_ahead ({ahead}) is below the {workers} workers: {never}."]
    if workers > 1 and ahead < 2 * workers:
        return [
            f"look_ahead ({ahead}) is below twice the {workers} workers: they will wait for the "
            f"slowest; at least {2 * workers} keeps them busier."
        ]
    return []
