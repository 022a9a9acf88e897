"""The incumbent that a trial's job carries: the best trial that the strategy knew when it asked.

Outcomes that had arrived and were not told do not count: they depend on the number of workers. So
the incumbent depends on the record only. It is the same for a retry, after a resume, for one worker
or many, and for a later replay of the training.
"""

from __future__ import annotations

from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.open_record import OpenRecord


def incumbent_for(record: OpenRecord, config: RunConfig, trial: int) -> float | None:
    """The objective value that this trial has to reach.

    None if the config stops no trainings early, or no trial has succeeded.

    Args:
        trial: id of a trial that is no duplicate.
    """
    if config.training.stop is None:
        return None
    return record.best_known(trial, config.objective.direction)
