"""Estimators for scikit-learn: `fit` searches, `predict` asks the network that was found.

They work in a `Pipeline`, in `cross_val_score` and on frames, like any other estimator. The winner
is kept as the bytes of its `.keras` file. So a fitted estimator needs its run no more, and can be
copied and stored.
"""

from __future__ import annotations

import functools
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from evonas.data.raw import Array
from evonas.data.sources.values import is_frame
from evonas.errors import InvalidInput
from evonas.evolving import evolve

if TYPE_CHECKING:
    from evonas.learning.interface import Interface

__all__ = ["EvolvedClassifier", "EvolvedRegressor"]

MOST_SEED = 2**31
"""Seeds that are drawn for a search are below this number."""


class _Evolved(BaseEstimator, ABC):  # type: ignore[misc]
    """What both estimators have in common.

    Args:
        minutes: time for the search. Without `trials`, it is 10 by default.
        trials: number of networks to train.
        space: name or path of a search space; `auto` for the one that suits the data.
        folds: number of parts that take turns at validation; None to let the data decide.
        random_state: seed of the search, a generator, or None for another search at each `fit`.
        runs: folder in which runs are kept; None to delete the run after `fit`.
        overrides: further settings of a config, `key.path=value`.
        progress: whether it is told how the search goes on.

    Attributes:
        model_: bytes of the winner's `.keras` file, which Keras loads without evonas.
        takes_: what the model takes and answers, as plain JSON.
        run_: directory of the run; None if it is not kept.
    """

    task: str

    def __init__(
        self,
        *,
        minutes: float | None = None,
        trials: int | None = None,
        space: str | Path = "auto",
        folds: int | None = None,
        random_state: Any = None,
        runs: str | Path | None = None,
        overrides: Sequence[str] = (),
        progress: bool = False,
    ) -> None:
        self.minutes = minutes
        self.trials = trials
        self.space = space
        self.folds = folds
        self.random_state = random_state
        self.runs = runs
        self.overrides = overrides
        self.progress = progress

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Search a network for samples and targets, and keep the winner.

        Args:
            X: samples, an array (n, ...) or a frame.
            y: targets (n,); a regressor takes (n, targets), too.
            sample_weight: (n,), what each sample counts, an array or what can be made one.

        Raises:
            ValueError: they cannot be used. The message is that of `evonas.evolve`.
        """
        samples, targets = self._checked(X, y)
        weights = None if sample_weight is None else np.asanyarray(sample_weight)
        if weights is not None and not weights.any():
            raise ValueError("sample_weight: at least one weight must not be zero.")
        with tempfile.TemporaryDirectory() as scratch:
            try:
                run = evolve(
                    samples,
                    targets,
                    sample_weight=weights,
                    task=self.task,
                    space=self.space,
                    minutes=self.minutes,
                    trials=self.trials,
                    folds=self.folds,
                    seed=self._seed(),
                    runs=scratch if self.runs is None else self.runs,
                    overrides=self.overrides,
                    progress=self.progress,
                )
            except InvalidInput as error:
                # The exception that scikit-learn has for bad input.
                raise ValueError(str(error)) from error
            self.model_ = run.artefacts["model"].read_bytes()
            self.takes_ = run.interface.to_json()
            self.run_ = None if self.runs is None else str(run.directory)
        return self

    @abstractmethod
    def _checked(self, X: Any, y: Any) -> tuple[Any, Array]:
        """Samples and targets as `evolve` takes them."""

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(MOST_SEED))

    def _answers(self, X: Any) -> Array:
        """What the model answers, (n, outputs)."""
        check_is_fitted(self)
        from evonas.evaluate.training.export_job import given_to_keras
        from evonas.export.prediction import check_finite
        from evonas.learning.interface import Interface

        samples = _samples(self, X, reset=False)
        raw = _as_the_runs(samples, Interface.from_json(self.takes_))
        found: Array = _loaded(self.model_)(given_to_keras(raw))
        try:
            check_finite(found, "X")
        except InvalidInput as error:
            raise ValueError(str(error)) from error
        return found


class EvolvedClassifier(ClassifierMixin, _Evolved):  # type: ignore[misc]
    """A classifier whose network evolves when it is fitted; see `_Evolved` for its arguments.

    Attributes:
        classes_: (classes,), the labels in the order of `predict_proba`.
    """

    task = "classification"

    def predict(self, X: Any) -> Array:
        """The most probable label of each sample, (n,)."""
        places = self._answers(X).argmax(axis=-1)
        found: Array = self.classes_[places]
        return found

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, classes)."""
        return self._answers(X)

    def _checked(self, X: Any, y: Any) -> tuple[Any, Array]:
        samples, targets = _both(self, X, y)
        check_classification_targets(targets)
        targets = column_or_1d(targets, warn=True)
        self.classes_, numbers = np.unique(targets, return_inverse=True)
        return samples, numbers


class EvolvedRegressor(RegressorMixin, _Evolved):  # type: ignore[misc]
    """A regressor whose network evolves when it is fitted; see `_Evolved` for its arguments."""

    task = "regression"

    def predict(self, X: Any) -> Array:
        """The prediction for each sample, (n,), or (n, targets) if there are several."""
        found = self._answers(X).astype(np.float64)
        return found[:, 0] if found.shape[1] == 1 else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _checked(self, X: Any, y: Any) -> tuple[Any, Array]:
        return _both(self, X, y, y_numeric=True, multi_output=True)


def _both(estimator: _Evolved, X: Any, y: Any, **options: bool) -> tuple[Any, Array]:
    """Samples and targets, checked as scikit-learn checks them."""
    if is_frame(X):
        return _samples(estimator, X, reset=True), np.asarray(y)
    found: tuple[Any, Array] = validate_data(
        estimator, X, y, allow_nd=True, ensure_min_samples=2, **options
    )
    return found


def _samples(estimator: _Evolved, X: Any, reset: bool) -> Any:
    """Samples, checked as scikit-learn checks them. A frame keeps its words, dates and gaps."""
    if is_frame(X):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return X
    return validate_data(estimator, X, reset=reset, allow_nd=True)


def _as_the_runs(samples: Any, interface: Interface) -> Any:
    """New samples as the run has read its own."""
    schema: Mapping[str, Any] | None = interface.input.fitted.get("schema")
    if schema is None:
        return np.asarray(samples)
    from evonas.data.tables.cells import cells_of
    from evonas.data.tables.reading import samples_like
    from evonas.data.tables.schema import Schema

    known = Schema.from_json(schema)
    return samples_like(known, cells_of(samples, known.gaps, "X"))


@functools.lru_cache(maxsize=8)
def _loaded(model: bytes) -> Callable[[Any], Array]:
    """A function that predicts, of a `.keras` file. It imports Keras."""
    from evonas.model.formats import KerasFile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(model)
        return KerasFile().load(path)
