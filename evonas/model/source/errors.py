"""What cannot be written as code."""

from __future__ import annotations


class CannotWrite(ValueError):
    """A part of a network that is not Keras's own, or whose arguments are no plain values."""
