"""Every shipped space: its networks are built, trained, saved and loaded for all data it accepts.

A space is in the test because it is shipped. Five small genomes hold all of its ops. `make
test-faults` also draws random ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.evaluate.training.augmentation import build_augmentation
from evonas.genome import Genome, SearchSpace, cross, load_space, mutate, sample
from evonas.genome.library import find, names
from evonas.learning.examples import examples
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.losses import build_loss
from evonas.model.optimizers import build_optimizer
from evonas.model.size import measure, measure_unbuilt
from tests.model.covering import covering_genomes
from tests.slow import few

NAMES = [name for name in names("spaces") if load_space(find("spaces", name)).input is not None]
RANDOM = 20
SAMPLES = 4

# Grey and in colour, with and without an axis for it, odd, and as small as can be.
SHAPES: dict[str, list[tuple[int, ...]]] = {
    "image": [(8, 8), (28, 28, 1), (7, 5, 3), (1, 1, 3), (32, 32, 3)],
    "sequence": [(6, 3), (2, 1), (25, 2)],
    "vector": [(7,), (1,)],
}


def interfaces(kind: str) -> Iterator[Interface]:
    """The ends of networks for data of this kind: of all shapes, and of all tasks in turn."""
    known = INPUT_KINDS[kind]
    tasks = cycle([("classification", (0, 1, 2)), ("regression", ())])
    for shape in cycle(SHAPES.get(kind, [known.example])):
        columns = known.columns(shape)
        spec = InputSpec(kind, shape, known.example_fitted)
        if not known.example_fitted:
            spec = InputSpec.normalized(kind, shape, (2.0,) * columns, (4.0,) * columns)
        task, classes = next(tasks)
        yield Interface(spec, task, classes)


def is_trained_and_loaded(space: SearchSpace, genome: Genome, ends: Interface, file: Path) -> None:
    """Builds a network, trains a step, saves it, and loads what was saved."""
    rng = np.random.default_rng(1)
    x = examples(ends.input, rng, SAMPLES)
    y = ends.learning_task.examples(rng, SAMPLES, ends.outputs)
    model = build_model(space, genome, ends)
    assert model.output_shape == (None, ends.outputs)
    optimizer = build_optimizer(space, genome, steps=10)
    before = [weight.numpy().copy() for weight in model.trainable_variables]
    step(model, optimizer, space, genome, ends, x, y)
    after = [weight.numpy() for weight in model.trainable_variables]
    assert any((a != b).any() for a, b in zip(before, after, strict=True))
    model.save(file)
    loaded = keras.models.load_model(file, compile=False, safe_mode=True)
    np.testing.assert_allclose(
        loaded(x).numpy(), model(x).numpy(), rtol=1e-5, atol=1e-6, equal_nan=True
    )
    assert "evonas" not in model.to_json()
    assert measure(loaded) == measure(model)


def step(
    model: Any, optimizer: Any, space: SearchSpace, genome: Genome, ends: Interface, x: Any, y: Any
) -> None:
    augmentation = build_augmentation(space, genome, ends, seed=1)
    x, y = augmentation(tf.constant(x), tf.constant(y))
    loss = build_loss(ends, takes_rows=augmentation.mixes_targets)
    with tf.GradientTape() as tape:
        value = loss(y, model(x, training=True)) + sum(model.losses)
    variables = model.trainable_variables
    optimizer.apply(tape.gradient(value, variables), variables)


@pytest.mark.parametrize("name", few(NAMES, "convnet", "mlp", "text"))
def test_five_genomes_hold_every_op_and_are_built_for_all_data(name: str, tmp_path: Path) -> None:
    space = load_space(find("spaces", name))
    genomes = covering_genomes(space)
    held = set()
    for genome in genomes:
        held |= {(section, gene.op) for section, genes in genome.sections for gene in genes}
    assert held == {(s.name, op) for s in space.sections.values() for op in s.ops}
    # The others are trained by `make test-faults`.
    longest = max(genomes, key=lambda genome: sum(len(genes) for _, genes in genome.sections))
    for genome, ends in zip(genomes, interfaces(str(space.input)), strict=False):
        if genome is longest:
            is_trained_and_loaded(space, genome, ends, tmp_path / "model.keras")
            continue
        # Weights of no size: only layers and shapes are of interest.
        with keras.StatelessScope(initialize_variables=False):
            model = build_model(space, genome, ends)
        assert model.input_shape[1:] == ends.input.shape
        assert model.output_shape == (None, ends.outputs)
    keras.backend.clear_session()


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_these_and_random_genomes_are_trained_and_loaded(name: str, tmp_path: Path) -> None:
    space = load_space(find("spaces", name))
    rng = np.random.default_rng(0)
    genomes = covering_genomes(space)
    genomes += [sample(space, rng) for _ in range(RANDOM // 2)]
    while len(genomes) < RANDOM:
        first, second = (genomes[int(i)] for i in rng.integers(len(genomes), size=2))
        genomes.append(mutate(space, cross(space, first, second, rng), rng)[0])
    for genome, ends in zip(genomes, interfaces(str(space.input)), strict=False):
        is_trained_and_loaded(space, genome, ends, tmp_path / "model.keras")
        size = measure(build_model(space, genome, ends))
        assert size == measure_unbuilt(space, genome, ends)
    keras.backend.clear_session()
