"""A training of your own in place of `model.fit`: the easy samples first.

python examples/custom_training.py
"""

import evonas


def easy_first(model, train, validation, epochs, callbacks):
    """One epoch on the samples that are nearest to their mean, then on all (Bengio et al., 2009).

    Args:
        model: a compiled model of Keras.
        train, validation: batches, each a `keras.utils.PyDataset`.
        epochs: number of epochs.
        callbacks: those of evonas; they keep the best epoch and end the training.
    """
    x, y = train.whole()
    distances = ((x - x.mean(axis=0)) ** 2).reshape(len(x), -1).sum(axis=1)
    easy = distances.argsort()[: len(x) // 2]
    model.fit(x[easy], y[easy], verbose=0)
    model.fit(train, epochs=epochs, callbacks=callbacks, verbose=0)


if __name__ == "__main__":
    run = evonas.run(
        "digits",
        overrides=[
            "run=easy-first",
            # This file is the plugin: the workers import it, and call the function.
            "plugins=[custom_training]",
            "training={epochs: 3, fit: 'custom_training:easy_first'}",
            "budget={trials: 4}",
        ],
    )
    print(f"val_loss {run.best.metrics['val_loss']:.3f}, trained by easy_first")
