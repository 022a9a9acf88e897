from __future__ import annotations

import keras
import pytest

from evonas.errors import UserError
from evonas.genome import Gene, Genome, SearchSpace, parse_space
from evonas.model.optimizers import batch_size, build_optimizer


def genome_with(section: str, op: str, **parameters: object) -> Genome:
    return Genome(((section, (Gene.make(op, parameters),)),))  # type: ignore[arg-type]


def test_sgd(space: SearchSpace) -> None:
    optimizer = build_optimizer(space, genome_with("optimizer", "sgd", learning_rate=0.25))
    assert type(optimizer) is keras.optimizers.SGD
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.momentum == 0.0


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum(space: SearchSpace, nesterov: bool) -> None:
    genome = genome_with("optimizer", "momentum", learning_rate=0.5, momentum=0.75, nesterov=nesterov)
    optimizer = build_optimizer(space, genome)
    assert type(optimizer) is keras.optimizers.SGD
    assert (float(optimizer.learning_rate), optimizer.momentum, optimizer.nesterov) == (0.5, 0.75, nesterov)


def test_adam_with_a_constant_of_the_space(space: SearchSpace) -> None:
    optimizer = build_optimizer(space, genome_with("optimizer", "adam", learning_rate=0.0625))
    assert type(optimizer) is keras.optimizers.Adam
    assert (float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2) == (0.0625, 0.8, 0.999)


def test_batch_size(space: SearchSpace) -> None:
    assert batch_size(space, genome_with("training", "training", batch_size=16)) == 16


def test_missing_sections_and_unknown_optimizers_are_errors_for_the_user() -> None:
    bare = parse_space("space: bare\nsettings: {optimizer: {ops: {adma: {}}}}\n", "bare.yaml")
    with pytest.raises(UserError, match=r"unknown optimizer 'adma'\. Did you mean 'adam'"):
        build_optimizer(bare, genome_with("optimizer", "adma"))
    with pytest.raises(UserError, match=r"no section settings\.training"):
        batch_size(bare, genome_with("optimizer", "adma"))
