from __future__ import annotations

import os
import random
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from evonas.errors import UserError
from evonas.genome import (
    Genome,
    MutationRates,
    SearchSpace,
    cross,
    mutate,
    parse_genome,
    parse_space,
    sample,
)
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.optimizers import batch_size, build_optimizer
from evonas.model.size import measure, measure_unbuilt

CONVNET = Path(__file__).parents[2] / "genomes" / "spaces" / "convnet.yaml"
SHAPES = [(8, 8), (8, 8, 1), (28, 28), (7, 5, 2), (1, 1, 3), (32, 32, 3)]
GENOMES = int(os.environ.get("EVONAS_GENOMES", "90"))
TRAINED = GENOMES // 8

InterfaceOf = Callable[..., Interface]


@pytest.fixture(scope="module")
def slim_convnet() -> SearchSpace:
    """The shipped convnet with few filters and units; hundreds of networks are built in seconds."""
    # The priors are those of wider networks.
    text = re.sub(r", prior: (\{[^}]*\}|\[[^\]]*\])", "", CONVNET.read_text())
    for wide, slim in (("[6, 8, 16, 32, 64, 128]", "[2, 3, 4]"), ("[16, 256]", "[4, 16]")):
        assert wide in text
        text = text.replace(wide, slim)
    return parse_space(text, "slim.yaml")


