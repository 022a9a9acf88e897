"""Every hyperparameter of the search, the shipped space that has it, and where it is read back.

A row sets one parameter of one gene to several of the values that the space allows. It builds the
network or the optimizer, and reads each value back from the layer or from the optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers

from evonas.genome import Choice, Gene, Genome, Number, SearchSpace, Value, load_space
from evonas.genome.wiring import Inputs
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model import optimizers
from evonas.model.assembly import build_model
from evonas.model.catalog import AUGMENTATIONS

SPACES = Path(__file__).parents[2] / "genomes" / "spaces"
SHAPES = {"image": (8, 8, 1), "sequence": (6, 3), "vector": (7,), "text": (12,)}
Read = Callable[[Any], Any]


@lru_cache
def space_of(name: str) -> SearchSpace:
    return load_space(SPACES / f"{name}.yaml")


def gene_of(space: SearchSpace, section: str, op: str, place: int = 0, **params: Value) -> Gene:
    """A gene whose other parameters are somewhere in the upper half, so that nothing is off."""
    known: dict[str, Value] = {
        name: p.from_unit(0.6) for name, p in space[section].ops[op].parameters.items()
    }
    return Gene.make(op, known | params, inputs_of(space[section].legal(place)[0]), place + 1)


def inputs_of(places: Inputs) -> tuple[int, ...]:
    return tuple(place + 1 for place in places)


def plain(space: SearchSpace) -> Genome:
    """Each section at its shortest, of its first op."""
    return Genome(
        tuple(
            (
                s.name,
                tuple(gene_of(space, s.name, next(iter(s.ops)), place) for place in range(s.low)),
            )
            for s in space.sections.values()
        )
    )


def built(space: SearchSpace, genome: Genome) -> dict[str, Any]:
    """The network's layers by name; `model` is the network."""
    shape = SHAPES[space.input]
    spec = InputSpec.normalized(space.input, shape, (0.0,) * shape[-1], (1.0,) * shape[-1])
    if fitted := INPUT_KINDS[str(space.input)].example_fitted:
        spec = InputSpec(str(space.input), shape, fitted)
    interface = Interface(spec, "classification", (0, 1, 2))
    model = build_model(space, genome, interface)
    return {layer.name: layer for layer in model.layers} | {"model": model}


def values_of(space: SearchSpace, section: str, op: str, parameter: str) -> list[Value]:
    """All values of a choice; of a number its `off` and three from its range."""
    found = space[section].ops[op].parameters[parameter]
    if isinstance(found, Choice):
        return list(found.values)
    assert isinstance(found, Number)
    return list(dict.fromkeys(found.from_unit(u) for u in (0.1, 0.4, 0.7, 1.0)))


def penalty(kind: str, of: str = "kernel") -> Read:
    return lambda layer: float(getattr(getattr(layer, f"{of}_regularizer"), kind, 0.0))


def initializer(of: str = "kernel") -> Read:
    def read(layer: Any) -> str:
        name = keras.initializers.serialize(getattr(layer, f"{of}_initializer"))["class_name"]
        return (
            "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
            .lstrip("_")
            .replace("_initializer", "")
        )

    return read


def attribute(name: str) -> Read:
    return lambda layer: getattr(layer, name)


def first_of(name: str) -> Read:
    return lambda layer: getattr(layer, name)[0]


def forward(name: str) -> Read:
    """Of the layer itself or, where it is bidirectional, of its forward half."""
    return lambda layer: getattr(getattr(layer, "forward_layer", layer), name)


