"""One rival of evonas on one problem of `make bench-real`, in a process of its own.

    python real_rivals.py FOLDER RIVAL SEED

`benchmarks.real` runs it in an environment that has KerasTuner and Optuna, and not evonas. It
prints the result as JSON. The networks are those that a Keras user would write for such data in an
hour, and both searches get the same ones. A fifth of the samples is for validation. The time counts
from the first trial on; a training that is under way at the end stops with its epoch.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDER = Path(sys.argv[1])
RIVAL = sys.argv[2]
SEED = int(sys.argv[3])
PROBLEM = json.loads((FOLDER / "problem.json").read_text())
EPOCHS = 30
PATIENCE = 6
WORDS = 8000
LENGTH = 40
Array = Any


def arrays(name: str) -> tuple[Array, Array]:
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as found:
        return found["x"], found["y"]


def columns(x: Array) -> Any:
    """One-hot columns for words, standardized columns for numbers."""
    words = list(PROBLEM["words"])
    numbers = [k for k in range(x.shape[1]) if k not in words]
    hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("words", hot, words), ("numbers", StandardScaler(), numbers)])


def flat(x: Array) -> Array:
    """A row for each sample, 0 for what is not there."""
    return np.nan_to_num(x.reshape(len(x), -1).astype(np.float64))


def of_scikit_learn() -> dict[str, Any]:
    """A linear model, or gradient boosting, with scikit-learn's defaults."""
    x, y = arrays("train")
    x_test, y_test = arrays("test")
    is_error = PROBLEM["is_error"]
    linear: Any = Ridge() if is_error else LogisticRegression(max_iter=2000)
    boosted: Any = HistGradientBoostingRegressor if is_error else HistGradientBoostingClassifier
    began = time.monotonic()
    if PROBLEM["kind"] == "text":
        if RIVAL == "boosted trees":
            return {"test": None, "trials": 0, "seconds": 0.0, "why": "no trees on sparse words"}
        model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), linear)
    elif PROBLEM["kind"] == "table":
        steps = columns(x)
        if RIVAL == "boosted trees":
            model = boosted(random_state=SEED, categorical_features=PROBLEM["words"] or None)
        else:
            model = make_pipeline(steps, linear)
    else:
        x, x_test = flat(x), flat(x_test)
        trees = boosted(random_state=SEED)
        model = trees if RIVAL == "boosted trees" else make_pipeline(StandardScaler(), linear)
    model.fit(x, y)
    seconds = time.monotonic() - began
    return {"test": score(model.predict(x_test), y_test), "trials": 1, "seconds": seconds}


def score(predicted: Array, targets: Array) -> float:
    if PROBLEM["is_error"]:
        return float(np.sqrt(np.mean((predicted.reshape(-1) - targets) ** 2)))
    return float((predicted == targets).mean())


class Wishes:
    """Asks KerasTuner or Optuna for values by one set of words."""

    def __init__(self, of: Any) -> None:
        self._of = of
        self._is_optuna = hasattr(of, "suggest_int")

    def whole(self, name: str, low: int, high: int) -> int:
        if self._is_optuna:
            return int(self._of.suggest_int(name, low, high, log=True))
        return int(self._of.Int(name, low, high, sampling="log"))

    def number(self, name: str, low: float, high: float, log: bool = False) -> float:
        if self._is_optuna:
            return float(self._of.suggest_float(name, low, high, log=log))
        return float(self._of.Float(name, low, high, sampling="log" if log else "linear"))

    def one(self, name: str, values: list[Any]) -> Any:
        if self._is_optuna:
            return self._of.suggest_categorical(name, values)
        return self._of.Choice(name, values)


class Data:
    """Training, validation and test data in the form in which the networks take them."""

    def __init__(self) -> None:
        import keras

        x, y = arrays("train")
        x_test, self.y_test = arrays("test")
        self.classes = 0 if PROBLEM["is_error"] else int(y.max()) + 1
        strata = None if PROBLEM["is_error"] else y
        if PROBLEM["kind"] == "text":
            vectorize = keras.layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
            vectorize.adapt(x.tolist())
            x, x_test = (vectorize(part.tolist()).numpy() for part in (x, x_test))
        elif PROBLEM["kind"] == "table":
            steps = columns(x).fit(x)
            x, x_test = (steps.transform(part).astype(np.float32) for part in (x, x_test))
        elif PROBLEM["kind"] == "sequence":
            mean, deviation = np.nanmean(x, axis=(0, 1)), np.nanstd(x, axis=(0, 1))
            x, x_test = (np.nan_to_num((part - mean) / deviation) for part in (x, x_test))
        else:
            x, x_test = (part[..., np.newaxis].astype(np.float32) / 255 for part in (x, x_test))
        self.mean, self.scale = 0.0, 1.0
        if PROBLEM["is_error"]:
            self.mean, self.scale = float(y.mean()), float(y.std())
            y = (y - self.mean) / self.scale
        self.x_test = x_test
        self.x, self.x_val, self.y, self.y_val = train_test_split(
            x, y, test_size=0.2, random_state=SEED, stratify=strata
        )

    def tested(self, model: Any) -> float:
        answers = model.predict(self.x_test, verbose=0)
        if PROBLEM["is_error"]:
            return score(answers * self.scale + self.mean, self.y_test)
        return score(answers.argmax(axis=1), self.y_test)


