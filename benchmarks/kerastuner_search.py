"""A small KerasTuner search on scikit-learn's digits with one fault in it; run by `benchmarks.kerastuner_faults`.

    python kerastuner_search.py FOLDER FAULT      none | kill | nan | raise

Runs in an environment that has KerasTuner and not evonas. Each training is noted in FOLDER/trainings.txt, the result is
printed as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import keras
import keras_tuner
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

TRIALS, EPOCHS = 6, 3
FOLDER, FAULT = Path(sys.argv[1]), sys.argv[2]
NOTES = FOLDER / "trainings.txt"


def trained() -> int:
    return len(NOTES.read_text().splitlines()) if NOTES.exists() else 0


class Killer(keras.callbacks.Callback):
    """Kills this process in the middle of the third training, once."""

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        marker = FOLDER / "killed"
        if epoch == 1 and trained() == 3 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class Digits(keras_tuner.HyperModel):
    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        model = keras.Sequential([keras.Input((64,)), keras.layers.Rescaling(1 / 16)])
        model.add(keras.layers.Dense(hp.Int("units", 8, 128), activation="relu"))
        model.add(keras.layers.Dense(10, activation="softmax"))
        rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
        if FAULT == "nan" and trained() == 1:
            rate = 1e30
        model.compile(
            keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        return model

    def fit(
        self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: object, **kwargs: object
    ) -> object:
        values = {name: hp.get(name) for name in ("units", "learning_rate")}
        with NOTES.open("a") as file:
            file.write(json.dumps(values) + "\n")
        if FAULT == "raise" and trained() == 2:
            raise ValueError("made up by the benchmark")
        return model.fit(*args, **kwargs)


def main() -> None:
    keras.utils.set_random_seed(7)
    x, y = load_digits(return_X_y=True)
    x, x_validation, y, y_validation = train_test_split(
        x.astype(np.float32), y, test_size=0.3, random_state=0
    )
    tuner = keras_tuner.RandomSearch(
        Digits(),
        "val_loss",
        max_trials=TRIALS,
        seed=7,
        directory=FOLDER,
        project_name="digits",
        overwrite=False,
    )
    callbacks = [Killer()] if FAULT == "kill" else []
    tuner.search(
        x,
        y,
        validation_data=(x_validation, y_validation),
        epochs=EPOCHS,
        verbose=0,
        callbacks=callbacks,
    )
    ranked = tuner.oracle.get_best_trials(TRIALS)
    trials = sorted(tuner.oracle.trials.values(), key=lambda trial: trial.trial_id)
    states = [str(trial.status) for trial in trials]
    found = {
        "trials": {t.trial_id: [t.hyperparameters.values, t.score] for t in trials},
        "states": {state: states.count(state) for state in sorted(set(states))},
        "trainings": trained(),
        "best": ranked[0].trial_id if ranked else None,
        "best_score": ranked[0].score if ranked else None,
        "ranking": [trial.score for trial in ranked],
    }
    print("RESULT " + json.dumps(found))


if __name__ == "__main__":
    main()
