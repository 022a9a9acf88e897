"""A program that fits scikit-learn's linear model and boosted trees, with their defaults.

It is run by its path, `python neighbour_program.py FOLDER`, so that a time limit can end it. The
folder has the request; the answers go there, model by model.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

REQUEST = "request.json"
LINEAR, TREES = "linear", "boosted_trees"
MODELS = (LINEAR, TREES)

MOST_VALUES = 50_000_000
"""Values of the samples that are fitted at most: more would take gigabytes."""

MOST_CATEGORIES = 254
"""The most codes of a column that the trees take as categories; scikit-learn's limit is 255."""

SAID = 300
"""Characters that are kept of an error."""

CALLS = 20
"""Predictions of one sample that are timed."""


def main(folder: Path) -> None:
    """Fit each model, and write its predictions and what it took."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    x, y, weights = (_loaded(request[name]) for name in ("x", "y", "weights"))
    assert x is not None
    assert y is not None
    rows = _rows(x, request["seed"])
    counts = None if weights is None else weights[rows]
    for name in MODELS:
        if name == TREES and request["words"]:
            continue
        try:
            _neighbour(folder, request, name, (x[rows], y[rows], counts))
        # One that cannot be fitted to such data says nothing against the other one.
        except Exception as error:
            (folder / f"{name}.txt").write_text(f"{type(error).__name__}: {error}"[:SAID])


def _neighbour(
    folder: Path, request: Mapping[str, Any], name: str, train: tuple[Array, Array, Array | None]
) -> None:
    x, y, counts = train
    model, samples = PREPARED[name](request)
    # The imports of scikit-learn are over.
    begun = time.perf_counter()
    weights = {} if counts is None else {f"{model.steps[-1][0]}__sample_weight": counts}
    model.fit(samples(x), y, **weights)
    seconds = time.perf_counter() - begun
    predict = partial(_answers, request, model)
    answers: dict[str, Any] = {}
    for part, path in request["parts"].items():
        answers[part] = predict(samples(_loaded(path)))
    one = samples(x[:1])
    told = {
        "seconds": seconds,
        "samples": len(x),
        "latency_ms": _milliseconds(lambda: predict(one)),
    }
    np.savez(folder / f"{name}.npz", **answers)
    # Last, because it says that the rest is whole.
    (folder / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


def _loaded(path: str | None) -> Array | None:
    return None if path is None else np.load(path, mmap_mode="r", allow_pickle=False)


def _rows(x: Array, seed: int) -> Array:
    """All rows, or as many of them as may be fitted, drawn at random."""
    values = int(np.prod(x.shape[1:]))
    most = max(1, MOST_VALUES // values)
    if len(x) <= most:
        return np.arange(len(x))
    return np.sort(np.random.default_rng(seed).choice(len(x), most, replace=False))


def _answers(request: Mapping[str, Any], model: Any, x: Any) -> Array:
    """Predictions as a network gives them: (samples, outputs)."""
    if request["are_quantities"]:
        return np.asarray(model.predict(x), dtype=np.float64).reshape(x.shape[0], -1)
    found = model.predict_proba(x)
    if request["task"] == "multilabel":
        # Of each label, the probability that it holds; a label that never varies has one column.
        columns = zip(found, model.classes_, strict=True)
        return np.stack([_of_one(one, known) for one, known in columns], axis=1)
    answers = np.zeros((x.shape[0], request["outputs"]))
    answers[:, np.asarray(model.classes_, dtype=int)] = found
    return answers


def _of_one(probabilities: Array, classes: Array) -> Array:
    place = np.flatnonzero(np.asarray(classes) == 1)
    return probabilities[:, place[0]] if len(place) else np.zeros(len(probabilities))


def _milliseconds(predict: Callable[[], Any]) -> float:
    times = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        predict()
        times.append(time.perf_counter() - begun)
    return 1000 * float(np.median(times))


def _linear(request: Mapping[str, Any]) -> tuple[Any, Callable[[Any], Any]]:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.multioutput import MultiOutputClassifier
    from sklearn.pipeline import make_pipeline

    last: Any = Ridge()
    if not request["are_quantities"]:
        last = LogisticRegression(max_iter=1000)
        if request["task"] == "multilabel":
            last = MultiOutputClassifier(last)
    if request["words"]:
        from sklearn.feature_extraction.text import TfidfTransformer

        # The first texts may lack words that later ones have.
        words = int(request["words"])
        return make_pipeline(TfidfTransformer(sublinear_tf=True), last), partial(_counts, words)
    steps = _columns(request) if request["codes"] else [*_standardized()]
    return make_pipeline(*steps, last), _flat


def _standardized() -> tuple[Any, ...]:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    # A mean of 0 after standardization is the mean of what is there.
    fill = SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)
    return StandardScaler(), fill


def _columns(request: Mapping[str, Any]) -> list[Any]:
    """One-hot columns for codes, standardized columns for numbers."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    codes = list(map(int, request["codes"]))
    numbers = [
        column for column in range(request["columns"]) if str(column) not in request["codes"]
    ]
    hot = OneHotEncoder(handle_unknown="ignore")
    parts = [("codes", hot, codes), ("numbers", make_pipeline(*_standardized()), numbers)]
    return [ColumnTransformer(parts)]


def _trees(request: Mapping[str, Any]) -> tuple[Any, Callable[[Any], Any]]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
    from sklearn.pipeline import make_pipeline

    few = [int(column) for column, count in request["codes"].items() if count <= MOST_CATEGORIES]
    settings = {"random_state": request["seed"], "categorical_features": few or None}
    if request["are_quantities"]:
        model: Any = HistGradientBoostingRegressor(**settings)
        if request["outputs"] > 1:
            model = MultiOutputRegressor(model)
    else:
        model = HistGradientBoostingClassifier(**settings)
        if request["task"] == "multilabel":
            model = MultiOutputClassifier(model)
    return make_pipeline(model), partial(_without_empty, _empty_columns(request))


def _empty_columns(request: Mapping[str, Any]) -> Array:
    """Which columns of the training samples have no value, as the last steps of short sequences."""
    x = _loaded(request["x"])
    assert x is not None
    return np.asarray(np.isnan(_flat(x)).all(axis=0))


def _without_empty(empty: Array, x: Any) -> Array:
    """Rows whose empty columns are zeros: scikit-learn's trees cannot bin a column of gaps."""
    return np.where(empty, np.float32(0.0), _flat(x))


def _flat(x: Any) -> Array:
    """A row of numbers for each sample."""
    return np.asarray(x, dtype=np.float32).reshape(len(x), -1)


def _counts(words: int, x: Any) -> Any:
    """How often each word is in each text; 0 stands for what is behind the last word.

    Args:
        words: how many numbers words can have.
    """
    from scipy.sparse import csr_matrix

    numbers = np.asarray(x, dtype=np.int64)
    rows, places = np.nonzero(numbers)
    columns = numbers[rows, places]
    return csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(numbers), words))


PREPARED = {LINEAR: _linear, TREES: _trees}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