# Hyperparameter, space, section, op, parameter, layer ({} is the gene's label) and what is read
# from it.
LAYERS: list[tuple[str, str, str, str, str, str, Read]] = [
    ("units", "mlp", "layers", "dense", "units", "{}_dense", attribute("units")),
    ("units", "recurrent", "encoder", "lstm", "units", "{}_bidirectional", forward("units")),
    ("units", "recurrent", "encoder", "gru", "units", "{}_bidirectional", forward("units")),
    ("units", "recurrent", "encoder", "simple_rnn", "units", "{}_bidirectional", forward("units")),
    ("filters", "convnet_wide", "features", "conv2d", "filters", "{}_conv2d", attribute("filters")),
    ("filters", "convnet_wide", "features", "separable_conv2d", "filters", "{}_separable_conv2d",
     attribute("filters")),
    ("filters", "recurrent", "encoder", "conv1d", "filters", "{}_conv1d", attribute("filters")),
    ("kernel size", "convnet_wide", "features", "conv2d", "kernel_size", "{}_conv2d",
     first_of("kernel_size")),
    ("kernel size", "convnet_wide", "features", "separable_conv2d", "kernel_size",
     "{}_separable_conv2d", first_of("kernel_size")),
    ("kernel size", "recurrent", "encoder", "conv1d", "kernel_size", "{}_conv1d",
     first_of("kernel_size")),
    ("regularization l1", "mlp", "layers", "dense", "l1", "{}_dense", penalty("l1")),
    ("regularization l2", "mlp", "layers", "dense", "l2", "{}_dense", penalty("l2")),
    ("regularization l1", "convnet", "features", "conv2d", "l1", "{}_conv2d", penalty("l1")),
    ("regularization l2", "convnet", "features", "conv2d", "l2", "{}_conv2d", penalty("l2")),
    ("regularization l1", "convnet_wide", "features", "separable_conv2d", "l1",
     "{}_separable_conv2d", penalty("l1", "depthwise")),
    ("regularization l2", "convnet_wide", "features", "separable_conv2d", "l2",
     "{}_separable_conv2d", penalty("l2", "pointwise")),
    ("regularization l1", "recurrent", "encoder", "lstm", "l1", "{}_bidirectional",
     lambda x: penalty("l1")(x.forward_layer)),
    ("regularization l2", "recurrent", "encoder", "gru", "l2", "{}_bidirectional",
     lambda x: penalty("l2")(x.backward_layer)),
    ("dropout", "mlp", "layers", "dense", "dropout", "{}_dropout", attribute("rate")),
    ("dropout", "convnet", "features", "conv2d", "dropout", "{}_dropout", attribute("rate")),
    ("dropout", "recurrent", "encoder", "conv1d", "dropout", "{}_dropout", attribute("rate")),
    ("dropout", "recurrent", "encoder", "lstm", "dropout", "{}_bidirectional", forward("dropout")),
    ("recurrent dropout", "recurrent", "encoder", "lstm", "recurrent_dropout", "{}_bidirectional",
     forward("recurrent_dropout")),
    ("recurrent dropout", "recurrent", "encoder", "gru", "recurrent_dropout", "{}_bidirectional",
     forward("recurrent_dropout")),
    ("recurrent dropout", "recurrent", "encoder", "simple_rnn", "recurrent_dropout",
     "{}_bidirectional", forward("recurrent_dropout")),
    ("initialization", "recurrent", "encoder", "simple_rnn", "kernel_initializer",
     "{}_bidirectional", lambda x: initializer()(x.forward_layer)),
    ("activation", "recurrent", "encoder", "conv1d", "activation", "{}_activation",
     lambda x: x.activation.__name__),
    ("filters", "temporal", "encoder", "temporal_block", "filters", "{}_second_conv1d",
     attribute("filters")),
    ("kernel size", "temporal", "encoder", "temporal_block", "kernel_size", "{}_first_conv1d",
     first_of("kernel_size")),
    ("dilation", "temporal", "encoder", "temporal_block", "dilation_rate", "{}_second_conv1d",
     first_of("dilation_rate")),
    ("padding", "temporal", "encoder", "temporal_block", "padding", "{}_first_conv1d",
     attribute("padding")),
    ("activation", "temporal", "encoder", "temporal_block", "activation", "{}_activation",
     lambda x: x.activation.__name__),
    ("dropout", "temporal", "encoder", "temporal_block", "dropout", "{}_first_dropout",
     attribute("rate")),
    ("filters", "temporal", "encoder", "inception", "filters", "{}_conv1d_2",
     attribute("filters")),
    ("kernel size", "temporal", "encoder", "inception", "kernel_size", "{}_conv1d_0",
     first_of("kernel_size")),
    ("activation", "temporal", "encoder", "inception", "activation", "{}_activation",
     lambda x: x.activation.__name__),
    ("dropout", "temporal", "encoder", "inception", "dropout", "{}_dropout", attribute("rate")),
    ("heads", "transformer", "encoder", "transformer", "num_heads", "{}_attention",
     attribute("num_heads")),
    ("width of an encoder", "transformer", "encoder", "transformer", "mlp_ratio", "{}_wide",
     lambda x: x.units / x.kernel.shape[0]),
    ("activation", "transformer", "encoder", "transformer", "activation", "{}_wide",
     lambda x: x.activation.__name__),
    ("dropout", "transformer", "encoder", "transformer", "dropout", "{}_dense_dropout",
     attribute("rate")),
    ("size of patches", "patches", "cut", "patches", "patch_size", "{}_conv2d",
     first_of("strides")),
    ("filters", "patches", "cut", "patches", "filters", "{}_conv2d", attribute("filters")),
    ("size of word vectors", "text", "words", "embedding", "output_dim", "{}_embedding",
     attribute("output_dim")),
    ("dropout", "text", "words", "embedding", "dropout", "{}_dropout", attribute("rate")),
    ("pooling size", "convnet_wide", "features", "max_pooling", "pool_size", "{}_max_pooling",
     first_of("pool_size")),
    ("pooling size", "convnet_wide", "features", "average_pooling", "pool_size",
     "{}_average_pooling", first_of("pool_size")),
]  # fmt: skip