def network(wishes: Wishes, data: Data) -> Any:
    """A network for this kind of data, compiled."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input(data.x.shape[1:])])
    kind = PROBLEM["kind"]
    if kind == "image":
        for block in range(wishes.one("blocks", [1, 2, 3])):
            filters = wishes.one(f"filters_{block}", [16, 32, 64])
            model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
            if wishes.one("batch_normalization", [False, True]):
                model.add(layers.BatchNormalization())
            model.add(layers.MaxPooling2D())
        model.add(layers.Flatten())
    if kind == "text":
        model.add(layers.Embedding(WORDS, wishes.one("embedding", [32, 64, 128])))
    if kind in ("text", "sequence"):
        if kind == "sequence":
            model.add(layers.Masking(0.0))
        units = wishes.one("units_of_sequence", [16, 32, 64, 128])
        body = wishes.one("body", ["lstm", "gru", "conv"])
        if body == "conv":
            model.add(layers.Conv1D(units, 5, padding="same", activation="relu"))
            model.add(layers.GlobalMaxPooling1D())
        else:
            recurrent = layers.LSTM if body == "lstm" else layers.GRU
            model.add(layers.Bidirectional(recurrent(units)))
    most = 3 if kind == "table" else 1
    for number in range(wishes.one("layers", list(range(1, most + 1)))):
        units = wishes.whole(f"units_{number}", 32, 256)
        model.add(layers.Dense(units, activation=wishes.one("activation", ["relu", "gelu"])))
        model.add(layers.Dropout(wishes.number(f"dropout_{number}", 0.0, 0.5)))
    rate = wishes.number("learning_rate", 1e-4, 1e-2, log=True)
    if PROBLEM["is_error"]:
        model.add(layers.Dense(1))
        model.compile(keras.optimizers.Adam(rate), "mse")
    else:
        model.add(layers.Dense(data.classes, activation="softmax"))
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


def of_keras() -> dict[str, Any]:
    """KerasTuner's random search or Hyperband, or Optuna's TPE around a loop of one's own."""
    import keras

    keras.utils.set_random_seed(SEED)
    data = Data()
    # Whatever is imported, built and traced for the first time is paid by nobody.
    began = time.monotonic()
    deadline = began + PROBLEM["seconds"]
    done = {"trials": 0}

    class Deadline(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if time.monotonic() > deadline:
                self.model.stop_training = True

    def callbacks() -> list[Any]:
        stopping = keras.callbacks.EarlyStopping(
            "val_loss", patience=PATIENCE, restore_best_weights=True
        )
        return [stopping, Deadline()]

    search = of_optuna if RIVAL == "Optuna TPE" else of_kerastuner
    model = search(data, callbacks, deadline, done)
    seconds = time.monotonic() - began
    found = None if model is None else data.tested(model)
    return {"test": found, "trials": done["trials"], "seconds": seconds}


def of_optuna(data: Data, callbacks: Any, deadline: float, done: dict[str, int]) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    best: dict[str, Any] = {"loss": np.inf, "model": None}

    def objective(trial: Any) -> float:
        wishes = Wishes(trial)
        model = network(wishes, data)
        history = model.fit(
            data.x,
            data.y,
            validation_data=(data.x_val, data.y_val),
            epochs=EPOCHS,
            batch_size=wishes.one("batch_size", [32, 64, 128]),
            verbose=0,
            callbacks=callbacks(),
        )
        done["trials"] += 1
        loss = float(np.nanmin(history.history["val_loss"]))
        if loss < best["loss"]:
            best.update(loss=loss, model=model)
        return loss

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    while time.monotonic() < deadline:
        study.optimize(objective, n_trials=1)
    return best["model"]


def of_kerastuner(data: Data, callbacks: Any, deadline: float, done: dict[str, int]) -> Any:
    import tempfile

    import keras_tuner
    from keras_tuner.errors import FatalError

    class Network(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: Any) -> Any:
            return network(Wishes(hp), data)

        def fit(self, hp: Any, model: Any, *args: Any, **options: Any) -> Any:
            if time.monotonic() > deadline:
                raise FatalError("the time is over")
            found = model.fit(*args, batch_size=hp.Choice("batch_size", [32, 64, 128]), **options)
            done["trials"] += 1
            return found

    common: dict[str, Any] = {"objective": "val_loss", "seed": SEED + 1, "overwrite": True}
    with tempfile.TemporaryDirectory() as folder:
        tuner: Any
        if RIVAL == "KerasTuner Hyperband":
            tuner = keras_tuner.Hyperband(
                Network(), max_epochs=EPOCHS, hyperband_iterations=99, directory=folder, **common
            )
        else:
            tuner = keras_tuner.RandomSearch(
                Network(), max_trials=10_000, directory=folder, **common
            )
        with suppress(FatalError):
            tuner.search(
                data.x,
                data.y,
                validation_data=(data.x_val, data.y_val),
                epochs=EPOCHS,
                verbose=0,
                callbacks=callbacks(),
            )
        models = tuner.get_best_models(1)
        return models[0] if models else None


if __name__ == "__main__":
    of = of_scikit_learn if RIVAL in ("linear", "boosted trees") else of_keras
    print("RESULT " + json.dumps(of()))
