"""What evonas must know of a kind of input. `image.py` is an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class InputKind:
    """A kind of input.

    Attributes:
        name: word in a search space, `input: image`.
        axes: numbers of axes that one sample may have. With the most, the last axis is that of the
            columns. With fewer, a sample has a single column.
        axes_in_words: the same in words, for messages.
        column: what a column is called.
        example: shape of a small sample.
        entrance: layers between the raw samples and the network, by name, in order.
        fitted: what is fitted to the training data for these layers, by name.
        example_fitted: what an encoding would have fitted for the small sample.
    """

    name: str
    axes: tuple[int, ...]
    axes_in_words: str
    column: str
    example: tuple[int, ...]
    entrance: tuple[str, ...]
    fitted: tuple[str, ...]
    example_fitted: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """The number of axes of a sample behind the entrance."""
        return max(self.axes)

    def columns(self, shape: tuple[int, ...]) -> int:
        """The number of columns of samples of this shape."""
        return shape[-1] if len(shape) == self.rank else 1
