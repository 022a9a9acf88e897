"""A metric of your own: what a decision earns, instead of how often it is right.

python examples/custom_metric.py
"""

import numpy as np
from sklearn.datasets import load_breast_cancer

import evonas


def earned(targets, predictions):
    """Euros a sample: 10 for a malignant one that is found, -1 for each alarm that is false.

    Args:
        targets: class numbers, (samples,); 0 is malignant.
        predictions: probabilities, (samples, classes).
    """
    alarms = predictions[:, 0] > 0.3
    euros = np.where(targets == 0, 10.0, -1.0)
    return float((euros * alarms).mean())


if __name__ == "__main__":
    x, y = load_breast_cancer(return_X_y=True)
    run = evonas.evolve(
        x,
        y,
        trials=6,
        name="earnings",
        overrides=[
            # This file is the plugin: the workers import it, and call the function.
            "plugins=[custom_metric]",
            "objective={name: 'custom_metric:earned', direction: max}",
            "metrics=[val_accuracy]",
            "training.epochs=8",
        ],
    )
    best = run.best.metrics
    print(f"earned {best['val_custom_metric:earned']:.2f}, accuracy {best['val_accuracy']:.3f}")
