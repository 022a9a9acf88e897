"""What a run will take, by a survey and a few probe trainings; and what to change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evonas.runtime.config.left_out import FOLLOWING, INITIAL, POPULATION, trials_of
from evonas.runtime.config.limits_config import BudgetConfig
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config.strategy_config import is_guided_evolution, layers, that_sets_epochs
from evonas.runtime.probe import Probe
from evonas.runtime.survey import Survey
from evonas.words import counted, number, size

RECORD = 5_000
"""Bytes of the record for a trial (docs/storage.md)."""
MODEL = 3
"""Files of weights that the best model is as large as: it has two moments of each, for Adam."""
FEW_VALID = 0.3
MANY_ALIKE = 0.2
GENERATIONS = 2
"""Generations that a search needs at least, to be more than its first one."""


@dataclass(frozen=True)
class Machine:
    """What is free on this machine.

    Attributes:
        memory: bytes of free memory.
        disk: bytes of free disk, where the runs are.
        processors: number of processors that this process may use.
    """

    memory: int
    disk: int
    processors: int


@dataclass(frozen=True)
class Expectation:
    """What a run will take.

    Attributes:
        trainings: number of full trainings.
        seconds: seconds of the whole run, with its start and its end.
        memory: bytes of memory.
        disk: bytes of the run's folder.
        is_at_most: whether time and trainings are those of full trainings, and the strategy trains
            most networks for shorter.
    """

    trainings: int
    seconds: float
    memory: int
    disk: int
    is_at_most: bool = False


def expected(config: RunConfig, probe: Probe) -> Expectation:
    """What the run will take.

    Args:
        config: config of the run.
        probe: its probe trainings.

    Raises:
        UserError: no probe training has succeeded.
    """
    trainings = trials_of(config.budget, config.training.epochs)
    time = config.budget.time
    fitting = None if time is None else fitting_in(probe, time)
    counts = [count for count in (trainings, fitting) if count is not None]
    assert counts, "a budget has a limit"
    trainings = min(counts)
    seconds = seconds_for(probe, trainings)
    # A budget of time is used up to its end.
    if time is not None and trainings == fitting:
        seconds = time
    weights = probe.typical.bytes * (_kept(config, trainings) + MODEL)
    disk = round(probe.data + weights + RECORD * trainings)
    is_at_most = bool(that_sets_epochs(config.strategy))
    return Expectation(trainings, seconds, probe.memory, disk, is_at_most)


def seconds_for(probe: Probe, trainings: int) -> float:
    """Seconds that a run takes for a number of trainings, with its start and its end."""
    return probe.start + probe.end + trainings * probe.typical.seconds / probe.workers


def fitting_in(probe: Probe, seconds: float) -> int:
    """Trainings that fit into so many seconds; the other way round of `seconds_for`."""
    work = max(0.0, seconds - probe.start - probe.end) * probe.workers
    return math.floor(work / probe.typical.seconds)


def _kept(config: RunConfig, trainings: int) -> int:
    """The most trainings whose weights are kept: the population, and the best of all."""
    return min(trainings, _first_generation(config) + config.storage.keep_best)


def advice(
    config: RunConfig, survey: Survey, probe: Probe | None, found: Expectation | None, free: Machine
) -> list[str]:
    """What to change, if something does not fit; a sentence each.

    Args:
        probe, found: None if nothing was trained.
        free: what the machine has.
    """
    told = _about_space(config, survey)
    if probe is None or found is None:
        return told
    told += _about_time(config, probe, found)
    if probe.workers > free.processors:
        told.append(
            f"pool: {counted(probe.workers, 'worker')} share"
            f" {counted(free.processors, 'processor')}. As many workers are as fast, and need less"
            f" memory: pool.local.workers={free.processors}."
        )
    free_disk = free.disk - config.storage.free_mb * 1_000_000
    if found.memory > free.memory:
        told.append(
            f"memory: about {size(found.memory)} are needed and {size(free.memory)} are free."
            f" Fewer workers need less: pool.local.workers={max(1, probe.workers // 2)}."
        )
    if found.disk > free_disk:
        told.append(
            f"disk: about {size(found.disk)} are needed and {size(max(0, free_disk))} may be used"
            f" ({config.storage.free_mb:,} MB stay free). storage.keep_best=1 keeps fewer weights."
        )
    return told


def _about_space(config: RunConfig, survey: Survey) -> list[str]:
    told = []
    limits = config.limits.of_size()
    if survey.valid_share < FEW_VALID and limits:
        larger: Mapping[str, int] = {}
        larger = {name: spread[3] for name in limits if (spread := survey.spread(name))}
        ways = [f"limits.{name}={rounded_up(value)}" for name, value in larger.items()]
        told.append(
            f"limits: only {survey.valid} of {len(survey.sizes)} random networks are within them."
            f" Nine of ten would be with {', '.join(ways)}."
        )
    elif survey.valid_share < FEW_VALID:
        told.append(
            f"space: only {survey.valid} of {len(survey.sizes)} random networks can be built."
        )
    if survey.duplicate_share > MANY_ALIKE:
        told.append(
            f"space: {survey.duplicates} of {survey.drawn} random genomes had been drawn before. It"
            " is small: the strategy grid may go through all of it."
        )
    return told


def _about_time(config: RunConfig, probe: Probe, found: Expectation) -> list[str]:
    """Whether the budget is enough for a search."""
    first = _first_generation(config)
    innermost = layers(config.strategy)[-1]
    is_guided = is_guided_evolution(innermost.settings)
    least = GENERATIONS * first
    if not first or found.trainings >= least:
        return []
    words = f"budget: it does for about {counted(found.trainings, 'training')}, and"
    if is_guided:
        words += f" {first} founders and as many children need {least}."
    else:
        words += f" {GENERATIONS} generations of {first} need {least}."
    ways = []
    if config.budget.time is not None:
        ways.append(more_time(config.budget, seconds_for(probe, least)))
        if config.training.epochs > 1:
            ways.append(f"training.epochs={max(1, config.training.epochs // 2)}")
    elif config.budget.trials == found.trainings:
        ways.append(f"budget.trials={least}")
    else:
        ways.append(f"budget.epochs={least * config.training.epochs}")
    key = INITIAL if is_guided else POPULATION
    smaller = FOLLOWING[key](max(1, found.trainings))
    if smaller < first:
        path = ".".join(map(str, (*innermost.path, key)))
        ways.append(f"{path}={smaller}")
    return [f"{words} What helps: {' or '.join(ways)}."]


def more_time(budget: BudgetConfig, seconds: float) -> str:
    """An override that gives a budget so many seconds, in the unit in which it was written."""
    return budget.with_more_time(seconds / 2)


def _first_generation(config: RunConfig) -> int:
    """Trials of the first generation; 0 for a strategy without one."""
    first = [layer.settings.first_generation() for layer in layers(config.strategy)]
    return next((one for one in reversed(first) if one is not None), 0)


def rounded_up(value: float) -> int:
    """A number with two digits and zeros that is at least this one: 1,234 gives 1,300."""
    if value < 100:
        return math.ceil(value)
    unit = int(10 ** (len(str(int(value))) - 2))
    return math.ceil(value / unit) * unit


def times_in_words(seconds: float) -> str:
    """About how long something takes: `40 seconds`, `12 minutes`, `3.5 hours`."""
    if seconds < 90:
        return counted(max(1, round(seconds)), "second")
    if seconds < 5400:
        return counted(round(seconds / 60), "minute")
    return f"{number(round(seconds / 3600, 1)).rstrip('0').rstrip('.')} hours"
