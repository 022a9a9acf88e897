"""Self-attention over steps, and what it needs: positions, and patches of an image as steps."""

from __future__ import annotations

import keras
from keras import layers

from evonas.model.parts import Tensor, named, part, rank


def patches(x: Tensor, *, patch_size: int, filters: int, name: str = "") -> Tensor:
    """An image as a sequence of squares (Dosovitskiy et al., 2021).

    Each step is a linear map of the pixels of a square. Those at the lower and right edges are
    filled up with zeros.

    Args:
        x: (batch, height, width, channels).
        patch_size: height and width of a square.
        filters: channels of a step.

    Returns:
        (batch, squares, filters).
    """
    layer = layers.Conv2D(
        filters,
        patch_size,
        strides=patch_size,
        padding="same",
        name=part(name, "conv2d"),
    )
    x = layer(x)
    return layers.Reshape((-1, filters), name=part(name, "steps"))(x)


def positions(x: Tensor, *, name: str = "") -> Tensor:
    """Adds a learned vector to each step: attention alone does not know the order of the steps.

    Args:
        x: (batch, steps, channels).
    """
    length, channels = x.shape[1:]
    # 0, 1, 2 and so on for each sample: a layer of Keras must have an input.
    ones = keras.ops.ones_like(x[:, :, 0], dtype="int32")
    numbers = keras.ops.subtract(keras.ops.cumsum(ones, axis=1), 1)
    numbers = named([x], numbers, part(name, "numbers"))
    learned = layers.Embedding(length, channels, name=part(name, "positions"))(numbers)
    return layers.Add(name=part(name, "placed"))([x, learned])


def transformer(
    x: Tensor,
    *,
    num_heads: int,
    mlp_ratio: float = 2.0,
    activation: str = "gelu",
    dropout: float = 0.0,
    name: str = "",
    mask: Tensor | None = None,
) -> Tensor:
    """A block of an encoder: self-attention and two dense layers, each with a shortcut.

    Vaswani et al., 2017, with the normalization before each half (Xiong et al., 2020), which trains
    without a warm-up.

    Args:
        x: (batch, steps, channels); the channels stay.
        num_heads: number of attentions side by side; each has channels / `num_heads` of its own,
            and at least one.
        mlp_ratio: width between the dense layers, as a multiple of the channels.
        dropout: fraction of each half's output that is dropped.
        mask: (batch, steps), true for the real steps, or None.
    """
    if rank(x) != 2:
        raise ValueError(
            f"transformer takes a sequence, (steps, channels). Received: {x.shape[1:]}"
        )
    channels = x.shape[-1]
    y = layers.LayerNormalization(name=part(name, "attention_normalization"))(x)
    attention = layers.MultiHeadAttention(
        num_heads,
        key_dim=max(1, channels // num_heads),
        name=part(name, "attention"),
    )
    # The steps that each step looks at: (batch, 1, steps), for all steps alike.
    wanted = None
    if mask is not None:
        wanted = keras.ops.expand_dims(mask, 1)
        wanted = named([mask], wanted, part(name, "attended"))
    y = attention(y, y, attention_mask=wanted)
    x = _joined(x, y, dropout, part(name, "attention") or "")
    y = layers.LayerNormalization(name=part(name, "dense_normalization"))(x)
    width = max(1, round(mlp_ratio * channels))
    y = layers.Dense(width, activation=activation, name=part(name, "wide"))(y)
    y = layers.Dense(channels, name=part(name, "narrow"))(y)
    return _joined(x, y, dropout, part(name, "dense") or "")


def _joined(x: Tensor, y: Tensor, dropout: float, name: str) -> Tensor:
    if dropout:
        y = layers.Dropout(dropout, name=part(name, "dropout"))(y)
    return layers.Add(name=part(name, "add"))([x, y])
