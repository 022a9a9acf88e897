"""Compiles a trained model as a user would, so that its file can be evaluated and trained further.

Everything is a part of Keras, without any code of evonas: the file must load without it.
"""

from __future__ import annotations

import keras

from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import Interface
from evonas.learning.losses import compiled_loss
from evonas.model.optimizers import build_optimizer, epochs, schedule_steps


def compile_model(
    model: keras.Model,
    space: SearchSpace,
    genome: Genome,
    interface: Interface,
    samples: int,
    most: int,
    loss: str | None = None,
) -> None:
    """Compile a model with its genome's optimizer, new, at the start of its schedule.

    The loss is the one that the model was trained with if it can be, see `compiled_loss`; without a
    smoothing of labels, which Keras has for one-hot rows only. For a regression it is weighted: in
    training, the targets were divided by their standard deviation, and the learning rate fits that.
    Of several targets, Keras can weight only the sum: it gets the mean of their variances. Keras
    adds the penalties of the layers to it. So the plain loss is a metric, too.

    Args:
        samples: number of samples of an epoch.
        most: number of epochs of a full training in this run.
        loss: name of the loss that was trained; None for that of the task.
    """
    full = epochs(space, genome, most)
    steps = schedule_steps(space, genome, samples, full)
    # Without accumulation, also if a small device needed it: another one may take whole batches.
    optimizer = build_optimizer(space, genome, steps, is_for_file=True)
    head = interface.head
    chosen = compiled_loss(loss, head, interface.loss_weight)
    model.compile(
        optimizer,
        getattr(keras.losses, chosen.loss.keras)(**chosen.arguments),
        loss_weights=[chosen.weight] if head.is_scaled else None,
        metrics=[
            getattr(keras.metrics, head.metric)(name=interface.metric),
            # The loss of the task without weight and penalties.
            getattr(keras.metrics, head.loss)(),
        ],
    )
    # Keras warns when it loads a file whose optimizer has no variables yet.
    optimizer.build(model.trainable_variables)
