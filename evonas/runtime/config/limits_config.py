"""The sections `budget`, `limits` and `storage` of a config: what a run and a network may use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

from evonas.runtime.config.settings import Count
from evonas.settings import Settings
from evonas.words import number, shown, span

SECONDS_IN = {"seconds": 1, "minutes": 60, "hours": 3600}
"""The units in which a budget of time can be written."""

MOST_SECONDS = 10**9
"""The longest time that a config may give, about 30 years. Sums of it are no overflow."""

FEWEST_SECONDS = 5.0
"""Seconds of the neighbours at least: scikit-learn takes one to three to be imported."""

Time = Annotated[float, Ge(0.001)]


@dataclass(frozen=True)
class BudgetConfig(Settings):
    """What a run may spend. At least one limit is given; the first one spent ends the asking.

    Infeasible trials are given back to the limits in trials and epochs, at most as much as they
    are, unless the strategy counts them (`StrategySettings.counts_infeasible`).

    Attributes:
        trials: number of trials to train. Duplicates cost nothing.
        epochs: number of epochs to train. A trial is charged with its fidelity when it is asked.
            Epochs of a trial that it continues are subtracted, and duplicates cost nothing.
            The trial that crosses the limit is still trained.
        seconds: time that the sessions work, in total; in a simulated pool, its virtual clock.
            When it is over, waiting trials are cancelled. Running trials end with their epoch,
            and count.
        minutes: the same in minutes; at most one of `seconds`, `minutes` and `hours` is given.
        hours: the same in hours.
    """

    advice: ClassVar[str] = "one of them suffices, such as `budget: {minutes: 10}`"

    trials: Annotated[int, Ge(1)] | None = None
    epochs: Annotated[int, Ge(1)] | None = None
    seconds: Time | None = None
    minutes: Time | None = None
    hours: Time | None = None

    @property
    def time(self) -> float | None:
        """The limit on time in seconds, in whatever unit it was written; None without one."""
        times = self.times
        if not times:
            return None
        unit, amount = next(iter(times.items()))
        # An older evonas has recorded longer ones.
        return min(amount * SECONDS_IN[unit], float(MOST_SECONDS))

    @property
    def times(self) -> dict[str, float]:
        """The limit on time as it was written, by its unit."""
        found = {}
        for unit in SECONDS_IN:
            amount = getattr(self, unit)
            if amount is not None:
                found[unit] = amount
        return found

    def with_more_time(self, worked: float, least: float = 0.0) -> str:
        """An override that gives this budget twice the time, in the unit in which it was written.

        Args:
            worked: seconds that were worked; twice as many are given if that is more.
            least: seconds that are given at least.
        """
        ((unit, amount),) = self.times.items()
        length = SECONDS_IN[unit]
        twice = 2 * amount
        needed = max(least, 2 * worked)
        if twice * length < needed:
            # With one decimal in minutes and hours.
            twice = math.ceil(needed) if length == 1 else math.ceil(10 * needed / length) / 10
        return f"budget.{unit}={min(twice, MOST_SECONDS // length):.10g}"

    @property
    def given(self) -> dict[str, float]:
        """The limits in `trials`, `epochs` and `seconds`, without those that are not set."""
        limits = {
            "trials": self.trials,
            "epochs": self.epochs,
            "seconds": self.time,
        }
        return {name: limit for name, limit in limits.items() if limit is not None}

    def problems(self) -> dict[str, str]:
        times = self.times
        if len(times) > 1:
            # At the last unit: it is the one that was added to the others.
            last = list(times)[-1]
            received = ", ".join(f"{unit}: {shown(amount)}" for unit, amount in times.items())
            message = (
                "is a second limit on time. Allowed is one of seconds, minutes and hours."
                f" Received: {received}."
            )
            return {last: message}
        if self.given:
            return {}
        message = (
            "is missing: a budget is in trials, in epochs, or in seconds, minutes or hours;"
            " at least one of them."
        )
        return {"trials": message}

    def __str__(self) -> str:
        words = []
        for name, limit in self.given.items():
            if name == "seconds":
                words.append(span(limit))
                continue
            unit = name.removesuffix("s") if limit == 1 else name
            words.append(f"{number(int(limit))} {unit}")
        return ", ".join(words)


def too_long(unit: str, amount: float | None) -> str:
    """What is wrong with a time that a config gives; empty if nothing is.

    It is no limit of the type: records of an older evonas with longer times are read.

    Args:
        unit: `seconds`, `minutes` or `hours`.
    """
    length = SECONDS_IN[unit]
    if amount is None or amount * length <= MOST_SECONDS:
        return ""
    most = number(MOST_SECONDS // length)
    return f"must be at most {most} {unit}, about 30 years. Received: {shown(amount)}."


@dataclass(frozen=True)
class LimitsConfig(Settings):
    """The section `limits`: what a network may be, and how long a trial may take.

    Attributes:
        parameters: number of weights; a network with more is infeasible, before any training.
        flops: number of operations for one sample; a network with more is infeasible, too.
        seconds: time after which a trial is ended; null for no limit.
        stalled_seconds: time after which a trial is ended if it has finished neither an epoch nor
            1,000 batches; null for no limit.
    """

    parameters: Count | None = None
    flops: Count | None = None
    seconds: Annotated[float, Gt(0)] | None = None
    stalled_seconds: Annotated[float, Gt(0)] | None = 1800.0

    def of_size(self) -> dict[str, int]:
        """The limits on a network's size, by name, without those that are not set."""
        limits = {"parameters": self.parameters, "flops": self.flops}
        return {name: limit for name, limit in limits.items() if limit is not None}


@dataclass(frozen=True)
class StorageConfig(Settings):
    """The section `storage`: what a run keeps on the disk beside its record.

    Attributes:
        keep_best: number of best trials that keep their weights, in the population or not. Weights
            that were not kept are trained again if they are needed.
        free_mb: free space in MB of 1,000,000 bytes; no trial is started below it. 0 for no watch.
    """

    keep_best: Count = 10
    free_mb: Annotated[int, Ge(0)] = 500


@dataclass(frozen=True)
class EnsembleConfig(Settings):
    """The section `ensemble`: the mean of a run's best networks, taken home beside the winner.

    Attributes:
        members: number of best trials whose networks may be in it, 2 at least. Those that help are.
        parameters: number of weights that its networks may have together; null for no limit.
    """

    members: Annotated[int, Ge(2)] = 5
    parameters: Count | None = None


@dataclass(frozen=True)
class FinalistsConfig(Settings):
    """The section `finalists`: the best trials, trained again; their new scores choose the winner.

    Attributes:
        count: number of best trials that are trained again, 2 at least.
        trainings: number of trainings of each, with fresh seeds.
    """

    count: Annotated[int, Ge(2)] = 3
    trainings: Count = 2


@dataclass(frozen=True)
class NeighboursConfig(Settings):
    """The section `neighbours`: scikit-learn's models, which are scored beside the winner.

    Attributes:
        seconds: time that they may take together. Of a budget of time, they get a twentieth at
            most, and five seconds at least.
    """

    seconds: Annotated[float, Gt(0)] = 60.0

    def within(self, budget: float | None) -> float:
        """The seconds that they may take.

        Args:
            budget: seconds of the whole run; None without such a budget.
        """
        if budget is None:
            return self.seconds
        return min(self.seconds, max(FEWEST_SECONDS, budget / 20))
