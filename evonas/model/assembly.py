"""A genome becomes a `keras.Model`: raw samples in, predictions in the user's units out."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Sequence

import keras
from keras import layers

from evonas.errors import UserError
from evonas.genome import Gene, Genome, SearchSpace
from evonas.model.interface import InputKind, Interface
from evonas.model.merging import merge
from evonas.model.ops import OpFunction, find_op
from evonas.model.parts import Tensor, rank

_RANKS: dict[InputKind, int] = {"image": 3, "sequence": 2, "vector": 1}


def build_model(space: SearchSpace, genome: Genome, interface: Interface, plugins: Sequence[str] = ()) -> keras.Model:
    """The network of a genome, with fresh weights, not compiled.

    Inside the model come, in order: a channel axis where an image has none, the normalization of the raw values by the
    interface's mean and variance (constants), the network sections, and the head. A head for classification gives
    probabilities, (batch, classes); one for regression gives the target in its own units, (batch, 1). A network that
    ends in a map is flattened before its head.

    Layers are named after section and position, `features_0_conv2d`: the same for equal genomes in every process.
    Weights and dropout masks repeat where `keras.utils.set_random_seed` was called immediately before.

    Args:
        genome: valid in `space`.
        interface: the two ends of the model.
        plugins: modules that may be imported for ops named `package.module:function`.

    Raises:
        UserError: where an op is unknown, or cannot be called with its parameters.
        ValueError: from Keras, where an op does not fit the tensor that it is given.
    """
    inputs = keras.Input(interface.shape, name="input")
    x = _entrance(inputs, interface)
    for name, section in space.sections.items():
        if section.group == "network":
            x = _section(space, genome, name, x, plugins)
    return keras.Model(inputs, _head(x, interface), name=f"network_{genome.digest}")


def _entrance(x: Tensor, interface: Interface) -> Tensor:
    """Raw values -> channels last, about 0 in the mean and 1 in the variance."""
    expected = _RANKS[interface.kind]
    if interface.kind != "vector" and len(interface.shape) == expected - 1:
        x = layers.Reshape((*interface.shape, 1), name="channel_axis")(x)
    if rank(x) != expected:
        raise UserError(f"a sample of kind {interface.kind} has {expected} axes. Received the shape {interface.shape}.")
    mean, variance = list(interface.mean), list(interface.variance)
    return layers.Normalization(axis=-1, mean=mean, variance=variance, name="normalization")(x)


def _head(x: Tensor, interface: Interface) -> Tensor:
    if rank(x) > 1:
        x = layers.Flatten(name="flatten")(x)
    if interface.task == "classification":
        return layers.Dense(interface.outputs, activation="softmax", name="output")(x)
    x = layers.Dense(1, name="standardized_output")(x)
    return layers.Rescaling(interface.target_scale, offset=interface.target_mean, name="output")(x)


def _section(space: SearchSpace, genome: Genome, name: str, x: Tensor, plugins: Sequence[str]) -> Tensor:
    """A chain of genes; a gene with inputs also gets the outputs of earlier ones, merged into the chain's."""
    outputs = {0: x}
    for position, gene in enumerate(genome[name]):
        label = f"{name}_{position}"
        skips = [outputs[innovation] for innovation in gene.inputs]
        if skips:
            x = merge(x, skips, str(gene["merge"]), label)
        x = _apply(space, genome, name, gene, x, label, plugins)
        outputs[gene.innovation] = x
    return x


def _apply(
    space: SearchSpace, genome: Genome, section: str, gene: Gene, x: Tensor, label: str, plugins: Sequence[str]
) -> Tensor:
    function = find_op(gene.op, plugins)
    arguments = dict(space.arguments(genome, section, gene))
    if _takes_name(function):
        arguments["name"] = label
    try:
        inspect.signature(function).bind(x, **arguments)
    except TypeError as error:
        raise UserError(f"{section}: the op {gene.op!r} cannot be called with {sorted(arguments)}: {error}.") from error
    y = function(x, **arguments)
    if not _takes_name(function):
        _rename(x, y, label)
    return y


def _takes_name(function: OpFunction) -> bool:
    return "name" in inspect.signature(function).parameters


def _rename(x: Tensor, y: Tensor, label: str) -> None:
    """Names the layers between two tensors, which a user's op has left to Keras's counters, after the gene."""
    if y is x:
        return
    seen: Counter[str] = Counter()
    for operation in keras.Function(x, y).operations:
        kind = re.sub(r"_\d+$", "", operation.name)
        operation.name = f"{label}_{kind}_{seen[kind]}" if seen[kind] else f"{label}_{kind}"
        seen[kind] += 1
