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


def lion(
    *,
    learning_rate: LearningRate,
    weight_decay: float = 0.0,
    beta_1: float = 0.9,
    beta_2: float = 0.99,
) -> keras.optimizers.Optimizer:
    """Lion: steps of one size, by the sign of the momentum (Chen et al., 2023).

    It wants a learning rate that is 3 to 10 times smaller than that of Adam.
    """
    return keras.optimizers.Lion(
        learning_rate,
        weight_decay=weight_decay or None,
        beta_1=beta_1,
        beta_2=beta_2,
    )


OPTIMIZERS: Mapping[str, Callable[..., keras.optimizers.Optimizer]] = {
    f.__name__: f for f in (sgd, momentum, adam, adamw, rmsprop, lion)
}
"""The registry: op name of the section `optimizer` -> function.

Each one also has the parameters of `scheduled`, and `clip_norm` and `ema_momentum`; see
`build_optimizer`.
"""


def scheduled(
    learning_rate: float,
    steps: int,
    schedule: str = "constant",
    final_fraction: float = FINAL_FRACTION,
    warmup: float = 0.0,
    is_for_file: bool = False,
) -> LearningRate:
    """The learning rate over a training.

    It is a function of the optimizer's step count and of the length of the full training. Every
    checkpoint has the step count. So a training that is stopped and continued sees the same rates,
    also if it was asked for in pieces.

    Args:
        learning_rate: rate at the start of the schedule.
        steps: number of steps of the full training. Further steps have the last rate (cosine), or
            their rate continues to fall (exponential).
        schedule: `constant`; `cosine` (Loshchilov and Hutter, 2017, without restarts);
            `exponential`.
        final_fraction: rate after the last step, divided by `learning_rate`.
        warmup: share of the steps before the schedule, in which the rate rises from 0 in a straight
            line. The schedule has the steps that are left.
        is_for_file: whether every class must be one of Keras. Keras has no exponential schedule
            with a warm-up, so that one is then without it.
    """
    schedules = keras.optimizers.schedules
    # Rounded down: at least one step is left for the schedule.
    rising = int(warmup * steps)
    left = steps - rising
    if schedule == "cosine":
        # Keras's own warm-up, which is for this schedule only.
        more = {"warmup_target": learning_rate, "warmup_steps": rising} if rising else {}
        start = 0.0 if rising else learning_rate
        return schedules.CosineDecay(start, left, alpha=final_fraction, **more)
    fall = learning_rate
    if schedule == "exponential":
        fall = schedules.ExponentialDecay(learning_rate, left, decay_rate=final_fraction)
    if not rising or (schedule == "exponential" and is_for_file):
        return fall
    # A straight line to `end_learning_rate`, where it stays.
    rise = schedules.PolynomialDecay(0.0, rising, end_learning_rate=learning_rate)
    return _After(rise, rising, fall) if schedule == "exponential" else rise


def build_optimizer(
    space: SearchSpace,
    genome: Genome,
    steps: int = 1,
    accumulation: int = 1,
    is_for_file: bool = False,
) -> keras.optimizers.Optimizer:
    """A new optimizer with the parameters of the genome's `optimizer` section.

    `clip_norm` is Keras's `global_clipnorm`: the length that all gradients together have at most.
    `ema_momentum` is Keras's, with `use_ema`: an average of the weights goes along, and is what the
    training is judged by. Each is off if it is 0.

    Args:
        steps: number of steps of a full training, the length of a learning-rate schedule.
        accumulation: number of gradients that make one step; schedules, momentum, weight decay and
            averages still count steps.
        is_for_file: whether plain Keras must be able to load it; see `scheduled`.

    Raises:
        UserError: the section is missing or names an unknown optimizer.
    """
    op, arguments = _settings(space, genome, "optimizer")
    if op not in OPTIMIZERS:
        hint = did_you_mean(op, tuple(OPTIMIZERS))
        raise UserError(f"unknown optimizer {op!r}.{hint} Known: {', '.join(OPTIMIZERS)}.")
    clip_norm = arguments.pop("clip_norm", 0.0)
    ema_momentum = arguments.pop("ema_momentum", 0.0)
    # The functions above know nothing of schedules, which come in by way of the learning rate.
    course: dict[str, Any] = {}
    for name in ("schedule", "final_fraction", "warmup"):
        if name in arguments:
            course[name] = arguments.pop(name)
    if _changes(course):
        rate = scheduled(arguments["learning_rate"], steps, **course, is_for_file=is_for_file)
        # A short training has no whole step of a short warm-up.
        if accumulation > 1 and not isinstance(rate, float):
            rate = _OfWholeSteps(rate, accumulation)
        arguments["learning_rate"] = rate
    optimizer = OPTIMIZERS[op](**arguments)
    # As the constructors would: Keras reads these first in `build`, or in a step.
    if clip_norm:
        optimizer.global_clipnorm = float(clip_norm)
    if ema_momentum:
        optimizer.use_ema = True
        optimizer.ema_momentum = float(ema_momentum)
    if accumulation > 1:
        optimizer.gradient_accumulation_steps = accumulation
    return optimizer


class _After(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule that begins after another one.

    Args:
        steps: number of steps of the first one.
    """

    def __init__(self, first: LearningRate, steps: int, then: LearningRate) -> None:
        self._first = first
        self._steps = steps
        self._then = then

    def __call__(self, step: Any) -> Any:
        is_first = step < self._steps
        # A negative step would only be computed, and not be taken.
        return keras.ops.where(is_first, self._first(step), self._then(step - self._steps))


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
    return _changes(arguments)


def _changes(arguments: Mapping[str, Any]) -> bool:
    """Whether an optimizer with these arguments has a learning rate that changes."""
    schedule = arguments.get("schedule", "constant")
    return str(schedule) != "constant" or bool(arguments.get("warmup", 0.0))


def label_smoothing(space: SearchSpace, genome: Genome) -> float:
    """The share of each label that is spread over all classes in the training loss."""
    _, arguments = _settings(space, genome, "training")
    return float(arguments.get("label_smoothing", 0.0))


def newer_settings(space: SearchSpace, genome: Genome) -> dict[str, float]:
    """What a genome uses of the settings that the first checkpoints do not know, by name."""
    _, arguments = _settings(space, genome, "optimizer")
    used = {}
    for name in ("warmup", "clip_norm", "ema_momentum"):
        if arguments.get(name):
            used[name] = float(arguments[name])
    if smoothing := label_smoothing(space, genome):
        used["label_smoothing"] = smoothing
    return used


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
