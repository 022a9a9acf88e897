"""Genomes of every shipped space are built; some train a step, are saved, loaded, predict alike.

`EVONAS_GENOMES=300` builds so many of each space. The default is enough to meet every op.
`test_assembly.py` builds hundreds of `convnet`.
"""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.genome import Genome, SearchSpace, cross, load_space, mutate, sample
from evonas.learning.examples import examples
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.optimizers import build_optimizer
from evonas.model.size import measure, measure_unbuilt

SPACES = Path(__file__).parents[2] / "genomes" / "spaces"
NAMES = sorted(path.stem for path in SPACES.glob("*.yaml") if path.stem != "convnet")
GENOMES = int(os.environ.get("EVONAS_GENOMES", "60"))
TRAINED = max(2, GENOMES // 30)
SHAPES = {"image": (8, 8), "sequence": (6, 3), "vector": (7,), "table": (4,), "text": (12,)}


def bred(space: SearchSpace, count: int) -> list[Genome]:
    rng = np.random.default_rng(0)
    genomes = [sample(space, rng) for _ in range(max(2, count // 2))]
    while len(genomes) < count:
        first, second = (genomes[int(i)] for i in rng.integers(len(genomes), size=2))
        genomes.append(mutate(space, cross(space, first, second, rng), rng)[0])
    return genomes


def interface_of(space: SearchSpace, task: str) -> Interface:
    shape = SHAPES[space.input]
    kind = INPUT_KINDS[space.input]
    columns = kind.columns(shape)
    classes = (0, 1, 2) if task == "classification" else ()
    given = InputSpec.normalized(space.input, shape, (2.0,) * columns, (4.0,) * columns)
    if kind.example_fitted:
        given = InputSpec(space.input, shape, kind.example_fitted)
    return Interface(given, task, classes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_every_genome_builds(name: str) -> None:
    space = load_space(SPACES / f"{name}.yaml")
    met: set[str] = set()
    for number, genome in enumerate(bred(space, GENOMES)):
        interface = interface_of(space, "regression" if number % 3 == 0 else "classification")
        with keras.StatelessScope(
            initialize_variables=False
        ):  # weights of no size: only the shapes are of interest
            model = build_model(space, genome, interface)
        assert model.input_shape == (None, *interface.input.shape)
        assert model.output_shape == (None, interface.outputs)
        met |= {gene.op for section in space.group("network") for gene in genome[section.name]}
    keras.backend.clear_session()
    assert met == {op for section in space.group("network") for op in section.ops}


@pytest.mark.parametrize("name", NAMES)
def test_genomes_train_a_step_are_saved_loaded_and_predict_the_same(
    name: str, tmp_path: Path
) -> None:
    space = load_space(SPACES / f"{name}.yaml")
    interface = interface_of(space, "classification")
    rng = np.random.default_rng(1)
    x = examples(interface.input, rng, 4)
    y = rng.integers(3, size=4)
    for genome in bred(space, TRAINED):
        model, optimizer = (
            build_model(space, genome, interface),
            build_optimizer(space, genome, steps=10),
        )
        before = [weight.numpy().copy() for weight in model.trainable_variables]
        with tf.GradientTape() as tape:
            loss = keras.losses.SparseCategoricalCrossentropy()(y, model(x, training=True)) + sum(
                model.losses
            )
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        assert any(
            (a != b.numpy()).any() for a, b in zip(before, model.trainable_variables, strict=True)
        )
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
        np.testing.assert_allclose(
            loaded(x).numpy(), model(x).numpy(), rtol=0, atol=1e-6, equal_nan=True
        )
        assert measure(loaded) == measure(model) == measure_unbuilt(space, genome, interface)
