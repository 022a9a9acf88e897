"""A trained network as an op: the search designs the head, and whether to train the rest, too.

python examples/pretrained_backbone.py
"""

from pathlib import Path

import keras
from sklearn.datasets import load_digits

import evonas

SPACE = Path(__file__).with_name("backbone.yaml")
WEIGHTS = Path("backbone.keras")
"""In place of a large model on your disk. A resume does not see that this file has changed."""


def backbone(x, *, trainable):
    """The trained network without its last layer: (batch, rows, columns, 1) -> (batch, n)."""
    model = keras.models.load_model(WEIGHTS)
    model.trainable = trainable
    return model(x)


def pretrain():
    """A small network that tells 0 to 4 apart, kept without its last layer."""
    digits = load_digits(n_class=5)
    x = (digits.images[..., None] - 4.9) / 6.0
    inputs = keras.Input((8, 8, 1))
    features = keras.layers.Conv2D(16, 3, activation="relu")(inputs)
    features = keras.layers.GlobalMaxPooling2D()(features)
    model = keras.Model(inputs, keras.layers.Dense(5, activation="softmax")(features))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, digits.target, epochs=10, verbose=0)
    keras.Model(inputs, features).save(WEIGHTS)


if __name__ == "__main__":
    pretrain()
    digits = load_digits()
    run = evonas.evolve(
        digits.images,
        digits.target,
        space=SPACE,
        trials=4,
        name="on-a-backbone",
        overrides=["plugins=[pretrained_backbone]", "training.epochs=4"],
    )
    print(run.best.genome["backbone"], run.best.genome["head"])
    print(f"val_accuracy {run.best.metrics['val_accuracy']:.3f}")
