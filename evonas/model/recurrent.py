"""Ops for sequences: recurrent layers, a convolution, and ops that make a vector of a sequence.

Sequences are (batch, steps, channels), all of one length: nothing here needs a mask.
`evonas.model.ops` lists these functions with the others.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from evonas.model.parts import Tensor, finished, part, rank, regularizer


def conv1d(
    x: Tensor,
    *,
    filters: int,
    kernel_size: int,
    activation: str = "relu",
    batch_normalization: bool = False,
    dropout: float = 0.0,
    kernel_initializer: str = "glorot_uniform",
    l1: float = 0.0,
    l2: float = 0.0,
    name: str = "",
) -> Tensor:
    """A convolution that keeps the steps; dropout drops whole channels (Tompson et al., 2015).

    Args:
        x: (batch, steps, channels).

    Returns:
        (batch, steps, filters).
    """
    layer = layers.Conv1D(
        filters,
        kernel_size,
        padding="same",
        # Batch normalization has an offset of its own, and the activation comes after it.
        activation=None if batch_normalization else activation,
        use_bias=not batch_normalization,
        kernel_initializer=kernel_initializer,
        kernel_regularizer=regularizer(l1, l2),
        name=part(name, "conv1d"),
    )
    x = layer(x)
    return finished(
        x,
        layers.SpatialDropout1D,
        activation,
        batch_normalization,
        dropout,
        name,
    )


def _recurrent(
    kind: Any,
    word: str,
    x: Tensor,
    units: int,
    bidirectional: bool,
    l1: float,
    l2: float,
    name: str,
    **options: Any,
) -> Tensor:
    """A recurrent layer that gives its state after every step, for one or both directions."""
    layer = kind(
        units,
        # Every step, so that any op for sequences can follow.
        return_sequences=True,
        kernel_regularizer=regularizer(l1, l2),
        name=part(name, word),
        **options,
    )
    if bidirectional:
        layer = layers.Bidirectional(layer, name=part(name, "bidirectional"))
    return layer(x)


def lstm(
    x: Tensor,
    *,
    units: int,
    bidirectional: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    activation: str = "tanh",
    kernel_initializer: str = "glorot_uniform",
    l1: float = 0.0,
    l2: float = 0.0,
    name: str = "",
) -> Tensor:
    """Long short-term memory (Hochreiter and Schmidhuber, 1997).

    Dropout is that of Gal and Ghahramani (2016).

    Args:
        x: (batch, steps, channels).
        dropout: fraction of the inputs that is dropped, the same ones in every step.
        recurrent_dropout: the same for the state that goes from step to step.

    Returns:
        (batch, steps, units), or twice the units if the layer is bidirectional.
    """
    return _recurrent(
        layers.LSTM,
        "lstm",
        x,
        units,
        bidirectional,
        l1,
        l2,
        name,
        activation=activation,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        kernel_initializer=kernel_initializer,
    )


def gru(
    x: Tensor,
    *,
    units: int,
    bidirectional: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    activation: str = "tanh",
    kernel_initializer: str = "glorot_uniform",
    l1: float = 0.0,
    l2: float = 0.0,
    name: str = "",
) -> Tensor:
    """Gated recurrent unit (Cho et al., 2014); arguments as for `lstm`."""
    return _recurrent(
        layers.GRU,
        "gru",
        x,
        units,
        bidirectional,
        l1,
        l2,
        name,
        activation=activation,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        kernel_initializer=kernel_initializer,
    )


def simple_rnn(
    x: Tensor,
    *,
    units: int,
    bidirectional: bool = False,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    activation: str = "tanh",
    kernel_initializer: str = "glorot_uniform",
    l1: float = 0.0,
    l2: float = 0.0,
    name: str = "",
) -> Tensor:
    """The plain recurrent layer (Elman, 1990); arguments as for `lstm`."""
    return _recurrent(
        layers.SimpleRNN,
        "simple_rnn",
        x,
        units,
        bidirectional,
        l1,
        l2,
        name,
        activation=activation,
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        kernel_initializer=kernel_initializer,
    )


def last(x: Tensor, *, name: str = "") -> Tensor:
    """The last step: (batch, channels)."""
    # `x[:, -1]` would be an operation that Keras names by a counter, not after its gene.
    before_last = x.shape[1] - 1
    x = layers.Cropping1D((before_last, 0), name=part(name, "last"))(x)
    return layers.Flatten(name=part(name, "flatten"))(x)


def attention_pooling(x: Tensor, *, name: str = "") -> Tensor:
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
    weights = layers.Softmax(axis=1, name=part(name, "weights"))(scores)
    x = layers.Dot(axes=1, name=part(name, "attention_pooling"))([weights, x])
    return layers.Flatten(name=part(name, "flatten"))(x)
