"""A small KerasTuner search on scikit-learn's digits with one fault in it.

    python kerastuner_search.py FOLDER FAULT      none | kill | nan | raise

`benchmarks.kerastuner_faults` runs it in an environment that has KerasTuner and not evonas. It
notes each training in FOLDER/trainings.txt and prints the result as JSON.
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
FOLDER = Path(sys.argv[1])
FAULT = sys.argv[2]
NOTES = FOLDER / "trainings.txt"


def trained() -> int:
    """The number of trainings that have begun, in this process and in those before it."""
    if not NOTES.exists():
        return 0
    return len(NOTES.read_text().splitlines())


class Killer(keras.callbacks.Callback):
    """Kills this process in the middle of the third training, once."""

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        # a file, for the process that continues the search must know of this one
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
        optimizer = keras.optimizers.SGD(rate)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
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
    networks_and_scores = {
        trial.trial_id: [trial.hyperparameters.values, trial.score] for trial in trials
    }
    counts = {state: states.count(state) for state in sorted(set(states))}
    scores = [trial.score for trial in ranked]
    best = ranked[0] if ranked else None
    found = {
        "trials": networks_and_scores,
        "states": counts,
        "trainings": trained(),
        "best": best.trial_id if best else None,
        "best_score": best.score if best else None,
        "ranking": scores,
    }
    print("RESULT " + json.dumps(found))


if __name__ == "__main__":
    main()
