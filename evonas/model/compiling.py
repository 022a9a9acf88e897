"""Compiles a trained model as a user would, so that its file can be evaluated and trained further.

Everything is a part of Keras, without any code of evonas: the file must load without it.
"""

from __future__ import annotations

from typing import Any

import keras

from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import Interface
from evonas.model.optimizers import build_optimizer, epochs, schedule_steps


def compile_model(
    model: keras.Model,
    space: SearchSpace,
    genome: Genome,
    interface: Interface,
    samples: int,
    most: int,
) -> None:
    """Compile a model with its genome's optimizer, new, at the start of its schedule.

    The loss is the one that the model was trained with. For a regression it is therefore weighted:
    in training, the targets were divided by their standard deviation, and the learning rate fits
    that. Keras adds the penalties of the layers to it. So the plain loss is a metric, too.

    Args:
        samples: number of samples of an epoch.
        most: number of epochs of a full training in this run.
    """
    full = epochs(space, genome, most)
    steps = schedule_steps(space, genome, samples, full)
    # Without accumulation, also if a small device needed it: another one may take whole batches.
    optimizer = build_optimizer(space, genome, steps)
    if interface.task == "classification":
        model.compile(
            optimizer, keras.losses.SparseCategoricalCrossentropy(), metrics=_of_classes()
        )
    else:
        model.compile(
            optimizer,
            keras.losses.MeanSquaredError(),
            loss_weights=[1.0 / interface.target_scale**2],
            metrics=_of_targets(),
        )
    # Keras warns when it loads a file whose optimizer has no variables yet.
    optimizer.build(model.trainable_variables)


def _of_classes() -> list[Any]:
    """Accuracy, and the loss without penalties."""
    return [
        keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
        keras.metrics.SparseCategoricalCrossentropy(),
    ]


def _of_targets() -> list[Any]:
    """The absolute error, and the loss without weight and penalties."""
    return [
        keras.metrics.MeanAbsoluteError(),
        keras.metrics.MeanSquaredError(),
    ]
