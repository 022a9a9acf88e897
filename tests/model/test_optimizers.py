from __future__ import annotations

import keras
import pytest

from evonas.errors import UserError
from evonas.genome import Gene, Genome, SearchSpace, parse_space
from evonas.model.optimizers import (
    batch_size,
    build_optimizer,
    epochs,
    has_schedule,
    schedule_steps,
    scheduled,
)


def genome_with(section: str, op: str, **parameters: object) -> Genome:
    return Genome(((section, (Gene.make(op, parameters),)),))  # type: ignore[arg-type]


def test_sgd(space: SearchSpace) -> None:
    optimizer = build_optimizer(space, genome_with("optimizer", "sgd", learning_rate=0.25))
    assert type(optimizer) is keras.optimizers.SGD
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.momentum == 0.0


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum(space: SearchSpace, nesterov: bool) -> None:
    genome = genome_with(
        "optimizer", "momentum", learning_rate=0.5, momentum=0.75, nesterov=nesterov
    )
    optimizer = build_optimizer(space, genome)
    assert type(optimizer) is keras.optimizers.SGD
    assert (float(optimizer.learning_rate), optimizer.momentum, optimizer.nesterov) == (
        0.5,
        0.75,
        nesterov,
    )


def test_adam_with_a_constant_of_the_space(space: SearchSpace) -> None:
    optimizer = build_optimizer(space, genome_with("optimizer", "adam", learning_rate=0.0625))
    assert type(optimizer) is keras.optimizers.Adam
    assert (float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2) == (
        0.0625,
        0.8,
        0.999,
    )


EVERY = """
space: every
settings:
  optimizer:
    ops:
      adamw: {learning_rate: 0.25, weight_decay: 0.125, beta_1: 0.5, beta_2: 0.75, epsilon: 0.0625}
      rmsprop: {learning_rate: 0.25, rho: 0.5, momentum: 0.75, epsilon: 0.0625}
      sgd:
        learning_rate: 0.5
        schedule: {choice: [constant, cosine, exponential]}
        final_fraction: 0.25
  training: {ops: {training: {batch_size: 32, epochs: {int: [2, 40]}}}}
"""


def test_adamw_and_rmsprop_use_every_parameter() -> None:
    space = parse_space(EVERY, "every.yaml")
    adamw = build_optimizer(space, genome_with("optimizer", "adamw"))
    assert type(adamw) is keras.optimizers.AdamW
    found = (
        float(adamw.learning_rate),
        adamw.weight_decay,
        adamw.beta_1,
        adamw.beta_2,
        adamw.epsilon,
    )
    assert found == (0.25, 0.125, 0.5, 0.75, 0.0625)
    rmsprop = build_optimizer(space, genome_with("optimizer", "rmsprop"))
    assert type(rmsprop) is keras.optimizers.RMSprop
    assert (float(rmsprop.learning_rate), rmsprop.rho, rmsprop.momentum, rmsprop.epsilon) == (
        0.25,
        0.5,
        0.75,
        0.0625,
    )