@pytest.mark.parametrize("row", LAYERS, ids=lambda row: f"{row[0]}-{row[1]}-{row[3]}")
def test_a_parameter_of_a_layer(row: tuple[str, str, str, str, str, str, Read]) -> None:
    _, name, section, op, parameter, layer, read = row
    space = space_of(name)
    values = values_of(space, section, op, parameter)
    assert len(values) > 1
    for value in values:
        genome = plain(space).with_section(
            section, [gene_of(space, section, op, **{parameter: value})]
        )
        made = built(space, genome).get(layer.format(f"{section}_0"))
        if made is None:
            assert (parameter, value) == ("dropout", 0.0), (
                "no layer means that it is off, and nothing else"
            )
        else:
            assert read(made) == (
                pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
            )


# Shared by the whole network: hyperparameter, space, parameter of `style`, section and op that it
# is read from.
STYLE: list[tuple[str, str, str, str, str, Read]] = [
    ("activation", "mlp", "activation", "layers", "dense",
     lambda made: made["layers_0_activation"].activation.__name__),
    ("activation", "convnet", "activation", "features", "conv2d",
     lambda made: made["features_0_activation"].activation.__name__),
    ("initialization", "mlp", "kernel_initializer", "layers", "dense",
     lambda made: initializer()(made["layers_0_dense"])),
    ("initialization", "convnet", "kernel_initializer", "features", "conv2d",
     lambda made: initializer()(made["features_0_conv2d"])),
    ("initialization", "convnet_wide", "kernel_initializer", "features", "separable_conv2d",
     lambda made: initializer("depthwise")(made["features_0_separable_conv2d"])),
]  # fmt: skip


@pytest.mark.parametrize("row", STYLE, ids=lambda row: f"{row[0]}-{row[1]}-{row[4]}")
def test_a_parameter_that_the_network_shares(row: tuple[str, str, str, str, str, Read]) -> None:
    _, name, parameter, section, op, read = row
    space = space_of(name)
    for value in values_of(space, "style", "style", parameter):
        genome = plain(space).with_section(
            section, [gene_of(space, section, op, batch_normalization=True)]
        )
        genome = genome.with_section(
            "style", [gene_of(space, "style", "style", **{parameter: value})]
        )
        found = read(built(space, genome))
        assert found == ("orthogonal" if value == "orthogonal" else value)


KINDS = [
    ("convnet_wide", "features", "conv2d", layers.Conv2D),
    ("convnet_wide", "features", "separable_conv2d", layers.SeparableConv2D),
    ("convnet_wide", "features", "max_pooling", layers.MaxPooling2D),
    ("convnet_wide", "features", "average_pooling", layers.AveragePooling2D),
    ("convnet_wide", "features", "layer_normalization", layers.LayerNormalization),
    ("convnet_wide", "head", "dense", layers.Dense),
    ("convnet_wide", "bridge", "flatten", layers.Flatten),
    ("convnet_wide", "bridge", "global_average", layers.GlobalAveragePooling2D),
    ("convnet_wide", "bridge", "global_max", layers.GlobalMaxPooling2D),
    ("mlp", "layers", "dense", layers.Dense),
    ("mlp", "layers", "layer_normalization", layers.LayerNormalization),
    ("recurrent", "encoder", "lstm", layers.LSTM),
    ("recurrent", "encoder", "gru", layers.GRU),
    ("recurrent", "encoder", "simple_rnn", layers.SimpleRNN),
    ("recurrent", "encoder", "conv1d", layers.Conv1D),
    ("recurrent", "encoder", "max_pooling", layers.MaxPooling1D),
    ("recurrent", "encoder", "average_pooling", layers.AveragePooling1D),
    ("recurrent", "bridge", "last", layers.Cropping1D),
    ("recurrent", "bridge", "attention_pooling", layers.Dot),
    ("recurrent", "bridge", "global_average", layers.GlobalAveragePooling1D),
    ("recurrent", "bridge", "flatten", layers.Flatten),
]  # fmt: skip