@pytest.fixture(scope="module")
def population(slim_convnet: SearchSpace) -> list[Genome]:
    """Genomes that were sampled, then crossed and mutated."""
    rng = np.random.default_rng(0)
    genomes = [sample(slim_convnet, rng) for _ in range(GENOMES // 3)]
    while len(genomes) < GENOMES:
        first, second = (genomes[int(i)] for i in rng.integers(len(genomes), size=2))
        child, _ = mutate(
            slim_convnet, cross(slim_convnet, first, second, rng), rng, MutationRates()
        )
        genomes.append(child)
    return genomes


def batch_for(interface: Interface, count: int = 4) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    x = rng.normal(2, 2, size=(count, *interface.input.shape)).astype("float32")
    return x, rng.integers(interface.outputs, size=count)


def built(space: SearchSpace, genome: Genome, interface: Interface) -> Any:
    """A model without values in its weights.

    It takes half of the time, and is enough if only layers and shapes are compared.
    """
    with keras.StatelessScope(initialize_variables=False):
        return build_model(space, genome, interface)


def train_step(model: keras.Model, optimizer: keras.optimizers.Optimizer, x: Any, y: Any) -> float:
    with tf.GradientTape() as tape:
        loss = keras.losses.SparseCategoricalCrossentropy()(y, model(x, training=True)) + sum(
            model.losses
        )
    variables = model.trainable_variables
    optimizer.apply(tape.gradient(loss, variables), variables)
    return float(loss)


def test_every_genome_builds_and_is_measured_before(
    slim_convnet: SearchSpace, population: list[Genome], interface_of: InterfaceOf
) -> None:
    for number, genome in enumerate(population):
        interface = interface_of(SHAPES[number % len(SHAPES)])
        model = built(slim_convnet, genome, interface)
        assert model.input_shape == (None, *interface.input.shape)
        assert model.output_shape == (None, 3)
        if number % 7 == 0:  # not a multiple of the number of shapes, so all of them
            size = measure(model)
            assert size == measure_unbuilt(slim_convnet, genome, interface)
            assert size.parameters == model.count_params()


def test_genomes_train_save_and_load(
    slim_convnet: SearchSpace, population: list[Genome], interface_of: InterfaceOf, tmp_path: Path
) -> None:
    for number, genome in enumerate(population[:: GENOMES // TRAINED]):
        interface = interface_of(SHAPES[number % len(SHAPES)])
        model = build_model(slim_convnet, genome, interface)
        x, y = batch_for(interface)
        train_step(model, build_optimizer(slim_convnet, genome), x, y)
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(
            loaded(x).numpy(), model(x).numpy(), rtol=0, atol=1e-6, equal_nan=True
        )
        assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
        assert measure(loaded) == measure(model)


def test_every_hyperparameter_is_in_the_model(
    slim_convnet: SearchSpace, population: list[Genome], interface_of: InterfaceOf
) -> None:
    """Each gene's arguments are read back from the built layers, for every sampled genome."""
    seen: set[str] = set()
    for genome in population[:60]:
        model = built(slim_convnet, genome, interface_of((8, 8)))
        by_name = {layer.name: layer for layer in model.layers}
        for section in ("features", "bridge", "head"):
            for position, gene in enumerate(genome[section]):
                arguments = slim_convnet.arguments(genome, section, gene)
                assert read_back(by_name, f"{section}_{position}", gene.op, arguments) == arguments
                seen |= set(arguments)
        optimizer = build_optimizer(slim_convnet, genome)
        gene = genome["optimizer"][0]
        for name, value in gene.parameters.items():
            assert float(getattr(optimizer, name)) == pytest.approx(float(value), rel=1e-6)
            seen.add(name)
        assert batch_size(slim_convnet, genome) == genome["training"][0]["batch_size"]
    assert seen >= {
        "filters",
        "units",
        "l1",
        "l2",
        "dropout",
        "kernel_initializer",
        "learning_rate",
        "momentum",
        "nesterov",
    }


def read_back(
    by_name: dict[str, Any], label: str, op: str, arguments: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of an op as its layers say them."""
    layer = by_name[f"{label}_{op}"]
    if "activation" not in arguments:
        return {}
    normalized = f"{label}_batch_normalization" in by_name
    penalty = layer.kernel_regularizer
    dropout = by_name.get(f"{label}_dropout")
    found = {
        "activation": (by_name[f"{label}_activation"] if normalized else layer).activation.__name__,
        "batch_normalization": normalized,
        "dropout": dropout.rate if dropout else 0.0,
        "kernel_initializer": keras.initializers.serialize(layer.kernel_initializer)["class_name"],
        "l1": penalty.l1 if penalty else 0.0,
        "l2": penalty.l2 if penalty else 0.0,
    }
    found["kernel_initializer"] = {"HeNormal": "he_normal", "GlorotUniform": "glorot_uniform"}[
        found["kernel_initializer"]
    ]
    if op == "conv2d":
        assert layer.kernel_size[0] == layer.kernel_size[1]
        found |= {"filters": layer.filters, "kernel_size": layer.kernel_size[0]}
    else:
        found["units"] = layer.units
    return {
        name: pytest.approx(v, rel=1e-6) if isinstance(v, float) else v
        for name, v in found.items()
        if name in arguments
    }


def test_equal_genomes_have_equal_names_and_weights(
    space: SearchSpace, interface: Interface
) -> None:
    genome = sample(space, np.random.default_rng(4))
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(9)
        models.append(build_model(space, genome, interface))
    first, second = models
    assert first.name == second.name
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    assert [w.path for w in first.weights] == [w.path for w in second.weights]
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


EMPTY = """
space: small
style: [style: {activation: relu, kernel_initializer: he_normal}]
optimizer: [adam: {learning_rate: 0.01}]
training: [training: {batch_size: 16}]
"""


def genome_of(space: SearchSpace, lines: str) -> Genome:
    sections = {name: f"{name}: []" for name in ("features", "bridge", "head")}
    sections |= {line.split(":")[0]: line for line in lines.splitlines()}
    return parse_genome(EMPTY + "\n".join(sections.values()) + "\n", "genome.yaml", space)


def test_raw_values_are_normalized_inside(space: SearchSpace, interface_of: InterfaceOf) -> None:
    interface = interface_of((2, 2, 2), mean=(1.0, 10.0), variance=(4.0, 100.0))
    model = build_model(space, genome_of(space, ""), interface)
    entrance = keras.Model(model.input, model.get_layer("normalization").output)
    raw = np.broadcast_to(np.array([5.0, 30.0], "float32"), (1, 2, 2, 2))
    np.testing.assert_allclose(entrance(raw).numpy(), np.full((1, 2, 2, 2), 2.0), rtol=1e-6)
    assert [layer.name for layer in model.layers] == ["input", "normalization", "flatten", "output"]
    assert len(model.trainable_variables) == len(model.variables) == 2


def test_a_vector_is_normalized_by_feature(space: SearchSpace) -> None:
    given = InputSpec.normalized("vector", (2,), (1.0, 10.0), (4.0, 100.0))
    interface = Interface(given, "classification", ("a", "b"))
    model = build_model(space, genome_of(space, ""), interface)
    entrance = keras.Model(model.input, model.get_layer("normalization").output)
    np.testing.assert_allclose(
        entrance(np.array([[5.0, 0.0]], "float32")).numpy(), [[2.0, -1.0]], rtol=1e-6
    )


def test_classification_answers_with_probabilities(
    space: SearchSpace, interface: Interface
) -> None:
    model = build_model(space, sample(space, np.random.default_rng(0)), interface)
    predictions = model(batch_for(interface)[0]).numpy()
    assert predictions.shape == (4, 3)
    np.testing.assert_allclose(predictions.sum(axis=1), 1, rtol=1e-5)


def test_regression_answers_in_the_units_of_the_target(
    space: SearchSpace, interface_of: InterfaceOf
) -> None:
    interface = interface_of(
        (8, 8), task="regression", classes=(), target_mean=500.0, target_scale=20.0
    )
    model = build_model(space, sample(space, np.random.default_rng(0)), interface)
    x, _ = batch_for(interface)
    standardized = keras.Model(model.input, model.get_layer("standardized_output").output)
    assert model.output_shape == (None, 1)
    assert model.layers[-1].name == "output"
    np.testing.assert_allclose(model(x).numpy(), standardized(x).numpy() * 20 + 500, rtol=1e-6)


def test_skips_come_from_the_genes_that_the_genome_names(
    space: SearchSpace, interface: Interface
) -> None:
    conv = "conv2d: {filters: 2, kernel_size: 1"
    skips = ("}", "}", ", inputs: [0, input], merge: concat}", ", inputs: [1], merge: add}")
    lines = f"features: [{', '.join(conv + skip for skip in skips)}]"
    model = build_model(space, genome_of(space, lines), interface)

    def sources(name: str) -> list[str]:
        return [tensor._keras_history.operation.name for tensor in model.get_layer(name).input]

    assert sources("features_2_concat") == [
        "features_1_conv2d",
        "features_0_conv2d",
        "normalization",
    ]
    assert sources("features_3_add") == ["features_2_conv2d", "features_1_conv2d"]


def test_a_sample_of_the_wrong_rank_is_refused(
    space: SearchSpace, interface_of: InterfaceOf
) -> None:
    with pytest.raises(UserError, match=r"a sample of kind image has 2 axes \(.*\(8,\)"):
        build_model(space, sample(space, np.random.default_rng(0)), interface_of((8,)))


PLUGIN_SPACE = """
space: plugin
input: image
network:
  features: {length: 2, ops: {their_ops:block: {ratio: {choice: [2, 3]}}}}
settings:
  optimizer: {ops: {adam: {learning_rate: 0.1}}}
  training: {ops: {training: {batch_size: 16}}}
"""


def block(x: Any, *, ratio: int) -> Any:
    """Channel attention (Hu et al., 2018)."""
    s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    s = layers.Dense(ratio, activation="relu")(s)
    return layers.Multiply()([x, layers.Dense(x.shape[-1], activation="sigmoid")(s)])


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("their_ops")
    module.block = block  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "their_ops", module)
    return module


def test_ops_of_a_plugin(plugin: types.ModuleType, interface: Interface, tmp_path: Path) -> None:
    space = parse_space(PLUGIN_SPACE, "plugin.yaml")
    genome = sample(space, np.random.default_rng(0))
    layers.Dense(1)  # moves Keras's own counters on
    model = build_model(space, genome, interface, ["their_ops"])
    names = [layer.name for layer in model.layers if layer.name.startswith("features_1")]
    assert sorted(names) == [
        "features_1_dense",
        "features_1_dense_1",
        "features_1_global_average_pooling2d",
        "features_1_multiply",
    ]
    x, _ = batch_for(interface)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(
        keras.models.load_model(tmp_path / "model.keras")(x), model(x), atol=1e-6
    )
    assert measure_unbuilt(space, genome, interface, ["their_ops"]) == measure(model)


def test_an_op_that_may_not_be_imported_or_called(
    plugin: types.ModuleType, interface: Interface
) -> None:
    space = parse_space(PLUGIN_SPACE, "plugin.yaml")
    genome = sample(space, np.random.default_rng(0))
    with pytest.raises(UserError, match="not among the plugins"):
        build_model(space, genome, interface)
    plugin.block = lambda x: x  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="cannot be called with"):
        build_model(space, genome, interface, ["their_ops"])


def test_building_draws_from_pythons_random_only(space: SearchSpace, interface: Interface) -> None:
    """What makes `keras.utils.set_random_seed` enough: no other stream is moved."""
    state = np.random.get_state()[1].tolist()  # the legacy stream is what is watched
    random.seed(0)
    build_model(space, sample(space, np.random.default_rng(0)), interface)
    assert np.random.get_state()[1].tolist() == state
