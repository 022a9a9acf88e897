"""The incumbent that a trial's task carries: the best of the trials that the strategy had been told of when it asked.

Not of those whose outcome had arrived, which depends on the workers: so it is a function of the record, the same for a
retry, after a resume, for one worker or many, and for whoever trains the trial once more.
"""

from __future__ import annotations

from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.reader import RecordReader


def incumbent_for(record: RecordReader, config: RunConfig, trial: int) -> float | None:
    """The value of the objective that this trial has to reach; None where nothing asks for it, or nothing succeeded.

    Args:
        trial: one that is no twin.
    """
    return (
        None
        if config.training.stop is None
        else record.best_known(trial, config.objective.direction)
    )