@pytest.mark.parametrize(("name", "section", "op", "kind"), KINDS)
def test_the_kind_of_a_layer(name: str, section: str, op: str, kind: Any) -> None:
    space = space_of(name)
    gene = gene_of(space, section, op)
    if "bidirectional" in gene.parameters:
        gene = gene_of(space, section, op, bidirectional=False)
    assert (
        type(built(space, plain(space).with_section(section, [gene]))[f"{section}_0_{op}"]) is kind
    )


@pytest.mark.parametrize("op", ["lstm", "gru", "simple_rnn"])
def test_bidirectional(op: str) -> None:
    space = space_of("recurrent")
    for wanted, kind in ((True, layers.Bidirectional), (False, layers.RNN)):
        genome = plain(space).with_section(
            "encoder", [gene_of(space, "encoder", op, bidirectional=wanted)]
        )
        made = built(space, genome)
        assert isinstance(made["encoder_0_bidirectional" if wanted else f"encoder_0_{op}"], kind)


@pytest.mark.parametrize(
    ("name", "section", "op"),
    [
        ("mlp", "layers", "dense"),
        ("convnet", "features", "conv2d"),
        ("convnet_wide", "features", "separable_conv2d"),
        ("recurrent", "encoder", "conv1d"),
    ],
)
def test_batch_normalization(name: str, section: str, op: str) -> None:
    space = space_of(name)
    for wanted in (False, True):
        genome = plain(space).with_section(
            section, [gene_of(space, section, op, batch_normalization=wanted)]
        )
        made = built(space, genome).get(f"{section}_0_batch_normalization")
        assert (type(made) is layers.BatchNormalization) is wanted


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("convnet", "features"),
        ("convnet_wide", "features"),
        ("mlp", "layers"),
        ("recurrent", "encoder"),
    ],
)
def test_the_number_of_layers(name: str, section: str) -> None:
    space = space_of(name)
    op = next(iter(space[section].ops))
    for length in range(space[section].low, space[section].high + 1):
        genome = plain(space).with_section(
            section, [gene_of(space, section, op, i) for i in range(length)]
        )
        labels = {
            layer.split("_")[1] for layer in built(space, genome) if layer.startswith(f"{section}_")
        }
        assert labels == set(map(str, range(length)))


@pytest.mark.parametrize(("merge", "kind"), [("add", layers.Add), ("concat", layers.Concatenate)])
def test_skip_connections_projected_where_shapes_differ(merge: str, kind: Any) -> None:
    space = space_of("convnet")
    genes = [gene_of(space, "features", "conv2d", i, filters=(8, 16, 8)[i]) for i in range(3)]
    wired = Gene.make("conv2d", genes[2].parameters | {"merge": merge}, (1,), 3)
    made = built(space, plain(space).with_section("features", [*genes[:2], wired]))
    join = made[f"features_2_{merge}"]
    assert type(join) is kind
    assert join.output.shape[-1] == (16 if merge == "add" else 24)
    assert ("features_2_skip_0_projection" in made) is (merge == "add")


def test_the_wiring_of_a_dag() -> None:
    space = space_of("cells")
    halves = {"left": "separable_3x3", "right": "max_3x3"}
    genes = [
        Gene.make("pair", halves, inputs, i + 1)
        for i, inputs in enumerate([(0, -1), (0, -1), (1, -1)])
    ]
    made = built(space, plain(space).with_section("normal", genes))

    def source(layer: str) -> str:
        return str(made[layer].input._keras_history.operation.name)

    assert source("stack_1_normal_2_left_relu") == "stack_1_normal_0_add"
    assert source("stack_1_normal_2_right_max_pooling") == "stem_0_activation", (
        "the output of the gene before the last"
    )
    loose = made["stack_1_normal_output_concat"].input
    assert [tensor._keras_history.operation.name for tensor in loose] == [
        "stack_1_normal_1_add",
        "stack_1_normal_2_add",
    ]


