"""A Keras model of the user's as a genome: what evonas builds of it has the same layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers

from evonas.errors import UserError
from evonas.evaluate.local.adoption import Adopted, adopted_from
from evonas.genome import Genome, SearchSpace, load_space, parse_genome
from evonas.genome.library import find
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model.adopting.recognition import LAYERS
from evonas.model.assembly import build_model
from evonas.model.catalog import NETWORK_OPS

SPACES = {name: load_space(find("spaces", name)) for name in ("convnet", "mlp", "recurrent")}
SHAPES = {"image": (12, 12, 1), "vector": (7,), "sequence": (10, 3)}


def adopted(model: Any, folder: Path, space: str = "", nearest: bool = False) -> Adopted:
    model.save(folder / "mine.keras")
    spaces = {space: SPACES[space]} if space else SPACES
    return adopted_from(folder / "mine.keras", spaces, nearest)


def genome_of(found: Adopted) -> Genome:
    assert found.genome is not None
    return Genome.from_dict(found.genome)


def built(space: SearchSpace, genome: Genome) -> Any:
    shape = SHAPES[str(space.input)]
    ones = (1.0,) * shape[-1]
    spec = InputSpec.normalized(str(space.input), shape, ones, ones)
    return build_model(space, genome, Interface(spec, "classification", (0, 1, 2)))


def model_of(kind: str, middle: Sequence[Any]) -> Any:
    ends = [keras.Input(SHAPES[kind]), *middle, layers.Dense(3, activation="softmax")]
    return keras.Sequential(ends)


def convnet() -> Any:
    return model_of(
        "image",
        [
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, padding="same", use_bias=False, kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.SpatialDropout2D(0.2),
            layers.Flatten(),
            layers.Dense(100),
            layers.Activation("relu"),
            layers.Dropout(0.4),
        ],
    )


def own_loss(targets: Any, predictions: Any) -> Any:
    return keras.ops.mean(predictions - targets)


def mlp() -> Any:
    inputs = keras.Input((7,))
    x = layers.Normalization(mean=[0.0] * 7, variance=[1.0] * 7)(inputs)
    x = keras.Sequential([layers.Dense(40, activation="tanh"), layers.LayerNormalization()])(x)
    x = layers.Dense(20, activation="tanh", kernel_initializer="glorot_uniform")(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile(keras.optimizers.SGD(0.02, momentum=0.8, nesterov=True), own_loss)
    return model


def recurrent() -> Any:
    return model_of(
        "sequence",
        [
            layers.Masking(),
            layers.Bidirectional(layers.LSTM(16, dropout=0.1, return_sequences=True)),
            layers.GRU(12),
            layers.Dense(32, activation="gelu"),
        ],
    )


@pytest.mark.parametrize(
    ("name", "make", "left_out"),
    [("convnet", convnet, 1), ("mlp", mlp, 1), ("recurrent", recurrent, 1)],
)
def test_what_is_built_has_the_layers_and_the_weights_of_the_model(
    name: str, make: Callable[[], Any], left_out: int, tmp_path: Path
) -> None:
    model = make()
    found = adopted(model, tmp_path)
    assert (found.space, found.problems, found.changes) == (name, [], [])
    assert found.parameters == found.model_parameters > 0
    assert len(found.skipped) == left_out
    again = built(SPACES[name], genome_of(found))

    def weights(whole: Any) -> list[tuple[str, int]]:
        inside = [one for part in whole.layers for one in getattr(part, "layers", [part])]
        sizes = [(type(layer).__name__, layer.count_params()) for layer in inside]
        return [size for size in sizes if size[1] and size[0] != "Normalization"]

    assert weights(again) == weights(model)


def test_the_optimizer_of_the_file_is_taken_and_its_loss_is_not_read(tmp_path: Path) -> None:
    found = adopted(mlp(), tmp_path)
    gene = genome_of(found)["optimizer"][0]
    assert (found.optimizer, gene.op) == ("momentum", "momentum")
    assert gene.parameters == {
        "learning_rate": 0.02,
        "momentum": 0.8,
        "nesterov": True,
        "schedule": "constant",
    }


@pytest.mark.parametrize("seed", ["vgg_small", "mlp2", "lstm1"])
def test_a_network_of_evonas_is_recognised_as_itself(seed: str, tmp_path: Path) -> None:
    text = find("seeds", seed).read_text(encoding="utf-8")
    name = next(one for one in SPACES if f"space: {one}\n" in text)
    space = SPACES[name]
    genome = parse_genome(text, seed, space)
    found = adopted(built(space, genome), tmp_path, name)
    assert (found.problems, found.changes) == ([], [])
    for section in space.group("network"):
        here = [(gene.op, gene.params) for gene in genome_of(found)[section.name]]
        assert here == [(gene.op, gene.params) for gene in genome[section.name]]


REFUSED = [
    ("image", [layers.Conv2D(48, 3, padding="same", activation="relu"), layers.Flatten()],
     "filters must be one of 6, 8, 16, 32, 64, 128. Received: 48."),
    ("image", [layers.Conv2D(16, 3, activation="relu"), layers.Flatten()],
     "padding is same in the op conv2d. Received: valid."),
    ("image", [layers.Conv2D(16, 3, padding="same", activation="relu"), layers.BatchNormalization(),
               layers.Flatten()],
     "use_bias is false in the op conv2d. Received: true."),
    ("image", [layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
               layers.Dropout(0.25), layers.Flatten()],
     "dropout comes directly behind a layer with weights only."),
    ("sequence", [layers.Bidirectional(layers.GRU(16))],
     "the last step is in its place in the op last."),
]  # fmt: skip
"""Kind of input, layers, and the words of the problem, which `--nearest` makes a change."""


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[2][:24])
def test_what_a_space_cannot_say_is_named_and_the_nearest_only_if_asked_for(
    case: tuple[str, Sequence[Any], str], tmp_path: Path
) -> None:
    kind, middle, words = case
    model = model_of(kind, middle)
    name = "convnet" if kind == "image" else "recurrent"
    found = adopted(model, tmp_path, name)
    assert found.genome is None
    assert any(words in problem for problem in found.problems), found.problems
    assert all(middle[0].name in p or "dropout" in p for p in found.problems)
    nearest = adopted(model, tmp_path, name, nearest=True)
    assert nearest.problems == []
    # All of it is said at once, not the next one after the first is mended.
    assert nearest.changes == found.problems
    built(SPACES[name], genome_of(nearest))


def test_a_layer_that_is_no_op_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    model = model_of("image", [layers.Conv2DTranspose(8, 3, name="up"), layers.Flatten()])
    for nearest in (False, True):
        found = adopted(model, tmp_path, "convnet", nearest)
        assert found.problems[0] == (
            "up (Conv2DTranspose): no op of the space begins with such a layer here. The section"
            " features takes Conv2D, MaxPooling1D, MaxPooling2D, AveragePooling1D,"
            " AveragePooling2D."
        )


def branched() -> Any:
    inputs = keras.Input((7,))
    a, b = layers.Dense(8)(inputs), layers.Dense(8)(inputs)
    return keras.Model(inputs, layers.Dense(3)(layers.Add(name="join")([a, b])))


def volumes() -> Any:
    return keras.Sequential([keras.Input((4, 4, 4, 1)), layers.Conv3D(2, 2), layers.Dense(2)])


def lambdas() -> Any:
    return model_of("vector", [layers.Lambda(lambda x: 2 * x)])


def shared() -> Any:
    inputs = keras.Input((7,))
    twice = layers.Dense(7, name="twice")
    return keras.Model(inputs, layers.Dense(3)(twice(twice(inputs))))


def test_a_layer_without_weights_may_be_used_twice_and_what_is_frozen_is_told(
    tmp_path: Path,
) -> None:
    inputs = keras.Input((7,))
    relu = layers.ReLU()
    first = layers.Dense(8, name="first", trainable=False)
    second = layers.Dense(16, name="second", dtype="mixed_float16")
    model = keras.Model(inputs, layers.Dense(3)(relu(second(relu(first(inputs))))))
    found = adopted(model, tmp_path, "mlp", nearest=True)
    assert found.not_taken == [
        "that first (Dense) is frozen",
        "the types of second (Dense), mixed_float16",
    ]


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet:UserWarning")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (branched, r"join \(Add\) takes 2 tensors. Only a chain"),
        (shared, r"twice \(Dense\) is used more than once, with the same weights"),
        (lambdas, "Keras cannot load it in safe mode: .*ambda"),
        (lambda: keras.Sequential([layers.Dense(3)]), "knows the shape of its input"),
        (volumes, r"and no space is for them: convnet, mlp and recurrent"),
    ],
)
def test_what_is_no_chain_is_refused(make: Callable[[], Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        adopted(make(), tmp_path)


def test_every_op_is_recognised_or_is_a_block_of_several_layers() -> None:
    blocks = {
        "attention_pooling", "bottleneck", "embed_columns", "embedding", "gated_dense",
        "inception", "inverted_residual", "pair", "patches", "positions", "residual",
        "residual_dense", "temporal_block", "transformer",
    }  # fmt: skip
    assert set(LAYERS) | blocks == set(NETWORK_OPS)
    assert not set(LAYERS) & blocks
