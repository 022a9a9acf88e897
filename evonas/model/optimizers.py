"""The optimizers that a search space may name, and what else of a training is a gene.

To add an optimizer, write the function here, put it in `OPTIMIZERS`, and describe it in
`evonas.model.catalog`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from evonas.errors import UserError, did_you_mean
from evonas.genome import Genome, SearchSpace
from evonas.model.catalog import FINAL_FRACTION

LearningRate = Any
"""A number, or one of Keras's schedules."""


def sgd(*, learning_rate: LearningRate) -> keras.optimizers.Optimizer:
    """Gradient descent without momentum."""
    return keras.optimizers.SGD(learning_rate)


def momentum(
    *, learning_rate: LearningRate, momentum: float, nesterov: bool = False
) -> keras.optimizers.Optimizer:
    """Gradient descent with momentum, looking ahead if `nesterov` (Sutskever et al., 2013)."""
    return keras.optimizers.SGD(
        learning_rate,
        momentum=momentum,
        nesterov=nesterov,
    )


def adam(
    *,
    learning_rate: LearningRate,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba, 2015)."""
    return keras.optimizers.Adam(
        learning_rate,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
    )


def adamw(
    *,
    learning_rate: LearningRate,
    weight_decay: float = 0.004,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> keras.optimizers.Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""
    return keras.optimizers.AdamW(
        learning_rate,
        weight_decay=weight_decay,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
    )


def rmsprop(
    *, learning_rate: LearningRate, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7
) -> keras.optimizers.Optimizer:
    """RMSprop (Tieleman and Hinton, 2012)."""
    return keras.optimizers.RMSprop(
        learning_rate,
        rho=rho,
        momentum=momentum,
        epsilon=epsilon,
    )


OPTIMIZERS: Mapping[str, Callable[..., keras.optimizers.Optimizer]] = {
    f.__name__: f for f in (sgd, momentum, adam, adamw, rmsprop)
}
"""The registry: op name of the section `optimizer` -> function.

Each one also has the parameters `schedule` and `final_fraction`; see `scheduled`.
"""


def scheduled(
    learning_rate: float,
    steps: int,
    schedule: str = "constant",
    final_fraction: float = FINAL_FRACTION,
) -> LearningRate:
    """The learning rate over a training.

    It is a function of the optimizer's step count and of the length of the full training. Every
    checkpoint has the step count. So a training that is stopped and continued sees the same rates,
    also if it was asked for in pieces.

    Args:
        learning_rate: rate at the start.
        steps: number of steps of the full training. Further steps have the last rate (cosine), or
            their rate continues to fall (exponential).
        schedule: `constant`; `cosine` (Loshchilov and Hutter, 2017, without restarts);
            `exponential`.
        final_fraction: rate after the last step, divided by the rate at the start.
    """
    if schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=final_fraction)
    if schedule == "exponential":
        return keras.optimizers.schedules.ExponentialDecay(
            learning_rate,
            steps,
            decay_rate=final_fraction,
        )
    return learning_rate


def build_optimizer(
    space: SearchSpace, genome: Genome, steps: int = 1, accumulation: int = 1
) -> keras.optimizers.Optimizer:
    """A new optimizer with the parameters of the genome's `optimizer` section.

    Args:
        steps: number of steps of a full training, the length of a learning-rate schedule.
        accumulation: number of gradients that make one step; schedules, momentum and weight decay
            still count steps.

    Raises:
        UserError: the section is missing or names an unknown optimizer.
    """
    op, arguments = _settings(space, genome, "optimizer")
    if op not in OPTIMIZERS:
        hint = did_you_mean(op, tuple(OPTIMIZERS))
        raise UserError(f"unknown optimizer {op!r}.{hint} Known: {', '.join(OPTIMIZERS)}.")
    # The functions above know nothing of schedules, which come in by way of the learning rate.
    course = {}
    for name in ("schedule", "final_fraction"):
        if name in arguments:
            course[name] = arguments.pop(name)
    if course.get("schedule", "constant") != "constant":
        rate = scheduled(arguments["learning_rate"], steps, **course)
        if accumulation > 1:
            rate = _OfWholeSteps(rate, accumulation)
        arguments["learning_rate"] = rate
    optimizer = OPTIMIZERS[op](**arguments)
    if accumulation > 1:
        # As the constructor would: Keras reads it first in `build`.
        optimizer.gradient_accumulation_steps = accumulation
    return optimizer


class _OfWholeSteps(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule for an optimizer that accumulates gradients."""

    def __init__(self, schedule: LearningRate, accumulation: int) -> None:
        self._schedule = schedule
        self._accumulation = accumulation

    def __call__(self, step: Any) -> Any:
        # Keras 3.15 asks a schedule by the number of gradients, not by the number of steps.
        whole_steps = step // self._accumulation
        return self._schedule(whole_steps)


def has_schedule(space: SearchSpace, genome: Genome) -> bool:
    """Whether the learning rate changes, so that a training depends on its full length."""
    _, arguments = _settings(space, genome, "optimizer")
    schedule = arguments.get("schedule", "constant")
    return str(schedule) != "constant"


def schedule_steps(space: SearchSpace, genome: Genome, samples: int, full: int) -> int:
    """The length of the learning-rate schedule, in steps; 1 if the rate does not change.

    Args:
        samples: number of training samples.
        full: number of epochs of a full training.
    """
    if not has_schedule(space, genome):
        return 1
    # Rounded up: the last batch of an epoch may be smaller.
    batches = -(-samples // batch_size(space, genome))
    return full * batches


def batch_size(space: SearchSpace, genome: Genome) -> int:
    """Samples a training step, from the genome's `training` section.

    Raises:
        UserError: the section or the parameter is missing.
    """
    _, arguments = _settings(space, genome, "training")
    if "batch_size" not in arguments:
        raise UserError(
            f"the search space {space.name!r} has no settings.training.ops.training.batch_size."
        )
    return int(arguments["batch_size"])


def epochs(space: SearchSpace, genome: Genome, most: int) -> int:
    """How long the genome is trained: its gene `epochs` if it has one, at most `most`."""
    _, arguments = _settings(space, genome, "training")
    # The gene is a wish: one number of the config still bounds what a run costs.
    wish = int(arguments.get("epochs", most))
    return min(wish, most)


def _settings(space: SearchSpace, genome: Genome, section: str) -> tuple[str, dict[str, Any]]:
    """The op of a settings section, and a copy of its arguments."""
    if section not in space.sections:
        raise UserError(
            f"the search space {space.name!r} has no section settings.{section}, "
            "which every training needs."
        )
    # A settings section has one gene.
    gene = genome[section][0]
    arguments = space.arguments(genome, section, gene)
    return gene.op, dict(arguments)