def test_the_halves_of_a_cell_and_its_stride() -> None:
    space = space_of("cells")
    kinds = {
        "separable_3x3": ("separable", 3),
        "separable_5x5": ("separable", 5),
        "convolution_1x1": ("convolution", 1),
        "average_3x3": ("average_pooling", 3),
        "max_3x3": ("max_pooling", 3),
    }
    for side in ("left", "right"):
        for value in values_of(space, "normal", "pair", side):
            other = {"left": "identity", "right": "identity", side: value}
            genome = plain(space).with_section(
                "normal", [Gene.make("pair", other, (0, 0), i) for i in (1, 2)]
            )
            made = built(space, genome)
            if value != "identity":
                word, size = kinds[str(value)]
                layer = made[f"stack_0_normal_0_{side}_{word}"]
                assert (getattr(layer, "pool_size", None) or layer.kernel_size) == (size, size)
    stack = [Gene.make("reduction", {}, (), 1), Gene.make("normal", {}, (), 2)]
    made = built(space, plain(space).with_section("stack", stack))
    filters = made["stem_0_conv2d"].filters
    assert made["stack_0_reduction_0_add"].output.shape[1:] == (4, 4, 2 * filters)
    assert made["stack_1_normal_0_add"].output.shape[1:] == (4, 4, 2 * filters)


def alpha(optimizer: Any) -> Any:
    """The final fraction of an optimizer with a cosine schedule."""
    return optimizer.get_config()["learning_rate"]["config"]["alpha"]


# Hyperparameter, op, parameter, and what is read from the optimizer; all of convnet_wide.
OPTIMIZER: list[tuple[str, str, str, Read]] = [
    *(("learning rate", op, "learning_rate", lambda o: float(o.learning_rate))
      for op in ("sgd", "momentum", "adam", "adamw", "rmsprop")),
    ("momentum", "momentum", "momentum", attribute("momentum")),
    ("momentum", "rmsprop", "momentum", attribute("momentum")),
    ("Nesterov", "momentum", "nesterov", attribute("nesterov")),
    ("weight decay", "adamw", "weight_decay", attribute("weight_decay")),
    *(("final fraction", op, "final_fraction", alpha)
      for op in ("sgd", "momentum", "adam", "adamw", "rmsprop")),
]  # fmt: skip


