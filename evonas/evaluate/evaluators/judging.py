"""From measurements that are not of evonas to an outcome: beyond a limit, diverged, or ok."""

from __future__ import annotations

import math
from collections.abc import Mapping

from evonas.errors import did_you_mean
from evonas.evaluate.contract.protocol import Job, Setup, TrainJob
from evonas.trial import Details, Outcome, TrialState

TEST = "test_"
"""Prefix of metrics of the test data. They are kept from the search, in the outcome's details,
until the winner's card is written."""


def training(job: Job) -> TrainJob:
    """The job, if it is a training: nothing else can be asked of one who has no networks.

    Raises:
        TypeError: it is another one.
    """
    if isinstance(job, TrainJob):
        return job
    raise TypeError(f"only a training can be judged. Received: a job `{job.kind}`.")


def judged(
    found: Mapping[str, float],
    setup: Setup,
    seconds: float,
    epochs: int,
    missing: TrialState = TrialState.ERROR,
) -> Outcome:
    """Measurements as an outcome: beyond a limit, without an objective, diverged, or ok.

    Args:
        epochs: those after which it was measured; 0 if there are none.
        missing: state of the outcome if a metric that the search needs was not measured.
    """
    for size, bound in setup.limits.items():
        if found.get(size, 0.0) > bound:
            message = f"{size}: {found[size]:,.0f}, more than the limit of {bound:,}"
            return Outcome(TrialState.INFEASIBLE, message=message)
    # A dict keeps the order and drops an objective that is needed twice.
    names = dict.fromkeys([setup.objective["name"], *setup.needed])
    for name in names:
        if name not in found:
            hint = did_you_mean(name, [one for one in found if not one.startswith(TEST)])
            message = (
                f"there is no {name} among the metrics: {', '.join(found) or 'none'}."
                f" {_where_named(setup)}{hint}"
            )
            return Outcome(missing, epochs=epochs, seconds=seconds, message=message)
    metrics: dict[str, float] = {}
    test: dict[str, float] = {}
    for name, value in found.items():
        # Numbers that are not finite do not survive a pipe.
        if math.isfinite(value):
            group = test if name.startswith(TEST) else metrics
            group[name] = value
    for name in names:
        if not math.isfinite(found[name]):
            message = f"{name} was {found[name]}"
            return Outcome(TrialState.DIVERGED, metrics, epochs, seconds, message=message)
    return Outcome(TrialState.OK, metrics, epochs, seconds, details=Details(test=test))


def _where_named(setup: Setup) -> str:
    """A sentence that says which key of the config names a metric."""
    key = "`objective.name`"
    # A run with more metrics may have several objectives, sums and constraints.
    if len(setup.needed) > 1:
        key = "an objective or a constraint"
    return f"The config names it under {key}."
