"""A genome becomes a `keras.Model`: raw samples in, predictions in the user's units out."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Sequence

import keras
from keras import layers

from evonas.errors import UserError
from evonas.genome import Gene, Genome, SearchSpace, Section
from evonas.learning.interface import InputKind, Interface
from evonas.model.merging import fit, merge, project, resize
from evonas.model.ops import OpFunction, find_op
from evonas.model.parts import Tensor, rank

_RANKS: dict[InputKind, int] = {"image": 3, "sequence": 2, "vector": 1}


def build_model(
    space: SearchSpace, genome: Genome, interface: Interface, plugins: Sequence[str] = ()
) -> keras.Model:
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
    builder = _Builder(space, genome, plugins)
    for section in space.group("network"):
        x = builder.section(section, [x], section.name)
    return keras.Model(inputs, _head(x, interface), name=f"network_{genome.digest}")


def _entrance(x: Tensor, interface: Interface) -> Tensor:
    """Raw values -> channels last, about 0 in the mean and 1 in the variance."""
    expected = _RANKS[interface.kind]
    if interface.kind != "vector" and len(interface.shape) == expected - 1:
        x = layers.Reshape((*interface.shape, 1), name="channel_axis")(x)
    if rank(x) != expected:
        raise UserError(
            f"a sample of kind {interface.kind} has {expected} axes. Received the shape {interface.shape}."
        )
    mean, variance = list(interface.mean), list(interface.variance)
    return layers.Normalization(axis=-1, mean=mean, variance=variance, name="normalization")(x)


def _head(x: Tensor, interface: Interface) -> Tensor:
    if rank(x) > 1:
        x = layers.Flatten(name="flatten")(x)
    if interface.task == "classification":
        return layers.Dense(interface.outputs, activation="softmax", name="output")(x)
    x = layers.Dense(1, name="standardized_output")(x)
    return layers.Rescaling(interface.target_scale, offset=interface.target_mean, name="output")(x)


class _Builder:
    """Makes layers of the genes of one genome."""

    def __init__(self, space: SearchSpace, genome: Genome, plugins: Sequence[str]) -> None:
        self._space, self._genome, self._plugins = space, genome, plugins

    def section(self, section: Section, inputs: Sequence[Tensor], label: str) -> Tensor:
        """The output of a section.

        Args:
            inputs: one tensor, or the two of a cell.
            label: the prefix of the layers' names: the section's name, or, in a cell, its gene's label as well.
        """
        return (
            self._dag(section, inputs, label)
            if section.wiring == "dag"
            else self._chain(section, inputs, label)
        )

    def _chain(self, section: Section, inputs: Sequence[Tensor], label: str) -> Tensor:
        """Gene after gene; one with inputs also gets the outputs of earlier ones, merged into the chain's."""
        x, before = inputs[0], inputs[-1]
        outputs = {0: x, -1: before}
        for position, gene in enumerate(self._genome[section.name]):
            here = f"{label}_{position}"
            skips = [outputs[innovation] for innovation in gene.inputs]
            if skips:
                x = merge(x, skips, str(gene["merge"]), here)
            if self._space.is_cell(gene.op):
                x, before = self._cell(section, gene, [x, before], here), x
            else:
                x, before = self._apply(section, gene, [x], here), x
            outputs[gene.innovation] = x
        return x

    def _dag(self, section: Section, inputs: Sequence[Tensor], label: str) -> Tensor:
        """Each gene gets its inputs, all in the shape of the first; what no gene takes is concatenated."""
        genes = self._genome[section.name]
        outputs = {0: inputs[0], -1: inputs[-1]}
        for position, gene in enumerate(genes):
            here = f"{label}_{position}"
            first, *others = [outputs[innovation] for innovation in gene.inputs]
            fitted = [fit(x, first, f"{here}_input_{k}") for k, x in enumerate(others, 1)]
            outputs[gene.innovation] = self._apply(section, gene, [first, *fitted], here)
        used = {innovation for gene in genes for innovation in gene.inputs}
        first, *others = [outputs[gene.innovation] for gene in genes if gene.innovation not in used]
        return merge(first, others, "concat", f"{label}_output")

    def _cell(self, section: Section, gene: Gene, inputs: Sequence[Tensor], label: str) -> Tensor:
        """A cell in the manner of NASNet (Zoph et al., 2018).

        It takes the outputs of the two genes before it; a stride of 2 halves height and width and doubles the channels.
        Its output has as many channels as each of its inputs then has, so that cells can be stacked.
        """
        stride = int(self._space.arguments(self._genome, section.name, gene).get("stride", 1))
        size = tuple(-(-length // stride) for length in inputs[0].shape[1:-1])
        channels = inputs[0].shape[-1] * stride
        named = [(x, f"{label}_input_{k}") for k, x in enumerate(inputs)]
        fitted = [project(resize(x, size, name), channels, name) for x, name in named]
        y = self.section(self._space.sections[gene.op], fitted, f"{label}_{gene.op}")
        return project(y, channels, f"{label}_output")

    def _apply(self, section: Section, gene: Gene, inputs: Sequence[Tensor], label: str) -> Tensor:
        function = find_op(gene.op, self._plugins)
        arguments = dict(self._space.arguments(self._genome, section.name, gene))
        if _takes_name(function):
            arguments["name"] = label
        try:
            inspect.signature(function).bind(*inputs, **arguments)
        except TypeError as error:
            many = f" and {len(inputs)} tensors" if len(inputs) > 1 else ""
            message = (
                f"the op {gene.op!r} cannot be called with {sorted(arguments)}{many}: {error}."
            )
            raise UserError(f"{section.name}: {message}") from error
        y = function(*inputs, **arguments)
        if not _takes_name(function):
            _rename(inputs, y, label)
        return y


def _takes_name(function: OpFunction) -> bool:
    return "name" in inspect.signature(function).parameters


def _rename(inputs: Sequence[Tensor], y: Tensor, label: str) -> None:
    """Names the layers between tensors, which a user's op has left to Keras's counters, after the gene."""
    if any(y is x for x in inputs):
        return
    seen: Counter[str] = Counter()
    distinct = list({id(x): x for x in inputs}.values())
    for operation in keras.Function(distinct if len(distinct) > 1 else distinct[0], y).operations:
        kind = re.sub(r"_\d+$", "", operation.name)
        operation.name = f"{label}_{kind}_{seen[kind]}" if seen[kind] else f"{label}_{kind}"
        seen[kind] += 1
