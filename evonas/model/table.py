"""The layers of a model as rows of plain values, for a terminal, a report or JSON."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers


def layer_table(model: keras.Model) -> list[dict[str, Any]]:
    """One row a layer, in the order of the model.

    Returns:
        rows with these keys:

        * `name`,
        * `kind`: the layer's class,
        * `output_shape`: that of one sample, a list,
        * `parameters`: the size of all weights of the layer,
        * `settings`: words such as `16 filters 5x5, tanh`; may be empty.
    """
    rows = []
    for layer in model.layers:
        rows.append(_row(layer))
    return rows


def _row(layer: Any) -> dict[str, Any]:
    # `layer.output` fails for a layer that is called twice.
    first_call = layer._inbound_nodes[0]
    output = first_call.output_tensors[0]
    sizes = [math.prod(weight.shape) for weight in layer.weights]
    return {
        "name": layer.name,
        "kind": type(layer).__name__,
        "output_shape": list(output.shape[1:]),
        "parameters": sum(sizes),
        "settings": ", ".join(_settings(layer)),
    }


def _settings(layer: Any) -> list[str]:
    words: list[str] = []
    match layer:
        case layers.Bidirectional():
            kind = type(layer.forward_layer).__name__
            return [kind, *_settings(layer.forward_layer), "in both directions"]
        case layers.LSTM() | layers.GRU() | layers.SimpleRNN():
            words.append(f"{layer.units} units")
            if layer.dropout:
                words.append(f"dropout {layer.dropout:g}")
            if layer.recurrent_dropout:
                words.append(f"recurrent dropout {layer.recurrent_dropout:g}")
        case layers.Conv2D() | layers.Conv1D() | layers.SeparableConv2D():
            words.append(f"{layer.filters} filters {_times(layer.kernel_size)}")
            words += _strided(layer)
        case layers.DepthwiseConv2D():
            words.append(_times(layer.kernel_size))
            words += _strided(layer)
        case layers.Dense():
            words.append(f"{layer.units} units")
        case (
            layers.MaxPooling2D()
            | layers.AveragePooling2D()
            | layers.MaxPooling1D()
            | layers.AveragePooling1D()
        ):
            words.append(_times(layer.pool_size))
            if layer.strides != layer.pool_size:
                words.append(f"stride {_times(layer.strides)}")
        case layers.UpSampling2D() | layers.UpSampling1D():
            words.append(_times(layer.size))
        case layers.Dropout():
            words.append(f"rate {layer.rate:g}")
            # All of a sample is dropped, or nothing of it.
            if layer.noise_shape is not None:
                words.append("of whole samples")
        case layers.Rescaling():
            words.append(_rescaling(layer.scale, layer.offset))
    return words + _common(layer)


def _strided(layer: Any) -> list[str]:
    """The strides of a convolution that has any."""
    if all(stride == 1 for stride in layer.strides):
        return []
    return [f"stride {_times(layer.strides)}"]


def _common(layer: Any) -> list[str]:
    """Activation, a missing bias, and regularization, of any layer that has them."""
    words = []
    activation = getattr(layer, "activation", None)
    if activation is not None and activation is not keras.activations.linear:
        words.append(activation.__name__)
    if getattr(layer, "use_bias", True) is False:
        words.append("no bias")
    regularizer = getattr(layer, "kernel_regularizer", None)
    if not regularizer:
        # A separable convolution has two kernels; its op gives both the same penalty.
        regularizer = getattr(layer, "depthwise_regularizer", None)
    for kind in ("l1", "l2"):
        # Keras's L1 has no `l2`, and L2 has no `l1`.
        value = float(getattr(regularizer, kind, 0.0) or 0.0)
        if value:
            words.append(f"{kind} {value:.4g}")
    return words


def _rescaling(scale: Any, offset: Any) -> str:
    """`x 20 + 500`; of several targets, how many there are."""
    if isinstance(scale, int | float):
        return f"x {scale:g} + {offset:g}"
    return f"{len(scale)} targets, each by its own scale and offset"


def _times(size: Any) -> str:
    """`5x5` for (5, 5), `3` for 3."""
    if not isinstance(size, tuple | list):
        return str(size)
    return "x".join(map(str, size))
