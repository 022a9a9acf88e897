"""Augmentation as genes: the search decides how training images are changed, and by how much.

python examples/augmentation.py
"""

from pathlib import Path

from sklearn.datasets import load_digits

import evonas

SPACE = Path(__file__).with_name("augmented.yaml")

if __name__ == "__main__":
    digits = load_digits()
    run = evonas.evolve(
        digits.images,
        digits.target,
        space=SPACE,
        trials=6,
        name="augmented",
        overrides=["training.epochs=4"],
    )
    for trial in run.trials:
        layers = [f"{gene.op} {gene.parameters}" for gene in trial.genome["augmentation"]]
        told = ", ".join(layers) or "no augmentation"
        print(f"trial {trial.id}: val_loss {trial.metrics['val_loss']:.3f} with {told}")
    # The exported model takes images as they are: augmentation is for the training alone.
    print(run.best.model().predict(digits.images[:3], verbose=0).shape)
