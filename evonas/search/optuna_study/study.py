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

from evonas.search.optuna_study.tree import Tree
from evonas.trial import Trial

_NEVER = datetime(2000, 1, 1)
"""A time for all trials. Optuna requires times, but decides nothing by them."""


class KnownTrial(FrozenTrial):
    """A trial that Optuna may keep as it is."""

    def __deepcopy__(self, memo: Any) -> KnownTrial:
        # Optuna copies every trial that it is given, which takes longer than all the rest. A
        # shallow copy is safe: what Optuna changes in a trial, it replaces.
        return copy.copy(self)


def known_trial(tree: Tree, trial: Trial) -> KnownTrial:
    """A trial as Optuna sees it: complete with its fitness, failed, or running."""
    values, distributions = tree.parameters(trial.genome)
    value = None
    state = TrialState.FAIL
    if trial.fitness is not None:
        value = trial.fitness.cost
        state = TrialState.COMPLETE
    end: datetime | None = _NEVER
    if not trial.state.is_final:
        state = TrialState.RUNNING
        end = None
    return KnownTrial(
        number=trial.id,
        state=state,
        value=value,
        datetime_start=_NEVER,
        datetime_complete=end,
        params=values,
        distributions=distributions,
        user_attrs={},
        system_attrs={},
        intermediate_values={},
        trial_id=trial.id,
    )


def filled(sampler: BaseSampler, trials: Iterable[KnownTrial]) -> optuna.Study:
    """A study in memory, which minimises, with these trials."""
    study = optuna.create_study(sampler=sampler, study_name="evonas", direction="minimize")
    study.add_trials(trials)
    return study


@contextmanager
def quiet() -> Iterator[None]:
    """Within this context, Optuna neither logs nor warns of what is experimental."""
    logger = logging.getLogger("optuna")
    # The user may use Optuna too, so the level is given back.
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        logger.setLevel(level)
