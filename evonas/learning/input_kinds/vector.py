"""Vectors: one number for each feature."""

from __future__ import annotations

from evonas.learning.input_kinds.input_kind import InputKind

VECTOR = InputKind(
    name="vector",
    axes=(1,),
    axes_in_words="1 axis (features)",
    column="feature",
    example=(10,),
    entrance=("normalization",),
    fitted=("moments",),
)
