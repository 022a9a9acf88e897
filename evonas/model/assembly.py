"""A genome becomes a `keras.Model`: raw samples in, predictions in the user's units out."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from evonas.errors import UserError
from evonas.genome import Gene, Genome, SearchSpace, Section
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model.entrance import entrance, real_steps
from evonas.model.masking import Masks, Steps, aligned, zeroed
from evonas.model.merging import fit, merge, project, resize
from evonas.model.ops import OpFunction, find_op
from evonas.model.parts import Tensor, named, part, rank
from evonas.model.preprocessing import raw_inputs, stored_input


def build_model(
    space: SearchSpace,
    genome: Genome,
    interface: Interface,
    plugins: Sequence[str] = (),
    takes_raw: bool = False,
) -> keras.Model:
    """The network of a genome, with fresh weights, not compiled.

    The parts of the model, in order:

    * the preprocessing of raw samples, if the model takes those and they are encoded,
    * a channel axis for an image that has none,
    * the normalization of the raw values by the interface's mean and variance (constants),
    * for sequences of different length, zeros in place of the padding, and a mask,
    * the network sections,
    * the head. For labels it gives probabilities, (batch, labels). For quantities it gives the
      targets in their own units, (batch, targets). A network that ends in a map is flattened
      before.

    Layers are named after section and position, `features_0_conv2d`: the same for equal genomes in
    every process. Weights and dropout masks repeat if `keras.utils.set_random_seed` was called
    immediately before.

    Args:
        genome: a genome that is valid in `space`.
        interface: the two ends of the model.
        plugins: modules that may be imported for ops named `package.module:function`.
        takes_raw: whether the model takes raw samples, as an exported one does. Otherwise it takes
            stored ones, as in a training.

    Raises:
        UserError: an op is unknown, or cannot be called with its parameters.
        ValueError: from Keras, for an op that does not fit the tensor that it is given.
    """
    spec = interface.input
    inputs: Any = stored_input(spec)
    x = inputs
    if takes_raw:
        inputs, x = raw_inputs(spec)
    x, steps = real_steps(entrance(x, spec), spec)
    masks = Masks()
    masks.note(x, steps)
    builder = _Builder(space, genome, plugins, spec, masks)
    for section in space.group("network"):
        x = builder.section(section, [x], section.name)
    steps = masks.of(x)
    if steps is not None:
        x = zeroed(x, steps.mask, "output")
    outputs = _head(x, interface)
    return keras.Model(inputs, outputs, name=f"network_{genome.digest}")


def _head(x: Tensor, interface: Interface) -> Tensor:
    if rank(x) > 1:
        x = layers.Flatten(name="flatten")(x)
    head = interface.head
    if not head.is_scaled:
        return layers.Dense(head.units, activation=head.activation, name="output")(x)
    # The weights work on standardized targets, whatever the unit of the user's targets is.
    x = layers.Dense(head.units, activation=head.activation, name="standardized_output")(x)
    scale, offset = interface.target_scale, interface.target_mean
    to_units = layers.Rescaling(
        # A file of Keras keeps lists, and no tuples.
        list(scale) if isinstance(scale, tuple) else scale,
        offset=list(offset) if isinstance(offset, tuple) else offset,
        name="output",
    )
    return to_units(x)


class _Builder:
    """Makes layers of the genes of one genome.

    Args:
        masks: the real steps of the network's input, if it is padded; those of the tensors that are
            made are added.
    """

    def __init__(
        self,
        space: SearchSpace,
        genome: Genome,
        plugins: Sequence[str],
        spec: InputSpec,
        masks: Masks,
    ) -> None:
        self._space = space
        self._genome = genome
        self._plugins = plugins
        self._spec = spec
        self._masks = masks

    def section(self, section: Section, inputs: Sequence[Tensor], label: str) -> Tensor:
        """The output of a section.

        Args:
            inputs: one tensor, or the two of a cell.
            label: prefix of the layers' names: the section's name, in a cell after its gene's
                label.
        """
        if section.wiring == "dag":
            return self._dag(section, inputs, label)
        return self._chain(section, inputs, label)

    def _chain(self, section: Section, inputs: Sequence[Tensor], label: str) -> Tensor:
        """Gene after gene.

        A gene with inputs of its own also gets the outputs of these earlier genes, merged into the
        chain's.
        """
        x = inputs[0]
        before = inputs[-1]
        # Outputs by innovation number; 0 and -1 are the section's inputs.
        outputs = {0: x, -1: before}
        for position, gene in enumerate(self._genome[section.name]):
            here = f"{label}_{position}"
            skips = [outputs[innovation] for innovation in gene.inputs]
            if skips:
                x = self._merged(x, skips, str(gene["merge"]), here)
            if self._space.is_cell(gene.op):
                y = self._cell(section, gene, [x, before], here)
            else:
                y = self._apply(section, gene, [x], here)
            before = x
            x = y
            outputs[gene.innovation] = x
        return x

    def _dag(self, section: Section, inputs: Sequence[Tensor], label: str) -> Tensor:
        """Gene after gene, each with its inputs, all in the shape of the first input.

        Outputs that no gene takes are concatenated.
        """
        genes = self._genome[section.name]
        outputs = {0: inputs[0], -1: inputs[-1]}
        for position, gene in enumerate(genes):
            here = f"{label}_{position}"
            first, *others = [outputs[innovation] for innovation in gene.inputs]
            given = [first]
            for k, x in enumerate(others, 1):
                name = f"{here}_input_{k}"
                given.append(fit(self._aligned(x, first, name), first, name))
            outputs[gene.innovation] = self._apply(section, gene, given, here)
        used: set[int] = set()
        for gene in genes:
            used.update(gene.inputs)
        loose = [outputs[gene.innovation] for gene in genes if gene.innovation not in used]
        # The last gene is always loose: inputs are earlier genes.
        first, *others = loose
        return self._merged(first, others, "concat", f"{label}_output")

    def _merged(self, main: Tensor, others: Sequence[Tensor], how: str, name: str) -> Tensor:
        """See `merge`. The result has the steps of the main input."""
        fitted = [self._aligned(x, main, f"{name}_skip_{k}") for k, x in enumerate(others)]
        y = merge(main, fitted, how, name)
        self._masks.note(y, self._masks.of(main))
        return y

    def _aligned(self, x: Tensor, like: Tensor, name: str) -> Tensor:
        """A padded sequence with the steps of another, or its mean beside a vector.

        `merge` and `fit` know no masks. They find nothing left to resize.
        """
        steps = self._masks.of(x)
        if steps is None:
            return x
        if rank(like) == 1:
            mean = layers.GlobalAveragePooling1D(name=part(name, "global_average"))
            return mean(x, mask=steps.mask)
        wanted = self._masks.of(like)
        return x if wanted is None else aligned(x, steps, like, wanted, name)

    def _cell(self, section: Section, gene: Gene, inputs: Sequence[Tensor], label: str) -> Tensor:
        """A cell in the manner of NASNet (Zoph et al., 2018).

        It takes the outputs of the two genes before it. A stride of 2 halves height and width, and
        doubles the channels.
        """
        arguments = self._space.arguments(self._genome, section.name, gene)
        stride = int(arguments.get("stride", 1))
        nearest = inputs[0]
        # Rounded up.
        size = tuple(-(-length // stride) for length in nearest.shape[1:-1])
        channels = nearest.shape[-1] * stride
        fitted = []
        for k, x in enumerate(inputs):
            name = f"{label}_input_{k}"
            resized = resize(x, size, name)
            fitted.append(project(resized, channels, name))
        cell = self._space.sections[gene.op]
        y = self.section(cell, fitted, f"{label}_{gene.op}")
        # As many channels as each input has after the stride, so that cells can be stacked.
        return project(y, channels, f"{label}_output")

    def _apply(self, section: Section, gene: Gene, inputs: Sequence[Tensor], label: str) -> Tensor:
        """The output of the gene's op."""
        function = find_op(gene.op, self._plugins)
        arguments: dict[str, Any] = dict(self._space.arguments(self._genome, section.name, gene))
        if _takes(function, "name"):
            arguments["name"] = label
        # An op may need to know what the values are: how many words a column has, for example.
        if _takes(function, "spec"):
            arguments["spec"] = self._spec
        steps = self._masks.of(inputs[0])
        if _takes(function, "mask"):
            arguments["mask"] = None if steps is None else steps.mask
        elif steps is not None and ":" in gene.op:
            # What padding holds must not reach an op of the user's, which knows nothing of it.
            inputs = [_without_padding(x, steps, f"{label}_{k}") for k, x in enumerate(inputs)]
        # Bound before the call: a TypeError of the call itself may be a bug inside the op.
        try:
            inspect.signature(function).bind(*inputs, **arguments)
        except TypeError as error:
            many = f" and {len(inputs)} tensors" if len(inputs) > 1 else ""
            raise UserError(
                f"{section.name}: the op {gene.op!r} cannot be called with "
                f"{sorted(arguments)}{many}: {error}."
            ) from error
        made = function(*inputs, **arguments)
        y, factor = made if isinstance(made, tuple) else (made, 1)
        if not _takes(function, "name"):
            named(inputs, y, label)
        if steps is not None:
            self._masks.note(y, _steps_after(gene.op, y, steps, factor, label))
        return y


def _takes(function: OpFunction, parameter: str) -> bool:
    return parameter in inspect.signature(function).parameters


def _without_padding(x: Tensor, steps: Steps, name: str) -> Tensor:
    # The numbers of words are 0 in the padding already.
    return zeroed(x, steps.mask, name) if rank(x) == 2 else x


def _steps_after(op: str, y: Tensor, steps: Steps, factor: int, label: str) -> Steps | None:
    """The real steps of an op's output; None if it is no sequence any more.

    Raises:
        UserError: it has another number of steps than the op says.
    """
    if rank(y) != 2:
        return None
    after = steps.shortened(factor, f"{label}_steps")
    if y.shape[1] != after.mask.shape[1]:
        raise UserError(
            f"the op {op!r} has made {y.shape[1]} steps of {steps.mask.shape[1]}, and so the mask"
            " of a padded sequence is lost. An op that makes one step of each k steps must take a"
            " parameter `mask`, and give (output, k) if there is one."
        )
    return after
