"""The layers of a Keras model as plain values, in the form in which evonas's own ops make them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import layers

from evonas.errors import UserError

Shape = tuple[int | None, ...]
"""The shape of one sample; None for an axis of any length."""

LAST_STEP = "the last step"
"""The kind of what gives the last step of a sequence."""
LAST_STATES = "the last states of both directions"
"""The same behind a bidirectional layer, whose second state is that of the first step."""

_SILENT = frozenset(
    {
        "name",
        "trainable",
        "dtype",
        "seed",
        "build_config",
        # How fast statistics follow is evonas's own, see `parts.STATISTICS_MOMENTUM`.
        "momentum",
        # How a layer is computed, and not what.
        "unroll",
        "use_cudnn",
        "implementation",
    }
)
"""Entries of a layer's config that say nothing of the network."""


@dataclass(frozen=True)
class Layer:
    """One layer of a chain.

    Attributes:
        name: its name in the model.
        kind: Keras's class.
        config: its config in plain values, without names, seeds and the like.
        input_shape: shape of one sample that goes in.
        output_shape: shape of what comes out.
        parameters: number of its weights.
        is_frozen: whether it has weights that the model does not train.
        policy: Keras's name of the types in which it computes; empty if it has none.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    input_shape: Shape
    output_shape: Shape
    parameters: int
    is_frozen: bool = False
    policy: str = ""

    @property
    def label(self) -> str:
        """The layer in a sentence."""
        return f"{self.name} ({self.kind})"


def chain_of(model: Any) -> list[Layer]:
    """The layers between the input and the output of a model; models inside are opened.

    An activation that is a layer of its own is given to the layer before it, if that is the same.

    Raises:
        UserError: the model is no chain from one input to one output, or uses a layer twice.
    """
    found: list[Layer] = []
    for layer in _layers(model, set()):
        before = found[-1] if found else None
        joined = None if before is None else _joined(before, layer)
        if joined is None:
            found.append(layer)
        else:
            found[-1] = joined
    return found


def _joined(before: Layer, layer: Layer) -> Layer | None:
    """Two layers as one, if the second only completes the first."""
    is_linear = before.kind != "Activation" and before.config.get("activation") == "linear"
    if layer.kind == "Activation" and is_linear:
        config = {**before.config, "activation": layer.config["activation"]}
        return replace(before, config=config)
    # How the op `last` takes the last step.
    is_last = before.kind == "Cropping1D" and before.output_shape[0] == 1
    if layer.kind == "Flatten" and is_last and before.config["cropping"][1] == 0:
        return replace(before, kind=LAST_STEP, config={}, output_shape=layer.output_shape)
    return None


def not_taken(chain: Sequence[Layer]) -> list[str]:
    """What a genome cannot say of these layers, in words."""
    found = [f"that {layer.label} is frozen" for layer in chain if layer.is_frozen]
    for layer in chain:
        if layer.policy not in ("", "float32"):
            found.append(f"the types of {layer.label}, {layer.policy}")
    return found


def _layers(model: Any, seen: set[int]) -> list[Layer]:
    """As `chain_of`, with nothing joined.

    Args:
        seen: ids of the layers with weights so far, of the models around this one as well.
    """
    try:
        outputs = model.outputs
    # A model of a class of its own, or one that has never seen a sample.
    except AttributeError:
        outputs = None
    if not outputs:
        raise UserError(
            "the model says nothing of its layers and their shapes. It must be a Sequential or a"
            " functional model that knows the shape of its input."
        )
    if len(outputs) != 1 or len(model.inputs) != 1:
        raise UserError(
            "the model must have one input and one output."
            f" Received: {len(model.inputs)} and {len(outputs)}."
        )
    found: list[Layer] = []
    x = outputs[0]
    while True:
        operation, node, _ = x._keras_history
        taken = _taken(operation._inbound_nodes[node].arguments)
        if not taken:
            return found[::-1]
        if len(taken) > 1:
            raise UserError(
                f"the layer {operation.name} ({type(operation).__name__}) takes {len(taken)}"
                " tensors. Only a chain of layers can be adopted, in which each takes the output of"
                " the one before."
            )
        if isinstance(operation, keras.Layer) and operation.count_params():
            if id(operation) in seen:
                raise UserError(
                    f"the layer {operation.name} ({type(operation).__name__}) is used more than"
                    " once, with the same weights. Only a chain of layers can be adopted, each"
                    " with weights of its own."
                )
            seen.add(id(operation))
        if isinstance(operation, keras.Model):
            found += _layers(operation, seen)[::-1]
        else:
            found += _read(operation, taken[0], x)[::-1]
        x = taken[0]


def _taken(arguments: Any) -> list[Any]:
    """The tensors that a layer was called with, but for the mask of a padded sequence."""
    named = {name: given for name, given in arguments.kwargs.items() if name != "mask"}
    given = keras.tree.flatten((arguments.args, named))
    return [one for one in given if isinstance(one, keras.KerasTensor)]


def _read(layer: Any, x: Any, y: Any) -> list[Layer]:
    """A layer in plain values; two if it gives the last step of what it makes."""
    kind = type(layer).__name__
    inner = layer
    more: dict[str, Any] = {}
    if isinstance(layer, layers.Bidirectional):
        inner = layer.forward_layer
        kind = type(inner).__name__
        more = {"bidirectional": True, "merge_mode": layer.merge_mode}
    elif isinstance(layer, layers.RNN):
        more = {"bidirectional": False, "merge_mode": "concat"}
    config = {**_plain(inner.get_config()), **more}
    if isinstance(layer, layers.ReLU | layers.Softmax):
        kind, config = _as_activation(kind, config)
    size = layer.count_params() if isinstance(layer, keras.Layer) else 0
    read = Layer(layer.name, kind, config, _shape(x), _shape(y), size)
    if isinstance(layer, keras.Layer):
        frozen = bool(size) and not layer.trainable
        read = replace(read, is_frozen=frozen, policy=layer.dtype_policy.name)
    if _pads_nothing(read):
        config["padding"] = "same"
    if config.get("return_sequences") is not False:
        return [read]
    config["return_sequences"] = True
    last = LAST_STATES if config["bidirectional"] else LAST_STEP
    return [read, Layer(layer.name, last, {}, _shape(x), _shape(y), 0)]


def _shape(x: Any) -> Shape:
    return tuple(x.shape[1:])


def _plain(value: Any) -> Any:
    """A value of a config without what is silent; the two kinds of penalty have one form."""
    match value:
        case {"class_name": "L1" | "L2" | "L1L2", "config": config}:
            penalty = {"l1": config.get("l1", 0.0), "l2": config.get("l2", 0.0)}
            return penalty if any(penalty.values()) else None
        case {"class_name": name, "config": dict(config)}:
            return {"class_name": name, **_plain(config)}
        case dict():
            return {key: _plain(one) for key, one in value.items() if key not in _SILENT}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value


def _as_activation(kind: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A layer of its own for an activation, as `Activation` if it is Keras's plain one."""
    word = ""
    if kind == "Softmax" and config["axis"] == -1:
        word = "softmax"
    elif kind == "ReLU" and not config["negative_slope"] and not config["threshold"]:
        word = {None: "relu", 6.0: "relu6"}.get(config["max_value"], "")
    return ("Activation", {"activation": word}) if word else (kind, config)


def _pads_nothing(layer: Layer) -> bool:
    """Whether `padding="valid"` cuts nothing away, so that `same` is the same."""
    config = layer.config
    window = config.get("kernel_size", config.get("pool_size"))
    sizes = layer.input_shape[:-1]
    if config.get("padding") != "valid" or window is None or None in sizes:
        return False
    steps: Sequence[int] = config["strides"]
    rates = config.get("dilation_rate", [1] * len(window))
    for size, width, step, rate in zip(sizes, window, steps, rates, strict=True):
        assert size is not None
        reach = rate * (width - 1) + 1
        if (math.ceil(size / step) - 1) * step + reach > size:
            return False
    return True
