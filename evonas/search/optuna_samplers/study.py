"""A study of Optuna's, filled with what is known, for one ask.

This module imports Optuna.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from evonas.search.optuna_samplers.view import View
from evonas.trial import Trial

_NEVER = datetime(2000, 1, 1)
"""Optuna wants times, and decides nothing by them."""


class KnownTrial(FrozenTrial):
    """A trial that Optuna may keep as it is: it copies what it is given, and that takes longer than all else. What it
    changes in a trial, it replaces."""

    def __deepcopy__(self, memo: Any) -> KnownTrial:
        return copy.copy(self)


def known_trial(view: View, trial: Trial, attributes: dict[str, Any]) -> KnownTrial:
    """A trial as Optuna sees it: complete with its fitness, failed, or running."""
    values, distributions = view.parameters(trial.genome)
    value = None if trial.fitness is None else trial.fitness.cost
    state = TrialState.COMPLETE if value is not None else TrialState.FAIL
    if not trial.state.is_final:
        state = TrialState.RUNNING
    end = _NEVER if trial.state.is_final else None
    return KnownTrial(
        trial.id, state, value, _NEVER, end, values, distributions, {}, attributes, {}, trial.id
    )


def filled(sampler: BaseSampler, trials: Iterable[KnownTrial]) -> optuna.Study:
    """A study in memory, which minimises, with these trials."""
    study = optuna.create_study(sampler=sampler, study_name="evonas", direction="minimize")
    study.add_trials(trials)
    return study


@contextmanager
def quiet() -> Iterator[None]:
    """Within it, Optuna neither logs nor warns of what is experimental."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        logger.setLevel(level)