@pytest.mark.parametrize("row", OPTIMIZER, ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_parameter_of_the_optimizer(row: tuple[str, str, str, Read]) -> None:
    _, op, parameter, read = row
    space = space_of("convnet_wide")
    for value in values_of(space, "optimizer", op, parameter):
        schedule = "cosine" if parameter == "final_fraction" else "constant"
        gene = gene_of(space, "optimizer", op, **{"schedule": schedule, parameter: value})
        optimizer = optimizers.build_optimizer(
            space, plain(space).with_section("optimizer", [gene]), steps=100
        )
        assert read(optimizer) == (
            pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
        )


@pytest.mark.parametrize(
    ("op", "kind"),
    [
        ("sgd", "SGD"),
        ("momentum", "SGD"),
        ("adam", "Adam"),
        ("adamw", "AdamW"),
        ("rmsprop", "RMSprop"),
    ],
)
def test_the_kind_of_the_optimizer_and_its_schedule(op: str, kind: str) -> None:
    space = space_of("convnet_wide")
    found = {}
    for value in values_of(space, "optimizer", op, "schedule"):
        gene = gene_of(space, "optimizer", op, schedule=value)
        optimizer = optimizers.build_optimizer(
            space, plain(space).with_section("optimizer", [gene]), steps=100
        )
        assert type(optimizer) is getattr(keras.optimizers, kind)
        rate = optimizer.get_config()["learning_rate"]
        found[value] = rate["class_name"] if isinstance(rate, dict) else type(rate)
    assert found == {"constant": float, "cosine": "CosineDecay", "exponential": "ExponentialDecay"}


def test_batch_size_and_epochs() -> None:
    space = space_of("convnet_wide")
    for parameter, read in (
        ("batch_size", optimizers.batch_size),
        ("epochs", lambda s, g: optimizers.epochs(s, g, 99)),
    ):
        for value in values_of(space, "training", "training", parameter):
            genome = plain(space).with_section(
                "training", [gene_of(space, "training", "training", **{parameter: value})]
            )
            assert read(space, genome) == value


def table() -> list[str]:
    """The rows of the table in hyperparameters.md.

    Each has a hyperparameter, a space, a parameter, and where its value is read back.
    """
    kinds = {
        space: [op for name, _, op, _ in KINDS if name == space]
        for space in dict.fromkeys(row[0] for row in KINDS)
    }
    rows = [
        ("kind of layer", space, ", ".join(ops), "the layer's class")
        for space, ops in kinds.items()
    ]
    rows += [
        ("number of layers", space, "length", "the layers, counted")
        for space in ("convnet", "convnet_wide", "mlp", "recurrent")
    ]
    rows += [
        (row[0], row[1], f"{row[3]}.{row[4]}", f"layer `{row[5].format(f'{row[2]}_0')}`")
        for row in LAYERS
    ]
    rows += [
        (row[0], row[1], f"style.{row[2]}", f"the first layer of `{row[3]}`, {row[4]}")
        for row in STYLE
    ]
    rows += [
        ("bidirectional", "recurrent", "lstm, gru, simple_rnn", "layer `encoder_0_bidirectional`"),
        (
            "batch normalization",
            "convnet, convnet_wide, mlp, recurrent",
            "batch_normalization",
            "layer `..._batch_normalization`",
        ),
        (
            "skip connections",
            "convnet",
            "merge: add, concat",
            "layers `features_2_add`, `_concat`, `_projection`",
        ),
        (
            "wiring dag",
            "cells",
            "inputs of a pair",
            "the inputs of its layers, the concatenated loose ends",
        ),
        (
            "halves of a cell",
            "cells",
            "pair.left, pair.right",
            "kernel or pool size of their layers",
        ),
        ("stride of a cell", "cells", "reduction", "the shape after it"),
        (
            "optimizer",
            "convnet_wide",
            "sgd, momentum, adam, adamw, rmsprop",
            "the optimizer's class",
        ),
        (
            "schedule",
            "convnet_wide",
            "constant, cosine, exponential",
            "the class of `learning_rate` in `get_config()`",
        ),
    ]
    rows += [(row[0], "convnet_wide", f"{row[1]}.{row[2]}", "the optimizer") for row in OPTIMIZER]
    rows += [
        ("batch size", "convnet_wide", "training.batch_size", "the trainer's batch size"),
        ("epochs", "convnet_wide", "training.epochs", "the trainer's epochs"),
    ]
    return [f"| {' | '.join(row)} |" for row in rows]


def test_the_page_has_the_table() -> None:
    lines = Path(__file__).with_name("hyperparameters.md").read_text(encoding="utf-8").splitlines()
    head = lines.index("|---|---|---|---|")
    assert lines[head + 1 :] == table()


def test_every_parameter_of_every_shipped_space_is_in_a_row() -> None:
    """A parameter that is added to a space needs a row here.

    `batch_normalization` and others have tests of their own.
    """
    rows = {(row[3], row[4]) for row in LAYERS} | {(row[1], row[2]) for row in OPTIMIZER}
    rows |= {("style", row[2]) for row in STYLE} | {
        ("training", "batch_size"),
        ("training", "epochs"),
    }
    own = {"batch_normalization", "bidirectional", "schedule", "left", "right"}
    # Blocks, layers of augmentation and ops for tables have tests of their own.
    elsewhere = {"residual", "bottleneck", "inverted_residual", *AUGMENTATIONS}
    elsewhere |= {"embed_columns", "residual_dense", "gated_dense"}
    missing = set()
    for path in SPACES.glob("*.yaml"):
        for section in space_of(path.stem).sections.values():
            for op in section.ops.values():
                if op.name in elsewhere:
                    continue
                missing |= {(op.name, name) for name in op.parameters if name not in own} - rows
    alike = {
        ("dense", "activation"),
        ("conv1d", "l2"),
        ("lstm", "l2"),
        ("gru", "l1"),
        ("gru", "dropout"),
        ("simple_rnn", "dropout"),
        ("separable_conv2d", "dropout"),
        ("conv2d", "activation"),
        ("style", "l2"),
        ("style", "squeeze_excitation"),
    }
    assert missing == alike, (
        "what is left is read from the same code as its likes, in tests/model/test_ops.py"
    )
