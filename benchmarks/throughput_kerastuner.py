"""Trains a list of networks by KerasTuner, one after the other, and prints seconds as JSON.

    python throughput_kerastuner.py FOLDER

`benchmarks.throughput` runs it in an environment that has KerasTuner. FOLDER has networks.json and
the data. The networks are built by the same function as in evonas; all else is KerasTuner's.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import keras
import keras_tuner
import numpy as np

from evonas.data.prepared import FILES
from evonas.genome import Genome, parse_space
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.optimizers import batch_size, build_optimizer, schedule_steps

FOLDER = Path(sys.argv[1])
ORDER = json.loads((FOLDER / "networks.json").read_text())
SPACE = parse_space(ORDER["space"], "networks.json")
INTERFACE = Interface.from_json(ORDER["interface"])
GENOMES = [Genome.from_dict(genome) for genome in ORDER["genomes"]]
EPOCHS = ORDER["epochs"]


def arrays(part: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.load(FOLDER / name) for name in FILES[part])  # type: ignore[index]
    return x, y


X, Y = arrays("train")


class Listed(keras_tuner.HyperModel):
    """A search space of a list: its one hyperparameter is the position of a network."""

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        genome = self.genome(hp)
        model = build_model(SPACE, genome, INTERFACE, ())
        steps = schedule_steps(SPACE, genome, len(X), EPOCHS)
        model.compile(
            build_optimizer(SPACE, genome, steps),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    def fit(
        self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: object, **kwargs: object
    ) -> object:
        size = batch_size(SPACE, self.genome(hp))
        return model.fit(*args, batch_size=size, **kwargs)

    def genome(self, hp: keras_tuner.HyperParameters) -> Genome:
        position: int = hp.Int("network", 0, len(GENOMES) - 1)
        return GENOMES[position]


def warm_up(validation: tuple[np.ndarray, np.ndarray]) -> None:
    """One training that is not counted, as in the workers of evonas."""
    hypermodel = Listed()
    first = keras_tuner.HyperParameters()
    model = hypermodel.build(first)
    hypermodel.fit(first, model, X, Y, validation_data=validation, epochs=1, verbose=0)


def main() -> None:
    validation = arrays("validation")
    warm_up(validation)
    started = time.perf_counter()
    cpu = time.process_time()
    tuner = keras_tuner.GridSearch(
        Listed(),
        "val_loss",
        max_trials=len(GENOMES),
        seed=0,
        directory=FOLDER / "kerastuner",
        project_name="networks",
        overwrite=True,
    )
    tuner.search(X, Y, validation_data=validation, epochs=EPOCHS, verbose=0)
    seconds = time.perf_counter() - started
    cpu = time.process_time() - cpu
    trials = tuner.oracle.trials.values()
    numbers = sorted(trial.hyperparameters.get("network") for trial in trials)
    assert numbers == list(range(len(GENOMES))), f"not each network once: {numbers}"
    accuracies = []
    for trial in trials:
        # a trial whose loss is NaN has no score
        if trial.metrics.exists("val_accuracy"):
            accuracies.append(float(trial.metrics.get_best_value("val_accuracy")))
    found = {
        "seconds": seconds,
        "cpu": cpu,
        "accuracies": accuracies,
    }
    print("RESULT " + json.dumps(found))


if __name__ == "__main__":
    main()
