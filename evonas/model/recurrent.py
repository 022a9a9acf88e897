"""Ops for sequences: recurrent layers, a convolution, and ops that make a vector of a sequence.

Sequences are (batch, steps, channels). Those of different length are padded and come with a mask:
see `evonas.model.masking`. `evonas.model.ops` lists these functions with the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from evonas.model.masking import zeroed
from evonas.model.parts import Style, Tensor, named, part, rank, regularizer


def conv1d(
    x: Tensor,
    *,
    filters: int,
    kernel_size: int,
    name: str = "",
    mask: Tensor | None = None,
    **style: Any,
) -> Tensor:
    """A convolution that keeps the steps; dropout drops whole channels (Tompson et al., 2015).

    Args:
        x: (batch, steps, channels).
        mask: (batch, steps), true for the real steps; the others are zeros for it. Or None.

    Returns:
        (batch, steps, filters).
    """
    given = Style(**style)
    layer = layers.Conv1D(
        filters,
        kernel_size,
        padding="same",
        name=part(name, "conv1d"),
        **given.options("kernel"),
    )
    y = layer(zeroed(x, mask, name))
    return given.finished(y, layers.SpatialDropout1D, name, mask)


@dataclass(frozen=True)
class Recurrence:
    """The parameters that all recurrent layers have.

    Attributes:
        units: channels of the layer's state.
        bidirectional: whether a second layer reads the sequence from its end.
        dropout: fraction of the inputs that is dropped, the same ones in every step (Gal and
            Ghahramani, 2016).
        recurrent_dropout: the same for the state that goes from step to step.
        activation: Keras's name of the activation.
        kernel_initializer: Keras's name of the initializer.
        l1: factor of the sum of the absolute weights, which is added to the training's loss.
        l2: the same for their squares.
    """

    units: int
    bidirectional: bool = False
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    activation: str = "tanh"
    kernel_initializer: str = "glorot_uniform"
    l1: float = 0.0
    l2: float = 0.0

    def applied(
        self, kind: Any, x: Tensor, name: str, word: str, mask: Tensor | None = None
    ) -> Tensor:
        """The state after every step, of one or of both directions.

        Args:
            kind: class of the Keras layer.
            x: (batch, steps, channels).
            name: prefix for the names of the layers.
            word: name of the layer itself.
            mask: (batch, steps), true for the steps that change the state; None for all.

        Returns:
            (batch, steps, units), or twice the units if the layer is bidirectional.
        """
        layer = kind(
            self.units,
            activation=self.activation,
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
            kernel_initializer=self.kernel_initializer,
            kernel_regularizer=regularizer(self.l1, self.l2),
            # Every step, so that any op for sequences can follow.
            return_sequences=True,
            name=part(name, word),
        )
        if self.bidirectional:
            layer = layers.Bidirectional(layer, name=part(name, "bidirectional"))
        return layer(x) if mask is None else layer(x, mask=mask)


def lstm(
    x: Tensor, *, units: int, name: str = "", mask: Tensor | None = None, **recurrence: Any
) -> Tensor:
    """Long short-term memory (Hochreiter and Schmidhuber, 1997); see `Recurrence`."""
    return Recurrence(units, **recurrence).applied(layers.LSTM, x, name, "lstm", mask)


def gru(
    x: Tensor, *, units: int, name: str = "", mask: Tensor | None = None, **recurrence: Any
) -> Tensor:
    """Gated recurrent unit (Cho et al., 2014); see `Recurrence`."""
    return Recurrence(units, **recurrence).applied(layers.GRU, x, name, "gru", mask)


def simple_rnn(
    x: Tensor, *, units: int, name: str = "", mask: Tensor | None = None, **recurrence: Any
) -> Tensor:
    """The plain recurrent layer (Elman, 1990); see `Recurrence`."""
    return Recurrence(units, **recurrence).applied(layers.SimpleRNN, x, name, "simple_rnn", mask)


def last(x: Tensor, *, name: str = "", mask: Tensor | None = None) -> Tensor:
    """The last real step: (batch, channels)."""
    if mask is not None:
        # 1 at the last real step, and 0 at all others.
        number = keras.ops.subtract(keras.ops.sum(keras.ops.cast(mask, "int32"), axis=1), 1)
        chosen = keras.ops.one_hot(number, x.shape[1], dtype=x.dtype)
        chosen = named([mask], chosen, part(name, "last"))
        return layers.Dot(axes=1, name=part(name, "last"))([chosen, x])
    # `x[:, -1]` would be an operation that Keras names by a counter, not after its gene.
    before_last = x.shape[1] - 1
    x = layers.Cropping1D((before_last, 0), name=part(name, "last"))(x)
    return layers.Flatten(name=part(name, "flatten"))(x)


def attention_pooling(x: Tensor, *, name: str = "", mask: Tensor | None = None) -> Tensor:
    """The mean of all steps, weighted by a learned score of each (Yang et al., 2016).

    Returns:
        (batch, channels).
    """
    if rank(x) != 2:
        raise ValueError(
            f"attention_pooling takes a sequence, (steps, channels). Received: {x.shape[1:]}"
        )
    scores = layers.Dense(1, name=part(name, "scores"))(x)
    # Over the steps: the weights of one sample sum to 1.
    softmax = layers.Softmax(axis=1, name=part(name, "weights"))
    if mask is None:
        weights = softmax(scores)
    else:
        real = named([mask], keras.ops.expand_dims(mask, -1), part(name, "real"))
        weights = softmax(scores, mask=real)
    x = layers.Dot(axes=1, name=part(name, "attention_pooling"))([weights, x])
    return layers.Flatten(name=part(name, "flatten"))(x)
