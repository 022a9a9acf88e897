"""The op that turns the words of a text into a sequence."""

from __future__ import annotations

from keras import layers

from evonas.learning.input_spec import InputSpec
from evonas.model.parts import Tensor, part


def embedding(
    x: Tensor,
    *,
    output_dim: int,
    spec: InputSpec,
    dropout: float = 0.0,
    name: str = "",
) -> Tensor:
    """A learned vector for each word of the vocabulary.

    Args:
        x: (batch, words), the numbers of the words; 0 is padding and 1 any unknown word.
        output_dim: length of a vector.
        spec: the input, whose vocabulary it is.
        dropout: fraction of the channels that is dropped, the same ones in all words of a text.

    Returns:
        (batch, words, output_dim).
    """
    # Padding and the unknown word have vectors, too.
    words = len(spec.fitted["vocabulary"]) + 2
    x = layers.Embedding(words, output_dim, name=part(name, "embedding"))(x)
    if dropout:
        x = layers.SpatialDropout1D(dropout, name=part(name, "dropout"))(x)
    return x
