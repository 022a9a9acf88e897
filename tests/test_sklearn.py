"""The estimators for scikit-learn. Its own checks on them are `make test-sklearn`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import evonas
from evonas.sklearn import EvolvedClassifier, EvolvedRegressor

TINY = ("pool=inline", "training.epochs=20", "training.patience=null")
"""One network, trained in this very process."""

X = np.random.default_rng(0).normal(size=(80, 3))
Y = np.where(X[:, 0] > 0, "above", "below")

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a sample of weight 2 is one sample for the split and for the batches, and two are two"
    ),
    "check_methods_sample_order_invariance": (
        "answers are 32-bit floats, whose last digit depends on the place in a batch; 1e-9 is asked"
    ),
}
"""Checks that the estimators do not pass, and why."""

EXPECTED_OF_NUMBERS = {
    "check_methods_subset_invariance": (
        "answers are 32-bit floats, whose last digits depend on the size of a batch; 1e-7 is asked"
    ),
}
"""Those that the regressor does not pass, beside them."""

is_full = os.environ.get("EVONAS_SKLEARN") == "full"
slow = pytest.mark.skipif(not is_full, reason="takes long; `make test-sklearn` does it")


def tiny(kind: Any, **settings: Any) -> Any:
    return kind(trials=1, space="mlp", random_state=0, overrides=TINY, **settings)


def test_what_evonas_refuses_is_a_value_error_of_the_argument() -> None:
    with pytest.raises(ValueError, match="trials: must be a whole number"):
        EvolvedClassifier(trials=0).fit(X, Y)
    with pytest.raises(ValueError, match="y: regression needs targets that differ"):
        EvolvedRegressor(trials=1).fit(X, np.ones(80))
    for nothing in (np.zeros(80), [0] * 80):
        with pytest.raises(ValueError, match="sample_weight: at least one weight must not be zero"):
            EvolvedRegressor(trials=1).fit(X, X[:, 0], sample_weight=nothing)


@slow
def test_answers_that_are_not_finite_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = EvolvedClassifier()
    one.model_, one.takes_, one.classes_, one.n_features_in_ = b"", {}, np.array(["a", "b"]), 1
    answers = np.array([[0.1, 0.9], [np.nan, np.nan]])
    monkeypatch.setattr("evonas.learning.interface.Interface.from_json", lambda takes: None)
    monkeypatch.setattr("evonas.sklearn._as_the_runs", lambda samples, interface: samples)
    monkeypatch.setattr("evonas.sklearn._loaded", lambda model: lambda x: answers[: len(x)])
    assert one.predict([[0.0]]).tolist() == ["b"]
    with pytest.raises(ValueError, match=r"X: .*no finite answer for 1 sample.* sample 1 "):
        one.predict([[0.0], [9.0]])


def test_it_is_cloned_with_all_its_settings() -> None:
    one = EvolvedRegressor(minutes=3, space="mlp", folds=4, overrides=TINY)
    assert clone(one).get_params() == one.get_params()


@slow
def test_it_works_in_a_pipeline_and_in_cross_validation() -> None:
    pipeline = make_pipeline(StandardScaler(), tiny(EvolvedClassifier))
    assert pipeline.fit(X, Y).predict(X[:5]).tolist() == Y[:5].tolist()
    assert pipeline.predict_proba(X[:5]).sum(axis=1) == pytest.approx(np.ones(5))
    assert cross_val_score(pipeline, X, Y, cv=3).mean() > 0.8


@slow
def test_it_works_on_a_frame_and_keeps_its_run(tmp_path: Path) -> None:
    words = np.array(["red", "green", None])[np.arange(80) % 3]
    frame = pl.DataFrame({"size": X[:, 0], "colour": words})
    found = (
        tiny(EvolvedRegressor, runs=tmp_path).set_params(space="auto").fit(frame, X[:, 0] + X[:, 1])
    )
    assert found.feature_names_in_.tolist() == ["size", "colour"]
    assert found.predict(frame.head(5)).shape == (5,)
    assert evonas.load(found.run_).is_finished


def expected_of(estimator: Any) -> dict[str, str]:
    is_of_numbers = isinstance(estimator, EvolvedRegressor)
    return {**EXPECTED, **(EXPECTED_OF_NUMBERS if is_of_numbers else {})}


@slow
@parametrize_with_checks(
    [tiny(EvolvedClassifier), tiny(EvolvedRegressor)],
    expected_failed_checks=expected_of,
)
def test_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)