@pytest.mark.parametrize(
    ("schedule", "halfway", "end"),
    [("constant", 0.5, 0.5), ("cosine", 0.3125, 0.125), ("exponential", 0.25, 0.125)],
)
def test_schedules_start_at_the_rate_and_end_at_their_fraction_of_it(
    schedule: str, halfway: float, end: float
) -> None:
    space = parse_space(EVERY, "every.yaml")
    genome = genome_with("optimizer", "sgd", schedule=schedule)
    optimizer = build_optimizer(space, genome, steps=80)
    weight = keras.Variable([1.0])
    optimizer.build([weight])
    for step, rate in ((0, 0.5), (40, halfway), (80, end)):
        optimizer.iterations.assign(step)
        assert float(optimizer.learning_rate) == pytest.approx(rate)
    assert has_schedule(space, genome) is (schedule != "constant")


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", (0.0, 0.25, 0.5, 0.5, 0.5)),
        ("cosine", (0.0, 0.25, 0.5, 0.3125, 0.125)),
        ("exponential", (0.0, 0.25, 0.5, 0.25, 0.125)),
    ],
)
def test_a_warm_up_rises_to_the_start_of_the_schedule(
    schedule: str, rates: tuple[float, ...]
) -> None:
    space = parse_space(EVERY.replace("0.25\n", "0.25\n        warmup: 0.2\n"), "every.yaml")
    genome = genome_with("optimizer", "sgd", schedule=schedule)
    optimizer = build_optimizer(space, genome, steps=100)
    optimizer.build([keras.Variable([1.0])])
    found = []
    for step in (0, 10, 20, 60, 100):
        optimizer.iterations.assign(step)
        found.append(float(optimizer.learning_rate))
    assert found == pytest.approx(rates)
    assert has_schedule(space, genome)
    # A file is loaded by plain Keras.
    kept = build_optimizer(space, genome, steps=100, is_for_file=True).get_config()
    module = kept["learning_rate"]["module"]
    assert module == "keras.optimizers.schedules"


def test_a_warm_up_of_no_whole_step_is_none() -> None:
    for schedule, kind in (("constant", float), ("cosine", dict)):
        rate = scheduled(0.5, 4, schedule, warmup=0.2)
        optimizer = keras.optimizers.SGD(rate)
        assert type(optimizer.get_config()["learning_rate"]) is kind
        assert float(optimizer.learning_rate) == 0.5


def test_lion_and_what_every_optimizer_has() -> None:
    space = parse_space(EVERY.replace("sgd:", "lion:"), "every.yaml")
    lion = build_optimizer(space, genome_with("optimizer", "lion", schedule="constant"))
    assert type(lion) is keras.optimizers.Lion
    assert (lion.use_ema, lion.global_clipnorm, lion.weight_decay) == (False, None, None)
    more = {"clip_norm": 0.75, "ema_momentum": 0.875, "weight_decay": 0.25}
    genome = genome_with("optimizer", "lion", schedule="constant", **more)
    made = build_optimizer(space, genome).get_config()
    names = ("global_clipnorm", "use_ema", "ema_momentum", "weight_decay")
    assert [made[name] for name in names] == [0.75, True, 0.875, 0.25]


def test_epochs_are_those_of_the_gene_up_to_the_most_that_is_allowed(space: SearchSpace) -> None:
    genome = genome_with("training", "training", epochs=12)
    every = parse_space(EVERY, "every.yaml")
    assert (epochs(every, genome, 40), epochs(every, genome, 9)) == (12, 9)
    assert epochs(space, genome_with("training", "training", batch_size=16), 9) == 9


def test_a_schedule_is_as_long_as_a_full_training() -> None:
    every = parse_space(EVERY, "every.yaml")
    for schedule, steps in (("constant", 1), ("cosine", 5 * 4), ("exponential", 5 * 4)):
        genome = Genome(
            (
                ("optimizer", (Gene.make("sgd", {"schedule": schedule}),)),
                ("training", (Gene.make("training", {"epochs": 5}),)),
            )
        )
        # 97 samples in batches of 32: the fourth has one sample.
        assert schedule_steps(every, genome, 97, 5) == steps


def test_batch_size(space: SearchSpace) -> None:
    assert batch_size(space, genome_with("training", "training", batch_size=16)) == 16


def test_missing_sections_and_unknown_optimizers_are_errors_for_the_user() -> None:
    bare = parse_space("space: bare\nsettings: {optimizer: {ops: {adma: {}}}}\n", "bare.yaml")
    with pytest.raises(UserError, match=r"unknown optimizer 'adma'\. Did you mean 'adam'"):
        build_optimizer(bare, genome_with("optimizer", "adma"))
    with pytest.raises(UserError, match=r"no section settings\.training"):
        batch_size(bare, genome_with("optimizer", "adma"))
