"""The optimizers that a search space may name, and what else of a training is a gene.

To add an optimizer, write the function here, put it in `OPTIMIZERS`, and describe it in `evonas.model.catalog`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from evonas.errors import UserError, did_you_mean
from evonas.genome import Genome, SearchSpace


def sgd(*, learning_rate: float) -> keras.optimizers.Optimizer:
    """Gradient descent without momentum."""
    return keras.optimizers.SGD(learning_rate)


def momentum(*, learning_rate: float, momentum: float, nesterov: bool = False) -> keras.optimizers.Optimizer:
    """Gradient descent with momentum, looking ahead where `nesterov` (Sutskever et al., 2013)."""
    return keras.optimizers.SGD(learning_rate, momentum=momentum, nesterov=nesterov)


def adam(
    *, learning_rate: float, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba, 2015)."""
    return keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)


OPTIMIZERS: Mapping[str, Callable[..., keras.optimizers.Optimizer]] = {f.__name__: f for f in (sgd, momentum, adam)}
"""The registry: op name of the section `optimizer` -> function."""


def build_optimizer(space: SearchSpace, genome: Genome) -> keras.optimizers.Optimizer:
    """A new optimizer with the parameters of the genome's `optimizer` section.

    Raises:
        UserError: where the section is missing or names an unknown optimizer.
    """
    op, arguments = _settings(space, genome, "optimizer")
    if op not in OPTIMIZERS:
        hint = did_you_mean(op, tuple(OPTIMIZERS))
        raise UserError(f"unknown optimizer {op!r}.{hint} Known: {', '.join(OPTIMIZERS)}.")
    return OPTIMIZERS[op](**arguments)


def batch_size(space: SearchSpace, genome: Genome) -> int:
    """Samples a training step, from the genome's `training` section.

    Raises:
        UserError: where the section or the parameter is missing.
    """
    _, arguments = _settings(space, genome, "training")
    if "batch_size" not in arguments:
        raise UserError(f"the search space {space.name!r} has no settings.training.ops.training.batch_size.")
    return int(arguments["batch_size"])


def _settings(space: SearchSpace, genome: Genome, section: str) -> tuple[str, dict[str, Any]]:
    if section not in space.sections:
        raise UserError(
            f"the search space {space.name!r} has no section settings.{section}, which every training needs."
        )
    gene = genome[section][0]
    return gene.op, dict(space.arguments(genome, section, gene))
